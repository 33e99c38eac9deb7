"""How many multiply-accumulates an inference takes, by the shapes that the file has.

Counted are the operators whose work is multiplying by weights or by one another: convolutions, Dense layers, batched
products of matrices, LSTM and SVDF. All others cost next to nothing beside them, and count as none.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from tinyhil.tflite.model import Graph, Model, Operator, Tensor

_Inputs = tuple[Tensor | None, ...]
_Count = Callable[[_Inputs, Tensor], int]


def macs(model: Model) -> int:
    """Multiply-accumulates of one inference of the main graph; an open size counts as 1."""
    return sum(operator_macs(model.main, operator) for operator in model.main.operators)


def operator_macs(graph: Graph, operator: Operator) -> int:
    """Multiply-accumulates of one operator of ``graph``; an open size counts as 1."""
    count = _COUNTS.get(operator.name)
    if count is None or not operator.outputs:
        return 0
    inputs = tuple(graph.tensors[index] if index >= 0 else None for index in operator.inputs)
    return count(inputs, graph.tensors[operator.outputs[0]])


def _elements(sizes: tuple[int, ...]) -> int:
    return math.prod(abs(size) for size in sizes)


def _sizes(inputs: _Inputs, position: int) -> tuple[int, ...]:
    """The shape of an input; of one that is not there that of no elements."""
    tensor = inputs[position] if position < len(inputs) else None
    return (0,) if tensor is None else tensor.shape


def _convolution(inputs: _Inputs, output: Tensor) -> int:
    """Each output element sums over a window and the input's channels: weights (out, height, width, in)."""
    return _elements(output.shape) * _elements(_sizes(inputs, 1)[1:])


def _convolution_3d(inputs: _Inputs, output: Tensor) -> int:
    """The same in three dimensions: weights (depth, height, width, in, out)."""
    return _elements(output.shape) * _elements(_sizes(inputs, 1)[:-1])


def _depthwise(inputs: _Inputs, output: Tensor) -> int:
    """Each output element sums over a window of one channel: weights (1, height, width, out)."""
    return _elements(output.shape) * _elements(_sizes(inputs, 1)[1:-1])


def _transposed(inputs: _Inputs, output: Tensor) -> int:
    """Each input element is spread over a window of all outputs: shape, weights (out, height, width, in), input."""
    return _elements(_sizes(inputs, 2)) * _elements(_sizes(inputs, 1)[:-1])


def _dense(inputs: _Inputs, output: Tensor) -> int:
    """Each output element sums over the inputs: weights (out, in)."""
    return _elements(output.shape) * _elements(_sizes(inputs, 1)[-1:])


def _product(inputs: _Inputs, output: Tensor) -> int:
    """Each output element sums over the axis that both factors share, whichever of them is given transposed."""
    rows = max(1, abs(output.shape[-2])) if len(output.shape) > 1 else 1
    return _elements(output.shape) * (_elements(_sizes(inputs, 0)[-2:]) // rows)


def _steps(inputs: _Inputs) -> int:
    """Times that a cell is computed: batch and time, whichever comes first."""
    return _elements(_sizes(inputs, 0)[:-1])


def _lstm(inputs: _Inputs, output: Tensor) -> int:
    """Each step multiplies once by each weight (positions: tensorflow/lite/kernels/lstm_shared.h).

    1 to 4 are those of the input, 5 to 8 those of the state, 9 to 11 the peepholes, and 16 is the projection.
    """
    weights = (*range(1, 12), 16)
    return _steps(inputs) * sum(_elements(_sizes(inputs, position)) for position in weights)


def _svdf(inputs: _Inputs, output: Tensor) -> int:
    """Each step multiplies once by each weight: those of the features, and those of time over the state."""
    return _steps(inputs) * (_elements(_sizes(inputs, 1)) + _elements(_sizes(inputs, 2)))


_COUNTS: dict[str, _Count] = {
    "BATCH_MATMUL": _product,
    "CONV_2D": _convolution,
    "CONV_3D": _convolution_3d,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _dense,
    "LSTM": _lstm,
    "SVDF": _svdf,
    "TRANSPOSE_CONV": _transposed,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": _lstm,
}
