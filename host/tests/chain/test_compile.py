"""From a model file to its sources: what is said of them, numbers, shapes that compute nothing, refusals."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from tinyhil import tflite
from tinyhil.chain import OPERATORS, Unsupported, compile_model, memory_bytes, refusals, single
from tinyhil.chain.emitter import Emitter, literal
from tinyhil.chain.graph import read
from tinyhil.chain.layers import Layers
from tinyhil.errors import ModelError

from .one_operator import Chain, Reference, T, constant, model_of


class _Compiler(TypedDict):
    cmsis: bool
    profile: str


HOST: _Compiler = {"cmsis": False, "profile": "portable32"}
Build = Callable[..., bytes]


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_float_reads_back_as_itself(value: float) -> None:
    text = literal(value, "float")
    assert text.endswith("f")
    assert np.float32(text[:-1]).tobytes() == np.float32(value).tobytes()


def test_the_numbers_that_c_has_no_literals_for() -> None:
    assert literal(-(2**31), "int32_t") == "INT32_MIN"
    assert literal(-(2**63), "int64_t") == "INT64_MIN"
    assert literal(2**40, "int64_t") == f"INT64_C({2**40})"
    assert [literal(value, "float") for value in (float("inf"), float("-inf"), float("nan"))] == [
        "INFINITY",
        "-INFINITY",
        "NAN",
    ]


def test_constants_of_four_bits_are_unpacked_with_their_sign() -> None:
    values = np.array([-8, 7, -1, 0, 3], np.int8)
    packed = np.array([(7 << 4) | 8, (0 << 4) | 15, 3], np.uint8)
    data = model_of(
        "ADD", [T("int8", (1, 5), 1.0), constant(values, 1.0)], [T("int8", (1, 5), 1.0)], schema.AddOptionsT()
    )
    model = tflite.unpack(data, "m")
    model.subgraphs[0].tensors[1].type = schema.TensorType.INT4
    model.buffers[1].data = packed
    found = read(tflite.pack(model), "m").operators[0].input(1)
    assert found.values is not None
    assert found.values.tolist() == values.tolist()
    assert found.dtype == "int4"


def test_a_shape_computes_nothing_and_takes_no_memory(tmp_path: Path) -> None:
    small, flat = T("int8", (1, 2, 3), 0.5), T("int8", (1, 6), 0.5)
    made = compile_model(model_of("RESHAPE", [small], [flat], schema.ReshapeOptionsT(newShape=[1, 6])), "m", **HOST)
    assert (made.kernels, made.memory_bytes) == ((), 16)
    assert b"kOperators = 0;" in made.files["chain.h"]
    chain = Chain(model_of("RESHAPE", [small], [flat], schema.ReshapeOptionsT(newShape=[1, 6])), tmp_path)
    values = np.arange(6, dtype=np.int8).reshape(1, 2, 3)
    assert chain.run(values)[0].tolist() == [values.reshape(-1).tolist()]


def test_what_is_said_of_a_model(tiny_model: bytes) -> None:
    made = compile_model(tiny_model, "m", **HOST)
    assert b"kOperators = 1;" in made.files["chain.h"]
    assert made.memory_bytes == memory_bytes(tiny_model, **HOST) == 2 * 16
    assert {"chain.h", "chain.cpp", "bknn_model.c"} <= set(made.files)


def test_the_same_model_gives_the_same_bytes(tiny_model: bytes) -> None:
    assert (
        compile_model(tiny_model, "m", **HOST).files == compile_model(bytes(bytearray(tiny_model)), "m", **HOST).files
    )


def test_every_tensor_can_keep_its_memory(build_tflite: Build) -> None:
    def longer(model: Any) -> None:
        graph = model.subgraphs[0]
        graph.tensors.append(
            schema.TensorT(name="more", shape=[1, 2], type=9, quantization=graph.tensors[3].quantization)
        )
        graph.tensors.append(
            schema.TensorT(name="most", shape=[1, 2], type=9, quantization=graph.tensors[3].quantization)
        )
        code = schema.BuiltinOperator.RELU6
        model.operatorCodes.append(schema.OperatorCodeT(builtinCode=code, deprecatedBuiltinCode=code, version=2))
        graph.operators.append(schema.OperatorT(opcodeIndex=1, inputs=[3], outputs=[4]))
        graph.operators.append(schema.OperatorT(opcodeIndex=1, inputs=[4], outputs=[5]))
        graph.outputs = [5]

    data = build_tflite(longer)
    assert compile_model(data, "m", **HOST).memory_bytes == 2 * 16


def test_a_refusal_names_operator_and_cause() -> None:
    ints = T("int32", (1, 4))
    data = model_of("ADD", [ints, ints], [ints], schema.AddOptionsT())
    (refusal,) = refusals(data, **HOST)
    assert refusal.operator.name == "ADD"
    assert "int32" in refusal.cause
    with pytest.raises(ModelError, match=re.escape("the engine 'compiled' cannot compute mine.tflite: operator 0 ADD")):
        compile_model(data, "mine.tflite", **HOST)


def test_what_is_not_there_is_refused() -> None:
    numbers = T("int8", (1, 4), 0.5)
    data = model_of("CUMSUM", [numbers, constant(np.array([1], "<i4"))], [numbers], schema.CumsumOptionsT())
    assert "CUMSUM" not in OPERATORS
    assert [refusal.cause for refusal in refusals(data, **HOST)] == ["is not computed"]


def test_several_inputs_and_outputs(tmp_path: Path) -> None:
    parts = [T("int8", (1, 3), 0.5), T("int8", (1, 3), 0.5)]
    data = model_of(
        "SPLIT", [constant(np.array(1, "<i4")), T("int8", (1, 6), 0.5)], parts, schema.SplitOptionsT(numSplits=2)
    )
    values = np.array([[1, 2, 3, 4, 5, 6]], np.int8)
    ours, theirs = Chain(data, tmp_path).run(values), Reference(data).run(values)
    assert [part.tolist() for part in ours] == [part.tolist() for part in theirs] == [[[1, 2, 3]], [[4, 5, 6]]]


def test_a_layer_that_is_refused_leaves_nothing_behind(tiny_model: bytes) -> None:
    operator = read(tiny_model, "m").operators[0]
    made, refused = Layers(**HOST), Layers(**HOST)
    made.add(operator, single.model_of(operator), Emitter(operator))
    refused.kernels = dict.fromkeys(made.kernels, "another")
    assert made.constants
    assert made.kernels
    code = Emitter(operator)
    with pytest.raises(Unsupported, match="than an operator before it"):
        refused.add(operator, single.model_of(operator), code)
    assert (refused.constants, refused.declarations, refused.steps, code) == ([], [], [], Emitter(operator))
