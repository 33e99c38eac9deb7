"""Padding, gathering and resizing by the nearest pixel, against TFLM."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from tinyhil import tflite
from tinyhil.chain import refusals

from .comparing import Differs, compare, random_values
from .conftest import Amount
from .makers.moves import (
    any_shape,
    batch_to_space_nd,
    gather,
    mirror_pad,
    numbers,
    one_of,
    pad,
    pairs,
    resize_nearest,
    space_to_batch_nd,
    tensor,
)
from .one_operator import Array, Chain, T, constant, model_of

Random = np.random.Generator


@pytest.mark.usefixtures("without_bakenn")
@pytest.mark.parametrize("makers", [[pad, mirror_pad, resize_nearest, space_to_batch_nd, batch_to_space_nd]])
def test_what_is_spread_out_is_what_tflm_gives(
    makers: list[Callable[[Random], bytes]], chain_folder: Path, amount: Amount
) -> None:
    models = []
    for make in makers:
        random = np.random.default_rng(8)
        models += [make(random) for _ in range(amount(3, 24))]
    compare(models, chain_folder, np.random.default_rng(9), least=amount(9_000, 150_000))


@pytest.mark.parametrize("embedding", [False, True])
def test_gathered_are_the_entries_that_constant_or_computed_indices_name(
    embedding: bool, chain_folder: Path, amount: Amount
) -> None:
    random = np.random.default_rng(9)
    models, extents = [], []
    for number in range(amount(4, 30)):
        shape = any_shape(random, 2, 4, 9)
        axis = int(random.integers(len(shape)))
        batch = [0, axis, int(random.integers(axis + 1))][number % 3]
        indices = random.integers(0, shape[axis], (*shape[:batch], *any_shape(random, 1, 2, 6))).astype(np.int32)
        dtype = one_of(random, "int8", "float32")
        source, named = tensor(dtype, shape), constant(indices)
        if embedding:  # a constant table, computed indices
            source, named = constant(random_values(random, dtype, shape), source.scale, 3), T("int32", indices.shape)
        models.append(gather(random, source, named, shape, axis, batch))
        extents.append(shape[axis])

    def values(at: int, of: tflite.Tensor) -> Array:
        if embedding:
            return random.integers(0, extents[at], of.shape).astype(np.int32)
        return random_values(random, of.dtype, of.shape)

    compare(models, chain_folder, random, values, least=amount(2_000, 30_000))


def test_an_index_beyond_the_input_gives_the_nearest_entry(chain_folder: Path) -> None:
    table = constant(np.arange(5, dtype=np.int8), 0.05, 3)
    chain = Chain(gather(np.random.default_rng(1), table, T("int32", (4,)), (5,), 0, 0), chain_folder)
    found = chain.run(np.array([-(2**31), -1, 5, 2**31 - 1], np.int32))[0].tolist()
    if found != [0, 0, 4, 4]:
        raise Differs(f"{found}")


INT8 = T("int8", (2, 3), 0.5, 1)
FLAT = T("float32", (2,))


@pytest.mark.parametrize(
    ("name", "inputs", "outputs", "options", "cause"),
    [
        ("PAD", [INT8, pairs([0, 1, 0, 0])], [INT8], None, "another shape"),
        ("PAD", [FLAT, pairs([-1, 1])], [FLAT], None, "another shape"),
        ("PAD", [T("int64", (2,)), pairs([0, 1])], [T("int64", (3,))], None, "is of int64"),
        (
            "PADV2", [INT8, pairs([0, 1, 0, 0]), constant(np.ones(1, np.int8), 0.25, 1)], [T("int8", (3, 3), 0.5, 1)],
            None, "quantized otherwise",
        ),
        ("PADV2", [FLAT, pairs([0, 1]), T("float32", (1,))], [T("float32", (3,))], None, "computes its input 2"),
        ("MIRROR_PAD", [FLAT, pairs([2, 0])], [T("float32", (4,))], schema.MirrorPadOptionsT(mode=0), "more than"),
        ("GATHER", [FLAT, constant(np.array([2], np.int32))], [T("float32", (1,))], None, "beyond its input"),
        ("GATHER", [FLAT, T("int64", (1,))], [T("float32", (1,))], None, "is of int64"),
        (
            "RESIZE_NEAREST_NEIGHBOR", [T("int32", (1, 2, 2, 1)), numbers([4, 4])], [T("int32", (1, 4, 4, 1))], None,
            "is of int32",
        ),
        (
            "SPACE_TO_BATCH_ND", [T("int8", (1, 3, 1), 0.5, 1), numbers([2]), pairs([0, 1])],
            [T("int8", (2, 2, 1), 0.5, 1)], None, "leaves undefined",
        ),
        ("SPACE_TO_BATCH_ND", [FLAT, numbers([2]), pairs([0, 0])], [FLAT], None, "1 dimensions"),
    ],
)  # fmt: skip
def test_what_tflm_does_not_spread_is_refused(
    name: str, inputs: list[T], outputs: list[T], options: Any, cause: str
) -> None:
    (problem,) = refusals(model_of(name, inputs, outputs, options), cmsis=False, profile="portable32")
    assert problem.operator.name == name
    assert cause in problem.cause
