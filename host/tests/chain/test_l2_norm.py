"""L2_NORMALIZATION against TFLM."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from tinyhil.chain import compile_model
from tinyhil.errors import ModelError

from .many_operators import assert_equal
from .one_operator import Array, T, model_of

SHAPES = [(1, 64), (7,), (50, 2), (1, 1), (2, 3, 4, 5), (1, 20, 20, 3), (1, 3000), (1, 33000)]


def model(shape: tuple[int, ...], zero_point: int = 0, dtype: str = "int8", activation: int = 0) -> bytes:
    options = schema.L2NormOptionsT(fusedActivationFunction=activation)
    return model_of("L2_NORMALIZATION", [T(dtype, shape, 0.1, zero_point)], [T(dtype, shape, 1 / 128)], options)


def test_equals_tflm(chain_folder: Path) -> None:
    rng = np.random.default_rng(1)
    zeros = [-128, 0, 127, -128, 3, -77, 127, -128]
    models = [model(shape, zero) for shape, zero in zip(SHAPES, zeros, strict=True)]

    def values(tensor: Any) -> Array:
        """All over the range, close to the zero point, or the value that lies farthest from it."""
        kind = int(rng.integers(3))
        if kind == 0:
            return np.asarray(rng.integers(-128, 128, tensor.shape), np.int8)
        if kind == 1:
            near = tensor.zero_points[0] + rng.integers(-2, 3, tensor.shape)
            return np.asarray(np.clip(near, -128, 127), np.int8)
        return np.full(tensor.shape, 127 if tensor.zero_points[0] < 0 else -128, np.int8)

    assert assert_equal(models, chain_folder, rng, runs=60, values=values) > 100_000


def test_every_length(chain_folder: Path) -> None:
    """Rows of one value and zeros, and pairs: all sums of squares of two."""
    values = np.stack(np.meshgrid(np.arange(-128, 128), np.arange(-128, 128)), axis=-1).reshape(-1, 2).astype(np.int8)
    rng = np.random.default_rng(0)
    models = [model(values.shape, zero_point) for zero_point in (-128, 0, 50)]
    assert assert_equal(models, chain_folder, rng, runs=1, values=lambda _: values) == 3 * values.size


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (model((1, 33001)), "rows of 33001 values"),
        (model((1, 1, 1, 1, 3)), "of 1 to 4 sizes"),
        (model((1, 3), activation=1), "fused with the activation 1"),
        (model((1, 3), dtype="int16"), "goes from int16 to int16"),
    ],
)
def test_what_is_refused(data: bytes, cause: str) -> None:
    with pytest.raises(ModelError, match=f"operator 0 L2_NORMALIZATION .*{cause}"):
        compile_model(data, "the model", cmsis=False, profile="portable32")
