"""One operator as a model file of its own, for compilers that read files."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Any

import numpy as np

from tinyhil import tflite
from tinyhil.chain.graph import Operator, Tensor, Values
from tinyhil.chain.unsupported import Unsupported


def model_of(operator: Operator) -> bytes:
    """The file of a model that has this operator only; a dense layer is made one of a single row.

    What the compiler is strict about and nothing is computed from is written as it wants it: a bias that is left out is
    zeros, and its scales are those of the inputs times those of the weights.

    Raises:
        Unsupported: it is no operator that bakenn could take.
    """
    schema = tflite.schema()

    code = getattr(schema.BuiltinOperator, operator.name)
    shapes: dict[int, tuple[int, ...]] = {}
    source, target = operator.input(0), operator.outputs[0]
    if operator.name == "FULLY_CONNECTED":
        if len(operator.input(1).shape) != 2:
            raise Unsupported("has weights that are not of 2 dimensions")
        units, depth = operator.input(1).shape
        shapes = {source.index: (1, depth), target.index: (1, units)}
    buffers, tensors = [schema.BufferT()], []
    positions: dict[int, int] = {}

    def add(tensor: Tensor, values: Values | None, scales: Sequence[float], shape: Sequence[int]) -> int:
        buffer = 0
        if values is not None:
            buffer = len(buffers)
            buffers.append(schema.BufferT(data=np.frombuffer(values.tobytes(), np.uint8)))
        axis = tensor.axis if len(scales) > 1 and values is not None and values.ndim > 1 else 0
        quantization = schema.QuantizationParametersT(
            scale=list(scales), zeroPoint=list(tensor.zero_points or (0,) * len(scales)), quantizedDimension=axis
        )
        tensors.append(
            schema.TensorT(
                name=f"tensor{tensor.index}",
                shape=list(shape),
                type=getattr(schema.TensorType, tensor.dtype.upper()),
                buffer=buffer,
                quantization=quantization if scales else None,
            )
        )
        return len(tensors) - 1

    inputs = []
    for position, tensor in enumerate(operator.inputs):
        if tensor is None:
            continue
        scales: Sequence[float] = tensor.scales
        if position == 2 and operator.name in _WITH_BIAS:
            scales = _bias_scales(operator)
        at = add(tensor, tensor.values, scales, shapes.get(tensor.index, tensor.shape))
        positions[position] = at
        inputs.append(at)
    if operator.name in _WITH_BIAS and 2 not in positions:
        inputs.append(_zero_bias(operator, add))
    outputs = [add(tensor, None, tensor.scales, shapes.get(tensor.index, tensor.shape)) for tensor in operator.outputs]
    made = schema.OperatorT(opcodeIndex=0, inputs=inputs, outputs=outputs)
    if operator.options is not None:
        made.builtinOptions = _options(operator)
        made.builtinOptionsType = getattr(schema.BuiltinOptions, type(operator.options).__name__.removesuffix("T"))
    graph = schema.SubGraphT(tensors=tensors, inputs=[0], outputs=outputs, operators=[made])
    model: Any = schema.ModelT(
        version=3,
        operatorCodes=[
            schema.OperatorCodeT(builtinCode=code, deprecatedBuiltinCode=min(code, 127), version=_version(operator))
        ],
        subgraphs=[graph],
        buffers=buffers,
    )
    return tflite.pack(model)


_WITH_BIAS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")


def _options(operator: Operator) -> Any:
    """The options without what memory does not know: how many dimensions the output of a Dense layer has."""
    options = copy(operator.options)
    if operator.name == "FULLY_CONNECTED":
        options.keepNumDims = False
    return options


def _version(operator: Operator) -> int:
    """The version that bakenn knows an int8 operator by. What other versions have is told by the tensors, too."""
    return {"CONV_2D": 3, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 4}.get(operator.name, 2)


def _bias_scales(operator: Operator) -> list[float]:
    """What the quantization specification gives a bias: the input's scale times those of the weights."""
    return [operator.input(0).scale * scale for scale in operator.input(1).scales]


def _zero_bias(operator: Operator, add: Any) -> int:
    weights = operator.input(1)
    channels = weights.shape[3] if operator.name == "DEPTHWISE_CONV_2D" else weights.shape[0]
    zeros = np.zeros(channels, "<i4")
    bias = Tensor(-1, "", "int32", (channels,), (), (), 0, zeros, False)
    return int(add(bias, zeros, _bias_scales(operator), (channels,)))
