"""Padding, gathering and resizing by the nearest pixel, against TFLM."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from tinyhil.chain import refusals

from .both_ways import compare, values
from .one_operator import Chain, T, constant, model_of
from .test_copies import Case, any_shape, case, numbers, one_of, tensor

Random = np.random.Generator


def pairs(found: Any) -> T:
    return constant(np.array(found, np.int32).reshape(-1, 2))


def pad(random: Random) -> Case:
    shape = any_shape(random, 1, 5, 7)
    around = random.integers(0, 4, (len(shape), 2)) * random.integers(0, 2, (len(shape), 2))
    dtype = one_of(random, "int8", "int16", "int32", "float32")
    output = tensor(dtype, [size + int(both.sum()) for size, both in zip(shape, around, strict=True)])
    inputs = [tensor(dtype, shape), pairs(around)]
    if random.integers(2):
        return case("PAD", inputs, [output], schema.PadOptionsT())
    value = constant(values(random, dtype, (1,)), output.scale, output.zero)
    return case("PADV2", [*inputs, value], [output], schema.PadV2OptionsT())


def mirror_pad(random: Random) -> Case:
    shape = any_shape(random, 1, 4, 8)
    mode = int(random.integers(2))
    gap = 1 - mode
    around = [[int(random.integers(0, size + 1 - gap)) for _ in range(2)] for size in shape]
    dtype = one_of(random, "int8", "float32")
    output = tensor(dtype, [size + sum(both) for size, both in zip(shape, around, strict=True)])
    return case("MIRROR_PAD", [tensor(dtype, shape), pairs(around)], [output], schema.MirrorPadOptionsT(mode=mode))


def resize(random: Random) -> Case:
    shape = tuple(int(size) for size in random.integers(1, 9, 4))
    wanted = [int(size) for size in random.integers(1, 20, 2)]
    if random.integers(3) == 0:
        wanted = [2 * shape[1], 3 * shape[2]]
    dtype = one_of(random, "int8", "int16", "float32")
    corners = bool(random.integers(2))
    options = schema.ResizeNearestNeighborOptionsT(
        alignCorners=corners, halfPixelCenters=not corners and bool(random.integers(2))
    )
    output = tensor(dtype, (shape[0], *wanted, shape[3]))
    return case("RESIZE_NEAREST_NEIGHBOR", [tensor(dtype, shape), numbers(wanted)], [output], options)


def space(random: Random) -> tuple[str, list[int], list[int], list[int], Any]:
    """Element type, shape of the large picture, blocks, shape of the small pictures, and margins."""
    rank = int(random.integers(3, 5))
    sides = [int(side) for side in random.integers(1, 4, rank - 2)]
    batch, channels = int(random.integers(1, 4)), int(random.integers(1, 5))
    small = [int(size) for size in random.integers(1, 6, rank - 2)]
    margins = []
    for side, size in zip(sides, small, strict=True):
        first = int(random.integers(0, side * size))
        margins.append([first, int(random.integers(0, side * size - first))])
    large = [side * size - sum(both) for side, size, both in zip(sides, small, margins, strict=True)]
    many = [batch * math.prod(sides), *small, channels]
    return one_of(random, "int8", "float32"), [batch, *large, channels], sides, many, margins


def space_to_batch_nd(random: Random) -> Case:
    dtype, large, sides, small, _ = space(random)
    large[1:-1] = [side * size for side, size in zip(sides, small[1:-1], strict=True)]
    inputs = [tensor(dtype, large), numbers(sides), pairs([0, 0] * len(sides))]
    return case("SPACE_TO_BATCH_ND", inputs, [tensor(dtype, small)], schema.SpaceToBatchNDOptionsT())


def batch_to_space_nd(random: Random) -> Case:
    dtype, large, sides, small, margins = space(random)
    inputs = [tensor(dtype, small), numbers(sides), pairs(margins)]
    return case("BATCH_TO_SPACE_ND", inputs, [tensor(dtype, large)], schema.BatchToSpaceNDOptionsT())


@pytest.mark.parametrize("make", [pad, mirror_pad, resize, space_to_batch_nd, batch_to_space_nd])
def test_what_is_spread_out_is_what_tflm_gives(make: Callable[[Random], Case], chain_folder: Path) -> None:
    random = np.random.default_rng(8)
    compared = 0
    for _ in range(10):
        model, fed = make(random)
        runs = min(150, 1 + 100_000 // sum(math.prod(shape) for _, shape in fed))
        compared += compare(model, chain_folder, [[values(random, *each) for each in fed] for _ in range(runs)])
    assert compared >= 15_000


def gather_model(random: Random, source: T | None, indices: T, shape: tuple[int, ...], axis: int, batch: int) -> bytes:
    whole = source or tensor("int8", shape)
    wanted = shape[:axis] + indices.shape[batch:] + shape[axis + 1 :]
    options = schema.GatherOptionsT(axis=axis, batchDims=batch)
    return model_of("GATHER", [whole, indices], [tensor(whole.dtype, wanted)], options)


def test_gathered_are_the_entries_that_constant_or_computed_indices_name(chain_folder: Path) -> None:
    random = np.random.default_rng(9)
    compared = 0
    for number in range(10):
        shape = any_shape(random, 1, 4, 9)
        axis = int(random.integers(len(shape)))
        batch = int(random.integers(axis + 1))
        indices = random.integers(0, shape[axis], (*shape[:batch], *any_shape(random, 1, 2, 6))).astype(np.int32)
        dtype = one_of(random, "int8", "float32")
        if number % 2:
            model = gather_model(random, tensor(dtype, shape), constant(indices), shape, axis, batch)
            compared += compare(model, chain_folder, [[values(random, dtype, shape)] for _ in range(100)])
        else:  # an embedding: a constant table, computed indices
            table = constant(values(random, dtype, shape), *((0.05, 3) if dtype == "int8" else ()))
            model = gather_model(random, table, T("int32", indices.shape), shape, axis, batch)
            runs = [[random.integers(0, shape[axis], indices.shape).astype(np.int32)] for _ in range(100)]
            compared += compare(model, chain_folder, runs)
    assert compared >= 15_000


def test_an_index_beyond_the_input_gives_the_nearest_entry(chain_folder: Path) -> None:
    table = constant(np.arange(5, dtype=np.int8), 0.05, 3)
    chain = Chain(gather_model(np.random.default_rng(1), table, T("int32", (4,)), (5,), 0, 0), chain_folder)
    assert chain.run(np.array([-(2**31), -1, 5, 2**31 - 1], np.int32))[0].tolist() == [0, 0, 4, 4]


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
