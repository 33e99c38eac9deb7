"""Layers of weights, pools, and what keeps a state."""

from __future__ import annotations

from tinyhil.tflite.model import Tensor
from tinyhil.tflite.shapes.call import Call, Shape, Unfit, elements, need, need_elements, need_rank, sizes

_SAME, _VALID = 0, 1
"""Of the schema's paddings."""
_LSTM_INPUTS = (20, 24)
_HIDDEN, _CELL = 18, 19
"""Positions of an LSTM's states."""


def convolution(call: Call) -> list[Shape]:
    """CONV_2D: weights (out, height, width, in of a group)."""
    source, weights = call.shape(0), call.shape(1)
    need_rank(source, 4)
    need_rank(weights, 4, what="weights")
    channels, height, width, depth = weights
    need(
        depth > 0 and source[3] % depth == 0 and channels % max(source[3] // depth, 1) == 0,
        f"has an input of {source[3]} channels and weights of shape {weights}",
    )
    _per_channel(call.input(1), 0, channels)
    need_elements(call.optional(2), channels, "a bias")
    rows, columns = _windows(call, source, (height, width), dilated=True)
    return [(source[0], rows, columns, channels)]


def depthwise(call: Call) -> list[Shape]:
    """DEPTHWISE_CONV_2D: weights (1, height, width, out)."""
    source, weights = call.shape(0), call.shape(1)
    need_rank(source, 4)
    need_rank(weights, 4, what="weights")
    _, height, width, channels = weights
    multiple = call.option("depthMultiplier")
    need(
        weights[0] == 1 and channels == source[3] * multiple,
        f"has an input of {source[3]} channels, {multiple} filters for each, and weights of shape {weights}",
    )
    _per_channel(call.input(1), 3, channels)
    need_elements(call.optional(2), channels, "a bias")
    rows, columns = _windows(call, source, (height, width), dilated=True)
    return [(source[0], rows, columns, channels)]


def transposed(call: Call) -> list[Shape | None]:
    """TRANSPOSE_CONV: the output's shape, weights (out, height, width, in), the input."""
    wanted, weights, source = call.values(0), call.shape(1), call.shape(2)
    need_rank(source, 4)
    need_rank(weights, 4, what="weights")
    channels, height, width, depth = weights
    need(depth == source[3], f"has an input of {source[3]} channels and weights of shape {weights}")
    _per_channel(call.input(1), 0, channels)
    need_elements(call.optional(3), channels, "a bias")
    strides = (call.option("strideH"), call.option("strideW"))
    need(min(*strides, height, width) > 0, "has a stride or a filter below 1")
    if wanted is None:
        return [None]
    need(len(wanted) == 4, f"has an output shape of {len(wanted)} numbers")
    need(wanted[0] == source[0] and wanted[3] == channels, f"has the output shape {wanted} for weights {weights}")
    for size, given, reach, stride in zip(wanted[1:3], source[1:3], (height, width), strides, strict=True):
        back = _span(size, reach, stride, call.option("padding"))
        need(back == given, f"has the output shape {wanted}, of which a side is convolved to {back}, not to {given}")
    return [tuple(wanted)]


def dense(call: Call) -> list[Shape]:
    """FULLY_CONNECTED: weights (out, in). What is before the last dimension of the output may have any form."""
    source, weights = call.shape(0), call.shape(1)
    need(len(weights) >= 2 and weights[-1] > 0, f"has weights of shape {weights}")
    units, depth = elements(weights[:-1]), weights[-1]
    _per_channel(call.input(1), 0, units)
    need_elements(call.optional(2), units, "a bias")
    rows, rest = divmod(elements(source), depth)
    need(rest == 0, f"has an input of shape {source} and weights of shape {weights}")
    declared = sizes(call.outputs[0]) if call.outputs else ()
    fits = bool(declared) and declared[-1] == units and elements(declared) == rows * units
    return [declared if fits else (rows, units)]


def pool(call: Call) -> list[Shape]:
    """AVERAGE_POOL_2D, MAX_POOL_2D, L2_POOL_2D."""
    source = call.shape(0)
    need_rank(source, 4)
    rows, columns = _windows(call, source, (call.option("filterHeight"), call.option("filterWidth")), dilated=False)
    return [(source[0], rows, columns, source[3])]


def _windows(call: Call, source: Shape, filters: tuple[int, int], *, dilated: bool) -> tuple[int, int]:
    """Height and width of what windows over a picture make."""
    found = []
    for side, (axis, reach) in enumerate(zip("HW", filters, strict=True)):
        stride = call.option(f"stride{axis}")
        dilation = call.option(f"dilation{axis}Factor", 1) if dilated else 1
        need(min(stride, dilation, reach) > 0, "has a stride, a dilation or a window below 1")
        count = _span(source[1 + side], (reach - 1) * dilation + 1, stride, call.option("padding"))
        need(count > 0, f"has windows of {filters} over a picture of {source[1:3]}")
        found.append(count)
    return found[0], found[1]


def _span(size: int, reach: int, stride: int, padding: int) -> int:
    """How many windows a side has. Source: ``ComputeOutSize`` of tensorflow/lite/kernels/padding.h."""
    if padding == _SAME:
        return -(-size // stride)
    if padding == _VALID:
        return (size + stride - reach) // stride
    raise Unfit(f"has a padding of no meaning, {padding}")


def _per_channel(weights: Tensor, axis: int, channels: int) -> None:
    """Scales are one for all, or those of the output's channels: kernels take as many as there are channels."""
    count = len(weights.scales)
    if count > 1 and (weights.axis != axis or count != channels):
        raise Unfit(f"has {count} scales of its weights along dimension {weights.axis} for {channels} channels")


def matrices(call: Call) -> list[Shape]:
    """BATCH_MATMUL."""
    left, right = call.shape(0), call.shape(1)
    need(min(len(left), len(right)) >= 2, f"multiplies the shapes {left} and {right}")
    rows, depth = (left[-1], left[-2]) if call.option("adjX") else (left[-2], left[-1])
    again, columns = (right[-1], right[-2]) if call.option("adjY") else (right[-2], right[-1])
    need(depth == again, f"multiplies the shapes {left} and {right}")
    return [(*broadcast(left[:-2], right[:-2]), rows, columns)]


def broadcast(*shapes: Shape) -> Shape:
    """The shape that all are stretched to.

    Raises:
        Unfit: they do not fit.
    """
    rank = max((len(shape) for shape in shapes), default=0)
    made = []
    for position in range(-rank, 0):
        found = {shape[position] for shape in shapes if len(shape) >= -position} - {1}
        need(len(found) <= 1, f"combines the shapes {' and '.join(str(shape) for shape in shapes)}")
        made.append(found.pop() if found else 1)
    return tuple(made)


def svdf(call: Call) -> list[Shape]:
    """SVDF: weights of features (filters, in) and of time (filters, memory), bias, state (batch, filters * memory)."""
    source, features, time, state = call.shape(0), call.shape(1), call.shape(2), call.shape(4)
    for shape in (source, features, time, state):
        need_rank(shape, 2)
    rank = call.option("rank")
    filters, memory = time
    need(rank > 0 and filters % rank == 0, f"has {filters} filters of rank {rank}")
    need(features == (filters, source[1]), f"has an input of shape {source} and weights of shapes {features}, {time}")
    need(state == (source[0], filters * memory), f"has a state of shape {state} for weights of shape {time}")
    _stateful(call.input(4))
    need_elements(call.optional(3), filters // rank, "a bias")
    return [(source[0], filters // rank)]


def lstm(call: Call) -> list[Shape]:
    """UNIDIRECTIONAL_SEQUENCE_LSTM. Positions: tensorflow/lite/kernels/lstm_shared.h."""
    need(len(call.inputs) in _LSTM_INPUTS, f"has {len(call.inputs)} inputs, not 20 or 24")
    source, hidden, cell = call.shape(0), call.shape(_HIDDEN), call.shape(_CELL)
    need_rank(source, 3)
    need_rank(hidden, 2, what="a hidden state")
    need_rank(cell, 2, what="a cell state")
    batches = source[1] if call.option("timeMajor") else source[0]
    outputs, cells = hidden[1], cell[1]
    need(hidden[0] == cell[0] == batches, f"has {batches} batches, and states of shapes {hidden} and {cell}")
    wanted: dict[int, Shape] = dict.fromkeys(range(1, 5), (cells, source[2]))
    wanted |= dict.fromkeys(range(5, 9), (cells, outputs))
    wanted |= dict.fromkeys((*range(9, 16), *range(20, 24)), (cells,))
    wanted |= {16: (outputs, cells), 17: (outputs,)}
    for position, shape in wanted.items():
        tensor = call.optional(position)
        if tensor is not None:
            need(sizes(tensor) == shape, f"has an input {position} of shape {sizes(tensor)}, where {shape} belongs")
    need(call.optional(16) is not None or outputs == cells, f"has {cells} cells and {outputs} outputs")
    for position in (2, 3, 4, 6, 7, 8, 13, 14, 15):  # the input gate may be coupled to the forget gate
        call.input(position)
    for position in (_HIDDEN, _CELL):
        _stateful(call.input(position))
    return [(*source[:2], outputs)]


def _stateful(tensor: Tensor) -> None:
    need(tensor.variable, f"has a state, {tensor}, that is no variable")
