"""Operators that move elements and fill what is left, or choose by an index: padding, gathering, resizing."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from tinyhil.chain.emitter import Emitter
from tinyhil.chain.graph import Operator, Tensor, item_bytes
from tinyhil.chain.operators.checks import constant, integers, one_type, option, positive_axis
from tinyhil.chain.operators.copies import at, at_most
from tinyhil.chain.strided import Loop, emit, steps
from tinyhil.chain.unsupported import Unsupported


def pad(operator: Operator, code: Emitter) -> None:
    """PAD and PADV2: the output is filled, then the input is copied into it.

    Without a value int8 is filled with the zero point, other types with 0, an int16 of whatever zero point, too.
    """
    source, output = operator.input(0), operator.outputs[0]
    name = one_type((source, output), ("int8", "int16", "int32", "float32"))
    at_most(source, 5)
    before = _before(operator, source, output)
    if len(operator.inputs) > 2:
        given = operator.input(2)
        one_type((source, given), (name,))
        if name == "int8" and (given.scale, given.zero_point) != (output.scale, output.zero_point):
            raise Unsupported("has a value that is quantized otherwise than its output")
        bits = constant(operator, 2).reshape(-1)
    else:
        bits = np.array([output.zero_point if name == "int8" else 0], "<f4" if name == "float32" else name)
    value = int(np.frombuffer(bits[:1].tobytes().ljust(4, b"\0"), "<i4")[0])
    size = item_bytes(name)
    if output.elements > source.elements:
        code.header("copy.h")
        code.call("fill", code.output(), output.elements, size, value)
    target = steps(output.shape)
    loops = [Loop(*each) for each in zip(source.shape, steps(source.shape), target, strict=True)]
    first = sum(count * step for count, step in zip(before, target, strict=True))
    emit(code, code.input(0), at(code.output(), first), size, loops)


def _before(operator: Operator, source: Tensor, output: Tensor) -> list[int]:
    """How much is put before each dimension, after a check that all fits."""
    pairs = integers(operator, 1)
    before, after = pairs[::2], pairs[1::2]
    shape = tuple(first + size + last for first, size, last in zip(before, source.shape, after, strict=False))
    if len(before) != len(source.shape) or shape != output.shape or min(pairs, default=0) < 0:
        raise Unsupported("has an output of another shape than its padding makes")
    return before


def mirror_pad(operator: Operator, code: Emitter) -> None:
    """MIRROR_PAD: the input is copied, then each dimension's borders from what is there by then."""
    source, output = operator.input(0), operator.outputs[0]
    name = one_type((source, output), ("int8", "float32"))
    before = _before(operator, source, output)
    gap = 1 if option(operator, "mode") == 0 else 0  # REFLECT leaves out the edge, SYMMETRIC repeats it
    after = [whole - first - size for whole, first, size in zip(output.shape, before, source.shape, strict=True)]
    if any(max(first, last) > size - gap for first, last, size in zip(before, after, source.shape, strict=True)):
        raise Unsupported("pads more than its input has to mirror")
    size, target = item_bytes(name), steps(output.shape)
    start = sum(count * step for count, step in zip(before, target, strict=True))
    loops = [Loop(*each) for each in zip(source.shape, steps(source.shape), target, strict=True)]
    emit(code, code.input(0), at(code.output(), start), size, loops)
    # From here on a dimension that is done has its whole size, and begins at 0.
    sizes = list(source.shape)
    for axis, step in enumerate(target):
        for count, edge, away in ((before[axis], 0, -1), (after[axis], sizes[axis] - 1, 1)):
            if count:
                around = [Loop(n, step_, step_) for n, step_ in zip(sizes, target, strict=True)]
                around[axis] = Loop(count, -away * step, away * step)
                first = start + edge * step
                emit(
                    code,
                    at(code.output(), first - away * gap * step),
                    at(code.output(), first + away * step),
                    size,
                    around,
                )
        start -= before[axis] * step
        sizes[axis] = output.shape[axis]


def gather(operator: Operator, code: Emitter) -> None:
    """GATHER: entries of an axis, by constant or computed indices of int32."""
    source, indices, output = operator.input(0), operator.input(1), operator.outputs[0]
    name = one_type((source, output), ("int8", "float32"))
    one_type((indices,), ("int32",))
    axis = positive_axis(option(operator, "axis"), len(source.shape))
    batch = option(operator, "batchDims")
    batch = batch + len(indices.shape) if batch < 0 else batch
    if not 0 <= batch <= min(axis, len(indices.shape)) or source.shape[:batch] != indices.shape[:batch]:
        raise Unsupported(f"has {batch} dimensions of batches that do not fit its inputs")
    batches, outer = math.prod(source.shape[:batch]), math.prod(source.shape[batch:axis])
    each, extent = math.prod(indices.shape[batch:]), source.shape[axis]
    inner = math.prod(source.shape[axis + 1 :])
    if output.elements != batches * outer * each * inner:
        raise Unsupported("has an output of another number of elements than it computes")
    if indices.values is not None and not set(integers(operator, 1)) <= set(range(extent)):
        raise Unsupported("has an index beyond its input")
    code.header("copy.h")
    pointers = code.input(0), code.output(), code.input(1)
    for number in range(batches):
        code.call(
            "pick",
            at(pointers[0], number * outer * extent * inner),
            at(pointers[1], number * outer * each * inner),
            at(pointers[2], number * each),
            each,
            outer,
            extent,
            inner * item_bytes(name),
        )


