"""Weights that are no numbers, and schemes that do not quantize, are refused by their names."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from tinyhil import kinds
from tinyhil.artifacts import arrays
from tinyhil.artifacts.types import FloatModel
from tinyhil.compare import health
from tinyhil.config.recipe import Quantize
from tinyhil.errors import ModelError
from tinyhil.progress import Silent
from tinyhil.quantize import keras_file, quantize
from tinyhil.quantize.converter import require_quantized

Build = Callable[..., bytes]


@dataclass
class Weight:
    """As Keras has it: an array with a path."""

    path: str
    values: Any

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.asarray(self.values)


@dataclass
class Model:
    """As Keras has it: what this test looks at."""

    weights: list[Weight] = field(default_factory=list)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize(
    "path", ["dense/kernel", "dense/bias", "batch_normalization/moving_variance", "block/inner/gamma"]
)
def test_a_weight_that_is_no_number_is_refused_by_its_layer(path: str, value: float, dtype: str) -> None:
    sound = [Weight("input/kernel", np.ones((3, 2), np.float32)), Weight("seed/state", np.array([1, 2], np.uint32))]
    keras_file.require_finite(Model(sound), "mine.keras")
    wrong = np.ones((2, 4), ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype)
    keras_file.require_finite(Model([*sound, Weight(path, wrong)]), "mine.keras")
    wrong[1, 3] = value
    layer, _, part = path.rpartition("/")
    with pytest.raises(ModelError, match=f"mine.keras: layer '{layer}': 1 of 8 values of its {part}") as caught:
        keras_file.require_finite(Model([*sound, Weight(path, wrong)]), "mine.keras")
    assert caught.value.kind is kinds.NOT_FINITE
    assert caught.value.exit_code == 2


MAKE = """
import sys
import keras
import numpy as np
model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, name="hidden"), keras.layers.Dense(1)])
kernel, bias = model.get_layer("hidden").get_weights()
kernel[1, 2] = np.nan
model.get_layer("hidden").set_weights([kernel, bias])
model.save(sys.argv[1])
"""


@pytest.mark.long
@pytest.mark.parametrize("scheme", ["int8", "float32"])
def test_a_keras_file_with_a_weight_that_is_no_number(tmp_path: Path, scheme: Any) -> None:
    path, dataset = tmp_path / "m.keras", tmp_path / "d.npz"
    subprocess.run([sys.executable, "-c", MAKE, path], check=True, capture_output=True)
    x = np.random.default_rng(1).random((20, 2), np.float32)
    arrays.write_dataset(dataset, {"train": (x, x[:, :1]), "test": (x, x[:, :1])})
    with pytest.raises(ModelError, match="layer 'hidden': 1 of 6 values of its kernel"):
        quantize(FloatModel("m", path, dataset, "key"), Quantize(scheme=scheme), tmp_path / "out", Silent())


def unquantized(index: int, kind: int) -> Callable[[Any], None]:
    """Takes the quantization of a tensor away."""

    def edit(model: Any) -> None:
        tensor = model.subgraphs[0].tensors[index]
        tensor.type, tensor.quantization = kind, None

    return edit


@pytest.mark.parametrize("scheme", ["int8", "int8-per-channel", "int16x8"])
@pytest.mark.parametrize(("index", "what"), [(0, "input 'in'"), (3, "output 'out'")])
def test_a_scheme_that_quantizes_has_quantized_inputs_and_outputs(
    build_tflite: Build, tiny_model: bytes, scheme: str, index: int, what: str
) -> None:
    require_quantized(tiny_model, scheme, "m")
    for kind in (schema.TensorType.FLOAT32, schema.TensorType.INT8, schema.TensorType.INT16):
        data = build_tflite(unquantized(index, kind))
        with pytest.raises(ModelError, match=f"m: by the scheme {scheme} its {what} came out as"):
            require_quantized(data, scheme, "m")
        for other in ("float32", "dynamic"):
            require_quantized(data, other, "m")
    require_quantized(build_tflite(unquantized(index, schema.TensorType.INT32)), scheme, "m")


DATA = {
    "few-samples": np.zeros((40, 1), np.float32),
    "range-by-one-sample": np.r_[np.linspace(0, 6, 39), 300.0].reshape(-1, 1).astype(np.float32),
}


@pytest.mark.long
@pytest.mark.parametrize("kind", DATA)
def test_calibration_data_that_leave_nothing_of_a_model(number: FloatModel, tmp_path: Path, kind: str) -> None:
    """All zeros, and one sample that is far from all others: the device would compute either exactly."""
    x = DATA[kind]
    arrays.write_dataset(tmp_path / "d.npz", {"train": (x, x), "test": (x, x)})
    given = replace(number, dataset=tmp_path / "d.npz", key=kind)
    made, _ = quantize(given, Quantize(scheme="int8"), tmp_path / "out", Silent())
    found = {each.kind for each in health.strict(health.findings(made))}
    assert {kind, "few-codes"} <= found
