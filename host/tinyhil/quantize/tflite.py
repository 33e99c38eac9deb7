"""Reads a .tflite file strictly, without an interpreter and without TensorFlow.

The FlatBuffers bindings do not check bounds, so every table and buffer is walked once here; a truncated or damaged
file shows up as a ModelError rather than as a crash of the C++ interpreter later. Schema:
tensorflow/compiler/mlir/lite/schema/schema.fbs.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinyhil.affine import DType, TensorSpec
from tinyhil.errors import ModelError

IDENTIFIER = b"TFL3"
"""FlatBuffers file identifier, at byte 4."""
SCHEMA_VERSION = 3
MAX_BYTES = 64 * 1024 * 1024
"""Larger than the flash of any microcontroller; bounds what an untrusted file makes us read."""

MAX_RANK = 6
"""Of a tensor on the link (docs/protocol.md, TENSOR)."""

_DTYPES = {0: np.float32, 2: np.int32, 3: np.uint8, 7: np.int16, 9: np.int8}
"""TensorType to NumPy, for the types that the link carries."""


@dataclass(frozen=True)
class ModelFacts:
    """What a model file says of itself.

    Attributes:
        inputs: input tensors.
        outputs: output tensors.
        ops: names of the operators, in the order of execution.
    """

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    ops: tuple[str, ...]


def read(data: bytes, name: str) -> ModelFacts:
    """Reads a model.

    Args:
        data: the file's content.
        name: how to call it in messages.

    Raises:
        ModelError: it is not a TFLite model, is damaged or truncated, or has tensors that the link cannot carry.
    """
    if len(data) > MAX_BYTES:
        raise ModelError(f"{name} has {len(data)} bytes, more than any microcontroller holds ({MAX_BYTES})")
    if len(data) < 8 or data[4:8] != IDENTIFIER:
        raise ModelError(
            f"{name} is not a TensorFlow Lite model: it lacks the identifier TFL3", hint="export a .tflite file"
        )
    try:
        return _facts(data, name)
    except (
        IndexError,
        ValueError,
        struct.error,
        AttributeError,
        TypeError,
        UnicodeDecodeError,
        OverflowError,
    ) as error:
        raise ModelError(
            f"{name} is damaged or truncated: its tables point outside its {len(data)} bytes",
            hint="export or copy it again",
        ) from error


def _facts(data: bytes, name: str) -> ModelFacts:
    from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

    model = schema.Model.GetRootAsModel(data, 0)
    if model.Version() != SCHEMA_VERSION:
        raise ModelError(f"{name} has schema version {model.Version()}, known is {SCHEMA_VERSION}")
    if model.SubgraphsLength() != 1:
        raise ModelError(f"{name} has {model.SubgraphsLength()} subgraphs, only one is supported")
    graph = model.Subgraphs(0)
    _walk(model, graph, schema)
    names = {value: key for key, value in vars(schema.BuiltinOperator).items() if isinstance(value, int)}
    ops = []
    for index in range(graph.OperatorsLength()):
        opcode = _within(graph.Operators(index).OpcodeIndex(), model.OperatorCodesLength())
        code = model.OperatorCodes(opcode)
        builtin = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
        custom = code.CustomCode()
        ops.append(f"CUSTOM({custom.decode()})" if custom else names.get(builtin, f"BUILTIN_{builtin}"))
    tensors = graph.TensorsLength()
    inputs = tuple(_spec(graph.Tensors(_within(graph.Inputs(i), tensors)), name) for i in range(graph.InputsLength()))
    outputs = tuple(
        _spec(graph.Tensors(_within(graph.Outputs(i), tensors)), name) for i in range(graph.OutputsLength())
    )
    if not inputs or not outputs or not ops:
        raise ModelError(f"{name} has {len(inputs)} inputs, {len(outputs)} outputs and {len(ops)} operators")
    return ModelFacts(inputs, outputs, tuple(ops))


def _walk(model: Any, graph: Any, schema: Any) -> None:
    """Touches every table, vector and buffer by unpacking them all, and every tensor's and operator's indices."""
    schema.ModelT.InitFromObj(model)
    buffers, tensors = model.BuffersLength(), graph.TensorsLength()
    for index in range(tensors):
        _within(graph.Tensors(index).Buffer(), buffers)
    for index in range(graph.OperatorsLength()):
        operator = graph.Operators(index)
        for position in range(operator.InputsLength()):
            _within(operator.Inputs(position), tensors, lowest=-1)  # -1: an optional input that is not there
        for position in range(operator.OutputsLength()):
            _within(operator.Outputs(position), tensors)


def _within(index: int, count: int, lowest: int = 0) -> int:
    """An index that names something: the bindings read whatever lies where another one points."""
    if not lowest <= index < count:
        raise IndexError(f"{index} of {count}")
    return index


def _spec(tensor: Any, name: str) -> TensorSpec:
    label = tensor.Name().decode()
    if tensor.Type() not in _DTYPES:
        raise ModelError(f"{name}: tensor {label!r} has element type {tensor.Type()}, which the link cannot carry")
    shape = tuple(int(tensor.Shape(i)) for i in range(tensor.ShapeLength()))
    signature = tuple(int(tensor.ShapeSignature(i)) for i in range(tensor.ShapeSignatureLength()))
    if any(size < 1 for size in shape + signature):
        raise ModelError(f"{name}: tensor {label!r} has a dynamic shape", hint="export with a fixed batch of 1")
    if not 1 <= len(shape) <= MAX_RANK or math.prod(shape) > MAX_BYTES:
        raise ModelError(f"{name}: tensor {label!r} has the shape {shape}, which the link cannot carry")
    quantization = tensor.Quantization()
    scales = quantization.ScaleLength() if quantization is not None else 0
    if scales > 1:
        raise ModelError(f"{name}: tensor {label!r} is quantized per channel, an input or output cannot be")
    spec = TensorSpec(
        name=label,
        dtype=DType.of(_DTYPES[tensor.Type()]),
        shape=shape,
        scale=float(quantization.Scale(0)) if scales else 0.0,
        zero_point=int(quantization.ZeroPoint(0)) if scales else 0,
    )
    if scales and not _is_affine(spec):
        raise ModelError(
            f"{name}: tensor {label!r} has scale {spec.scale:g} and zero point {spec.zero_point}, which mean nothing"
        )
    return spec


def _is_affine(spec: TensorSpec) -> bool:
    """Whether scale and zero point stand for reals: integers only, the scale above 0, the zero point among them."""
    if spec.dtype is DType.FLOAT32 or not (math.isfinite(spec.scale) and spec.scale > 0):
        return False
    lowest, highest = spec.dtype.limits
    return lowest <= spec.zero_point <= highest
