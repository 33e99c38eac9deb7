"""Models in the form in which the converter takes them: they compute the same, or are refused by the layer's name."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

pytestmark = pytest.mark.long

# One child for all cases, so that TensorFlow starts once.
CASES = """
import json, sys
import keras, numpy as np
from keras import layers
from tinyhil.errors import ModelError
from tinyhil.quantize import keras_network
from tinyhil.quantize.keras_network import Network

keras.utils.set_random_seed(1)
x = np.random.default_rng(1).uniform(-1, 1, (6, 5, 3)).astype(np.float32)

def found(model, *samples):
    try:
        network = Network(model, "m.keras", samples)
        given, made = network.predict(samples), network._predict(network.model, samples)
    except ModelError as error:
        return {"error": error.message, "hint": error.hint}
    return {
        "notes": network.notes,
        "apart": max(float(np.abs(a - b).max()) for a, b in zip(given, made)),
        "largest": max(float(np.abs(a).max()) for a in given),
        "same": network.model is model,
        "unrolled": [layer.unroll for layer in keras_network._all_layers(network.model)
                     if isinstance(layer, layers.RNN)],
    }

def sequence(*parts, shape=(5, 3)):
    return keras.Sequential([keras.Input(shape), *parts])

inner = keras.Sequential([keras.Input((5, 3)), layers.GRU(4)])
photo = keras.Input((5, 3), dtype="uint8", name="photo")
out = {
    "lstm": found(sequence(layers.LSTM(4, return_sequences=True), layers.LSTM(3, go_backwards=True)), x),
    "gru": found(sequence(layers.GRU(4, reset_after=False), shape=(None, 3)), x),
    "bidirectional": found(sequence(layers.Bidirectional(layers.GRU(4, return_sequences=True), merge_mode="sum")), x),
    "cells": found(sequence(layers.RNN([layers.LSTMCell(3), layers.GRUCell(2)])), x),
    "nested": found(sequence(inner, layers.Dense(2)), x),
    "images": found(sequence(layers.ConvLSTM2D(2, 3), shape=(4, 6, 6, 1)), np.ones((3, 4, 6, 6, 1), np.float32)),
    "plain": found(sequence(layers.Flatten(), layers.Dense(2)), x),
    "normal": found(sequence(layers.LayerNormalization(axis=(1, 2), epsilon=0.1, scale=False)), 3 * x),
    "steps": found(sequence(layers.UpSampling1D(3)), x),
    "pixels": found(sequence(layers.UpSampling2D((2, 3)), shape=(3, 4, 2)), x[:, :4].reshape(3, 3, 4, 2)),
    "bytes": found(keras.Sequential([photo, layers.Rescaling(1 / 255)]), 100 + 0 * x),
    "words": found(sequence(layers.Embedding(9, 2), shape=(4,)), np.full((2, 4), 8, np.float32)),
    "many": found(sequence(layers.LSTM(2), shape=(129, 3)), np.ones((2, 129, 3), np.float32)),
    "stateful": found(keras.Sequential([keras.Input(batch_shape=(1, 5, 3)), layers.LSTM(2, stateful=True)]), x[:1]),
    "too_large": found(sequence(layers.Embedding(9, 2), shape=(4,)), np.full((2, 4), 9, np.float32)),
}
keras_network._REPLACED["LayerNormalization"] = keras_network._Replacement(lambda layer, x: 2 * x, "wrong")
out["differs"] = found(sequence(layers.LayerNormalization()), x)
print("@" + json.dumps(out))
"""


@pytest.fixture(scope="module")
def cases(child_environment: dict[str, str]) -> Any:
    done = subprocess.run([sys.executable, "-c", CASES], env=child_environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.rpartition("@")[2])


@pytest.mark.parametrize(
    ("name", "unrolled", "said"),
    [
        ("lstm", 2, "'lstm' (LSTM) 5, 'lstm_1' (LSTM) 5"),
        ("gru", 1, "'gru_1' (GRU) 5"),
        ("bidirectional", 2, "(GRU) 5, 'backward_gru_2' (GRU) 5"),
        ("cells", 1, "'rnn' (RNN) 5"),
        ("nested", 1, "'gru' (GRU) 5"),
        ("images", 1, "'conv_lstm2d' (ConvLSTM2D) 4"),
    ],
)
def test_recurrent_layers_are_unrolled_and_compute_the_same(cases: Any, name: str, unrolled: int, said: str) -> None:
    found = cases[name]
    assert "error" not in found, found
    assert found["unrolled"] == [True] * unrolled
    assert found["largest"] > 0.01
    assert found["apart"] < 1e-5
    (note,) = found["notes"]
    assert note.startswith("unrolled")
    assert said in note


def test_what_the_converter_takes_is_left_as_it_is(cases: Any) -> None:
    assert cases["plain"]["same"]
    assert cases["plain"]["notes"] == []


def test_layers_that_are_written_in_another_way_compute_the_same(cases: Any) -> None:
    for name in ("normal", "words", "steps", "pixels", "bytes"):
        assert not cases[name]["same"]
        assert cases[name]["apart"] < 1e-5
        assert cases[name]["largest"] > 0.01
    assert any("as int32 in place of float32" in note for note in cases["words"]["notes"])
    assert cases["bytes"]["notes"] == ["input 'photo' takes pixels: as quantized reals in place of uint8"]


def test_a_model_that_would_differ_is_not_taken(cases: Any) -> None:
    assert "differs from itself by" in cases["differs"]["error"]


@pytest.mark.parametrize(
    ("name", "cause", "way_out"),
    [
        ("many", "recurrent layers have 129 steps: 'lstm_2' (LSTM) 129; ", "use fewer steps"),
        ("stateful", "layer 'lstm_3' (LSTM) is stateful", "stateful=False"),
        ("too_large", "m.keras does not take its samples: ", "less than the first argument of layers.Embedding"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(cases: Any, name: str, cause: str, way_out: str) -> None:
    assert cause in cases[name]["error"]
    assert way_out in cases[name]["hint"]
