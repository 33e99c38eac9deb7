"""Two reports side by side: each figure is better, worse, equal, or incomparable for a reason that holds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings

from tinyhil.compare.changes import Changes, changes
from tinyhil.compare.metrics import BY_NAME
from tinyhil.compare.verdict import Accuracy, Fidelity, OperatorCost, OutputErrors, Report, Speed

from ..history import made
from ..report.strategies import REPORTS

OPPOSITE = {"better": "worse", "worse": "better", "equal": "equal", "incomparable": "incomparable"}


def outcomes(found: Changes) -> dict[str, str]:
    return {change.metric.name: change.outcome for change in found.figures}


def why(found: Changes) -> dict[str, str]:
    return {change.metric.name: change.why for change in found.figures if change.why}


BEFORE = made.report()
LARGER = made.report(flash=made.FLASH + 312, instructions=made.INSTRUCTIONS * 1.04)


def test_what_is_larger_and_slower_is_worse_by_just_that() -> None:
    found = changes(BEFORE, LARGER)
    assert outcomes(found) == {
        "flash": "worse", "ram": "equal", "arena": "equal", "instructions": "worse", "mismatches": "equal",
        "max_lsb": "equal",
    }  # fmt: skip
    flash, instructions = found.of("worse")
    assert flash.difference == 312
    assert instructions.share == pytest.approx(0.04)
    assert found.notes == ()


@given(REPORTS, REPORTS)
@settings(max_examples=30)
def test_the_other_way_round_it_is_the_other_way_round(one: Report, other: Report) -> None:
    there, back = outcomes(changes(one, other)), outcomes(changes(other, one))
    assert back == {name: OPPOSITE[outcome] for name, outcome in there.items()}


@given(REPORTS)
@settings(max_examples=30)
def test_a_report_equals_itself_where_it_can_be_compared(report: Report) -> None:
    found = changes(report, report)
    assert {*outcomes(found).values(), *(each.outcome for each in found.operators)} <= {"equal", "incomparable"}
    assert found.notes == ()
    assert all(change.why for change in found.of("incomparable"))


@pytest.mark.parametrize(
    ("changed", "incomparable", "reason"),
    [
        ({"target": "qemu-m33"}, {"flash", "ram", "arena", "instructions"}, "qemu-m33"),
        ({"tool_versions": {"arm-none-eabi-gcc": "13.1"}}, {"flash", "ram", "arena", "instructions"}, "13.1"),
        ({"tool_versions": {}}, {"flash", "ram", "arena", "instructions"}, "nobody knows"),
        ({"measured_by": "DWT"}, {"instructions"}, "DWT"),
        ({"tool_versions": {"arm-none-eabi-gcc": made.GCC, "platformio": "9"}}, set(), ""),
        ({"engine": "tflm"}, set(), ""),
        ({"model_sha256": "ff" * 32, "source_sha256": "ee" * 32}, set(), ""),
    ],
)
def test_sizes_and_instructions_need_the_same_target_and_compiler(
    changed: dict[str, Any], incomparable: set[str], reason: str
) -> None:
    found = changes(BEFORE, replace(LARGER, **changed))
    assert {change.metric.name for change in found.of("incomparable")} == incomparable
    assert all(reason in text for text in why(found).values())
    assert {change.metric.name for change in found.of("worse")} == {"flash", "instructions"} - incomparable
    assert bool(found.why_no_operators) == ("instructions" in incomparable)


def accurate(mae: float, **changed: Any) -> Report:
    """A report with an accuracy."""
    figures = replace(_FIGURES, mae=mae)
    errors = OutputErrors("", figures, figures, figures, figures, figures, None, None)
    accuracy = Accuracy(True, 100, "function", errors, (), None, ())
    return made.report(**{"accuracy": accuracy, "test_data_sha256": "7a" * 32, **changed})


def _figures() -> Any:
    from tinyhil.compare.regression import RegressionFigures

    return RegressionFigures(100, 0, 0.1, 0.1, 0.1, 0.1, 0.9, 0.9, 0.9)


_FIGURES = _figures()


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ({}, "worse"),
        ({"model_sha256": "ff" * 32, "source_sha256": "ee" * 32}, "worse"),  # a new model, the same test data
        ({"target": "nano33ble", "tool_versions": {}}, "worse"),  # accuracy does not depend on them
        ({"test_data_sha256": "8b" * 32}, "incomparable"),
        ({"test_data_sha256": None}, "incomparable"),
        ({"samples_sha256": "9c" * 32}, "incomparable"),
        ({"accuracy": replace(accurate(0.2).accuracy, vectors=50)}, "incomparable"),  # type: ignore[type-var]
    ],
)
def test_accuracy_needs_the_same_test_data(changed: dict[str, Any], outcome: str) -> None:
    found = outcomes(changes(accurate(0.1), accurate(0.2, **changed)))
    assert found["mae"] == outcome
    assert BY_NAME["mae"].basis == "data"


def test_without_a_hash_of_the_data_the_same_recipe_has_the_same() -> None:
    old = {"test_data_sha256": None}
    assert outcomes(changes(accurate(0.1, **old), accurate(0.2, **old)))["mae"] == "worse"
    other = accurate(0.2, **old, source_sha256="ee" * 32)
    assert why(changes(accurate(0.1, **old), other))["mae"].startswith("nobody knows")


def test_another_truth_is_no_truth_to_compare_with() -> None:
    other = accurate(0.2)
    assert other.accuracy is not None
    found = changes(accurate(0.1), replace(other, accuracy=replace(other.accuracy, truth="test set")))
    assert (outcomes(found)["mae"], outcomes(found)["mae_truth"]) == ("worse", "incomparable")


def test_wrong_outputs_are_worse_and_none_are_equal_however_many_were_asked() -> None:
    assert outcomes(changes(BEFORE, made.failed()))["mismatches"] == "worse"
    assert BEFORE.fidelity is not None
    more = replace(BEFORE, fidelity=replace(BEFORE.fidelity, vectors=300))
    assert outcomes(changes(BEFORE, more))["mismatches"] == "equal"
    failed = Fidelity(False, 300, 2, 5, 0, True, "tflite-micro 1", (), None)
    assert outcomes(changes(made.failed(), replace(BEFORE, fidelity=failed)))["mismatches"] == "incomparable"


def timed(low: float, middle: float, high: float) -> Report:
    speed = Speed("microseconds", low, middle, high, 9)
    return made.report(microseconds_per_inference=middle, speed=speed, target="nano33ble")


@pytest.mark.parametrize(
    ("after", "outcome"),
    [((9, 10, 11), "equal"), ((10.5, 12, 14), "equal"), ((13, 14, 15), "worse"), ((1, 2, 3), "better")],
)
def test_times_differ_where_their_ranges_do_not_touch(after: tuple[float, float, float], outcome: str) -> None:
    assert outcomes(changes(timed(9, 10, 12), timed(*after)))["microseconds"] == outcome


def test_a_blocked_run_has_nothing_to_compare() -> None:
    found = changes(BEFORE, made.blocked())
    assert set(outcomes(found).values()) == {"incomparable"}
    assert all("port went away" in reason for reason in why(found).values())


def test_operators_are_matched_in_their_order() -> None:
    added = OperatorCost("CONV_2D", 500.0, 0)
    first, last = BEFORE.operators
    found = changes(BEFORE, replace(BEFORE, operators=(added, replace(first, cost=first.cost - 1), last)))
    assert [(each.name, each.outcome) for each in found.operators] == [
        ("CONV_2D", "incomparable"), ("FULLY_CONNECTED", "better"), ("SOFTMAX", "equal"),
    ]  # fmt: skip
    assert found.operators[0].before is None


@pytest.mark.parametrize(
    ("changed", "note"),
    [
        ({"model_sha256": "ff" * 32}, "training alone"),
        ({"model_sha256": "ff" * 32, "source_sha256": "ee" * 32}, "the same operators"),
        ({"model_sha256": "ff" * 32, "source_sha256": "ee" * 32, "ops": ("ADD",)}, "other operators"),
        ({"model_sha256": "ff" * 32, "source_sha256": None}, "the same operators"),
        ({"engine": "tflm"}, "another engine: compiled, then tflm"),
        ({"kernels": "bakenn 2"}, "other kernels"),
        ({"made_by": "tinyhil 9"}, "another version"),
    ],
)
def test_what_differs_in_what_they_are_of_is_said(changed: dict[str, Any], note: str) -> None:
    (said,) = changes(BEFORE, replace(BEFORE, **changed)).notes
    assert note in said
