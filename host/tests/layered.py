"""Small int8 models of several layers, made without TensorFlow, and faults planted in one layer of theirs.

Weights come from a seed; scales are chosen so that every layer's outputs spread over the whole range of int8.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from tinyhil import tflite
from tinyhil.tflite.objects import pack, unpack

_OPS, _OPTIONS, _TYPES = schema.BuiltinOperator, schema.BuiltinOptions, schema.TensorType
_VERSIONS = {
    _OPS.ADD: 2,
    _OPS.AVERAGE_POOL_2D: 2,
    _OPS.CONV_2D: 3,
    _OPS.DEPTHWISE_CONV_2D: 3,
    _OPS.FULLY_CONNECTED: 4,
    _OPS.MAX_POOL_2D: 2,
    _OPS.RESHAPE: 1,
}
_RELU = schema.ActivationFunctionType.RELU
_WEIGHT = 40
"""Standard deviation of the weights, in LSB."""
_WEIGHT_SCALE = 0.01


class Network:
    """Puts layers one after the other; tensors are named by their indices."""

    def __init__(self, shape: Sequence[int], seed: int) -> None:
        self._generator = np.random.default_rng(seed)
        self._graph = schema.SubGraphT(name="main", tensors=[], operators=[], inputs=[], outputs=[])
        self._buffers = [schema.BufferT()]  # empty by convention: it belongs to what is computed
        self._codes: list[Any] = []
        self.last = self._tensor("in", shape, _TYPES.INT8, [0.05], 3)
        self._graph.inputs = [self.last]

    def dense(self, units: int, *, relu: bool = True) -> int:
        """A FULLY_CONNECTED, quantized per tensor."""
        taps = self._shape(self.last)[-1]
        options = schema.FullyConnectedOptionsT()
        options.fusedActivationFunction = _RELU if relu else 0
        return self._layer(_OPS.FULLY_CONNECTED, (units, taps), taps, (1, units), options, relu, per_channel=False)

    def conv(self, channels: int, *, relu: bool = True) -> int:
        """A CONV_2D of 3x3 with padding, quantized per channel."""
        _, height, width, depth = self._shape(self.last)
        options = schema.Conv2DOptionsT()
        options.strideW = options.strideH = options.dilationWFactor = options.dilationHFactor = 1
        options.fusedActivationFunction = _RELU if relu else 0
        shape = (1, height, width, channels)
        return self._layer(_OPS.CONV_2D, (channels, 3, 3, depth), 9 * depth, shape, options, relu, per_channel=True)

    def depthwise(self) -> int:
        """A DEPTHWISE_CONV_2D of 3x3 with padding and RELU, quantized per channel."""
        shape = self._shape(self.last)
        options = schema.DepthwiseConv2DOptionsT()
        options.strideW = options.strideH = options.dilationWFactor = options.dilationHFactor = 1
        options.depthMultiplier, options.fusedActivationFunction = 1, _RELU
        return self._layer(_OPS.DEPTHWISE_CONV_2D, (1, 3, 3, shape[3]), 9, shape, options, True, per_channel=True)

    def max_pool(self) -> int:
        """A MAX_POOL_2D of 2x2."""
        _, height, width, depth = self._shape(self.last)
        options = schema.Pool2DOptionsT()
        options.strideW = options.strideH = options.filterWidth = options.filterHeight = 2
        options.padding = schema.Padding.VALID
        return self._like_its_input(_OPS.MAX_POOL_2D, (1, height // 2, width // 2, depth), options)

    def flatten(self) -> int:
        """A RESHAPE to two dimensions."""
        return self.reshape((1, int(np.prod(self._shape(self.last)))))

    def reshape(self, shape: Sequence[int]) -> int:
        """A RESHAPE."""
        options = schema.ReshapeOptionsT()
        options.newShape = list(shape)
        wanted = self._constant("shape", np.array(shape, "<i4"), _TYPES.INT32)
        return self._like_its_input(_OPS.RESHAPE, shape, options, wanted)

    def add(self, one: int, other: int) -> int:
        """An ADD of two tensors."""
        scale = self._scale(one) + self._scale(other)
        self.last = self._tensor(f"add {len(self._graph.operators)}", self._shape(one), _TYPES.INT8, [scale], 0)
        self._operator(_OPS.ADD, [one, other], schema.AddOptionsT(), _OPTIONS.AddOptions)
        return self.last

    def finish(self, *outputs: int) -> bytes:
        """The file; the outputs are the last layer's by default."""
        self._graph.outputs = list(outputs or (self.last,))
        model = schema.ModelT(
            version=tflite.SCHEMA_VERSION,
            operatorCodes=self._codes,
            subgraphs=[self._graph],
            buffers=self._buffers,
            description="layered",
            metadata=[schema.MetadataT(name="note", buffer=len(self._buffers) - 1)],
        )
        return pack(model)

    def _layer(
        self,
        code: int,
        weights: Sequence[int],
        taps: int,
        shape: Sequence[int],
        options: Any,
        relu: bool,
        *,
        per_channel: bool,
    ) -> int:
        """A layer with weights: its last axis, or its first, is that of the channels."""
        number, source = len(self._graph.operators), self.last
        channels = shape[-1]
        values = np.clip(self._generator.normal(0, _WEIGHT, weights).round(), -127, 127).astype("<i1")
        bias = self._generator.integers(-2000, 2000, channels).astype("<i4")
        scales = list(_WEIGHT_SCALE * np.linspace(0.9, 1.1, channels)) if per_channel else [_WEIGHT_SCALE]
        axis = 3 if code == _OPS.DEPTHWISE_CONV_2D else 0
        # Of a sum of taps products of weights and inputs; a RELU halves the values, and leaves the range to the rest.
        out = self._scale(source) * _WEIGHT_SCALE * _WEIGHT * float(np.sqrt(taps)) / (2 if relu else 1)
        made = [
            self._constant(f"weights {number}", values, _TYPES.INT8, scales, axis),
            self._constant(
                f"bias {number}",
                bias,
                _TYPES.INT32,
                [self._scale(source) * float(np.float32(scale)) for scale in scales],
            ),
        ]
        self.last = self._tensor(f"layer {number}", shape, _TYPES.INT8, [out], -128 if relu else 0)
        kind = next(value for name, value in vars(_OPTIONS).items() if f"{name}T" == type(options).__name__)
        self._operator(code, [source, *made], options, kind)
        return self.last

    def _like_its_input(self, code: int, shape: Sequence[int], options: Any, *constants: int) -> int:
        source = self.last
        quantization = self._graph.tensors[source].quantization
        name = f"layer {len(self._graph.operators)}"
        self.last = self._tensor(name, shape, _TYPES.INT8, quantization.scale, quantization.zeroPoint[0])
        kind = next(value for name, value in vars(_OPTIONS).items() if f"{name}T" == type(options).__name__)
        self._operator(code, [source, *constants], options, kind)
        return self.last

    def _operator(self, code: int, inputs: list[int], options: Any, kind: int) -> None:
        self._graph.operators.append(
            schema.OperatorT(
                opcodeIndex=code_index(self._codes, code),
                inputs=inputs,
                outputs=[self.last],
                builtinOptionsType=kind,
                builtinOptions=options,
            )
        )

    def _constant(self, name: str, values: Any, kind: int, scales: Sequence[float] | None = None, axis: int = 0) -> int:
        self._buffers.append(schema.BufferT(data=np.frombuffer(values.tobytes(), np.uint8)))
        return self._tensor(name, values.shape, kind, scales, 0, axis, len(self._buffers) - 1)

    def _tensor(
        self,
        name: str,
        shape: Sequence[int],
        kind: int,
        scales: Sequence[float] | None,
        zero_point: int,
        axis: int = 0,
        buffer: int = 0,
    ) -> int:
        quantization = None
        if scales is not None:
            quantization = schema.QuantizationParametersT(
                scale=list(scales), zeroPoint=[zero_point] * len(scales), quantizedDimension=axis
            )
        self._graph.tensors.append(
            schema.TensorT(name=name, shape=list(shape), type=kind, buffer=buffer, quantization=quantization)
        )
        return len(self._graph.tensors) - 1

    def _shape(self, tensor: int) -> tuple[int, ...]:
        return tuple(self._graph.tensors[tensor].shape)

    def _scale(self, tensor: int) -> float:
        return float(np.float32(self._graph.tensors[tensor].quantization.scale[0]))  # as it will be in the file


