"""Models whose operators are not as the schema wants them: refused by name, never a fault of tinyhil."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from tinyhil import tflite
from tinyhil.chain import OPERATORS, compile_model, refusals
from tinyhil.errors import ModelError

from ..layered import branched_model, conv_model, spatial_model
from .conftest import Amount
from .one_operator import T, constant, model_of

SHAPES: tuple[list[int], ...] = ([], [1], [0], [1, 0], [1, 1, 1], [1, 2, 3, 4, 5, 6, 7], [1, 65536, 65536])
SCALES = (None, [0.0], [float("nan")], [float("inf")], [1e30], [1e-38], [1.0, 2.0], [-1.0])
ZEROS = (None, [0], [200], [-129], [1, 2])
NUMBERS = (0, 1, 2, 3, 100)


def damaged(data: bytes, seed: int) -> bytes:
    """The model with one to three things changed in its operators and tensors."""
    drawn = random.Random(seed)
    model = tflite.unpack(data, "m")
    graph = model.subgraphs[0]
    for _ in range(drawn.randint(1, 3)):
        operator = drawn.choice(graph.operators)
        tensor = graph.tensors[drawn.randrange(len(graph.tensors))]
        what = drawn.randrange(7)
        if what == 0:
            operator.builtinOptions = None
        elif what == 1:
            operator.inputs = list(operator.inputs)[: drawn.randint(0, len(operator.inputs))]
        elif what == 2:
            tensor.type = drawn.choice((0, 1, 2, 3, 4, 6, 7, 9, 17))
        elif what == 3 and tensor.quantization is not None:
            tensor.quantization.scale, tensor.quantization.zeroPoint = drawn.choice(SCALES), drawn.choice(ZEROS)
        elif what == 4:
            tensor.shape = drawn.choice(SHAPES)
        elif what == 5:
            name = drawn.choice(sorted(OPERATORS))
            code = getattr(schema.BuiltinOperator, name)
            drawn.choice(model.operatorCodes).builtinCode = code
        elif operator.builtinOptions is not None:
            for name in vars(operator.builtinOptions):
                value = getattr(operator.builtinOptions, name)
                if isinstance(value, int):
                    setattr(operator.builtinOptions, name, drawn.choice((0, 1) if isinstance(value, bool) else NUMBERS))
    return tflite.pack(model)


@pytest.mark.parametrize("make", [conv_model, spatial_model, branched_model])
def test_whatever_is_damaged_is_compiled_or_refused(make: Callable[[], bytes], amount: Amount) -> None:
    data = make()
    outcomes = {"compiled": 0, "refused": 0, "no model": 0}
    count = amount(15, 150)
    for seed in range(count):
        changed = damaged(data, seed)
        try:
            refused = refusals(changed, cmsis=True, profile="cortex-m4")
            if not refused:
                compile_model(changed, "m", cmsis=True, profile="cortex-m4")
        except ModelError:
            outcomes["no model"] += 1
        else:
            outcomes["refused" if refused else "compiled"] += 1
            assert all(each.cause for each in refused)
    assert outcomes["refused"] > count // 5, outcomes


def _cause(change: Callable[[Any], None]) -> str:
    numbers = T("int8", (1, 4), 0.5)
    model = tflite.unpack(model_of("ADD", [numbers, numbers], [numbers], schema.AddOptionsT()), "m")
    change(model.subgraphs[0])
    (refused,) = refusals(tflite.pack(model), cmsis=False, profile="portable32")
    return refused.cause


def test_the_cause_is_named() -> None:
    def scale(graph: Any) -> None:
        graph.tensors[1].quantization.scale = [float("nan")]

    def empty(graph: Any) -> None:
        graph.tensors[1].shape = [1, 0]

    def alone(graph: Any) -> None:
        graph.operators[0].inputs = [0]

    assert "scale that is not above zero and finite" in _cause(scale)
    assert "no elements" in _cause(empty)
    assert "lacks its input 1" in _cause(alone)


def test_weights_that_are_no_numbers_of_the_layer_are_refused() -> None:
    source, target = T("int8", (1, 4), 0.5), T("int8", (1, 2), 0.5)
    weights = constant(np.ones((2, 3), np.int8), 0.1)  # for 3 inputs, and the layer has 4
    data = model_of("FULLY_CONNECTED", [source, weights, None], [target], schema.FullyConnectedOptionsT())
    assert len(refusals(data, cmsis=False, profile="portable32")) == 1
