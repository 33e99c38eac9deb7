"""Random models of one operator that moves elements: copies, padding, gathering, the nearest pixel."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from ..comparing import random_values
from ..one_operator import T, constant, model_of

Random = np.random.Generator

SCALES = {"int8": (0.05, 3), "int16": (0.001, 0)}


def tensor(dtype: str, shape: Sequence[int]) -> T:
    scale, zero = SCALES.get(dtype, (None, 0))
    return T(dtype, tuple(int(size) for size in shape), scale, zero)


def numbers(found: Iterable[Any]) -> T:
    return constant(np.array(list(found), np.int32))


def any_shape(random: Random, lowest: int, highest: int, largest: int = 12) -> tuple[int, ...]:
    return tuple(int(size) for size in random.integers(1, largest, random.integers(lowest, highest + 1)))


def one_of(random: Random, *names: str) -> str:
    return str(random.choice(names))


def transpose(random: Random) -> bytes:
    shape = any_shape(random, 1, 5, 7)
    order = random.permutation(len(shape))
    dtype = one_of(random, "int8", "int16", "float32")
    output = tensor(dtype, [shape[axis] for axis in order])
    return model_of("TRANSPOSE", [tensor(dtype, shape), numbers(order)], [output], schema.TransposeOptionsT())


def slice_(random: Random) -> bytes:
    shape = any_shape(random, 1, 5, 14)
    begin = [int(random.integers(size)) for size in shape]
    size = [int(random.integers(1, n - first + 1)) for n, first in zip(shape, begin, strict=True)]
    dtype = one_of(random, "int8", "int16", "int32", "float32", "bool")
    output = tensor(dtype, size)
    for axis in range(len(shape)):
        if begin[axis] + size[axis] == shape[axis] and random.integers(2):
            size[axis] = -1  # all that is left
    return model_of("SLICE", [tensor(dtype, shape), numbers(begin), numbers(size)], [output], schema.SliceOptionsT())


def strided_slice(random: Random) -> bytes:
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
    return model_of("STRIDED_SLICE", [tensor(dtype, shape), *limits], [tensor(dtype, result.shape)], options)


def along_an_axis(random: Random) -> tuple[list[int], int, str]:
    shape = list(any_shape(random, 1, 5, 8))
    return shape, int(random.integers(len(shape))), one_of(random, "int8", "int16", "int32", "float32")


def signed(random: Random, axis: int, rank: int) -> int:
    return axis - rank if random.integers(2) else axis


def resized(shape: Sequence[int], axis: int, size: int) -> list[int]:
    return [size if at == axis else each for at, each in enumerate(shape)]


def split(random: Random) -> bytes:
    shape, axis, dtype = along_an_axis(random)
    count = int(random.integers(1, 5))
    whole = tensor(dtype, resized(shape, axis, shape[axis] * count))
    inputs = [numbers([signed(random, axis, len(shape))]), whole]
    return model_of("SPLIT", inputs, [tensor(dtype, shape)] * count, schema.SplitOptionsT(numSplits=count))


def split_v(random: Random) -> bytes:
    shape, axis, dtype = along_an_axis(random)
    sizes = [int(size) for size in random.integers(1, 6, random.integers(1, 6))]
    whole = tensor(dtype, resized(shape, axis, sum(sizes)))
    inputs = [whole, numbers(sizes), numbers([signed(random, axis, len(shape))])]
    outputs = [tensor(dtype, resized(shape, axis, size)) for size in sizes]
    return model_of("SPLIT_V", inputs, outputs, schema.SplitVOptionsT(numSplits=len(sizes)))


def unpack(random: Random) -> bytes:
    shape, axis, dtype = along_an_axis(random)
    outputs = [tensor(dtype, shape[:axis] + shape[axis + 1 :])] * shape[axis]
    options = schema.UnpackOptionsT(num=shape[axis], axis=signed(random, axis, len(shape)))
    return model_of("UNPACK", [tensor(dtype, shape)], outputs, options)


def pack(random: Random) -> bytes:
    shape, axis, dtype = along_an_axis(random)
    dtype = one_of(random, dtype, "int64")
    parts = [tensor(dtype, shape[:axis] + shape[axis + 1 :])] * shape[axis]
    options = schema.PackOptionsT(valuesCount=shape[axis], axis=signed(random, axis, len(shape)))
    return model_of("PACK", parts, [tensor(dtype, shape)], options)


def concatenation(random: Random) -> bytes:
    shape, axis, dtype = along_an_axis(random)
    dtype = one_of(random, dtype, "int64", "bool")
    sizes = [int(size) for size in random.integers(1, 6, random.integers(1, 11))]
    parts = [tensor(dtype, resized(shape, axis, size)) for size in sizes]
    options = schema.ConcatenationOptionsT(axis=signed(random, axis, len(shape)))
    return model_of("CONCATENATION", parts, [tensor(dtype, resized(shape, axis, sum(sizes)))], options)


def blocks(random: Random) -> tuple[str, int, list[int], list[int]]:
    side = int(random.integers(1, 4))
    batch, rows, columns, channels = (int(size) for size in random.integers(1, 6, 4))
    large = [batch, rows * side, columns * side, channels]
    return one_of(random, "int8", "float32"), side, large, [batch, rows, columns, channels * side * side]


def space_to_depth(random: Random) -> bytes:
    dtype, side, large, small = blocks(random)
    options = schema.SpaceToDepthOptionsT(blockSize=side)
    return model_of("SPACE_TO_DEPTH", [tensor(dtype, large)], [tensor(dtype, small)], options)


def depth_to_space(random: Random) -> bytes:
    dtype, side, large, small = blocks(random)
    options = schema.DepthToSpaceOptionsT(blockSize=side)
    return model_of("DEPTH_TO_SPACE", [tensor(dtype, small)], [tensor(dtype, large)], options)


def broadcast_to(random: Random) -> bytes:
    wanted = any_shape(random, 1, 5, 7)
    shape = [1 if random.integers(2) else size for size in wanted][int(random.integers(len(wanted))) :]
    dtype = one_of(random, "int8", "int16", "int32", "float32", "bool", "int64")
    inputs = [tensor(dtype, shape), numbers(wanted)]
    return model_of("BROADCAST_TO", inputs, [tensor(dtype, wanted)], schema.BroadcastToOptionsT())


def reverse(random: Random) -> bytes:
    shape = any_shape(random, 1, 5, 7)
    first = int(random.integers(len(shape)))
    axes = random.permutation(np.arange(first, random.integers(first + 1, len(shape) + 1)))
    dtype = one_of(random, "int8", "int16", "int32", "float32", "bool", "int64")
    each = tensor(dtype, shape)
    return model_of("REVERSE_V2", [each, numbers(axes)], [each], schema.ReverseV2OptionsT())


def pairs(found: Any) -> T:
    return constant(np.array(found, np.int32).reshape(-1, 2))


def pad(random: Random, name: str = "") -> bytes:
    shape = any_shape(random, 1, 5, 7)
    around = random.integers(0, 4, (len(shape), 2)) * random.integers(0, 2, (len(shape), 2))
    dtype = one_of(random, "int8", "int16", "int32", "float32")
    output = tensor(dtype, [size + int(both.sum()) for size, both in zip(shape, around, strict=True)])
    inputs = [tensor(dtype, shape), pairs(around)]
    if (name or one_of(random, "PAD", "PADV2")) == "PAD":
        return model_of("PAD", inputs, [output], schema.PadOptionsT())
    value = constant(random_values(random, dtype, (1,)), output.scale, output.zero)
    return model_of("PADV2", [*inputs, value], [output], schema.PadV2OptionsT())


def mirror_pad(random: Random) -> bytes:
    shape = any_shape(random, 1, 4, 8)
    mode = int(random.integers(2))
    gap = 1 - mode
    around = [[int(random.integers(0, size + 1 - gap)) for _ in range(2)] for size in shape]
    dtype = one_of(random, "int8", "float32")
    output = tensor(dtype, [size + sum(both) for size, both in zip(shape, around, strict=True)])
    return model_of("MIRROR_PAD", [tensor(dtype, shape), pairs(around)], [output], schema.MirrorPadOptionsT(mode=mode))


def resize_nearest(random: Random) -> bytes:
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
    return model_of("RESIZE_NEAREST_NEIGHBOR", [tensor(dtype, shape), numbers(wanted)], [output], options)


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


def space_to_batch_nd(random: Random) -> bytes:
    dtype, large, sides, small, _ = space(random)
    large[1:-1] = [side * size for side, size in zip(sides, small[1:-1], strict=True)]
    inputs = [tensor(dtype, large), numbers(sides), pairs([0, 0] * len(sides))]
    return model_of("SPACE_TO_BATCH_ND", inputs, [tensor(dtype, small)], schema.SpaceToBatchNDOptionsT())


def batch_to_space_nd(random: Random) -> bytes:
    dtype, large, sides, small, margins = space(random)
    inputs = [tensor(dtype, small), numbers(sides), pairs(margins)]
    return model_of("BATCH_TO_SPACE_ND", inputs, [tensor(dtype, large)], schema.BatchToSpaceNDOptionsT())


def gather(random: Random, source: T | None, indices: T, shape: tuple[int, ...], axis: int, batch: int) -> bytes:
    whole = source or tensor("int8", shape)
    wanted = shape[:axis] + indices.shape[batch:] + shape[axis + 1 :]
    options = schema.GatherOptionsT(axis=axis, batchDims=batch)
    return model_of("GATHER", [whole, indices], [tensor(whole.dtype, wanted)], options)
