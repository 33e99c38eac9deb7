"""A prefix computes what the whole model had computed at that place, and holds nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from tinyhil import tflite
from tinyhil.errors import ModelError
from tinyhil.quantize.interpreters import TFLM, open_interpreter
from tinyhil.tflite.objects import pack, unpack

from .. import layered

MODELS = {"dense": layered.dense_model, "conv": layered.conv_model, "branched": layered.branched_model}
EXPECTED = {
    "dense": [(0,), (0, 1), (0, 1, 2), (0, 1, 2, 3)],
    "conv": [(0,), (0, 1), (0, 1, 2), (0, 1, 2, 3), (0, 1, 2, 3, 4)],
    "branched": [(0,), (0, 1), (0, 2), (0, 1, 2, 3), (0, 1, 2, 3, 4)],
}


@pytest.mark.parametrize("name", MODELS)
def test_every_prefix_computes_what_the_whole_model_had_there(name: str) -> None:
    data = MODELS[name]()
    graph = tflite.parse(data, name).main
    whole = open_interpreter(TFLM, data, keep=True)
    prefixes = [tflite.cut(data, operator.index, name) for operator in graph.operators]
    assert [prefix.operators for prefix in prefixes] == EXPECTED[name]
    opened = [open_interpreter(TFLM, prefix.data) for prefix in prefixes]
    generator = np.random.default_rng(1)
    for _ in range(20):
        vector = generator.integers(-128, 128, graph.tensors[graph.inputs[0]].shape).astype(np.int8)
        whole.run([vector])
        for operator, interpreter in zip(graph.operators, opened, strict=True):
            (found,) = interpreter.run([vector])
            np.testing.assert_array_equal(found, whole.tensor(operator.outputs[0]).reshape(found.shape))


@pytest.mark.parametrize("name", MODELS)
def test_a_prefix_holds_what_it_needs_and_nothing_else(name: str) -> None:
    data = MODELS[name]()
    whole = tflite.parse(data, name)
    for operator in whole.main.operators[:-1]:
        prefix = tflite.cut(data, operator.index, name)
        parsed, unpacked = tflite.parse(prefix.data, name), unpack(prefix.data, name)
        assert parsed.main.used == parsed.main.tensors
        assert len(unpacked.buffers) == 1 + sum(tensor.constant for tensor in parsed.main.tensors)
        assert len(unpacked.operatorCodes) == len({each.name for each in parsed.main.operators})
        assert (unpacked.signatureDefs, unpacked.metadata, unpacked.description) == (None, None, b"layered")
        for tensor in parsed.main.tensors:
            (same,) = (each for each in whole.main.tensors if each.name == tensor.name)
            assert (tensor.shape, tensor.scales, tensor.zero_points, tensor.axis) == (
                *(same.shape, same.scales, same.zero_points),
                same.axis,
            )
        assert [tensor.name for tensor in parsed.main.of(parsed.main.outputs)] == [
            whole.main.tensors[operator.outputs[0]].name
        ]
        assert len(prefix.data) < len(data)


@pytest.mark.parametrize("name", MODELS)
def test_the_last_cut_is_the_file_itself(name: str) -> None:
    data = MODELS[name]()
    last = len(tflite.parse(data, name).main.operators) - 1
    assert tflite.cut(data, last, name) == tflite.Prefix(data, last, tuple(range(last + 1)), (0,))


def test_an_output_beside_the_last_one_is_left_out() -> None:
    network = layered.Network((1, 8), seed=1)
    first = network.dense(4)
    data = network.finish(first, network.dense(3))
    prefix = tflite.cut(data, 1, "m")
    assert prefix.data != data
    assert tflite.read(prefix.data, "m").outputs == tflite.read(data, "m").outputs[1:]


def test_inputs_that_it_does_not_read_are_left_out(build_tflite: Callable[..., bytes]) -> None:
    """Two inputs, the second of which only the second operator reads."""

    def edit(model: Any) -> None:
        graph = model.subgraphs[0]
        quantization = graph.tensors[0].quantization
        for name in ("other", "out 2"):
            graph.tensors.append(
                schema.TensorT(name=name, shape=[1, 3], type=schema.TensorType.INT8, quantization=quantization)
            )
        graph.operators.append(
            schema.OperatorT(
                opcodeIndex=0,
                inputs=[4, 1, 2],
                outputs=[5],
                builtinOptionsType=schema.BuiltinOptions.FullyConnectedOptions,
                builtinOptions=schema.FullyConnectedOptionsT(),
            )
        )
        graph.tensors[5].shape = [1, 2]
        graph.inputs, graph.outputs = [0, 4], [3, 5]

    data = build_tflite(edit)
    for operator, position in ((0, 0), (1, 1)):
        prefix = tflite.cut(data, operator, "m")
        assert prefix.inputs == (position,)
        assert prefix.operators == (operator,)
        names = [spec.name for spec in tflite.read(prefix.data, "m").inputs]
        assert names == [("in", "other")[position]]


def test_absent_inputs_and_intermediate_tensors_keep_their_places(build_tflite: Callable[..., bytes]) -> None:
    """An optional input that is not there stays so, and tensors that only LSTMs name are numbered anew like others."""

    def edit(model: Any) -> None:
        graph = model.subgraphs[0]
        graph.tensors.insert(0, schema.TensorT(name="unused", shape=[1], type=schema.TensorType.INT8))
        graph.tensors.append(schema.TensorT(name="intermediate", shape=[1], type=schema.TensorType.INT8))
        graph.inputs, graph.outputs = [1], [4]
        graph.operators[0].inputs, graph.operators[0].outputs = [1, 2, -1], [4]
        graph.operators[0].intermediates = [5]
        graph.operators.append(schema.OperatorT(opcodeIndex=0, inputs=[1, 2, -1], outputs=[4]))

    prefix = unpack(tflite.cut(build_tflite(edit), 0, "m").data, "m")
    (operator,) = prefix.subgraphs[0].operators
    names = [tensor.name for tensor in prefix.subgraphs[0].tensors]
    assert names == [b"in", b"weights", b"out", b"intermediate"]
    assert (list(operator.inputs), list(operator.outputs), list(operator.intermediates)) == ([0, 1, -1], [2], [3])


def test_the_parts_of_a_prefix_lie_where_a_device_can_read_them() -> None:
    data = tflite.cut(layered.conv_model(), 2, "m").data
    model = schema.Model.GetRootAsModel(data, 0)
    base = np.frombuffer(data, np.uint8).ctypes.data
    contents = [model.Buffers(index).DataAsNumpy() for index in range(model.BuffersLength())]
    places = [each.__array_interface__["data"][0] - base for each in contents if not isinstance(each, int)]
    assert len(places) == 4
    assert {place % 16 for place in places} == {0}


def test_what_cannot_be_cut_is_refused(build_tflite: Callable[..., bytes]) -> None:
    def twice(model: Any) -> None:
        model.subgraphs = model.subgraphs * 2

    with pytest.raises(ModelError, match="2 subgraphs, only one can be cut"):
        tflite.cut(build_tflite(twice), 0, "m")
    with pytest.raises(ModelError, match="damaged"):
        tflite.cut(build_tflite()[:200], 0, "m")
    with pytest.raises(IndexError):
        tflite.cut(build_tflite(), 1, "m")


@given(st.data())
def test_ancestry_is_all_that_can_be_reached(data: st.DataObject) -> None:
    """Held against the powers of the graph's matrix."""
    count = data.draw(st.integers(1, 8))
    before = tuple(
        data.draw(st.frozensets(st.integers(0, index - 1)) if index else st.just(frozenset())) for index in range(count)
    )
    reads = np.array([[other in before[each] for other in range(count)] for each in range(count)], int)
    reached = np.linalg.matrix_power(np.eye(count, dtype=int) + reads, count) > 0
    for each in range(count):
        assert tflite.ancestry(before, each) == set(np.flatnonzero(reached[each]))


def test_packing_is_the_inverse_of_unpacking() -> None:
    data = layered.conv_model()
    assert tflite.parse(pack(unpack(data, "m")), "m").main == tflite.parse(data, "m").main
