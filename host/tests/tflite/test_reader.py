"""All that a model file says, and that a damaged one is never taken for a whole one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from tinyhil import tflite
from tinyhil.errors import ModelError

Build = Callable[..., bytes]


def test_every_tensor_and_operator_is_read(tiny_model: bytes) -> None:
    model = tflite.parse(tiny_model, "m")
    assert model.size == len(tiny_model)
    tensors = model.main.tensors
    assert [(t.name, t.dtype, t.shape, t.constant_bytes) for t in tensors] == [
        ("in", "int8", (1, 3), 0),
        ("weights", "int8", (2, 3), 6),
        ("bias", "int32", (2,), 8),
        ("out", "int8", (1, 2), 0),
    ]
    assert [t.scales for t in tensors] == [(0.5,), (0.25,), (0.125,), (0.75,)]
    assert [t.zero_points for t in tensors] == [(-3,), (0,), (0,), (4,)]
    assert [t.nbytes for t in tensors] == [3, 6, 8, 2]
    assert model.main.operators == (tflite.Operator(0, "FULLY_CONNECTED", False, 4, (0, 1, 2), (3,)),)
    assert (model.main.inputs, model.main.outputs) == ((0,), (3,))
    assert model.weight_bytes == 6 + 8


def test_scales_per_channel_and_their_dimension(build_tflite: Build) -> None:
    def edit(model: Any) -> None:
        quantization = model.subgraphs[0].tensors[1].quantization
        quantization.scale, quantization.zeroPoint, quantization.quantizedDimension = [0.25, 0.5], [0, 0], 1

    weights = tflite.parse(build_tflite(edit), "m").main.tensors[1]
    assert (weights.per_channel, weights.scales, weights.axis) == (True, (0.25, 0.5), 1)


def test_a_dynamic_shape_is_kept_as_it_is(build_tflite: Build) -> None:
    def edit(model: Any) -> None:
        model.subgraphs[0].tensors[0].shapeSignature = [-1, 3]

    tensors = tflite.parse(build_tflite(edit), "m").main.tensors
    assert [t.dynamic for t in tensors] == [True, False, False, False]
    assert (tensors[0].shape, tensors[0].signature) == ((1, 3), (-1, 3))


def test_custom_operators_versions_and_subgraphs(build_tflite: Build) -> None:
    def edit(model: Any) -> None:
        custom = schema.BuiltinOperator.CUSTOM
        model.operatorCodes += [
            schema.OperatorCodeT(builtinCode=custom, deprecatedBuiltinCode=custom, customCode="MyOp", version=7),
            schema.OperatorCodeT(builtinCode=custom, deprecatedBuiltinCode=custom),
        ]
        model.subgraphs[0].operators += [
            schema.OperatorT(opcodeIndex=index, inputs=[3, -1], outputs=[3]) for index in (1, 2)
        ]
        model.subgraphs.append(schema.SubGraphT(tensors=[], operators=[], inputs=[], outputs=[]))

    model = tflite.parse(build_tflite(edit), "m")
    assert [(o.name, o.custom, o.version) for o in model.main.operators[1:]] == [
        ("CUSTOM(MyOp)", True, 7),
        ("CUSTOM()", True, 1),
    ]
    assert model.main.of(model.main.operators[1].inputs) == (model.main.tensors[3],)
    assert model.graphs[1] == tflite.Graph((), (), (), ())


def test_shared_and_unused_constants_count_once_and_not_at_all(build_tflite: Build) -> None:
    def edit(model: Any) -> None:
        graph = model.subgraphs[0]
        graph.tensors += [
            schema.TensorT(name="same", shape=[2, 3], type=schema.TensorType.INT8, buffer=1),
            schema.TensorT(name="unused", shape=[8], type=schema.TensorType.INT8, buffer=3),
        ]
        model.buffers.append(schema.BufferT(data=[0] * 8))
        graph.operators.append(schema.OperatorT(opcodeIndex=0, inputs=[0, 4, 2], outputs=[3]))

    model = tflite.parse(build_tflite(edit), "m")
    assert model.weight_bytes == 6 + 8
    assert [tensor.name for tensor in model.main.used] == ["in", "weights", "bias", "out", "same"]


def test_a_tensor_without_a_name(build_tflite: Build) -> None:
    def edit(model: Any) -> None:
        model.subgraphs[0].tensors[0].name = None

    assert tflite.parse(build_tflite(edit), "m").main.tensors[0].name == ""


@pytest.mark.parametrize(("kind", "length", "fits"), [("INT4", 3, True), ("INT4", 6, False), ("INT16", 12, True)])
def test_content_has_to_be_as_long_as_its_shape_says(build_tflite: Build, kind: str, length: int, fits: bool) -> None:
    """Six elements: the interpreter in C++ would read them all, whether they are there or not."""

    def edit(model: Any) -> None:
        model.subgraphs[0].tensors[1].type = getattr(schema.TensorType, kind)
        model.buffers[1].data = [1] * length

    data = build_tflite(edit)
    if fits:
        assert tflite.parse(data, "m").main.tensors[1].constant_bytes == length
        return
    with pytest.raises(
        ModelError, match=r"m is damaged: tensor 1 'weights' is int4 of shape \(2, 3\), but has 6 bytes"
    ):
        tflite.parse(data, "m")


def test_content_outside_of_the_tables_is_refused(build_tflite: Build) -> None:
    def edit(model: Any) -> None:
        model.buffers[1].offset, model.buffers[1].size, model.buffers[1].data = 64, 6, None

    with pytest.raises(ModelError, match="tensor 1 'weights' keeps its content outside"):
        tflite.parse(build_tflite(edit), "m")


@given(st.data())
def test_no_damage_is_a_crash(tiny_model: bytes, data: st.DataObject) -> None:
    """Bytes changed, cut out or put in: a ModelError, or a model whose every index names something."""
    content = bytearray(tiny_model)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(8, len(content) - 1))
        kind = data.draw(st.sampled_from(["change", "cut", "insert"]))
        if kind == "change":
            content[at] = data.draw(st.integers(0, 255))
        elif kind == "cut":
            del content[at : at + data.draw(st.integers(1, 8))]
        else:
            content[at:at] = data.draw(st.binary(min_size=1, max_size=8))
    _sound(bytes(content))


@given(st.binary(max_size=200))
@example(b"")
def test_any_bytes_behind_the_identifier(tail: bytes) -> None:
    _sound(b"\x1c\0\0\0TFL3" + tail)


def _sound(content: bytes) -> None:
    try:
        model = tflite.parse(content, "m")
    except ModelError:
        return
    for graph in model.graphs:
        for operator in graph.operators:
            assert all(0 <= tensor.index < len(graph.tensors) for tensor in graph.of(operator.inputs))
        for tensor in graph.tensors:
            assert 0 <= tensor.constant_bytes <= len(content)
            assert np.isfinite(tensor.nbytes)
