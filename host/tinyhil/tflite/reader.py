"""Reads a .tflite file.

The FlatBuffers bindings do not check bounds, so every table and buffer is walked once here; a truncated or damaged
file shows up as a ModelError rather than as a crash of the C++ interpreter later. Schema:
tensorflow/compiler/mlir/lite/schema/schema.fbs.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

from tinyhil import kinds
from tinyhil.errors import ModelError
from tinyhil.tflite import bindings, extent
from tinyhil.tflite.model import ITEM_BITS, Graph, Model, Operator, Tensor

IDENTIFIER = b"TFL3"
"""FlatBuffers file identifier, at byte 4."""
SCHEMA_VERSION = 3
MAX_BYTES = 64 * 1024 * 1024
"""Larger than the flash of any microcontroller; bounds what an untrusted file makes us read."""


@lru_cache(maxsize=4)
def parse(data: bytes, name: str) -> Model:
    """Reads a model; one that was read lately is remembered, since every stage of a run asks for it.

    Args:
        data: the file's content.
        name: how to call it in messages.

    Raises:
        ModelError: it is not a TFLite model, is damaged or truncated, or has nothing to compute.
    """
    if len(data) > MAX_BYTES:
        raise ModelError(
            f"{name} has {len(data)} bytes, more than any microcontroller holds ({MAX_BYTES})",
            hint="give a model that a microcontroller can hold",
        )
    if len(data) < 8 or data[4:8] != IDENTIFIER:
        raise ModelError(
            f"{name} is not a TensorFlow Lite model: it lacks the identifier TFL3",
            hint="export a .tflite file",
            kind=kinds.DAMAGED_MODEL,
        )
    try:
        return _model(data, name)
    except (ModelError, ImportError):
        raise
    except Exception as error:  # the bindings look for nothing: what they raise on foreign bytes is theirs to choose
        raise ModelError(
            f"{name} is damaged or truncated: its tables point outside its {len(data)} bytes",
            hint="export or copy it again",
            kind=kinds.DAMAGED_MODEL,
        ) from error


def _model(data: bytes, name: str) -> Model:
    schema = bindings.schema()

    model = schema.Model.GetRootAsModel(data, 0)
    if model.Version() != SCHEMA_VERSION:
        raise ModelError(
            f"{name} has schema version {model.Version()}, known is {SCHEMA_VERSION}",
            hint="export it with a converter of TensorFlow 2",
        )
    if extent.exceeds(model, len(data)):
        raise ModelError(
            f"{name} is damaged: its lists have more entries than it has bytes, {len(data)}",
            hint="export or copy it again",
            kind=kinds.DAMAGED_MODEL,
        )
    schema.ModelT.InitFromObj(model)  # touches every table, vector and buffer by unpacking them all
    codes = _codes(model, schema)
    types = _names(schema.TensorType)
    graphs = tuple(
        _graph(model, model.Subgraphs(index), codes, types, name) for index in range(model.SubgraphsLength())
    )
    if not graphs:
        raise ModelError(f"{name} has 0 subgraphs", hint="export it again: there is nothing to compute")
    main = graphs[0]
    if not main.inputs or not main.outputs or not main.operators:
        raise ModelError(
            f"{name} has {len(main.inputs)} inputs, {len(main.outputs)} outputs and {len(main.operators)} operators",
            hint="export it again: there is nothing to compute",
        )
    return Model(len(data), graphs)


def _names(enumeration: Any) -> dict[int, str]:
    return {value: key for key, value in vars(enumeration).items() if isinstance(value, int)}


def _codes(model: Any, schema: Any) -> list[tuple[str, bool, int]]:
    """Name, whether custom, and version of each operator code."""
    names = _names(schema.BuiltinOperator)
    codes = []
    for index in range(model.OperatorCodesLength()):
        code = model.OperatorCodes(index)
        # An operator beyond the first 127 has its code in the newer field, others may have it in the older one alone.
        builtin = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
        written = code.CustomCode()
        custom = written is not None or builtin == schema.BuiltinOperator.CUSTOM
        name = f"CUSTOM({(written or b'').decode()})" if custom else names.get(builtin, f"BUILTIN_{builtin}")
        codes.append((name, custom, int(code.Version())))
    return codes


def _graph(model: Any, graph: Any, codes: list[tuple[str, bool, int]], types: dict[int, str], name: str) -> Graph:
    tensors = tuple(_tensor(model, graph.Tensors(index), index, types, name) for index in range(graph.TensorsLength()))
    count = len(tensors)
    operators = []
    for index in range(graph.OperatorsLength()):
        operator = graph.Operators(index)
        label, custom, version = codes[_within(operator.OpcodeIndex(), len(codes))]
        # -1: an optional input that is not there
        inputs = tuple(_within(operator.Inputs(i), count, lowest=-1) for i in range(operator.InputsLength()))
        outputs = tuple(_within(operator.Outputs(i), count) for i in range(operator.OutputsLength()))
        operators.append(Operator(index, label, custom, version, inputs, outputs))
    return Graph(
        tensors=tensors,
        operators=tuple(operators),
        inputs=tuple(_within(graph.Inputs(i), count) for i in range(graph.InputsLength())),
        outputs=tuple(_within(graph.Outputs(i), count) for i in range(graph.OutputsLength())),
    )


def _tensor(model: Any, tensor: Any, index: int, types: dict[int, str], name: str) -> Tensor:
    number = _within(tensor.Buffer(), model.BuffersLength())
    buffer = model.Buffers(number)
    quantization = tensor.Quantization()
    read = Tensor(
        index=index,
        name=(tensor.Name() or b"").decode(),
        dtype=types.get(tensor.Type(), f"type_{tensor.Type()}").lower(),
        shape=tuple(int(tensor.Shape(i)) for i in range(tensor.ShapeLength())),
        signature=tuple(int(tensor.ShapeSignature(i)) for i in range(tensor.ShapeSignatureLength())),
        scales=_vector(quantization, "Scale", float),
        zero_points=_vector(quantization, "ZeroPoint", int),
        axis=0 if quantization is None else int(quantization.QuantizedDimension()),
        constant_bytes=buffer.DataLength(),
        buffer=number,
        variable=bool(tensor.IsVariable()),
    )
    if tensor.ExternalBuffer() or buffer.Offset() or buffer.Size():
        raise ModelError(
            f"{name}: {read} keeps its content outside of the model's tables", hint="export a model of less than 2 GB"
        )
    # A sparse tensor holds less than its shape says.
    if read.constant and read.dtype in ITEM_BITS and tensor.Sparsity() is None:
        elements = math.prod(read.shape)
        if read.dynamic or read.constant_bytes != (elements * ITEM_BITS[read.dtype] + 7) // 8:
            raise ModelError(
                f"{name} is damaged: {read} is {read.dtype} of shape {read.shape}, but has {read.constant_bytes} bytes",
                hint="export or copy it again",
                kind=kinds.DAMAGED_MODEL,
            )
    return read


def _vector(quantization: Any, what: str, kind: Any) -> tuple[Any, ...]:
    if quantization is None or getattr(quantization, f"{what}Length")() == 0:
        return ()
    return tuple(kind(value) for value in getattr(quantization, f"{what}AsNumpy")().tolist())


def _within(index: int, count: int, lowest: int = 0) -> int:
    """An index that names something: the bindings read whatever lies where another one points."""
    if not lowest <= index < count:
        raise IndexError(f"{index} of {count}")
    return int(index)
