"""Every scheme, made by the real converter and computed by the real interpreters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from tflite_micro import runtime

from tinyhil import tflite
from tinyhil.affine import DType
from tinyhil.artifacts.types import Array, FloatModel, QuantizedModel
from tinyhil.config.recipe import Quantize, Scheme
from tinyhil.errors import ModelError
from tinyhil.progress import Silent
from tinyhil.quantize import quantize
from tinyhil.quantize.evaluation import accuracy, on_test_set
from tinyhil.quantize.inspection import Inspection

Models = dict[Scheme, QuantizedModel]


def by_tflm(model: Path, inputs: Array) -> Any:
    """The outputs for the inputs, by TFLM's interpreter itself."""
    interpreter = runtime.Interpreter.from_bytes(model.read_bytes(), arena_size=1 << 20)
    outputs = []
    for vector in inputs:
        interpreter.set_input(vector, 0)
        interpreter.invoke()
        outputs.append(np.array(interpreter.get_output(0)))
    return np.stack(outputs)


def inspected(model: QuantizedModel) -> Inspection:
    assert model.inspection is not None
    return msgspec.json.decode(model.inspection.read_bytes(), type=Inspection)


@pytest.mark.parametrize(
    ("scheme", "ends", "weights", "dense_scales"),
    [
        ("float32", DType.FLOAT32, "float32", 0),
        ("int8", DType.INT8, "int8", 1),
        ("int8-per-channel", DType.INT8, "int8", 10),
        ("int16x8", DType.INT16, "int8", 1),
        ("dynamic", DType.FLOAT32, "int8", 1),
    ],
)
def test_a_scheme_is_what_it_says(
    quantized: Models, scheme: Scheme, ends: DType, weights: str, dense_scales: int
) -> None:
    model = quantized[scheme]
    assert [spec.dtype for spec in (*model.inputs, *model.outputs)] == [ends, ends]
    assert [spec.shape for spec in (*model.inputs, *model.outputs)] == [(1, 8, 8, 1), (1, 10)]
    assert model.ops == ("CONV_2D", "RESHAPE", "FULLY_CONNECTED")
    graph = tflite.parse(model.path.read_bytes(), "m").main
    dense = graph.tensors[graph.operators[2].inputs[1]]
    assert (dense.dtype, len(dense.scales)) == (weights, dense_scales)
    assert model.vectors.inputs[0].dtype == model.vectors.inputs[0].dtype.newbyteorder("<")
    assert model.vectors.reference[0].dtype == ends.numpy


def test_what_tflm_takes_it_computes_and_for_the_rest_litert_is_named(quantized: Models) -> None:
    for scheme, model in quantized.items():
        if scheme != "dynamic":
            assert model.reference.startswith("tflite-micro "), scheme
            np.testing.assert_array_equal(model.vectors.reference[0], by_tflm(model.path, model.vectors.inputs[0]))
            assert model.litert is not None
            assert model.litert.name.startswith("LiteRT of TensorFlow ")
    dynamic = quantized["dynamic"]
    with pytest.raises(RuntimeError):
        by_tflm(dynamic.path, dynamic.vectors.inputs[0])
    assert dynamic.reference.startswith("LiteRT of TensorFlow ")
    assert "because TFLM does not take the model (Input type: FLOAT32 with filter type: INT8 not " in dynamic.reference
    assert dynamic.litert is None
    assert dynamic.vectors.float_outputs is not None
    floats = dynamic.vectors.float_outputs[0]
    error = np.abs(np.asarray(dynamic.vectors.reference[0], np.float64) - floats).max()
    assert 0 < error < 0.05 * np.ptp(floats)


@pytest.mark.parametrize("scheme", ["int8", "int8-per-channel", "int16x8"])
def test_calibration_sees_training_samples_only(quantized: Models, scheme: Scheme) -> None:
    """They lie in 0..1 with both ends among them, while validation and test have a 50."""
    spec = quantized[scheme].inputs[0]
    lowest, highest = spec.dtype.limits
    assert spec.dequantize(highest) == pytest.approx(1.0, rel=1e-6)
    assert spec.dequantize(lowest) == pytest.approx(0.0 if scheme != "int16x8" else -1.0, rel=1e-4)


