"""The oracle's own rules for the shapes of a .tflite file: what a tensor has to be, given those that it is made of.

Written from the definitions of the operators, and not from tinyhil's own checks. Of an operator without a rule here the
shapes are believed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

_OPS = {value: key for key, value in vars(schema.BuiltinOperator).items() if isinstance(value, int)}
_SAME = ("RELU", "RELU6", "LOGISTIC", "TANH", "SOFTMAX", "QUANTIZE", "DEQUANTIZE", "ABS", "NEG", "EXP", "LEAKY_RELU")
_BROADCAST = ("ADD", "SUB", "MUL", "DIV", "MAXIMUM", "MINIMUM", "SQUARED_DIFFERENCE")
_VALID = 1
Shape = tuple[int, ...]


def contradictions(content: bytes) -> list[str]:
    """What is wrong with the graph of a file, in words; nothing where all rules hold."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
    graph = model.subgraphs[0]
    found = []
    made = {int(each) for each in graph.inputs}
    for index in made:
        buffer = model.buffers[graph.tensors[index].buffer]
        if buffer.data is not None and len(buffer.data):
            found.append(f"input {index} is a constant")
    for place, operator in enumerate(graph.operators):
        code = model.operatorCodes[operator.opcodeIndex]
        name = _OPS.get(max(code.builtinCode, code.deprecatedBuiltinCode), "?")
        for index in map(int, operator.outputs):
            if index in made:
                found.append(f"tensor {index} is made twice")
            made.add(index)
        taken = [_shape(graph, int(index)) for index in operator.inputs]
        gives = [_shape(graph, int(index)) for index in operator.outputs]
        rule = _RULES.get(name)
        if rule is None:
            continue
        try:
            if not rule(taken, gives, operator.builtinOptions):
                found.append(f"operator {place} {name}: {taken} to {gives}")
        except (IndexError, AttributeError, ZeroDivisionError, TypeError) as error:
            found.append(f"operator {place} {name}: {error!r}")
    return found


def _shape(graph: Any, index: int) -> Shape:
    return () if index < 0 or graph.tensors[index].shape is None else tuple(map(int, graph.tensors[index].shape))


def _dense(taken: list[Shape], gives: list[Shape], _: Any) -> bool:
    units, depth = taken[1]
    return (
        _biased(taken, units)
        and math.prod(taken[0]) % depth == 0
        and math.prod(gives[0]) == math.prod(taken[0]) // depth * units
    )


def _window(size: int, taps: int, stride: int, dilation: int, padding: int) -> int:
    reach = (taps - 1) * dilation + 1
    return -(-(size - reach + 1) // stride) if padding == _VALID else -(-size // stride)


def _conv(taken: list[Shape], gives: list[Shape], options: Any) -> bool:
    channels, _, _, each = taken[1]
    fits = each > 0 and taken[0][3] % each == 0
    return fits and _weighted(taken, gives, options, channels)


def _depthwise(taken: list[Shape], gives: list[Shape], options: Any) -> bool:
    channels = taken[1][3]
    return channels % taken[0][3] == 0 and _weighted(taken, gives, options, channels)


def _weighted(taken: list[Shape], gives: list[Shape], options: Any, channels: int) -> bool:
    """Whether the output is what a window of weights makes, and the bias has an element for each channel."""
    batch, height, width, _ = taken[0]
    _, tall, wide, _ = taken[1]
    wanted = (
        batch,
        _window(height, tall, options.strideH, options.dilationHFactor, options.padding),
        _window(width, wide, options.strideW, options.dilationWFactor, options.padding),
        channels,
    )
    return gives[0] == wanted and _biased(taken, channels)


def _biased(taken: list[Shape], channels: int) -> bool:
    """Whether there is no bias, or one of an element for each channel, in whatever form.

    Source: NumElements(bias) in ``Prepare`` of tensorflow/lite/kernels/fully_connected.cc and conv.cc.
    """
    return len(taken) < 3 or taken[2] == () or math.prod(taken[2]) == channels


def _pool(taken: list[Shape], gives: list[Shape], options: Any) -> bool:
    batch, height, width, depth = taken[0]
    wanted = (
        batch,
        _window(height, options.filterHeight, options.strideH, 1, options.padding),
        _window(width, options.filterWidth, options.strideW, 1, options.padding),
        depth,
    )
    return gives[0] == wanted


def _broadcast(taken: list[Shape], gives: list[Shape], _: Any) -> bool:
    rank = max(map(len, taken[:2]))
    one, other = ((1,) * (rank - len(shape)) + shape for shape in taken[:2])
    fits = all(a == b or 1 in (a, b) for a, b in zip(one, other, strict=True))
    return fits and gives[0] == tuple(max(a, b) for a, b in zip(one, other, strict=True))


_RULES: dict[str, Callable[[list[Shape], list[Shape], Any], bool]] = {
    "FULLY_CONNECTED": _dense,
    "CONV_2D": _conv,
    "DEPTHWISE_CONV_2D": _depthwise,
    "MAX_POOL_2D": _pool,
    "AVERAGE_POOL_2D": _pool,
    "RESHAPE": lambda taken, gives, _: math.prod(taken[0]) == math.prod(gives[0]),
    **dict.fromkeys(_SAME, lambda taken, gives, _: taken[0] == gives[0]),
    **dict.fromkeys(_BROADCAST, _broadcast),
}
