"""Functions in float32 inside of a quantized model: every value of int8 against what TFLM computes in float32."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinyhil import tflite
from tinyhil.chain import compile_model, floats, refusals

from .comparing import compare
from .conftest import Amount
from .makers.elements import every, of_a_float, of_floats
from .one_operator import T

GIVEN, MADE = T("int8", (256,), 0.03, -7), T("int8", (256,), 0.02, 5)


@pytest.mark.parametrize("names", [tuple(sorted(floats.FUNCTIONS))])
def test_every_byte(names: tuple[str, ...], chain_folder: Path, amount: Amount) -> None:
    random = np.random.default_rng(6)
    models = [of_a_float(random, name) for name in names for _ in range(amount(5, 12))]
    assert compare(models, chain_folder, random, lambda *_: every("int8")) == len(models) * 256


def test_several_functions_are_one_table(chain_folder: Path) -> None:
    model = of_floats(["NEG", "EXP", "SQRT"], GIVEN, MADE)
    assert compare([model], chain_folder, np.random.default_rng(0), lambda *_: every("int8")) == 256
    assert compile_model(model, "m", cmsis=False, profile="portable32").files["chain.cpp"].count(b"kernels::") == 1


def changed(change: Callable[[Any], None]) -> bytes:
    """DEQUANTIZE, ELU, QUANTIZE of the tensors 0 to 3, with a change of the graph."""
    model: Any = tflite.unpack(of_floats(["ELU"], GIVEN, MADE), "m")
    change(model.subgraphs[0])
    return tflite.pack(model)


def test_real_numbers_that_something_else_reads_too_stay(chain_folder: Path) -> None:
    def dequantized(graph: Any) -> None:
        graph.outputs = [3, 1]

    model = changed(dequantized)
    assert compare([model], chain_folder, np.random.default_rng(0), lambda *_: every("int8")) == 512


def elu_too(graph: Any) -> None:
    graph.outputs = [3, 2]


def real_input(graph: Any) -> None:
    graph.inputs, graph.operators = [1], graph.operators[1:]


@pytest.mark.parametrize("change", [elu_too, real_input])
def test_a_path_that_does_not_go_from_int8_to_int8_alone_is_refused(change: Callable[[Any], None]) -> None:
    (refusal,) = refusals(changed(change), cmsis=False, profile="portable32")
    assert refusal.operator.name == "ELU"
    assert "float32" in refusal.cause