@pytest.mark.long
def test_one_number_is_sent_in_all_its_values(quantized_number: Models) -> None:
    counts: dict[Scheme, int] = {"int8": 256, "int16x8": 65_536}
    for scheme, count in counts.items():
        vectors = quantized_number[scheme].vectors
        assert (vectors.exhaustive, vectors.count) == (True, count)
        assert len(np.unique(vectors.inputs[0])) == count
    assert not quantized_number["float32"].vectors.exhaustive


@pytest.mark.long
def test_accuracy_is_judged_where_the_data_lies(number: FloatModel, quantized_number: Models) -> None:
    """A symmetric type has as many values below zero, where no data is."""
    with np.load(number.dataset) as sets:
        least, most = float(sets["train_x"].min()), float(sets["train_x"].max())
    for scheme in ("int8", "int16x8"):
        model = quantized_number[scheme]
        spec, data = model.inputs[0], model.vectors.data
        assert data is not None
        reals = spec.dequantize(model.vectors.inputs[0]).ravel()
        assert data.any()
        assert not data.all()
        assert reals[data].min() == pytest.approx(least, abs=spec.scale)
        assert reals[data].max() == pytest.approx(most, abs=spec.scale)
    sampled = quantized_number["float32"].vectors
    assert sampled.data is not None
    assert sampled.data.tolist() == [False] + [True] * 20


_BY_SCHEME: tuple[tuple[Scheme, bool], ...] = (("dynamic", False), ("int8", True))


@pytest.mark.long
def test_small_layers_stay_float_under_dynamic(quantized_number: Models) -> None:
    for name, quantized in _BY_SCHEME:
        graph = tflite.parse(quantized_number[name].path.read_bytes(), name).main
        assert any(tensor.scales for tensor in graph.used) is quantized


def test_the_rewritten_model_computes_the_same(quantized: Models) -> None:
    """And an importer that reads strictly takes it."""
    bakenn = pytest.importorskip("bakenn")
    model = quantized["int8"]
    assert [note.split(":")[0] for note in model.rewrites] == ["operator 1 RESHAPE", "operator 2 FULLY_CONNECTED"]
    assert quantized["float32"].rewrites == quantized["int16x8"].rewrites == ()
    folder = model.path.parent / "compiled"
    bakenn.compile_tflite(model.path.read_bytes(), str(folder), name="model")
    assert list(folder.glob("*.c"))


def test_figures_are_those_of_another_route(images: FloatModel, quantized: Models, keras_files: Path) -> None:
    with np.load(images.dataset) as sets, np.load(keras_files / "layers.npz") as layers:
        test_x, test_y, floats = sets["test_x"], sets["test_y"], layers["output"]
    for scheme in ("float32", "int8", "int16x8"):
        model = quantized[scheme]
        found = accuracy(on_test_set(model, images))
        inputs, outputs = test_x, model.outputs[0]
        if scheme != "float32":
            spec = model.inputs[0]
            exact = np.floor(test_x.astype(np.float64) / spec.scale + 0.5) + spec.zero_point
            inputs = np.minimum(exact, spec.dtype.limits[1]).astype(spec.dtype.numpy)
        raw = by_tflm(model.path, inputs[:, None]).reshape(30, 10)
        reals = raw if scheme == "float32" else (raw.astype(np.float64) - outputs.zero_point) * outputs.scale
        assert found.samples == 30
        assert found.mae_against_float == pytest.approx(np.mean(np.abs(reals - floats)), rel=1e-5)
        right, same = sum(reals.argmax(1) == test_y), sum(reals.argmax(1) == floats.argmax(1))
        assert (found.accuracy, found.agreement) == (right / 30, same / 30)
        assert found.accuracy_float == sum(floats.argmax(1) == test_y) / 30
        assert found.drop == pytest.approx(found.accuracy_float - right / 30)


