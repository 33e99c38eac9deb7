"""MEAN, SUM, REDUCE_MAX, REDUCE_MIN, ARG_MAX and ARG_MIN against TFLM."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from tinyhil import tflite
from tinyhil.chain import compile_model
from tinyhil.errors import ModelError

from .comparing import compare
from .conftest import Amount
from .makers.rows import place, reduced, reduction
from .one_operator import Array, T, constant, model_of

SHAPES: list[tuple[tuple[int, ...], tuple[int, ...]]] = [
    ((1, 7, 6, 40), (1, 2)),
    ((1, 7, 6, 40), (2, 1)),
    ((2, 5, 3, 30), (-3, -2)),
    ((1, 100), (1,)),
    ((300, 2), (-1,)),
    ((3, 100), (0,)),
    ((2, 3, 4, 20), (0, 2)),
    ((2, 3, 4, 20), (1, 3)),
    ((20, 3, 4, 5), (1, 1, -3)),
    ((2, 3, 2, 30, 2, 3), (0, 2, 4)),
    ((2, 3, 2, 2, 2, 30), (1, 3, 5)),
    ((4, 5, 6), (0, 1, 2)),
    ((50,), (0,)),
    ((3, 1, 40), (1,)),
]


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        ("MEAN", "int8"),
        ("MEAN", "int16"),
        ("SUM", "int8"),
        ("SUM", "int16"),
        ("REDUCE_MAX", "int8"),
        ("REDUCE_MIN", "int8"),
    ],
)
def test_equals_tflm(name: str, dtype: str, chain_folder: Path, amount: Amount) -> None:
    rng = np.random.default_rng(1)
    models = [reduction(rng, name, dtype, *each, bool(at % 2)) for at, each in enumerate(SHAPES * amount(1, 3))]
    compare(models, chain_folder, rng, least=amount(10_000, 100_000))


@pytest.mark.parametrize("dtype", ["int8", "int16"])
def test_sums_of_extremes(dtype: str, chain_folder: Path) -> None:
    """Means of all the same value, the lowest and the highest."""
    rng = np.random.default_rng(2)
    models = [reduction(rng, "MEAN", dtype, (1, 48, 48, 4), (1, 2), True) for _ in range(6)]
    ends = itertools.cycle([np.iinfo(dtype).min] * 6 + [np.iinfo(dtype).max] * 6)

    def values(_: int, tensor: tflite.Tensor) -> Array:
        return np.full(tensor.shape, next(ends), dtype)

    assert compare(models, chain_folder, rng, values, least=48) == 48


@pytest.mark.parametrize("name", ["ARG_MAX", "ARG_MIN"])
def test_places(name: str, chain_folder: Path, amount: Amount) -> None:
    rng = np.random.default_rng(3)
    models = []
    for shape in [(1, 10), (7,), (200, 3), (3, 4, 50), (2, 3, 4, 25), (1, 1), (2, 30, 1)]:
        for axis in {0, len(shape) - 1, -1, len(shape) // 2}:
            models.append(place(rng, name, shape, axis))
    compare(models, chain_folder, rng, least=amount(10_000, 100_000))


def simple(
    name: str,
    dtypes: tuple[str, str],
    shape: tuple[int, ...],
    axes: tuple[int, ...],
    scales: tuple[float, float] = (1.0, 1.0),
) -> bytes:
    inputs = [T(dtypes[0], shape, scales[0]), constant(np.array(axes, np.int32))]
    return model_of(name, inputs, [T(dtypes[1], reduced(shape, axes, False), scales[1])])


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (simple("MEAN", ("uint8", "uint8"), (2, 3), (0,)), "MEAN goes from uint8 to uint8"),
        (simple("SUM", ("int8", "int8"), (2, 3), (0,), (1e5, 1e-5)), "SUM goes from the scale 100000 to 1e-05"),
        (simple("REDUCE_MAX", ("int16", "int16"), (2, 3), (0,)), "REDUCE_MAX goes from int16 to int16"),
        (simple("REDUCE_MIN", ("int8", "int8"), (2, 3), (0,), (1.0, 2.0)), "REDUCE_MIN has an output of another quant"),
        (simple("MEAN", ("int8", "int8"), (2,) * 8, (0, 2, 4, 6)), "MEAN reduces 4 separate groups"),
        (simple("ARG_MAX", ("int8", "int64"), (2, 3), (0,)), "ARG_MAX goes from int8 to int64"),
        (simple("ARG_MIN", ("int8", "int32"), (2, 3), (0, 1)), "ARG_MIN has 2 axes"),
        (
            model_of("MEAN", [T("int8", (2, 3), 1.0), T("int32", (1,))], [T("int8", (3,), 1.0)]),
            "MEAN has axes that are no constant",
        ),
        (
            model_of("SUM", [T("int8", (2, 3), 1.0), constant(np.array([2], np.int32))], [T("int8", (3,), 1.0)]),
            "SUM has axes .2. for an input of 2 dimensions",
        ),
        (
            model_of("SUM", [T("int8", (2, 3), 1.0), constant(np.array([1], np.int32))], [T("int8", (3,), 1.0)]),
            "SUM reduces the shape",
        ),
    ],
)
def test_what_is_refused(data: bytes, cause: str) -> None:
    with pytest.raises(ModelError, match=f"operator 0 {cause}"):
        compile_model(data, "the model", cmsis=False, profile="portable32")
