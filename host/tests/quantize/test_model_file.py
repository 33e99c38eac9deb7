"""Models that tinyhil has not trained, and files that come from anywhere."""

from __future__ import annotations

import io
import os
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st
from PIL import Image
from tflite_micro import runtime
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from tinyhil.affine import DType, TensorSpec
from tinyhil.artifacts import arrays
from tinyhil.config.recipe import Quantize
from tinyhil.errors import ConfigError, InputError, ModelError
from tinyhil.progress import Silent
from tinyhil.quantize import model_file, quantize, samples, vectors
from tinyhil.quantize.evaluation import accuracy, on_test_set


@pytest.fixture
def model(tmp_path: Path, tiny_model: bytes) -> Path:
    path = tmp_path / "My Model.tflite"
    path.write_bytes(tiny_model)
    return path


def taking(*shape: int) -> TensorSpec:
    """An input of floats."""
    return TensorSpec("in", DType.FLOAT32, (1, *shape), 0.0, 0)


def npz(path: Path, **arrays: Any) -> Path:
    np.savez(path, **arrays)
    return path


def test_a_tflite_file_is_taken_as_it_is_and_has_no_float_outputs(model: Path, tmp_path: Path) -> None:
    made, found = model_file.tflite_model(model, None, tmp_path / "out", Silent())
    assert not found
    assert made.path.read_bytes() == model.read_bytes()
    assert (made.recipe, made.scheme, made.rewrites) == ("my-model", "as given", ())
    assert made.vectors.float_outputs is None
    assert made.reference.startswith("tflite-micro ")
    interpreter = runtime.Interpreter.from_bytes(model.read_bytes(), arena_size=1 << 16)
    for vector, expected in zip(made.vectors.inputs[0], made.vectors.reference[0], strict=True):
        interpreter.set_input(vector, 0)
        interpreter.invoke()
        np.testing.assert_array_equal(interpreter.get_output(0), expected)
    again, found = model_file.tflite_model(model, None, tmp_path / "out", Silent())
    assert found
    assert again.key == made.key
    np.testing.assert_array_equal(again.vectors.inputs[0], made.vectors.inputs[0])


def test_what_the_file_leaves_out_is_added_and_said(build_tflite: Callable[..., bytes], tmp_path: Path) -> None:
    def edit(model: Any) -> None:
        model.subgraphs[0].operators[0].inputs = [0, 1, -1]

    path = tmp_path / "m.tflite"
    path.write_bytes(build_tflite(edit))
    made, _ = model_file.tflite_model(path, None, tmp_path / "out", Silent())
    assert made.rewrites == ("operator 0 FULLY_CONNECTED: a bias of 2 zeros, which the file left out",)
    interpreter = runtime.Interpreter.from_bytes(path.read_bytes(), arena_size=1 << 16)
    for vector, expected in zip(made.vectors.inputs[0], made.vectors.reference[0], strict=True):
        interpreter.set_input(vector, 0)
        interpreter.invoke()
        np.testing.assert_array_equal(interpreter.get_output(0), expected)


def test_drawn_vectors_saturate_what_they_can(model: Path, tmp_path: Path) -> None:
    """Both ends of the output are reached, which no sample near zero does."""
    made, _ = model_file.tflite_model(model, None, tmp_path / "out", Silent())
    inputs, outputs = made.vectors.inputs[0].astype(int), made.vectors.reference[0].astype(int)
    assert (inputs.min(), inputs.max()) == (-128, 127)
    assert (outputs.min(), outputs.max()) == (-128, 127)
    assert len(np.unique(inputs.reshape(len(inputs), -1), axis=0)) > 128


def test_samples_are_sent_after_drawn_inputs(model: Path, tmp_path: Path) -> None:
    x = np.random.default_rng(1).uniform(-60, 60, (20, 3))
    made, _ = model_file.tflite_model(model, npz(tmp_path / "s.npz", x=x), tmp_path / "out", Silent())
    assert made.vectors.count > 20 + vectors.BESIDE
    np.testing.assert_array_equal(made.vectors.inputs[0][-20:, 0], made.inputs[0].quantize(x.astype(np.float32)))


