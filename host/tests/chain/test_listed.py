"""What the files of the engines list, the reference takes and computes: a model of each operator."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tinyhil import preflight, tflite
from tinyhil.targets import registry

from ..layered import accumulates
from .comparing import random_values
from .makers.listed import KNOWN, RANDOM
from .one_operator import Reference

VARIABLES = ("ASSIGN_VARIABLE", "READ_VARIABLE", "VAR_HANDLE")
"""One alone computes nothing."""


def listed() -> dict[str, tuple[str, ...]]:
    """The operators that engines of the shipped targets list, by target and engine."""
    return {
        f"{target} {name}": engine.ops
        for target in registry.paths()
        for name, engine in registry.get(target).engines.items()
        if engine.ops
    }


def test_each_operator_that_an_engine_lists_has_a_model_and_no_other() -> None:
    found = listed()
    assert {"sim tflm-host", "nano33ble tflm", "esp32 tflm"} <= set(found)
    assert {name for names in found.values() for name in names} == {*RANDOM, *KNOWN, *VARIABLES}


def require_taken(model: bytes) -> None:
    """Pre-flight takes it for the reference: what the link cannot carry is no fault of the operator."""
    found = preflight.check(model, "m", registry.get("sim"), "tflm-host")
    assert [each for each in found if each.kind not in ("batch", "interface")] == []


@pytest.mark.parametrize("name", RANDOM)
def test_it_is_computed(name: str) -> None:
    random = np.random.default_rng(3)
    model = RANDOM[name](random)
    graph = tflite.parse(model, "m").main
    assert [operator.name for operator in graph.operators] == [name]
    require_taken(model)
    reference = Reference(model)
    outputs = set()
    for _ in range(20):
        given = [random_values(random, each.dtype, each.shape) for each in graph.of(graph.inputs)]
        outputs.add(b"".join(values.tobytes() for values in reference.run(*given)))
    assert len(outputs) > 2  # it depends on the inputs


@pytest.mark.parametrize("name", KNOWN)
def test_it_gives_what_numpy_gives(name: str) -> None:
    known = KNOWN[name]
    (operator,) = tflite.parse(known.model, "m").main.operators
    assert operator.name == name
    require_taken(known.model)
    (output,) = Reference(known.model).run(*known.inputs)
    assert output.dtype == known.output.dtype
    np.testing.assert_allclose(output, known.output, rtol=1e-6)


def test_a_variable_keeps_its_value(build_tflite: Callable[..., bytes]) -> None:
    model = build_tflite(accumulates)
    assert {*VARIABLES, "ADD"} == {operator.name for operator in tflite.parse(model, "m").main.operators}
    require_taken(model)
    reference = Reference(model)
    x = np.random.default_rng(5).integers(-4, 5, (20, 1, 2), np.int8)
    outputs = [reference.run(each)[0] for each in x]
    np.testing.assert_array_equal(outputs, np.cumsum(x, axis=0, dtype=np.int8))