def code_index(codes: list[Any], code: int) -> int:
    """The index of an operator's code, added where it is not there yet."""
    known = [max(each.builtinCode, each.deprecatedBuiltinCode) for each in codes]
    if code not in known:
        version = _VERSIONS[code]
        codes.append(schema.OperatorCodeT(builtinCode=code, deprecatedBuiltinCode=code, version=version))
        known.append(code)
    return known.index(code)


def dense_model() -> bytes:
    """Four FULLY_CONNECTED."""
    network = Network((1, 8), seed=1)
    for units in (12, 10, 12):
        network.dense(units)
    network.dense(4, relu=False)
    return network.finish()


def conv_model() -> bytes:
    """CONV_2D, MAX_POOL_2D, DEPTHWISE_CONV_2D, RESHAPE, FULLY_CONNECTED."""
    network = Network((1, 8, 8, 1), seed=5)
    network.conv(4)
    network.max_pool()
    network.depthwise()
    network.flatten()
    network.dense(5, relu=False)
    return network.finish()


def spatial_model() -> bytes:
    """CONV_2D, MAX_POOL_2D, DEPTHWISE_CONV_2D, CONV_2D: every layer computes something."""
    network = Network((1, 8, 8, 1), seed=8)
    network.conv(4)
    network.max_pool()
    network.depthwise()
    network.conv(2, relu=False)
    return network.finish()


