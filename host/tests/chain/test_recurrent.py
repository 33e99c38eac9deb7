"""LSTM and SVDF against TFLM, over sequences of inferences: the state has to be the same, too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinyhil import tflite
from tinyhil.chain import compile_model, refusals
from tinyhil.errors import ModelError

from .comparing import compare, random_values
from .conftest import Amount
from .makers.recurrent import lstm_model, svdf_model
from .one_operator import Chain, T, constant, model_of

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
def test_an_lstm_gives_what_tflm_gives_over_a_sequence_of_inferences(
    dtype: str, chain_folder: Path, amount: Amount
) -> None:
    random = np.random.default_rng(1)
    models = [lstm_model(random, dtype, **shape) for shape in LSTMS]
    compare(models, chain_folder, random, least=amount(7_000, 200_000))


def test_the_state_of_an_lstm_goes_back_to_the_beginning_at_a_reset(chain_folder: Path) -> None:
    random = np.random.default_rng(2)
    chain = Chain(lstm_model(random), chain_folder)
    inputs = [random_values(random, "int8", (1, 4, 5)) for _ in range(5)]
    first = [chain.run(each)[0] for each in inputs]
    chain.reset()
    second = [chain.run(each)[0] for each in inputs]
    np.testing.assert_array_equal(first, second)
    assert any((chain.run(each)[0] != known).any() for each, known in zip(inputs, first, strict=True))


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


@pytest.mark.parametrize("state", ["int8", "int16"])
def test_an_svdf_gives_what_tflm_gives_over_a_sequence_of_inferences(
    state: str, chain_folder: Path, amount: Amount
) -> None:
    random = np.random.default_rng(4)
    shapes = [
        (1, 10, 16, 1, 8),
        (2, 3, 11, 2, 5),
        (1, 1, 1, 1, 1),
        (3, 32, 8, 4, 2),
        (1, 96, 64, 1, 10),
        (2, 7, 20, 3, 1),
    ]
    models = [
        svdf_model(random, state, *shape, [1.0, 8.0][number % 2], number % 2) for number, shape in enumerate(shapes)
    ]
    compare(models, chain_folder, random, least=amount(7_000, 200_000))


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
