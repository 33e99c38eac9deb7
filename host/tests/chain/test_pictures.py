"""Transposed convolutions, pools, linear resizing and products of matrices against TFLM."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from tinyhil.chain import compile_model, refusals

from .comparing import compare, joined
from .conftest import Amount
from .makers.layers import pool, transpose_conv
from .makers.moves import numbers
from .makers.rows import matmul, resize_bilinear
from .one_operator import T, constant, model_of

Random = np.random.Generator


CASES = [
    (transpose_conv, "int8"), (transpose_conv, "int16"), (pool("AVERAGE_POOL_2D"), "int8"),
    (pool("AVERAGE_POOL_2D"), "int16"), (pool("MAX_POOL_2D"), "int8"), (pool("MAX_POOL_2D"), "int16"),
    (resize_bilinear, "int8"), (matmul, "int8"), (matmul, "int16"),
]  # fmt: skip


@pytest.mark.usefixtures("without_bakenn")  # pools are bakenn's where it takes them
@pytest.mark.parametrize(("make", "dtype"), CASES)
def test_a_picture_comes_out_as_tflm_makes_it(
    make: Callable[[Random, str], bytes], dtype: str, chain_folder: Path, amount: Amount
) -> None:
    random = np.random.default_rng(14)
    seen: set[int] = set()
    models = [make(random, dtype) for _ in range(amount(3, 24))]
    compare(models, chain_folder, random, least=amount(7_000, 200_000), seen=seen)
    assert len(seen) > amount(1, 100)  # outputs that are not all clamped


@pytest.mark.parametrize("name", ["AVERAGE_POOL_2D", "MAX_POOL_2D"])
def test_a_pool_gives_what_tflm_gives_where_bakenn_is_asked_first(
    name: str, chain_folder: Path, amount: Amount
) -> None:
    random = np.random.default_rng(16)
    models = [pool(name)(random, "int8") for _ in range(amount(4, 24))]
    made = compile_model(joined(models), "m", cmsis=False, profile="portable32")
    assert "pool.h" in made.kernels  # both kinds of kernels are at work
    assert "bknn_model.c" in made.files
    compare(models, chain_folder, random, least=amount(4_000, 100_000))


PICTURE = T("int8", (1, 4, 4, 2), 0.1, 0)
POOL = {"strideH": 2, "strideW": 2, "filterHeight": 2, "filterWidth": 2, "padding": 1}


@pytest.mark.parametrize(
    ("name", "inputs", "output", "options", "cause"),
    [
        (
            "AVERAGE_POOL_2D", [PICTURE], T("int8", (1, 2, 2, 2), 0.2, 0), schema.Pool2DOptionsT(**POOL),
            "quantized otherwise than its input",
        ),
        ("MAX_POOL_2D", [PICTURE], PICTURE, schema.Pool2DOptionsT(**POOL), "another shape than its windows make"),
        (
            "MAX_POOL_2D", [T("float32", (1, 4, 4, 2))], T("float32", (1, 2, 2, 2)), schema.Pool2DOptionsT(**POOL),
            "is of float32",
        ),
        (
            "RESIZE_BILINEAR", [T("int16", (1, 2, 2, 1), 0.1), numbers([4, 4])], T("int16", (1, 4, 4, 1), 0.1), None,
            "is of int16",
        ),
        (
            "BATCH_MATMUL", [T("int8", (2, 3), 0.1), T("int8", (2, 3), 0.1)], T("int8", (2, 3), 0.1), None,
            "matrices that do not fit",
        ),
        (
            "BATCH_MATMUL", [T("int16", (2, 3), 0.1, 1), T("int16", (3, 2), 0.1)], T("int16", (2, 2), 0.1), None,
            "zero point",
        ),
        (
            "TRANSPOSE_CONV",
            [
                numbers([1, 4, 4, 2]), constant(np.ones((2, 2, 2, 2), np.int8), 0.1), T("int16", (1, 4, 4, 2), 0.1),
                constant(np.ones(2, np.int32), 0.01),
            ],
            T("int16", (1, 4, 4, 2), 0.1), schema.TransposeConvOptionsT(strideH=1, strideW=1),
            "bias of int32 for activations of int16",
        ),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("without_bakenn")
def test_a_picture_that_tflm_does_not_make_is_refused(
    name: str, inputs: list[T], output: T, options: Any, cause: str
) -> None:
    (refusal,) = refusals(model_of(name, inputs, [output], options), cmsis=False, profile="portable32")
    assert cause in refusal.cause
