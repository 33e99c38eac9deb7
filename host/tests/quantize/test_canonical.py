"""What the converter leaves unsaid is written out, and the model computes what it computed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tflite_micro import runtime
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from tinyhil.quantize.canonical import canonical

Build = Callable[..., bytes]
VECTORS = np.random.default_rng(1).integers(-128, 128, (20, 1, 3), dtype=np.int8)


def unpack(content: bytes) -> Any:
    return schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))


def answers(content: bytes, vectors: Any) -> list[list[int]]:
    interpreter = runtime.Interpreter.from_bytes(content)
    found = []
    for vector in vectors:
        interpreter.set_input(vector, 0)
        interpreter.invoke()
        found.append(interpreter.get_output(0).ravel().tolist())
    return found


def without_bias(model: Any) -> None:
    model.subgraphs[0].operators[0].inputs = [0, 1, -1]


def reshaped(model: Any) -> None:
    """A RESHAPE to (2, 1) after the layer, its shape in a constant, without options: as the converter writes it."""
    graph = model.subgraphs[0]
    output = graph.tensors[3]
    quantization = schema.QuantizationParametersT(scale=output.quantization.scale, zeroPoint=[4])
    graph.tensors.append(
        schema.TensorT(name="flat", shape=[2, 1], type=output.type, buffer=0, quantization=quantization)
    )
    graph.tensors.append(
        schema.TensorT(name="shape", shape=[2], type=schema.TensorType.INT32, buffer=len(model.buffers))
    )
    model.buffers.append(schema.BufferT(data=list(np.array([2, 1], "<i4").tobytes())))
    reshape = schema.BuiltinOperator.RESHAPE
    model.operatorCodes.append(schema.OperatorCodeT(deprecatedBuiltinCode=reshape, builtinCode=reshape, version=1))
    graph.operators.append(schema.OperatorT(opcodeIndex=1, inputs=[3, 5], outputs=[4]))
    graph.outputs = [4]


def test_nothing_unsaid_nothing_changed(build_tflite: Build) -> None:
    content = build_tflite()
    assert canonical(content) is content


def test_a_layer_without_bias_gets_the_version_that_may_lack_it(build_tflite: Build) -> None:
    content = build_tflite(without_bias)
    model = unpack(canonical(content))
    assert [model.operatorCodes[op.opcodeIndex].version for op in model.subgraphs[0].operators] == [6]
    assert answers(canonical(content), VECTORS) == answers(content, VECTORS)


def test_layers_with_a_bias_keep_theirs(build_tflite: Build) -> None:
    def two(model: Any) -> None:
        graph = model.subgraphs[0]
        copy = schema.OperatorT(**vars(graph.operators[0]))
        graph.operators.append(copy)
        copy.inputs = [0, 1, -1]
        copy.outputs = [4]
        output = graph.tensors[3]
        graph.tensors.append(schema.TensorT(**{**vars(output), "name": "other"}))
        graph.outputs = [3, 4]

    content = build_tflite(two)
    model = unpack(canonical(content))
    assert [model.operatorCodes[op.opcodeIndex].version for op in model.subgraphs[0].operators] == [4, 6]
    assert {code.builtinCode for code in model.operatorCodes} == {schema.BuiltinOperator.FULLY_CONNECTED}
    assert answers(canonical(content), VECTORS) == answers(content, VECTORS)


def test_a_reshape_gets_its_options(build_tflite: Build) -> None:
    content = build_tflite(reshaped)
    assert unpack(content).subgraphs[0].operators[1].builtinOptions is None
    written = canonical(content)
    options = unpack(written).subgraphs[0].operators[1].builtinOptions
    assert list(options.newShape) == [2, 1]
    assert canonical(written) is written
    assert answers(written, VECTORS) == answers(content, VECTORS)


@pytest.mark.parametrize("edit", [without_bias, reshaped])
def test_the_file_says_what_it_is(build_tflite: Build, edit: Callable[[Any], None]) -> None:
    assert canonical(build_tflite(edit))[4:8] == b"TFL3"
