"""What each operator takes by its file: held against sums done by hand, and against the whole."""

from __future__ import annotations

from tinyhil import tflite
from tinyhil.tflite import OperatorFacts

from ..layered import conv_model


def facts(data: bytes) -> tuple[OperatorFacts, ...]:
    return tflite.operator_facts(tflite.parse(data, "m").main)


def test_macs_weights_and_tensors_of_a_dense_layer(tiny_model: bytes) -> None:
    """3 inputs, 2 outputs: 6 weights of one byte, 2 biases of four."""
    assert facts(tiny_model) == (OperatorFacts(0, "FULLY_CONNECTED", 6, 6 + 2 * 4, 3 + 2),)
    assert tflite.macs(tflite.parse(tiny_model, "m")) == 6


def test_the_operators_of_a_model_add_up() -> None:
    data = conv_model()
    model = tflite.parse(data, "m")
    found = facts(data)
    assert [each.operator for each in found] == list(range(len(model.main.operators)))
    assert sum(each.macs for each in found) == tflite.macs(model)
    assert sum(each.weight_bytes for each in found) == model.weight_bytes


def test_names_of_an_engine_are_found_in_order() -> None:
    model = [OperatorFacts(at, name, 0, 0, 0) for at, name in enumerate(["CONV_2D", "RESHAPE", "CONV_2D", "SOFTMAX"])]
    found = tflite.in_order(["CONV_2D", "CONV_2D", "SOFTMAX"], model)
    assert [each and each.operator for each in found] == [0, 2, 3]
    assert tflite.in_order(["SOFTMAX", "CONV_2D"], model) == (model[3], None)