@pytest.mark.long
def test_figures_of_a_regression(number: FloatModel, quantized_number: Models) -> None:
    with np.load(number.dataset) as sets:
        test_x, test_y = sets["test_x"], sets["test_y"]
    model = quantized_number["int8"]
    spec, out = model.inputs[0], model.outputs[0]
    inputs = np.clip(np.floor(test_x / spec.scale + 0.5) + spec.zero_point, -128, 127).astype(np.int8)
    reals = (by_tflm(model.path, inputs[:, None]).reshape(-1, 1).astype(np.float64) - out.zero_point) * out.scale
    floats = by_tflm(quantized_number["float32"].path, test_x[:, None]).reshape(-1, 1)
    found = accuracy(on_test_set(model, number))
    assert found.accuracy is None
    assert found.mae == pytest.approx(np.abs(reals - test_y).mean(), rel=1e-5)
    assert found.mae_float == pytest.approx(np.abs(floats - test_y).mean(), rel=1e-5)
    assert found.mae_against_float == pytest.approx(np.abs(reals - floats).mean(), rel=1e-5)


def test_the_inspection_is_that_of_the_float_models_layers(quantized: Models, keras_files: Path) -> None:
    """Keras' own layers, and TFLM's tensors read one by one."""
    with np.load(keras_files / "layers.npz") as layers, np.load(keras_files / "images.npz") as sets:
        expected = {1: layers["convolution"].astype(np.float64), 3: layers["output"].astype(np.float64)}
        test_x = sets["test_x"]
    model = quantized["int8"]
    found = inspected(model)
    assert found.samples == 30
    assert [tensor.made_by for tensor in found.tensors] == [
        "input",
        "operator 0 CONV_2D",
        "operator 1 RESHAPE",
        "operator 2 FULLY_CONNECTED",
    ]
    assert {tensor.matched_by for tensor in found.tensors} == {"name"}
    config = runtime.InterpreterConfig.kPreserveAllTensors
    interpreter = runtime.Interpreter.from_bytes(model.path.read_bytes(), arena_size=1 << 20, intrepreter_config=config)
    graph = tflite.parse(model.path.read_bytes(), "m").main
    for place, floats in expected.items():
        tensor = graph.tensors[found.tensors[place].index]
        raw = []
        for sample in model.inputs[0].quantize(test_x):
            interpreter.set_input(sample[None], 0)
            interpreter.invoke()
            raw.append(np.array(interpreter.GetTensor(tensor.index, 0)["tensor_data"])[0])
        values = np.stack(raw).astype(np.float64)
        reals = (values - tensor.zero_points[0]) * tensor.scales[0]
        facts = found.tensors[place]
        assert facts.error == pytest.approx(np.abs(reals - floats).max(), rel=1e-4)
        assert facts.error_share == pytest.approx(np.abs(reals - floats).max() / np.ptp(floats), rel=1e-4)
        assert facts.at_lowest == (values == -128).mean()
        assert facts.at_highest == (values == 127).mean()
        low, high = ((end - tensor.zero_points[0]) * tensor.scales[0] for end in (-128.5, 127.5))
        assert facts.coverage == ((floats >= low) & (floats <= high)).mean()
    shares = [tensor.error_share or 0 for tensor in found.tensors[1:]]
    assert found.worst is not None
    assert found.worst.error_share == max(shares)


def test_the_outlier_that_calibration_did_not_see_is_not_covered(quantized: Models) -> None:
    inputs = inspected(quantized["int8"]).tensors[0]
    assert inputs.coverage == pytest.approx(1 - 1 / (30 * 64))
    assert inputs.saturation is not None
    assert inputs.saturation >= 1 / (30 * 64)
    assert inputs.error == pytest.approx(49.0, rel=1e-3)


def test_a_model_in_floats_has_nothing_to_saturate(quantized: Models) -> None:
    found = inspected(quantized["float32"])
    assert found.most_saturated is None
    assert found.least_covered is None
    assert {tensor.error for tensor in found.tensors} == {0.0}


def test_a_keras_file_that_brings_code_is_refused(keras_files: Path, number: FloatModel, tmp_path: Path) -> None:
    model = FloatModel("code", keras_files / "code.keras", number.dataset, "code", {})
    with pytest.raises(ModelError, match="layer 'lambda' is a Lambda layer") as caught:
        quantize(model, Quantize(), tmp_path, Silent())
    assert "keras.ops" in caught.value.hint
