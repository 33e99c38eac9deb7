"""Writes down what a model's file leaves out, and importers that read strictly refuse it for.

TensorFlow's converter saves what follows from the rest: in int8 models a RESHAPE without ReshapeOptions, whose new
shape its second input has, and a FULLY_CONNECTED without a bias, where training left it all zeros or the layer has
none. In any model it notes that a batch was open, beside shapes that were computed for a batch of 1.

Rewritten, the model computes the very same numbers, and nothing else is touched: where there is nothing to add, the
file stays as it is to the byte.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyhil import kinds
from tinyhil.artifacts import foreign
from tinyhil.errors import ModelError
from tinyhil.tflite import bindings, objects

_BIAS = 2
"""Position of the bias among the inputs of a FULLY_CONNECTED."""

_COMPUTE_SIZES = ("SHAPE", "RANK", "RANGE", "WHERE", "UNIQUE", "NON_MAX_SUPPRESSION_V4", "NON_MAX_SUPPRESSION_V5")
"""Operators whose outputs are sizes, or have a size that depends on values."""


def rewrite(data: bytes, name: str) -> tuple[bytes, tuple[str, ...]]:
    """The model with what its file leaves out.

    Args:
        data: the file's content.
        name: how to call it in messages.

    Returns:
        The file's new content, and what was changed, one sentence each; the same content and nothing if nothing.

    Raises:
        ModelError: it is not a TFLite model, or damaged.
    """
    schema = bindings.schema()

    model = objects.unpack(data, name)
    with foreign.reading(name, "a model whose graph holds together", _refusal):
        notes = [
            note
            for graph in model.subgraphs
            for index, operator in enumerate(graph.operators)
            if (note := _complete(schema, model, graph, index, operator))
        ]
        if fixed := _fix_batch(schema, model):
            notes.insert(0, f"the batch, which the file leaves open in {fixed} tensor{'s' * (fixed > 1)}, is 1")
        if not notes:
            return data, ()
        return objects.pack(model), tuple(notes)


def _refusal(message: str) -> ModelError:
    return ModelError(message, hint="export or copy it again", kind=kinds.DAMAGED_MODEL)


def _fix_batch(schema: Any, model: Any) -> int:
    """Takes an open batch as the 1 that the shapes beside it were computed for; returns in how many tensors.

    Not where any other size is open, or the model computes sizes: then the shapes may not hold.
    """
    kinds = {max(code.builtinCode, code.deprecatedBuiltinCode) for code in model.operatorCodes}
    if kinds & {getattr(schema.BuiltinOperator, name) for name in _COMPUTE_SIZES}:
        return 0
    tensors = [tensor for graph in model.subgraphs for tensor in graph.tensors]
    if not all(_open_in_batch_only(tensor) for tensor in tensors if _is_open(tensor)):
        return 0
    found = [tensor for tensor in tensors if _is_open(tensor)]
    for tensor in found:
        tensor.shapeSignature = None
    return len(found)


def _is_open(tensor: Any) -> bool:
    sizes = [part for part in (tensor.shape, tensor.shapeSignature) if part is not None]
    return any(size < 0 for part in sizes for size in part)


def _open_in_batch_only(tensor: Any) -> bool:
    """Whether the signature is the shape but for an open batch, which the shape has as 1."""
    shape, signature = ([int(size) for size in part] for part in (tensor.shape, tensor.shapeSignature))
    return shape[0] == 1 and signature == [-1, *shape[1:]] and all(size > 0 for size in shape)


def _complete(schema: Any, model: Any, graph: Any, index: int, operator: Any) -> str:
    """Adds what an operator lacks; returns what that was, empty if nothing."""
    code = model.operatorCodes[operator.opcodeIndex]
    kind = max(code.builtinCode, code.deprecatedBuiltinCode)
    if not _is_int8(schema, graph, operator):
        return ""
    if kind == schema.BuiltinOperator.RESHAPE and operator.builtinOptions is None:
        shape = [int(size) for size in graph.tensors[operator.outputs[0]].shape]
        operator.builtinOptionsType = schema.BuiltinOptions.ReshapeOptions
        operator.builtinOptions = schema.ReshapeOptionsT(newShape=shape)
        return f"operator {index} RESHAPE: its new shape {shape}, which the file left to the second input, as an option"
    if kind == schema.BuiltinOperator.FULLY_CONNECTED and _has_no_bias(operator):
        if graph.tensors[operator.inputs[1]].type != schema.TensorType.INT8:
            return ""
        units = _add_bias(schema, model, graph, index, operator)
        return f"operator {index} FULLY_CONNECTED: a bias of {units} zeros, which the file left out"
    return ""


def _is_int8(schema: Any, graph: Any, operator: Any) -> bool:
    """Whether it computes integers of 8 bits that stand for reals: those who read strictly take no others at all."""
    if operator.inputs is None or len(operator.inputs) == 0:
        return False
    tensors = [graph.tensors[position] for position in operator.inputs[:_BIAS] if position >= 0]
    return tensors[0].type == schema.TensorType.INT8 and all(
        tensor.quantization is not None and tensor.quantization.scale is not None
        for tensor in tensors
        if tensor.type == schema.TensorType.INT8
    )


def _has_no_bias(operator: Any) -> bool:
    return len(operator.inputs) <= _BIAS or operator.inputs[_BIAS] < 0


def _add_bias(schema: Any, model: Any, graph: Any, index: int, operator: Any) -> int:
    """A bias of zeros, int32 with the scales that the quantization specification gives it: input times weights."""
    inputs, weights = (graph.tensors[position] for position in operator.inputs[:_BIAS])
    units = int(weights.shape[0])
    scales = [float(inputs.quantization.scale[0]) * float(scale) for scale in weights.quantization.scale]
    model.buffers.append(schema.BufferT(data=np.zeros(4 * units, np.uint8)))
    graph.tensors.append(
        schema.TensorT(
            name=f"tinyhil/bias_{index}",
            shape=[units],
            type=schema.TensorType.INT32,
            buffer=len(model.buffers) - 1,
            quantization=schema.QuantizationParametersT(scale=scales, zeroPoint=[0] * len(scales)),
        )
    )
    operator.inputs = [*operator.inputs[:_BIAS], len(graph.tensors) - 1]
    return units
