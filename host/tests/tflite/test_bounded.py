"""Which tensors are kept from the ends of their types by what makes them."""

from __future__ import annotations

from typing import Any

import pytest
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from tinyhil import tflite

from ..chain.comparing import joined
from ..chain.one_operator import T, model_of

IN, OUT = T("int8", (1, 4), 0.5), T("int8", (1, 4), 0.5)
NEITHER, BELOW, BOTH = (False, False), (True, False), (True, True)


@pytest.mark.parametrize(
    ("activation", "wanted"),
    [("NONE", NEITHER), ("RELU", BELOW), ("RELU6", BOTH), ("RELU_N1_TO_1", BOTH), ("TANH", BOTH)],
)
def test_a_fused_activation_bounds(activation: str, wanted: Any) -> None:
    options = schema.AddOptionsT(getattr(schema.ActivationFunctionType, activation))
    assert tflite.bounded(model_of("ADD", [IN, IN], [OUT], options), "m")[2] == wanted


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("LOGISTIC", BOTH), ("TANH", BOTH), ("SOFTMAX", BOTH), ("RELU", BELOW), ("RELU6", BOTH), ("LEAKY_RELU", NEITHER)],
)
def test_some_operators_have_bounds_of_their_own(name: str, wanted: Any) -> None:
    assert tflite.bounded(model_of(name, [IN], [OUT]), "m")[1] == wanted


def test_what_only_moves_values_is_bounded_as_they_are() -> None:
    moves = model_of("MAX_POOL_2D", [T("int8", (1, 2, 2, 1), 0.5)], [T("int8", (1, 1, 1, 1), 0.5)])
    assert tflite.bounded(moves, "m")[1] == BOTH, "of the model's input, whose samples are looked at"
    model = joined([model_of("LEAKY_RELU", [IN], [OUT]), model_of("RESHAPE", [IN], [OUT])])
    raw: Any = tflite.unpack(model, "m")
    raw.subgraphs[0].operators[1].inputs = raw.subgraphs[0].operators[0].outputs
    assert tflite.bounded(tflite.pack(raw), "m")[3] == NEITHER, "of what nothing bounds"
