"""LSTM and SVDF against TFLM, over sequences of inferences: the state has to be the same, too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from tinyhil import tflite
from tinyhil.chain import compile_model, refusals
from tinyhil.errors import ModelError

from .both_ways import compare, values, weights
from .one_operator import Chain, T, constant, model_of

TANH = 4


def lstm_model(
    random: np.random.Generator,
    dtype: str = "int8",
    *,
    batches: int = 1,
    steps: int = 4,
    inputs: int = 5,
    units: int = 6,
    time_major: bool = False,
    cell_power: int = -11,
    clip: float = 0.0,
    gain: float = 1.0,
    activation: int = TANH,
    more: dict[int, T | None] | None = None,
) -> bytes:
    """An LSTM whose gates are neither always open nor always closed at ``gain`` 1."""
    bias_type = np.int32 if dtype == "int8" else np.int64
    full = 255 if dtype == "int8" else 65535
    source_scale, hidden_scale = float(random.uniform(2, 8)) / full, 2.0 / full
    zero, hidden_zero = (int(random.integers(-128, 128)) for _ in range(2)) if dtype == "int8" else (0, 0)
    tensors: list[T | None] = [None] * 24
    tensors[0] = T(dtype, (steps, batches, inputs) if time_major else (batches, steps, inputs), source_scale, zero)
    for gate in range(4):
        scales = gain * random.uniform(0.005, 0.03, 2)
        tensors[1 + gate] = constant(weights(random, (units, inputs)), float(scales[0]))
        tensors[5 + gate] = constant(weights(random, (units, units)), float(scales[1]))
        reach = int(min(3 / (source_scale * scales[0]), 2**30))
        bias = random.integers(-reach, reach, units).astype(bias_type)
        tensors[12 + gate] = constant(bias, float(source_scale * scales[0]))
    tensors[18] = T(dtype, (batches, units), hidden_scale, hidden_zero, variable=True)
    tensors[19] = T("int16", (batches, units), 2.0**cell_power, variable=True)
    for position, tensor in (more or {}).items():
        tensors[position] = tensor
    assert tensors[0] is not None
    output = T(dtype, (*tensors[0].shape[:2], units), hidden_scale, hidden_zero)
    options = schema.UnidirectionalSequenceLSTMOptionsT(
        fusedActivationFunction=activation, cellClip=clip, timeMajor=time_major
    )
    return model_of("UNIDIRECTIONAL_SEQUENCE_LSTM", tensors, [output], options)


LSTMS: list[dict[str, Any]] = [
    {"steps": 9, "inputs": 7, "units": 16},
    {"steps": 1, "inputs": 1, "units": 1, "cell_power": -15},
    {"batches": 3, "steps": 5, "inputs": 9, "units": 8, "clip": 2.0},
    {"batches": 3, "steps": 5, "inputs": 9, "units": 8, "time_major": True, "cell_power": -12},
    {"steps": 6, "inputs": 33, "units": 12, "gain": 20.0, "cell_power": -9},
    {"steps": 6, "inputs": 4, "units": 10, "gain": 0.01, "cell_power": -13, "clip": 0.5},
    {"batches": 2, "steps": 2, "inputs": 64, "units": 32, "cell_power": -10, "clip": 10.0, "time_major": True},
]


@pytest.mark.parametrize("dtype", ["int8", "int16"])
def test_an_lstm_gives_what_tflm_gives_over_a_sequence_of_inferences(dtype: str, chain_folder: Path) -> None:
    random = np.random.default_rng(1)
    compared = 0
    for shape in LSTMS:
        model = lstm_model(random, dtype, **shape)
        batches, steps = shape.get("batches", 1), shape["steps"]
        first = (steps, batches) if shape.get("time_major") else (batches, steps)
        runs = max(40, 16000 // (batches * steps * shape["units"]))
        compared += compare(
            model, chain_folder, [[values(random, dtype, (*first, shape["inputs"]))] for _ in range(runs)]
        )
    assert compared >= 100_000


def test_the_state_of_an_lstm_goes_back_to_the_beginning_at_a_reset(chain_folder: Path) -> None:
    random = np.random.default_rng(2)
    chain = Chain(lstm_model(random), chain_folder)
    inputs = [values(random, "int8", (1, 4, 5)) for _ in range(5)]
    first = [chain.run(each)[0] for each in inputs]
    chain.reset()
    second = [chain.run(each)[0] for each in inputs]
    np.testing.assert_array_equal(first, second)
    assert any((chain.run(each)[0] != known).any() for each, known in zip(inputs, first, strict=True))
    assert chain.compiled.stateful
    assert chain.compiled.state_bytes == 6 * (1 + 2)


PEEPHOLE = constant(np.zeros(6, np.int16), 2.0**-12)


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"activation": 1}, "another activation than tanh"),
        ({"more": {10: PEEPHOLE}}, "peephole"),
        ({"more": {16: constant(np.zeros((6, 6), np.int8), 0.1)}}, "projection"),
        ({"more": {21: PEEPHOLE}}, "layer normalization"),
        ({"more": {19: T("float32", (1, 6), variable=True)}}, "cell state of float32"),
        ({"more": {2: constant(np.ones((6, 5), np.int8), [0.1] * 6)}}, "scale per channel"),
        ({"more": {13: constant(np.ones(6, np.int64), 0.1)}}, "bias of int64"),
        ({"more": {19: T("int16", (1, 6), 2.0**-11)}}, "no variable"),
        ({"more": {6: None}}, "lacks its input 6"),
    ],
)
def test_an_lstm_that_is_not_computed_is_refused(changes: dict[str, Any], cause: str) -> None:
    model = lstm_model(np.random.default_rng(3), **changes)
    (problem,) = refusals(model, cmsis=False, profile="portable32")
    assert cause in problem.cause
    with pytest.raises(ModelError, match="UNIDIRECTIONAL_SEQUENCE_LSTM"):
        compile_model(model, "m", cmsis=False, profile="portable32")


def svdf_model(
    random: np.random.Generator,
    state: str,
    batches: int,
    inputs: int,
    units: int,
    rank: int,
    memory: int,
    gain: float = 1.0,
    activation: int = 0,
    time: str | None = None,
) -> bytes:
    """An SVDF whose state and outputs use their range at ``gain`` 1."""
    time = time or state
    source_scale, feature_scale, time_scale = 0.05, float(random.uniform(0.005, 0.02)), 0.01
    state_scale = np.sqrt(inputs) * source_scale * feature_scale * (40 if state == "int8" else 0.2) / gain
    limits = np.iinfo(time)
    output_scale = (
        np.sqrt(memory * rank) * float(state_scale) * time_scale * 50 * (1 if time == "int8" else 2**14) / gain
    )
    tensors = [
        T("int8", (batches, inputs), source_scale, int(random.integers(-128, 128))),
        constant(weights(random, (units * rank, inputs)), feature_scale),
        constant(
            random.integers(limits.min, limits.max, (units * rank, memory), endpoint=True).astype(time), time_scale
        ),
        constant(random.integers(-2000, 2000, units).astype(np.int32), float(state_scale) * time_scale),
        T(
            state,
            (batches, units * rank * memory),
            float(state_scale),
            int(random.integers(-128, 128)) if state == "int8" else 0,
            variable=True,
        ),
    ]
    output = T("int8", (batches, units), float(output_scale), int(random.integers(-128, 128)))
    options = schema.SVDFOptionsT(rank=rank, fusedActivationFunction=activation)
    return model_of("SVDF", tensors, [output], options, version=3)


@pytest.mark.parametrize("state", ["int8", "int16"])
def test_an_svdf_gives_what_tflm_gives_over_a_sequence_of_inferences(state: str, chain_folder: Path) -> None:
    random = np.random.default_rng(4)
    compared = 0
    shapes = [
        (1, 10, 16, 1, 8),
        (2, 3, 11, 2, 5),
        (1, 1, 1, 1, 1),
        (3, 32, 8, 4, 2),
        (1, 96, 64, 1, 10),
        (2, 7, 20, 3, 1),
    ]
    for number, (batches, inputs, units, rank, memory) in enumerate(shapes):
        model = svdf_model(random, state, batches, inputs, units, rank, memory, [1.0, 8.0][number % 2], number % 2)
        runs = max(100, 20000 // (batches * units))
        compared += compare(model, chain_folder, [[values(random, "int8", (batches, inputs))] for _ in range(runs)])
    assert compared >= 100_000


def test_an_svdf_with_weights_of_another_type_than_its_state_is_refused() -> None:
    model = svdf_model(np.random.default_rng(5), "int16", 1, 2, 3, 1, 4, time="int8")
    (problem,) = refusals(model, cmsis=False, profile="portable32")
    assert "a state of int16 and weights over time of int8" in problem.cause


def test_state_that_two_operators_share_is_refused() -> None:
    model = tflite.unpack(svdf_model(np.random.default_rng(6), "int8", 1, 2, 3, 1, 4), "m")
    graph = model.subgraphs[0]
    graph.operators.append(graph.operators[0])
    found = refusals(tflite.pack(model), cmsis=False, profile="portable32")
    assert len(found) == 2
    assert all("shares its state with another operator" in problem.cause for problem in found)


def test_state_that_an_operator_without_state_reads_is_refused() -> None:
    model = model_of("RESHAPE", [T("int8", (1, 4)), T("int32", (1,), variable=True)], [T("int8", (4,))])
    (problem,) = refusals(model, cmsis=False, profile="portable32")
    assert "reads a variable tensor" in problem.cause
