"""What a converter leaves out is added, and changes nothing of what is computed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tflite_micro import runtime
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from tinyhil import tflite
from tinyhil.errors import ModelError

Build = Callable[..., bytes]


def without_bias(model: Any) -> None:
    model.subgraphs[0].operators[0].inputs = [0, 1, -1]


def with_two_inputs(model: Any) -> None:
    model.subgraphs[0].operators[0].inputs = [0, 1]


def per_channel(model: Any) -> None:
    without_bias(model)
    model.subgraphs[0].tensors[1].quantization.scale = [0.25, 0.5]
    model.subgraphs[0].tensors[1].quantization.zeroPoint = [0, 0]


def reshaped(model: Any) -> None:
    """The output in another shape, by a RESHAPE without options."""
    graph = model.subgraphs[0]
    code = schema.BuiltinOperator.RESHAPE
    model.operatorCodes.append(schema.OperatorCodeT(builtinCode=code, deprecatedBuiltinCode=code, version=1))
    model.buffers.append(schema.BufferT(data=list(np.array([1, 2, 1], "<i4").tobytes())))
    quantization = graph.tensors[3].quantization
    graph.tensors.append(schema.TensorT(name="shape", shape=[3], type=schema.TensorType.INT32, buffer=3))
    graph.tensors.append(
        schema.TensorT(name="r", shape=[1, 2, 1], type=schema.TensorType.INT8, buffer=0, quantization=quantization)
    )
    graph.operators.append(schema.OperatorT(opcodeIndex=1, inputs=[3, 4], outputs=[5]))
    graph.outputs = [5]


def in_floats(model: Any) -> None:
    without_bias(model)
    for tensor in model.subgraphs[0].tensors:
        tensor.type, tensor.quantization = schema.TensorType.FLOAT32, None
    model.buffers[1].data = list(np.ones(6, "<f4").tobytes())
    model.buffers[2].data = list(np.ones(2, "<f4").tobytes())


def outputs(model: bytes, seed: int) -> np.ndarray[Any, Any]:
    interpreter = runtime.Interpreter.from_bytes(model, arena_size=1 << 16)
    generator = np.random.default_rng(seed)
    collected = []
    for _ in range(50):
        interpreter.set_input(generator.integers(-128, 128, (1, 3)).astype(np.int8), 0)
        interpreter.invoke()
        collected.append(np.array(interpreter.get_output(0)))
    return np.stack(collected)


def unpacked(data: bytes) -> Any:
    return schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(data, 0))


@pytest.mark.parametrize("edit", [without_bias, with_two_inputs, per_channel])
@given(seed=st.integers(0, 2**32))
def test_a_dense_layer_gets_a_bias_of_zeros(build_tflite: Build, edit: Any, seed: int) -> None:
    before = build_tflite(edit)
    after, notes = tflite.rewrite(before, "m")
    assert notes == ("operator 0 FULLY_CONNECTED: a bias of 2 zeros, which the file left out",)
    np.testing.assert_array_equal(outputs(after, seed), outputs(before, seed))
    graph = tflite.parse(after, "m").main
    inputs, weights, bias = graph.of(graph.operators[0].inputs)
    assert (bias.dtype, bias.shape, set(bias.zero_points)) == ("int32", (2,), {0})
    assert bias.scales == pytest.approx([inputs.scales[0] * scale for scale in weights.scales])
    assert bytes(unpacked(after).buffers[bias.buffer].data) == bytes(8)


@given(seed=st.integers(0, 2**32))
def test_a_reshape_gets_its_options(build_tflite: Build, seed: int) -> None:
    before = build_tflite(reshaped)
    after, notes = tflite.rewrite(before, "m")
    assert len(notes) == 1
    assert notes[0].startswith("operator 1 RESHAPE: its new shape [1, 2, 1]")
    np.testing.assert_array_equal(outputs(after, seed), outputs(before, seed))
    operator = unpacked(after).subgraphs[0].operators[1]
    assert list(operator.builtinOptions.newShape) == [1, 2, 1]
    assert tflite.rewrite(after, "m") == (after, ())


@pytest.mark.parametrize("edit", [None, in_floats])
def test_where_there_is_nothing_to_add_the_file_stays_as_it_is(build_tflite: Build, edit: Any) -> None:
    data = build_tflite(edit)
    assert tflite.rewrite(data, "m") == (data, ())


def test_all_else_stays_as_it_was(build_tflite: Build) -> None:
    def edit(model: Any) -> None:
        reshaped(model)
        model.description = "kept"
        model.metadata = [schema.MetadataT(name="note", buffer=2)]

    before = build_tflite(edit)
    after, _ = tflite.rewrite(before, "m")
    assert tflite.parse(after, "m").main == tflite.parse(before, "m").main
    old, new = unpacked(before), unpacked(after)
    assert (new.description, new.metadata[0].name, new.metadata[0].buffer) == (b"kept", b"note", 2)
    for one, other in zip(old.buffers, new.buffers, strict=True):
        assert bytes([] if one.data is None else one.data) == bytes([] if other.data is None else other.data)


def test_contents_lie_where_a_device_can_read_them(build_tflite: Build) -> None:
    """At multiples of 16 bytes, as the schema wants it: a core may fault on a bias that is not at a multiple of 4."""
    after, _ = tflite.rewrite(build_tflite(without_bias), "m")
    model = schema.Model.GetRootAsModel(after, 0)
    places = []
    for index in range(model.BuffersLength()):
        content = model.Buffers(index).DataAsNumpy()
        if not isinstance(content, int):
            places.append(content.__array_interface__["data"][0] - np.frombuffer(after, np.uint8).ctypes.data)
    assert len(places) == 3
    assert [place % 16 for place in places] == [0, 0, 0]


def test_what_is_no_model_is_refused(build_tflite: Build) -> None:
    with pytest.raises(ModelError):
        tflite.rewrite(b"not a model", "m")
    with pytest.raises(ModelError):
        tflite.rewrite(build_tflite()[:200], "m")


def with_an_open_batch(model: Any) -> None:
    for index, size in ((0, 3), (3, 2)):
        model.subgraphs[0].tensors[index].shapeSignature = [-1, size]


def with_open_columns(model: Any) -> None:
    with_an_open_batch(model)
    model.subgraphs[0].tensors[0].shapeSignature = [-1, -1]


def with_a_batch_of_two(model: Any) -> None:
    with_an_open_batch(model)
    for index, size in ((0, 3), (3, 2)):
        model.subgraphs[0].tensors[index].shape = [2, size]


def with_a_shape_that_is_open(model: Any) -> None:
    with_an_open_batch(model)
    model.subgraphs[0].tensors[0].shape = [-1, 3]


def with_computed_sizes(model: Any) -> None:
    with_an_open_batch(model)
    code = schema.BuiltinOperator.SHAPE
    model.operatorCodes.append(schema.OperatorCodeT(builtinCode=code, deprecatedBuiltinCode=code, version=1))


def test_an_open_batch_is_the_one_that_the_shapes_were_computed_for(build_tflite: Build) -> None:
    fixed = build_tflite()
    content, notes = tflite.rewrite(build_tflite(with_an_open_batch), "m")
    assert notes == ("the batch, which the file leaves open in 2 tensors, is 1",)
    assert not any(tensor.dynamic for tensor in tflite.parse(content, "m").main.tensors)
    assert tflite.read(content, "m") == tflite.read(fixed, "m")
    np.testing.assert_array_equal(outputs(content, 1), outputs(fixed, 1))
    assert tflite.rewrite(content, "m") == (content, ())


@pytest.mark.parametrize(
    "edit", [with_open_columns, with_a_batch_of_two, with_a_shape_that_is_open, with_computed_sizes]
)
def test_any_other_open_size_stays_open(build_tflite: Build, edit: Callable[[Any], None]) -> None:
    content = build_tflite(edit)
    assert tflite.rewrite(content, "m") == (content, ())
    assert any(tensor.dynamic for tensor in tflite.parse(content, "m").main.tensors)


def scaled(factor: float) -> Callable[[Any], None]:
    """A bias whose scale is not that of input times weights."""

    def edit(model: Any) -> None:
        quantization = model.subgraphs[0].tensors[2].quantization
        quantization.scale = [float(np.float32(scale) * np.float32(factor)) for scale in quantization.scale]

    return edit


def of_another_axis(model: Any) -> None:
    model.subgraphs[0].tensors[2].quantization.quantizedDimension = 1


@pytest.mark.parametrize("edit", [scaled(1 + 2**-23), scaled(1.01), of_another_axis], ids=["rounding", "1 %", "axis"])
def test_what_a_bias_says_of_its_scale_changes_nothing_and_stays(build_tflite: Build, edit: Any) -> None:
    """The reference adds the bias as it is: there is nothing to rewrite for it."""
    before, odd = build_tflite(), build_tflite(edit)
    assert odd != before
    assert tflite.rewrite(odd, "m") == (odd, ())
    for seed in range(20):
        np.testing.assert_array_equal(outputs(odd, seed), outputs(before, seed))
