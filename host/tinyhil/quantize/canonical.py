"""Writes out what TensorFlow's converter leaves unsaid in a .tflite file, so that strict readers take it.

Nothing changes in what the model computes:

- RESHAPE without its options gets them from its output's shape; the converter leaves the shape to a constant input.
- FULLY_CONNECTED without a bias, which the converter makes of a bias that is all zero, is marked as version 6 of the
  operator, the first that may lack it (tensorflow/compiler/mlir/lite/tools/versioning/op_version.cc). Where others
  of the same kind have one, the converter gives them all one version; here each has its own.
"""

from __future__ import annotations

import copy

import flatbuffers  # type: ignore[import-untyped]
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

_IDENTIFIER = b"TFL3"
_NO_BIAS_VERSION = 6
_WITH_BIAS = 3
"""Inputs of FULLY_CONNECTED: input, weights, bias; a bias that is not there has the index -1 or is left out."""


def canonical(content: bytes) -> bytes:
    """The same model, written out; the same bytes if there is nothing to write.

    Args:
        content: a .tflite file that the converter has just made: it is not checked.
    """
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
    changed = False
    for graph in model.subgraphs:
        for operator in graph.operators:
            code = model.operatorCodes[operator.opcodeIndex]
            kind = max(code.builtinCode, code.deprecatedBuiltinCode)
            if kind == schema.BuiltinOperator.RESHAPE and operator.builtinOptions is None:
                shape = [int(size) for size in graph.tensors[operator.outputs[0]].shape]
                operator.builtinOptionsType = schema.BuiltinOptions.ReshapeOptions
                operator.builtinOptions = schema.ReshapeOptionsT(newShape=shape)
                changed = True
            lacks_bias = len(operator.inputs) < _WITH_BIAS or operator.inputs[_WITH_BIAS - 1] < 0
            if kind == schema.BuiltinOperator.FULLY_CONNECTED and lacks_bias and code.version < _NO_BIAS_VERSION:
                operator.opcodeIndex = _versioned(model, code, _NO_BIAS_VERSION)
                changed = True
    if not changed:
        return content
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), _IDENTIFIER)
    return bytes(builder.Output())


def _versioned(model: schema.ModelT, code: schema.OperatorCodeT, version: int) -> int:
    """The index of the operator that ``code`` is, in another version."""
    wanted = copy.copy(code)
    wanted.version = version
    for index, known in enumerate(model.operatorCodes):
        if vars(known) == vars(wanted):
            return index
    model.operatorCodes.append(wanted)
    return len(model.operatorCodes) - 1
