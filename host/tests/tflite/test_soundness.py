"""A file whose parts contradict one another is refused, however readable it is."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tinyhil import kinds, tflite
from tinyhil.errors import ModelError
from tinyhil.tflite.objects import pack, unpack

from ..chain.one_operator import T, constant, model_of
from ..hostile import seeds
from ..layered import accumulates

Build = Callable[..., bytes]
NAN, INFINITE = float("nan"), float("inf")


def test_a_whole_file_is_taken(tiny_model: bytes) -> None:
    tflite.require_sound(tiny_model, "m")


def tensor(index: int, **changes: Any) -> Callable[[Any], None]:
    """Changes fields of a tensor of the tiny model: 0 is its input, 1 its weights, 2 its bias, 3 its output."""

    def edit(model: Any) -> None:
        for name, value in changes.items():
            setattr(model.subgraphs[0].tensors[index], name, value)

    return edit


def quantization(index: int, **changes: Any) -> Callable[[Any], None]:
    """The same of its quantization."""

    def edit(model: Any) -> None:
        for name, value in changes.items():
            setattr(model.subgraphs[0].tensors[index].quantization, name, value)

    return edit


def graph(**changes: Any) -> Callable[[Any], None]:
    """Changes fields of the graph."""

    def edit(model: Any) -> None:
        for name, value in changes.items():
            setattr(model.subgraphs[0], name, value)

    return edit


def wired(inputs: list[int], outputs: list[int]) -> Callable[[Any], None]:
    """Connects the operator otherwise."""

    def edit(model: Any) -> None:
        operator = model.subgraphs[0].operators[0]
        operator.inputs, operator.outputs = inputs, outputs

    return edit


def twice(model: Any) -> None:
    """Two operators make the same tensor."""
    operators = model.subgraphs[0].operators
    operators.append(operators[0])


DAMAGES = {
    "an activation larger than its weights": tensor(0, shape=[1, 272]),
    "an output larger than its weights": tensor(3, shape=[1, 254]),
    "an output with a batch of its own": tensor(3, shape=[3, 2]),
    "an input without elements": tensor(0, shape=[0, 3]),
    "an input that is a constant": graph(inputs=[1]),
    "an input that is a bias": graph(inputs=[0, 2]),
    "an input twice": graph(inputs=[0, 0]),
    "an input that an operator makes": graph(inputs=[0, 3]),
    "an input that keeps a state": tensor(0, isVariable=True),
    "an output that nobody makes": graph(inputs=[3], outputs=[0]),
    "an output that is a constant": graph(outputs=[1]),
    "an operator that reads what nobody makes": graph(inputs=[3]),
    "an operator that reads its own output": wired([3, 1, 2], [3]),
    "an operator that makes a constant": wired([0, 1, 2], [1]),
    "an operator that makes the input": wired([0, 1, 2], [0]),
    "an operator without an output": wired([0, 1, 2], []),
    "an operator with an output too many": wired([0, 1, 2], [3, 3]),
    "an operator without weights": wired([0], [3]),
    "a tensor that is made twice": twice,
    "a state that an operator makes": tensor(3, isVariable=True),
    "a scale below 0": quantization(3, scale=[-0.75]),
    "a scale of 0": quantization(0, scale=[0.0]),
    "weights with a scale below 0": quantization(1, scale=[-0.25]),
    "a bias with a scale below 0": quantization(2, scale=[-0.125]),
    "a scale of one channel below 0": quantization(1, scale=[0.5, -0.5], zeroPoint=[0, 0]),
    "an output with a scale of 0": quantization(3, scale=[0.0]),
    "an input whose integers are beyond all reals": quantization(0, scale=[3e38]),
    "an output whose integers are beyond all reals": quantization(3, scale=[2e36]),
    "weights whose integers are beyond all reals": quantization(1, scale=[3e38]),
    "a zero point beyond the type": quantization(3, zeroPoint=[300]),
    "scales of no dimension": quantization(1, scale=[0.5] * 4, zeroPoint=[0] * 4),
    "scales of another dimension": quantization(1, scale=[0.5] * 3, zeroPoint=[0] * 3, quantizedDimension=1),
    "zero points of another number": quantization(3, zeroPoint=[1, 2, 3]),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_contradiction_is_refused(build_tflite: Build, name: str) -> None:
    data = build_tflite(DAMAGES[name])
    tflite.parse(data, "m")  # it can be read
    with pytest.raises(ModelError, match="m: damaged") as caught:
        tflite.require_sound(data, "m")
    assert caught.value.kind is kinds.DAMAGED_MODEL
    assert caught.value.hint


def test_every_operator_of_a_graph_is_looked_at() -> None:
    for whole in seeds.models():
        tflite.require_sound(whole, "m")
        operators = len(tflite.parse(whole, "m").main.operators)
        assert operators > 1
        for place in range(operators):
            model = unpack(whole, "m")
            wrong = model.subgraphs[0].tensors[model.subgraphs[0].operators[place].outputs[0]]
            wrong.shape = [*wrong.shape[:-1], wrong.shape[-1] + 1]
            with pytest.raises(ModelError, match="m: damaged"):
                tflite.require_sound(pack(model), "m")


def test_a_variable_has_one_shape(build_tflite: Build) -> None:
    """Whatever else of the graph has none that follows: what is assigned to it, and what is read of it."""
    tflite.require_sound(build_tflite(accumulates), "m")
    whole = tflite.parse(build_tflite(accumulates), "m").main
    (read,) = (each for each in whole.operators if each.name == "READ_VARIABLE")
    (add,) = (each for each in whole.operators if each.name == "ADD")

    def longer(model: Any) -> None:
        """Everything but what is read of the variable, which ADD then spreads out."""
        accumulates(model)
        tensors = model.subgraphs[0].tensors
        for index in {*add.inputs, *add.outputs} - set(read.outputs):
            tensors[index].shape = [3, *tensors[index].shape[1:]]

    with pytest.raises(ModelError, match=r"keeps the shape|is kept"):
        tflite.require_sound(build_tflite(longer), "m")


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("value", [NAN, INFINITE, -INFINITE])
@pytest.mark.parametrize("place", ["weights", "bias"])
def test_a_constant_that_is_no_number_is_refused_by_its_layer(dtype: str, value: float, place: str) -> None:
    weights, bias = np.ones((2, 3), dtype), np.zeros(2, dtype)
    model_inputs = [T(dtype, (1, 3)), constant(weights), constant(bias)]
    tflite.require_sound(model_of("FULLY_CONNECTED", model_inputs, [T(dtype, (1, 2))]), "m")
    {"weights": weights, "bias": bias}[place].reshape(-1)[1] = value
    data = model_of("FULLY_CONNECTED", [T(dtype, (1, 3)), constant(weights), constant(bias)], [T(dtype, (1, 2))])
    with pytest.raises(ModelError, match=r"operator 0 FULLY_CONNECTED: tensor . 't.' has 1 of") as caught:
        tflite.require_sound(data, "m")
    assert caught.value.kind is kinds.NOT_FINITE


@pytest.mark.parametrize("index", [0, 1, 2, 3])
@pytest.mark.parametrize("value", [NAN, INFINITE])
def test_a_scale_that_is_no_number_is_refused(build_tflite: Build, index: int, value: float) -> None:
    with pytest.raises(ModelError, match="1 of 1 scales") as caught:
        tflite.require_sound(build_tflite(quantization(index, scale=[value])), "m")
    assert caught.value.kind is kinds.NOT_FINITE


def test_a_flipped_byte_is_refused_or_leaves_a_sound_file(tiny_model: bytes) -> None:
    """Nothing else than a ModelError comes of any byte."""
    generator = random.Random(15)
    refused = 0
    for _ in range(300):
        place, mask = generator.randrange(len(tiny_model)), generator.randrange(1, 256)
        flipped = bytearray(tiny_model)
        flipped[place] ^= mask
        try:
            tflite.require_sound(bytes(flipped), "m")
        except ModelError:
            refused += 1
            continue
        model = tflite.parse(bytes(flipped), "m").main
        # What is left has the sizes of one layer: as many rows as the output's, and as deep as the input.
        source, weights, output = (model.tensors[index] for index in (model.inputs[0], 1, model.outputs[0]))
        if model.operators[0].name == "FULLY_CONNECTED":
            assert source.shape[-1] == weights.shape[-1]
            assert output.shape[-1] == weights.shape[0]
    assert 100 < refused < 300