def test_a_custom_operator_is_named(build_tflite: Callable[..., bytes], tmp_path: Path) -> None:
    def edit(model: Any) -> None:
        code = schema.BuiltinOperator.CUSTOM
        model.operatorCodes[0] = schema.OperatorCodeT(builtinCode=code, deprecatedBuiltinCode=code, customCode="MyOp")
        model.subgraphs[0].operators[0].builtinOptions = None
        model.subgraphs[0].operators[0].builtinOptionsType = 0

    path = tmp_path / "m.tflite"
    path.write_bytes(build_tflite(edit))
    with pytest.raises(ModelError, match=r"no interpreter takes the model: .*MyOp"):
        model_file.tflite_model(path, None, tmp_path / "out", Silent())


def test_a_damaged_or_missing_file_is_refused(model: Path, tmp_path: Path) -> None:
    path = tmp_path / "cut.tflite"
    path.write_bytes(model.read_bytes()[:300])
    with pytest.raises(ModelError, match="damaged or truncated"):
        model_file.tflite_model(path, None, tmp_path / "out", Silent())
    with pytest.raises(ConfigError, match="No such file"):
        model_file.tflite_model(tmp_path / "none.tflite", None, tmp_path / "out", Silent())


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": np.zeros((4, 2))}, "'x' has the shape (4, 2), the model takes (samples, 3)"),
        ({"x": np.zeros((0, 3))}, "'x' has no samples"),
        (
            {"x": np.array([[1, 2, np.nan], [1, np.inf, 1]])},
            "x has 2 values that are NaN or infinite, the first at x[0, 2]",
        ),
        ({"x": np.full((1, 3), 1e300)}, "x has 3 values that are NaN or infinite, the first at x[0, 0], as float32"),
        ({"z": np.zeros((4, 3))}, "has no array 'x'"),
        ({"x": np.array([["a", "b", "c"]])}, "x has elements of type <U1, not numbers"),
        ({"x": np.array([[None, 1, 2]], object)}, "x holds pickled Python objects, which are never loaded"),
        ({"x": np.zeros((4, 3), complex)}, "x has elements of type complex128, not numbers"),
    ],
)
def test_samples_that_do_not_fit_are_refused(tmp_path: Path, arrays: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        samples.read(npz(tmp_path / "s.npz", **arrays), [taking(3)])


class Boom:
    def __reduce__(self) -> Any:
        return os.mkdir, ("unpickled",)


def test_a_pickle_is_never_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = npz(tmp_path / "s.npz", x=np.array([[Boom()]], object))
    with pytest.raises(InputError, match="pickled Python objects"):
        samples.read(path, [taking(1)])
    assert not (tmp_path / "unpickled").exists()


def test_sizes_are_bounded_by_the_headers(tmp_path: Path) -> None:
    """A few hundred bytes that claim to be four gigabytes."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": (1 << 30,)})
    path = tmp_path / "s.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", header.getvalue())
    with pytest.raises(InputError, match=r"x claims the shape \(1073741824,\), but has"):
        samples.read(path, [taking(1)])


@drawn(st.binary(max_size=300))
@pytest.mark.parametrize("suffix", ["npz", "npy"])
def test_no_samples_file_makes_anything_but_an_error(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, data: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / f"fuzz.{suffix}"
    path.write_bytes(data)
    with pytest.raises(InputError):
        samples.read(path, [taking(1)])


@drawn(st.text(min_size=1).filter(lambda text: "/" not in text and "\0" not in text and text not in (".", "..")))
def test_a_name_is_safe_in_c_and_as_a_folder(stem: str) -> None:
    name = model_file.name_of(Path(f"{stem}.tflite"))
    assert re.fullmatch(r"[a-z][a-z0-9-]{0,31}", name)


def test_names() -> None:
    assert model_file.name_of(Path("a/My Model (2).keras")) == "my-model-2"
    assert model_file.name_of(Path("3d.tflite")) == "model-3d"
    assert model_file.name_of(Path("ß日本.tflite")) == "model"


@pytest.mark.long
def test_a_keras_file_with_samples_is_as_if_trained_here(keras_files: Path, tmp_path: Path) -> None:
    x = np.random.default_rng(2).uniform(0, 1, (20, 8, 8, 1))
    y = np.arange(20) % 10
    path = npz(tmp_path / "s.npz", x=x, y=y)
    model, found = model_file.keras_model(keras_files / "images.keras", path, tmp_path / "model", Silent())
    assert not found
    with np.load(model.dataset) as sets:
        np.testing.assert_array_equal(sets["train_x"], x[:12].astype(np.float32))
        np.testing.assert_array_equal(sets["test_x"], x[12:].astype(np.float32))
        np.testing.assert_array_equal(sets["test_y"], y[12:])
    made, _ = quantize(model, Quantize(), tmp_path / "int8", Silent())
    assert made.recipe == "images"
    figures = accuracy(on_test_set(made, model))
    assert figures.samples == 8
    assert figures.accuracy is not None
    assert model_file.keras_model(keras_files / "images.keras", path, tmp_path / "model", Silent())[1]
    without, _ = model_file.keras_model(keras_files / "images.keras", npz(path, x=x), tmp_path / "other", Silent())
    assert without.key != model.key
    with np.load(without.dataset) as sets:
        assert sets["test_y"].shape == (8, 0)


def test_keras_files_that_cannot_be_used(keras_files: Path, tmp_path: Path) -> None:
    path = npz(tmp_path / "s.npz", x=np.zeros((4, 5)))
    cut = tmp_path / "cut.keras"
    cut.write_bytes((keras_files / "images.keras").read_bytes()[:-100])
    with pytest.raises(ModelError, match=r"is not a \.keras file, or damaged"):
        model_file.keras_model(cut, path, tmp_path / "model", Silent())
    with pytest.raises(ConfigError, match=re.escape("the model takes (samples, 8, 8, 1)")):
        model_file.keras_model(keras_files / "images.keras", path, tmp_path / "model", Silent())


def test_drawing_is_the_same_for_the_same_seed_only(build_tflite: Callable[..., bytes]) -> None:
    from tinyhil.affine import DType

    specs = [TensorSpec("a", DType.INT8, (1, 4), 0.5, -128), TensorSpec("b", DType.FLOAT32, (1, 2), 0.0, 0)]
    one, other, third = (vectors.draw(specs, seed)[0] for seed in (1, 1, 2))
    assert all((a == b).all() for a, b in zip(one, other, strict=True))
    assert any((a != b).any() for a, b in zip(one, third, strict=True))
    assert [len(part) for part in one] == [len(one[0])] * 2
    corners = {int(part[0, 0]) for part in one[0] if (part == part[0, 0]).all()}
    assert {-128, -127, 127} <= corners
    assert np.isfinite(one[1]).all()


def test_a_keras_file_of_another_case_with_images_by_class(keras_files: Path, tmp_path: Path) -> None:
    """Both sets have images of both classes, though they lie class by class."""
    path = tmp_path / "images.KERAS"
    path.write_bytes((keras_files / "images.keras").read_bytes())
    for name, grey in (("0", 10), ("1", 200)):
        (tmp_path / "by class" / name).mkdir(parents=True)
        for index in range(10):
            Image.new("RGB", (8, 8), (grey + index,) * 3).save(tmp_path / "by class" / name / f"{index}.png")
    made, _ = model_file.keras_model(path, tmp_path / "by class", tmp_path / "model", Silent())
    for name, count in (("train", 12), ("test", 8)):
        x, y = arrays.read_set(made.dataset, name)
        assert x.shape == (count, 8, 8, 1)
        assert set(y.tolist()) == {0, 1}
        assert ((x[:, 0, 0, 0].astype(np.float64) >= 100) == (y == 1)).all()
