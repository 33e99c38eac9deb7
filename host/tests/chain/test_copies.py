"""Operators that only move elements, against TFLM: random shapes, axes and element types."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from tinyhil.chain import refusals

from .comparing import compare
from .conftest import Amount
from .makers.moves import (
    broadcast_to,
    concatenation,
    depth_to_space,
    numbers,
    pack,
    reverse,
    slice_,
    space_to_depth,
    split,
    split_v,
    strided_slice,
    transpose,
    unpack,
)
from .one_operator import T, model_of

Random = np.random.Generator
Maker = Callable[[Random], bytes]
MAKERS: list[Maker] = [
    transpose, slice_, strided_slice, split, split_v, unpack, pack, concatenation, space_to_depth, depth_to_space,
    broadcast_to, reverse,
]  # fmt: skip


@pytest.mark.parametrize("makers", [MAKERS])
def test_what_is_moved_arrives_where_tflm_puts_it(makers: list[Maker], chain_folder: Path, amount: Amount) -> None:
    models = []
    for make in makers:
        random = np.random.default_rng(7)
        models += [make(random) for _ in range(amount(4, 30) if make is strided_slice else amount(2, 20))]
    compare(models, chain_folder, np.random.default_rng(8), least=amount(20_000, 200_000))


INT8 = T("int8", (2, 3, 4), 0.5, 1)
UNLIKE = T("int8", (2, 3, 4), 0.25, 1)
FLAT = T("float32", (2,))


@pytest.mark.parametrize(
    ("name", "inputs", "outputs", "options", "cause"),
    [
        ("CONCATENATION", [INT8, UNLIKE], [T("int8", (4, 3, 4), 0.5, 1)], schema.ConcatenationOptionsT(), "otherwise"),
        (
            "CONCATENATION", [T("int16", (2,), 0.5, 1)] * 2, [T("int16", (4,), 0.5, 1)], schema.ConcatenationOptionsT(),
            "zero point",
        ),
        (
            "CONCATENATION", [FLAT, FLAT], [T("float32", (4,))],
            schema.ConcatenationOptionsT(fusedActivationFunction=1), "has an activation",
        ),
        ("CONCATENATION", [FLAT] * 11, [T("float32", (22,))], schema.ConcatenationOptionsT(), "has 11 inputs"),
        ("TRANSPOSE", [T("int32", (2, 3)), numbers([1, 0])], [T("int32", (3, 2))], None, "is of int32"),
        ("TRANSPOSE", [INT8, T("int32", (3,))], [INT8], None, "computes its input 1"),
        ("STRIDED_SLICE", [T("int8", (1,) * 5)], [T("int8", (1,) * 5)], None, "5 dimensions"),
        ("SLICE", [FLAT, numbers([1]), numbers([2])], [FLAT], None, "reaches beyond its input"),
        ("REVERSE_V2", [INT8, numbers([0, 2])], [INT8], None, "no neighbours"),
        ("BROADCAST_TO", [FLAT, numbers([3])], [T("float32", (3,))], None, "does not fill"),
        ("UNPACK", [T("int64", (1, 2))], [T("int64", (2,))], schema.UnpackOptionsT(num=1), "is of int64"),
        ("SPACE_TO_DEPTH", [T("int16", (1, 2, 2, 1))], [T("int16", (1, 1, 1, 4))], None, "is of int16"),
    ],
)  # fmt: skip
def test_what_tflm_does_not_move_is_refused(
    name: str, inputs: list[T], outputs: list[T], options: Any, cause: str
) -> None:
    (problem,) = refusals(model_of(name, inputs, outputs, options), cmsis=False, profile="portable32")
    assert problem.operator.name == name
    assert cause in problem.cause
