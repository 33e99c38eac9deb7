"""Multiplications with accumulation, against counting them in the loops that define the operators."""

from __future__ import annotations

import numpy as np
import pytest
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from tests.chain.one_operator import T, constant, model_of
from tests.chain.test_convolutions import conv, dense, depthwise
from tests.chain.test_pictures import matmul, transpose_conv
from tests.chain.test_recurrent import lstm_model, svdf_model
from tinyhil.chain.compile import _emitted
from tinyhil.chain.graph import read
from tinyhil.chain.macs import macs


def of(model: bytes) -> int:
    return macs(read(model, "m").operators[0])


def test_macs_of_layers_are_the_turns_of_their_innermost_loops() -> None:
    ones = constant(np.ones((5, 3, 2, 4), np.int8), 0.1)
    picture, output = T("int8", (2, 9, 9, 4), 0.1), T("int8", (2, 7, 8, 5), 0.1)
    model = model_of("CONV_2D", [picture, ones], [output], schema.Conv2DOptionsT(strideH=1, strideW=1, padding=1))
    turns = sum(1 for _ in np.ndindex(2, 7, 8, 5) for _ in np.ndindex(3, 2, 4))
    assert of(model) == turns

    filters = constant(np.ones((1, 3, 2, 4), np.int8), 0.1)
    options = schema.DepthwiseConv2DOptionsT(strideH=1, strideW=1, padding=1, depthMultiplier=1)
    model = model_of("DEPTHWISE_CONV_2D", [picture, filters], [T("int8", (2, 7, 8, 4), 0.1)], options)
    assert of(model) == sum(1 for _ in np.ndindex(2, 7, 8, 4) for _ in np.ndindex(3, 2))


def test_macs_of_an_lstm_are_those_of_its_four_gates_in_every_step() -> None:
    model = lstm_model(np.random.default_rng(1), steps=4, batches=2, inputs=5, units=6)
    assert of(model) == 2 * 4 * 4 * 6 * (5 + 6)
    assert of(svdf_model(np.random.default_rng(1), "int8", 2, 7, 3, 2, 5)) == 2 * (6 * 7 + 6 * 5)


@pytest.mark.parametrize("make", [dense, conv, depthwise, transpose_conv, matmul])
def test_the_code_of_an_operator_knows_its_macs(make: object) -> None:
    assert callable(make)
    model = make(np.random.default_rng(2), "int8")
    *_, codes, refused = _emitted(model, cmsis=False, profile="portable32")
    assert not refused
    assert codes[0].macs == of(model) > 0
