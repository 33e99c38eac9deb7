"""Operators that only move elements, against TFLM: random shapes, axes and element types."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from tinyhil.chain import refusals

from .both_ways import compare, values
from .one_operator import T, constant, model_of

Random = np.random.Generator
Case = tuple[bytes, list[tuple[str, tuple[int, ...]]]]

SCALES = {"int8": (0.05, 3), "int16": (0.001, 0)}


def tensor(dtype: str, shape: Sequence[int]) -> T:
    scale, zero = SCALES.get(dtype, (None, 0))
    return T(dtype, tuple(int(size) for size in shape), scale, zero)


def numbers(found: Iterable[Any]) -> T:
    return constant(np.array(list(found), np.int32))


def case(name: str, inputs: Sequence[T], outputs: Sequence[T], options: Any = None) -> Case:
    """A model, and types and shapes of what it is fed."""
    fed = [(each.dtype, each.shape) for each in inputs if each.values is None]
    return model_of(name, inputs, outputs, options), fed


def any_shape(random: Random, lowest: int, highest: int, largest: int = 12) -> tuple[int, ...]:
    return tuple(int(size) for size in random.integers(1, largest, random.integers(lowest, highest + 1)))


def one_of(random: Random, *names: str) -> str:
    return str(random.choice(names))


def transpose(random: Random) -> Case:
    shape = any_shape(random, 1, 5, 7)
    order = random.permutation(len(shape))
    dtype = one_of(random, "int8", "int16", "float32")
    output = tensor(dtype, [shape[axis] for axis in order])
    return case("TRANSPOSE", [tensor(dtype, shape), numbers(order)], [output], schema.TransposeOptionsT())


def slice_(random: Random) -> Case:
    shape = any_shape(random, 1, 5, 14)
    begin = [int(random.integers(size)) for size in shape]
    size = [int(random.integers(1, n - first + 1)) for n, first in zip(shape, begin, strict=True)]
    dtype = one_of(random, "int8", "int16", "int32", "float32", "bool")
    output = tensor(dtype, size)
    for axis in range(len(shape)):
        if begin[axis] + size[axis] == shape[axis] and random.integers(2):
            size[axis] = -1  # all that is left
    return case("SLICE", [tensor(dtype, shape), numbers(begin), numbers(size)], [output], schema.SliceOptionsT())


def strided_slice(random: Random) -> Case:
    while True:
        shape = any_shape(random, 1, 4, 14)
        strides = random.choice([-3, -2, -1, 1, 1, 2, 4], len(shape))
        begin, end = (random.integers(-12, 12, len(shape)) for _ in range(2))
        begin_mask, end_mask, shrink = (int(mask) for mask in random.integers(0, 16, 3) & random.integers(0, 16, 3))
        picked: list[slice | int] = []
        for axis, size in enumerate(shape):
            first = None if begin_mask >> axis & 1 else int(begin[axis])
            last = None if end_mask >> axis & 1 else int(end[axis])
            if shrink >> axis & 1:
                begin[axis] = abs(int(begin[axis])) % size - (size if random.integers(2) else 0)
                strides[axis] = 1
                picked.append(0 if begin_mask >> axis & 1 else int(begin[axis]))
            else:
                picked.append(slice(first, last, int(strides[axis])))
        result = np.zeros(shape)[tuple(picked)]
        if result.size and result.ndim:
            break
    dtype = one_of(random, "int8", "int16", "int32", "float32", "bool")
    options = schema.StridedSliceOptionsT(beginMask=begin_mask, endMask=end_mask, shrinkAxisMask=shrink)
    limits = [numbers(begin), numbers(end), numbers(strides)]
    return case("STRIDED_SLICE", [tensor(dtype, shape), *limits], [tensor(dtype, result.shape)], options)


def along_an_axis(random: Random) -> tuple[list[int], int, str]:
    shape = list(any_shape(random, 1, 5, 8))
    return shape, int(random.integers(len(shape))), one_of(random, "int8", "int16", "int32", "float32")


def signed(random: Random, axis: int, rank: int) -> int:
    return axis - rank if random.integers(2) else axis


def resized(shape: Sequence[int], axis: int, size: int) -> list[int]:
    return [size if at == axis else each for at, each in enumerate(shape)]


def split(random: Random) -> Case:
    shape, axis, dtype = along_an_axis(random)
    count = int(random.integers(1, 5))
    whole = tensor(dtype, resized(shape, axis, shape[axis] * count))
    inputs = [numbers([signed(random, axis, len(shape))]), whole]
    return case("SPLIT", inputs, [tensor(dtype, shape)] * count, schema.SplitOptionsT(numSplits=count))


def split_v(random: Random) -> Case:
    shape, axis, dtype = along_an_axis(random)
    sizes = [int(size) for size in random.integers(1, 6, random.integers(1, 6))]
    whole = tensor(dtype, resized(shape, axis, sum(sizes)))
    inputs = [whole, numbers(sizes), numbers([signed(random, axis, len(shape))])]
    outputs = [tensor(dtype, resized(shape, axis, size)) for size in sizes]
    return case("SPLIT_V", inputs, outputs, schema.SplitVOptionsT(numSplits=len(sizes)))


def unpack(random: Random) -> Case:
    shape, axis, dtype = along_an_axis(random)
    outputs = [tensor(dtype, shape[:axis] + shape[axis + 1 :])] * shape[axis]
    options = schema.UnpackOptionsT(num=shape[axis], axis=signed(random, axis, len(shape)))
    return case("UNPACK", [tensor(dtype, shape)], outputs, options)


def pack(random: Random) -> Case:
    shape, axis, dtype = along_an_axis(random)
    dtype = one_of(random, dtype, "int64")
    parts = [tensor(dtype, shape[:axis] + shape[axis + 1 :])] * shape[axis]
    options = schema.PackOptionsT(valuesCount=shape[axis], axis=signed(random, axis, len(shape)))
    return case("PACK", parts, [tensor(dtype, shape)], options)


def concatenation(random: Random) -> Case:
    shape, axis, dtype = along_an_axis(random)
    dtype = one_of(random, dtype, "int64", "bool")
    sizes = [int(size) for size in random.integers(1, 6, random.integers(1, 11))]
    parts = [tensor(dtype, resized(shape, axis, size)) for size in sizes]
    options = schema.ConcatenationOptionsT(axis=signed(random, axis, len(shape)))
    return case("CONCATENATION", parts, [tensor(dtype, resized(shape, axis, sum(sizes)))], options)


def blocks(random: Random) -> tuple[str, int, list[int], list[int]]:
    side = int(random.integers(1, 4))
    batch, rows, columns, channels = (int(size) for size in random.integers(1, 6, 4))
    large = [batch, rows * side, columns * side, channels]
    return one_of(random, "int8", "float32"), side, large, [batch, rows, columns, channels * side * side]


def space_to_depth(random: Random) -> Case:
    dtype, side, large, small = blocks(random)
    options = schema.SpaceToDepthOptionsT(blockSize=side)
    return case("SPACE_TO_DEPTH", [tensor(dtype, large)], [tensor(dtype, small)], options)


def depth_to_space(random: Random) -> Case:
    dtype, side, large, small = blocks(random)
    options = schema.DepthToSpaceOptionsT(blockSize=side)
    return case("DEPTH_TO_SPACE", [tensor(dtype, small)], [tensor(dtype, large)], options)


def broadcast_to(random: Random) -> Case:
    wanted = any_shape(random, 1, 5, 7)
    shape = [1 if random.integers(2) else size for size in wanted][int(random.integers(len(wanted))) :]
    dtype = one_of(random, "int8", "int16", "int32", "float32", "bool", "int64")
    inputs = [tensor(dtype, shape), numbers(wanted)]
    return case("BROADCAST_TO", inputs, [tensor(dtype, wanted)], schema.BroadcastToOptionsT())


def reverse(random: Random) -> Case:
    shape = any_shape(random, 1, 5, 7)
    first = int(random.integers(len(shape)))
    axes = random.permutation(np.arange(first, random.integers(first + 1, len(shape) + 1)))
    dtype = one_of(random, "int8", "int16", "int32", "float32", "bool", "int64")
    return case("REVERSE_V2", [tensor(dtype, shape), numbers(axes)], [tensor(dtype, shape)], schema.ReverseV2OptionsT())


MAKERS = [
    transpose, slice_, strided_slice, split, split_v, unpack, pack, concatenation, space_to_depth, depth_to_space,
    broadcast_to, reverse,
]  # fmt: skip


@pytest.mark.parametrize("make", MAKERS)
def test_what_is_moved_arrives_where_tflm_puts_it(make: Callable[[Random], Case], chain_folder: Path) -> None:
    random = np.random.default_rng(7)
    compared = 0
    for _ in range(14 if make is strided_slice else 8):
        model, fed = make(random)
        runs = min(150, 1 + 100_000 // sum(math.prod(shape) for _, shape in fed))
        compared += compare(model, chain_folder, [[values(random, *each) for each in fed] for _ in range(runs)])
    assert compared >= 10_000  # times twelve operators, all by the same kernel


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