def branched_model() -> bytes:
    """Operators 0 to 4: a layer, two that both read it, the sum of these, a layer."""
    network = Network((1, 8), seed=3)
    first = network.dense(10)
    one = network.dense(10)
    network.last = first
    other = network.dense(10)
    network.add(one, other)
    network.dense(3, relu=False)
    return network.finish()


def masked_model() -> bytes:
    """Two FULLY_CONNECTED, of which the second does not look at the unit that the first one's largest weight is of."""
    network = Network((1, 8), seed=6)
    network.dense(6)
    network.dense(3, relu=False)
    model = unpack(network.finish(), "model")
    (_, first), (buffer, second) = (_weights(model, operator) for operator in model.subgraphs[0].operators)
    unit = int(np.abs(first).argmax()) // 8
    second.reshape(3, 6)[:, unit] = 0
    buffer.data = second.view(np.uint8)
    return pack(model)


def accumulates(model: Any) -> None:
    """Makes of the model y = x + sum, and of the sum y: what TFLite calls a resource variable."""
    graph = model.subgraphs[0]
    quantization = schema.QuantizationParametersT(scale=[1.0], zeroPoint=[0])
    int8, resource = schema.TensorType.INT8, schema.TensorType.RESOURCE

    def tensor(name: str, kind: int) -> Any:
        shape = [1, 2] if kind == int8 else []
        return schema.TensorT(name=name, shape=shape, type=kind, buffer=0, quantization=quantization)

    def op(code: int, inputs: list[int], outputs: list[int], **options: Any) -> Any:
        kind, value = next(iter(options.items()), ("NONE", None))
        return schema.OperatorT(
            opcodeIndex=code,
            inputs=inputs,
            outputs=outputs,
            builtinOptionsType=getattr(schema.BuiltinOptions, kind),
            builtinOptions=value,
        )

    graph.tensors = [tensor("x", int8), tensor("handle", resource), tensor("sum", int8), tensor("y", int8)]
    graph.inputs, graph.outputs = [0], [3]
    codes = [
        getattr(schema.BuiltinOperator, name) for name in ("VAR_HANDLE", "READ_VARIABLE", "ADD", "ASSIGN_VARIABLE")
    ]
    model.operatorCodes = [
        schema.OperatorCodeT(deprecatedBuiltinCode=min(code, 127), builtinCode=code, version=1) for code in codes
    ]
    handle = schema.VarHandleOptionsT(container="", sharedName="sum")
    graph.operators = [
        op(0, [], [1], VarHandleOptions=handle),
        op(1, [1], [2], ReadVariableOptions=schema.ReadVariableOptionsT()),
        op(2, [0, 2], [3], AddOptions=schema.AddOptionsT()),
        op(3, [1, 3], [], AssignVariableOptions=schema.AssignVariableOptionsT()),
    ]


def with_fault(data: bytes, operator: int) -> bytes:
    """The model with another computation in one operator, of the same inputs and outputs.

    A layer with weights gets the sign of its largest one wrong, and a MAX_POOL_2D takes the mean. In a RESHAPE there is
    nothing that could be wrong: it computes nothing and moves nothing.
    """
    model = unpack(data, "model")
    graph = model.subgraphs[0]
    broken = graph.operators[operator]
    code = model.operatorCodes[broken.opcodeIndex].builtinCode
    if code == _OPS.MAX_POOL_2D:
        broken.opcodeIndex = code_index(model.operatorCodes, _OPS.AVERAGE_POOL_2D)
    else:
        buffer, weights = _weights(model, broken)
        weights[np.abs(weights).argmax()] *= -1
        buffer.data = weights.view(np.uint8)
    return pack(model)


def _weights(model: Any, operator: Any) -> tuple[Any, Any]:
    """The buffer of an operator's weights, and a copy of them, (elements,) of int8."""
    buffer = model.buffers[model.subgraphs[0].tensors[operator.inputs[1]].buffer]
    return buffer, np.array(buffer.data, np.uint8).view(np.int8)
