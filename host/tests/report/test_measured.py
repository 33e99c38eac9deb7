"""What was measured on the device: in the unit of the target, for people too, and not where it means nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import msgspec
import pytest

from tinyhil.artifacts.types import Measurement, OperatorTicks, Resources
from tinyhil.compare.verdict import OperatorCost, Report, Speed
from tinyhil.config.recipe import Accuracy, Fidelity
from tinyhil.errors import DeviceError
from tinyhil.report import assemble, files, terminal
from tinyhil.report.assemble import Evidence
from tinyhil.targets.model import Measure, Target
from tinyhil.verify import verify

RESOURCES = Resources(4096, 1328, 932, 0, 2048, 500)
OPERATORS = tuple(OperatorTicks(f"OP_{n}", 1000 * n) for n in range(7))
MEASURED = Measurement((900, 700, 800, 1000), RESOURCES, OPERATORS)
Unit = Literal["instructions", "microseconds", "nothing"]
Make = Callable[[Measurement | None, Unit], Report]


@pytest.fixture
def report_of(evidence: Evidence, qemu_m4: Target) -> Make:
    """The report of a measurement on a target whose tick is half a unit."""

    def make(measurement: Measurement | None, unit: Unit) -> Report:
        assert evidence.model is not None
        assert evidence.capture is not None
        capture = replace(evidence.capture, measurement=measurement)
        target = msgspec.structs.replace(qemu_m4, measure=Measure(unit=unit, per_tick=0.5, method="a timer"))
        found = verify(evidence.model, capture, target.measure, (Fidelity(), Accuracy()), None)
        return assemble.judged("tiny", target, "compiled", replace(evidence, capture=capture), found)

    return make


def rows(report: Report) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for label, value in terminal.rows(report):
        found.setdefault(label, []).append(value)
    return found


@pytest.mark.parametrize("unit", ["instructions", "microseconds"])
def test_the_report_has_the_target_s_unit(report_of: Make, unit: Literal["instructions", "microseconds"]) -> None:
    report = report_of(MEASURED, unit)
    assert report.speed == Speed(unit, 350.0, 425.0, 500.0, 4)
    assert report.operators == tuple(OperatorCost(f"OP_{n}", 500.0 * n) for n in range(7))
    assert report.resources == RESOURCES
    assert files.from_json(files.to_json(report), "report.json") == report


def test_people_see_the_figures_and_the_costly_operators(report_of: Make) -> None:
    shown = rows(report_of(MEASURED, "instructions"))
    assert shown["one inference"] == ["350 to 500 instructions, median 425, measured 4 times"]
    assert shown["operator"] == [f"OP_{n} {500 * n:,} instructions" for n in (6, 5, 4, 3, 2)]
    assert shown["arena"] == ["1,328 B, the engine reports 932 B in use"]
    assert shown["stack"] == ["up to 500 B of 2,048 B"]
    assert "ARENA OVERRUN" not in shown
    assert rows(report_of(MEASURED, "microseconds"))["one inference"] == ["350 to 500 us, median 425, measured 4 times"]


def test_figures_that_are_all_the_same(report_of: Make) -> None:
    shown = rows(report_of(replace(MEASURED, ticks=(800,) * 3), "instructions"))
    assert shown["one inference"] == ["400 instructions, median 400, measured 3 times"]


def test_an_overrun_is_not_overlooked(report_of: Make) -> None:
    shown = rows(report_of(replace(MEASURED, resources=replace(RESOURCES, arena_overrun=3)), "instructions"))
    assert shown["ARENA OVERRUN"] == ["3 B past the end of the arena have changed: the engine writes out of bounds"]


NOTHING = Measurement((), None, ())
FIXED = Measurement((), Resources(None, 32, None, 0, None, None), ())


@pytest.mark.parametrize(
    ("measurement", "unit"),
    [(None, "instructions"), (NOTHING, "instructions"), (FIXED, "instructions"), (None, "nothing")],
)
def test_what_is_not_known_is_not_shown(report_of: Make, measurement: Measurement | None, unit: Unit) -> None:
    report = report_of(measurement, unit)
    assert report.speed is None
    assert report.operators == ()
    assert not {"one inference", "operator", "arena", "stack", "ARENA OVERRUN"} & set(rows(report))


def test_ticks_that_mean_nothing_are_no_figures(report_of: Make) -> None:
    report = report_of(MEASURED, "nothing")
    assert report.speed is None
    assert report.operators == ()


def test_a_blocked_run_has_no_figures(qemu_m4: Target) -> None:
    report = assemble.blocked("tiny", qemu_m4, "compiled", Evidence(), DeviceError("it never answered"))
    assert (report.speed, report.resources, report.operators) == (None, None, ())
