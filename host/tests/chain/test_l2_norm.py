"""L2_NORMALIZATION against TFLM."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinyhil import tflite
from tinyhil.chain import compile_model
from tinyhil.errors import ModelError

from .comparing import compare
from .conftest import Amount
from .makers.rows import l2_normalization
from .one_operator import Array

SHAPES = [(1, 64), (7,), (50, 2), (1, 1), (2, 3, 4, 5), (1, 20, 20, 3), (1, 3000), (1, 33000)]


def test_equals_tflm(chain_folder: Path, amount: Amount) -> None:
    rng = np.random.default_rng(1)
    zeros = [-128, 0, 127, -128, 3, -77, 127, -128]
    models = [l2_normalization(shape, zero) for shape, zero in zip(SHAPES, zeros, strict=True)]

    def values(_: int, tensor: tflite.Tensor) -> Array:
        """All over the range, close to the zero point, or the value that lies farthest from it."""
        kind = int(rng.integers(3))
        if kind == 0:
            return np.asarray(rng.integers(-128, 128, tensor.shape), np.int8)
        if kind == 1:
            near = tensor.zero_points[0] + rng.integers(-2, 3, tensor.shape)
            return np.asarray(np.clip(near, -128, 127), np.int8)
        return np.full(tensor.shape, 127 if tensor.zero_points[0] < 0 else -128, np.int8)

    compare(models, chain_folder, rng, values, least=amount(150_000, 1_500_000))


def test_every_length(chain_folder: Path) -> None:
    """Rows of one value and zeros, and pairs: all sums of squares of two."""
    values = np.stack(np.meshgrid(np.arange(-128, 128), np.arange(-128, 128)), axis=-1).reshape(-1, 2).astype(np.int8)
    rng = np.random.default_rng(0)
    models = [l2_normalization(values.shape, zero_point) for zero_point in (-128, 0, 50)]
    assert compare(models, chain_folder, rng, lambda *_: values) == 3 * values.size


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (l2_normalization((1, 33001)), "rows of 33001 values"),
        (l2_normalization((1, 1, 1, 1, 3)), "of 1 to 4 sizes"),
        (l2_normalization((1, 3), activation=1), "fused with the activation 1"),
        (l2_normalization((1, 3), dtype="int16"), "goes from int16 to int16"),
    ],
)
def test_what_is_refused(data: bytes, cause: str) -> None:
    with pytest.raises(ModelError, match=f"operator 0 L2_NORMALIZATION .*{cause}"):
        compile_model(data, "the model", cmsis=False, profile="portable32")