def resize_nearest_neighbor(operator: Operator, code: Emitter) -> None:
    """RESIZE_NEAREST_NEIGHBOR: a table of rows and one of columns."""
    source, output = operator.input(0), operator.outputs[0]
    name = one_type((source, output), ("int8", "int16", "float32"))
    size = integers(operator, 1)
    if len(source.shape) != 4 or output.shape != (source.shape[0], *size, source.shape[3]):
        raise Unsupported("has an output of another shape than its size says")
    corners, centers = bool(option(operator, "alignCorners")), bool(option(operator, "halfPixelCenters"))
    tables = [
        np.array([nearest(at_, old, new, corners, centers) for at_ in range(new)], np.int16)
        for old, new in zip(source.shape[1:3], size, strict=True)
    ]
    code.header("copy.h")
    parameters = code.struct(
        "kernels::Neighbours",
        batches=source.shape[0],
        input_height=source.shape[1],
        input_width=source.shape[2],
        output_height=size[0],
        output_width=size[1],
        bytes=source.shape[3] * item_bytes(name),
    )
    code.call("resize_nearest", parameters, *map(code.constant, tables), code.input(0), code.output())


def nearest(position: int, old: int, new: int, corners: bool, centers: bool) -> int:
    """Which of ``old`` pixels stands at ``position`` of ``new``, computed in float32 as TFLM does.

    Source: ``GetNearestNeighbor`` of kernels/internal/reference/resize_nearest_neighbor.h.
    """
    scale = np.float32(old - 1) / np.float32(new - 1) if corners and new > 1 else np.float32(old) / np.float32(new)
    real = (np.float32(position) + np.float32(0.5 if centers else 0.0)) * scale
    # TfLiteRound takes halves away from zero; nothing here is below zero.
    found = int(np.floor(float(real) + 0.5)) if corners else int(np.floor(real))
    return min(found, old - 1)


def space_to_batch_nd(operator: Operator, code: Emitter) -> None:
    """SPACE_TO_BATCH_ND without borders: TFLM fills them from a field that it never sets, so they are anything."""
    source, output = operator.input(0), operator.outputs[0]
    space, depth, name = _batch_blocks(operator, source, output)
    if any(integers(operator, 2)):
        raise Unsupported("pads, with what TensorFlow Lite Micro leaves undefined", "pad before it, by an operator PAD")
    _each_block(operator, code, space, depth, name, to_batch=True)


def batch_to_space_nd(operator: Operator, code: Emitter) -> None:
    """BATCH_TO_SPACE_ND: what the crops leave out is not copied."""
    source, output = operator.input(0), operator.outputs[0]
    space, depth, name = _batch_blocks(operator, output, source)
    _each_block(operator, code, space, depth, name, to_batch=False)


def _batch_blocks(operator: Operator, space: Tensor, depth: Tensor) -> tuple[Sequence[int], Sequence[int], str]:
    """Both shapes as batch, height, width, channels: the large picture's and that of its many small ones."""
    name = one_type((space, depth), ("int8", "float32"))
    sides, margins = _sides(operator, len(space.shape))
    shapes = [shape if len(shape) == 4 else (shape[0], shape[1], 1, shape[2]) for shape in (space.shape, depth.shape)]
    large, small = shapes
    expected = (
        large[0] * sides[0] * sides[1],
        *((large[1 + i] + sum(margins[i])) / sides[i] for i in range(2)),
        large[3],
    )
    if tuple(small) != expected or min(map(min, margins)) < 0:
        raise Unsupported("has an output of another shape than its blocks make")
    return large, small, name


def _sides(operator: Operator, rank: int) -> tuple[list[int], list[tuple[int, int]]]:
    if rank not in (3, 4):
        raise Unsupported(f"has {rank} dimensions, 3 and 4 are computed")
    sides, margins = integers(operator, 1), integers(operator, 2)
    if len(sides) != rank - 2 or len(margins) != 2 * len(sides) or min(sides) < 1:
        raise Unsupported(f"has blocks of {len(sides)} dimensions")
    pairs = list(zip(margins[::2], margins[1::2], strict=True))
    return (sides, pairs) if rank == 4 else ([*sides, 1], [*pairs, (0, 0)])


def _each_block(
    operator: Operator, code: Emitter, large: Sequence[int], small: Sequence[int], name: str, *, to_batch: bool
) -> None:
    """One copy for each place in a block: of the pixels whose place in the large picture is inside of it."""
    sides, margins = _sides(operator, len(operator.input(0).shape))
    outer, inner = steps(large), steps(small)
    for row in range(sides[0]):
        for column in range(sides[1]):
            picture = (row * sides[1] + column) * large[0]
            loops, first_large, first_small = [Loop(large[0], outer[0], inner[0])], 0, picture * inner[0]
            for axis, place in ((1, row), (2, column)):
                side, margin = sides[axis - 1], margins[axis - 1][0]
                inside = [i for i in range(small[axis]) if 0 <= i * side + place - margin < large[axis]]
                loops.append(Loop(len(inside), side * outer[axis], inner[axis]))
                if inside:
                    first_large += (inside[0] * side + place - margin) * outer[axis]
                    first_small += inside[0] * inner[axis]
            loops.append(Loop(large[3], 1, 1))
            if not to_batch:
                loops = [Loop(loop.count, loop.target, loop.source) for loop in loops]
                first_large, first_small = first_small, first_large
            emit(code, at(code.input(0), first_large), at(code.output(), first_small), item_bytes(name), loops)


FUNCTIONS: dict[str, Callable[[Operator, Emitter], None]] = {
    "BATCH_TO_SPACE_ND": batch_to_space_nd,
    "GATHER": gather,
    "MIRROR_PAD": mirror_pad,
    "PAD": pad,
    "PADV2": pad,
    "RESIZE_NEAREST_NEIGHBOR": resize_nearest_neighbor,
    "SPACE_TO_BATCH_ND": space_to_batch_nd,
}
