"""Operators that only move elements: each is one or several copies with steps.

What is refused here is what TFLM refuses: element types, ranks and tensors that are not constant. Source: the file of
the same name as the operator in tensorflow/lite/micro/kernels.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from tinyhil.chain.emitter import Emitter
from tinyhil.chain.graph import Operator, Tensor, item_bytes
from tinyhil.chain.operators.checks import integers, one_type, option, positive_axis
from tinyhil.chain.strided import Loop, emit, steps
from tinyhil.chain.unsupported import Unsupported

_ALL = ("bool", "int8", "uint8", "int16", "uint16", "int32", "float32", "int64")


def at(pointer: str, elements: int) -> str:
    """A C++ expression of a pointer ``elements`` further on."""
    return f"{pointer} + {elements}" if elements else pointer


def at_most(tensor: Tensor, rank: int) -> None:
    """Refuses a tensor of more dimensions.

    Raises:
        Unsupported: it has more.
    """
    if len(tensor.shape) > rank:
        raise Unsupported(f"has {len(tensor.shape)} dimensions, at most {rank} are computed")


def transpose(operator: Operator, code: Emitter) -> None:
    """TRANSPOSE: output dimension i is input dimension ``order[i]``."""
    source, output = operator.input(0), operator.outputs[0]
    name = one_type((source, output), ("int8", "int16", "float32"))
    at_most(source, 5)
    order = integers(operator, 1)
    if sorted(order) != list(range(len(source.shape))):
        raise Unsupported(f"has the order {order} of {len(source.shape)} dimensions")
    given = steps(source.shape)
    loops = [Loop(source.shape[axis], given[axis], step) for axis, step in zip(order, steps(output.shape), strict=True)]
    _whole(output, loops)
    emit(code, code.input(0), code.output(), item_bytes(name), loops)


def slice_(operator: Operator, code: Emitter) -> None:
    """SLICE: a box of the input, from ``begin``."""
    source, output = operator.input(0), operator.outputs[0]
    name = one_type((source, output), ("bool", "int8", "int16", "int32", "float32"))
    at_most(source, 5)
    begin, size = integers(operator, 1), integers(operator, 2)
    counts = [n - first if count == -1 else count for n, first, count in zip(source.shape, begin, size, strict=True)]
    if any(
        first < 0 or count < 0 or first + count > n for n, first, count in zip(source.shape, begin, counts, strict=True)
    ):
        raise Unsupported("reaches beyond its input")
    _box(operator, code, name, begin, [1] * len(begin), counts)


def strided_slice(operator: Operator, code: Emitter) -> None:
    """STRIDED_SLICE. TFLM does not look at the masks of ellipses and new axes; the sizes then tell whether it fits."""
    source, output = operator.input(0), operator.outputs[0]
    name = one_type((source, output), ("bool", "int8", "int16", "int32", "float32"))
    at_most(source, 4)
    rank = len(source.shape)
    masks = {key: option(operator, key) for key in ("beginMask", "endMask", "shrinkAxisMask")}
    begin, end, strides = (integers(operator, position) for position in (1, 2, 3))
    if not len(begin) == len(end) == len(strides) == rank or 0 in strides:
        raise Unsupported("has limits of another number of dimensions than its input, or a step of 0")
    firsts, counts = [], []
    for axis in range(rank):
        mask = 1 << axis
        if masks["shrinkAxisMask"] & mask and strides[axis] < 0:
            raise Unsupported("drops a dimension that it goes through backwards")
        first = _limit(begin[axis], source.shape[axis], strides[axis], 0 if masks["beginMask"] & mask else None)
        last = _limit(end[axis], source.shape[axis], strides[axis], 1 if masks["endMask"] & mask else None)
        if masks["shrinkAxisMask"] & mask:
            last = first + 1
        if not 0 <= first < source.shape[axis]:
            raise Unsupported("begins beyond its input")
        firsts.append(first)
        counts.append(len(range(first, last, strides[axis])))
    _box(operator, code, name, firsts, strides, counts)


def _limit(value: int, size: int, stride: int, end: int | None) -> int:
    """Where an axis begins or ends. ``end`` 0 and 1 are the first and the last in the direction of the step."""
    low, high = (0, size) if stride > 0 else (-1, size - 1)
    if end is not None:
        return (low, high)[end] if stride > 0 else (high, low)[end]
    return min(max(value + size if value < 0 else value, low), high)


def _box(
    operator: Operator, code: Emitter, name: str, begin: Sequence[int], strides: Sequence[int], counts: Sequence[int]
) -> None:
    given = steps(operator.input(0).shape)
    sides = [
        Loop(count, stride * step, target)
        for count, stride, step, target in zip(counts, strides, given, steps(counts), strict=True)
    ]
    _whole(operator.outputs[0], sides)
    first = sum(index * step for index, step in zip(begin, given, strict=True))
    emit(code, at(code.input(0), first), code.output(), item_bytes(name), sides)


def _whole(output: Tensor, loops: Sequence[Loop]) -> None:
    if math.prod(loop.count for loop in loops) != output.elements:
        raise Unsupported("has an output of another number of elements than it computes")


def split(operator: Operator, code: Emitter) -> None:
    """SPLIT: the axis is the first input."""
    _parts(operator, code, 1, integers(operator, 0)[0])


def split_v(operator: Operator, code: Emitter) -> None:
    """SPLIT_V: the axis is the last input; the sizes are those of the outputs."""
    _parts(operator, code, 0, integers(operator, 2)[0])


def _parts(operator: Operator, code: Emitter, position: int, axis: int) -> None:
    source = operator.input(position)
    name = one_type((source, *operator.outputs), ("int8", "int16", "int32", "float32"))
    axis = positive_axis(axis, len(source.shape))
    sizes = [output.shape[axis] for output in operator.outputs]
    if sum(sizes) != source.shape[axis]:
        raise Unsupported("has outputs that do not add up to its input")
    _cut(code, code.input(position), name, source.shape, axis, sizes)


def unpack(operator: Operator, code: Emitter) -> None:
    """UNPACK: one output for each entry of an axis."""
    source = operator.input(0)
    name = one_type((source, *operator.outputs), ("int8", "int16", "int32", "float32"))
    axis = positive_axis(option(operator, "axis"), len(source.shape))
    if source.shape[axis] != len(operator.outputs):
        raise Unsupported(f"has {len(operator.outputs)} outputs of {source.shape[axis]} entries")
    _cut(code, code.input(0), name, source.shape, axis, [1] * len(operator.outputs))


def _cut(code: Emitter, source: str, name: str, shape: Sequence[int], axis: int, sizes: Sequence[int]) -> None:
    inner = math.prod(shape[axis + 1 :])
    for number, size in enumerate(sizes):
        loops = (Loop(math.prod(shape[:axis]), shape[axis] * inner, size * inner), Loop(size * inner, 1, 1))
        emit(code, at(source, sum(sizes[:number]) * inner), code.output(number), item_bytes(name), loops)


def concatenation(operator: Operator, code: Emitter) -> None:
    """CONCATENATION. TFLM wants int8 inputs with the quantization of the output; of int16 it copies any scale."""
    tensors, output = [operator.input(position) for position in range(len(operator.inputs))], operator.outputs[0]
    name = one_type((*tensors, output), ("bool", "int8", "int16", "int32", "float32", "int64"))
    if option(operator, "fusedActivationFunction"):
        raise Unsupported("has an activation")
    if len(tensors) > 10:
        raise Unsupported(f"has {len(tensors)} inputs, at most 10 are computed")
    own = (output.scale, output.zero_point)
    if name == "int8" and any((tensor.scale, tensor.zero_point) != own for tensor in tensors):
        raise Unsupported("has int8 inputs that are quantized otherwise than its output")
    if name == "int16" and any(tensor.zero_point for tensor in (*tensors, output)):
        raise Unsupported("has an int16 tensor with a zero point")
    for tensor in tensors:
        at_most(tensor, 6)
    axis = positive_axis(option(operator, "axis"), len(output.shape))
    _join(operator, code, name, axis, [tensor.shape[axis] for tensor in tensors])


def pack(operator: Operator, code: Emitter) -> None:
    """PACK: each input is one entry of an axis of the output."""
    tensors, output = [operator.input(position) for position in range(len(operator.inputs))], operator.outputs[0]
    name = one_type((*tensors, output), ("int8", "int16", "int32", "float32", "int64"))
    _join(operator, code, name, positive_axis(option(operator, "axis"), len(output.shape)), [1] * len(tensors))


def _join(operator: Operator, code: Emitter, name: str, axis: int, sizes: Sequence[int]) -> None:
    shape = operator.outputs[0].shape
    inner = math.prod(shape[axis + 1 :])
    outer = math.prod(shape[:axis])
    whole = sum(operator.input(position).elements for position in range(len(sizes)))
    if sum(sizes) != shape[axis] or whole != operator.outputs[0].elements:
        raise Unsupported("has inputs that do not add up to its output")
    for number, size in enumerate(sizes):
        loops = (Loop(outer, size * inner, shape[axis] * inner), Loop(size * inner, 1, 1))
        emit(code, code.input(number), at(code.output(), sum(sizes[:number]) * inner), item_bytes(name), loops)


def space_to_depth(operator: Operator, code: Emitter) -> None:
    """SPACE_TO_DEPTH: squares of pixels become channels."""
    _blocks(operator, code, operator.input(0), operator.outputs[0], True)


def depth_to_space(operator: Operator, code: Emitter) -> None:
    """DEPTH_TO_SPACE: channels become squares of pixels."""
    _blocks(operator, code, operator.outputs[0], operator.input(0), False)


def _blocks(operator: Operator, code: Emitter, space: Tensor, depth: Tensor, to_depth: bool) -> None:
    name = one_type((space, depth), ("int8", "float32"))
    side = option(operator, "blockSize")
    if len(space.shape) != 4 or len(depth.shape) != 4 or side < 1:
        raise Unsupported("has other than 4 dimensions, or blocks without size")
    batches, rows, columns, channels = depth.shape
    inner = channels // (side * side)
    if space.shape != (batches, rows * side, columns * side, inner) or inner * side * side != channels:
        raise Unsupported("has an output of another shape than its blocks make")
    # Loops over batch, row, row in the block, column, column in the block, channel.
    pairs = [
        (batches, rows * side * columns * side * inner, rows * columns * channels),
        (rows, side * columns * side * inner, columns * channels),
        (side, columns * side * inner, side * inner),
        (columns, side * inner, channels),
        (side, inner, inner),
        (inner, 1, 1),
    ]
    loops = [Loop(count, first, second) if to_depth else Loop(count, second, first) for count, first, second in pairs]
    emit(code, code.input(0), code.output(), item_bytes(name), loops)


def broadcast_to(operator: Operator, code: Emitter) -> None:
    """BROADCAST_TO: dimensions of size 1, and those that are missing in front, are repeated."""
    source, output = operator.input(0), operator.outputs[0]
    name = one_type((source, output), _ALL)
    at_most(output, 5)
    integers(operator, 1)
    shape = (1,) * (len(output.shape) - len(source.shape)) + source.shape
    if len(shape) != len(output.shape) or any(
        size not in (1, wanted) for size, wanted in zip(shape, output.shape, strict=True)
    ):
        raise Unsupported("has an output that its input does not fill by being repeated")
    loops = [
        Loop(count, 0 if size == 1 else step, target)
        for count, size, step, target in zip(output.shape, shape, steps(shape), steps(output.shape), strict=True)
    ]
    emit(code, code.input(0), code.output(), item_bytes(name), loops)


def reverse(operator: Operator, code: Emitter) -> None:
    """REVERSE_V2 of neighbouring axes."""
    source, output = operator.input(0), operator.outputs[0]
    name = one_type((source, output), ("bool", "int8", "uint8", "int16", "int32", "float32", "int64"))
    at_most(source, 6)
    axes = sorted(positive_axis(axis, len(source.shape)) for axis in integers(operator, 1))
    if not axes or axes != list(range(axes[0], axes[0] + len(axes))):
        raise Unsupported(f"reverses the axes {axes}, which are no neighbours")
    given = steps(source.shape)
    loops = [
        Loop(count, -step if axis in axes else step, step)
        for axis, (count, step) in enumerate(zip(source.shape, given, strict=True))
    ]
    last = sum((source.shape[axis] - 1) * given[axis] for axis in axes)
    emit(code, at(code.input(0), last), code.output(), item_bytes(name), loops)


FUNCTIONS: dict[str, Callable[[Operator, Emitter], None]] = {
    "BROADCAST_TO": broadcast_to,
    "CONCATENATION": concatenation,
    "DEPTH_TO_SPACE": depth_to_space,
    "PACK": pack,
    "REVERSE_V2": reverse,
    "SLICE": slice_,
    "SPACE_TO_DEPTH": space_to_depth,
    "SPLIT": split,
    "SPLIT_V": split_v,
    "STRIDED_SLICE": strided_slice,
    "TRANSPOSE": transpose,
    "UNPACK": unpack,
}
