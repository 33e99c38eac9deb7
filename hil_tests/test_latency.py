"""How long an inference takes, on boards; an emulator knows nothing of time."""

from __future__ import annotations

import pytest

from tinyhil.compare.verdict import Report
from tinyhil.pytest_plugin import Dut
from tinyhil.targets.model import Target


@pytest.fixture
def report(target: Target, dut: Dut) -> Report:
    """Of a target that measures time."""
    if target.measure.unit != "microseconds":
        what = "instruction counts, no time" if target.measure.unit == "instructions" else "no figures"
        pytest.skip(f"{target.name} has {what}")
    return dut.report


def test_single_inferences_were_timed(report: Report) -> None:
    assert report.speed is not None
    assert report.speed.unit == "microseconds"
    assert 0 < report.speed.min <= report.speed.median <= report.speed.max


def test_the_slowest_is_answered_in_time(report: Report, target: Target) -> None:
    """What takes longer than the link waits would be taken for a dead device."""
    assert report.speed is not None
    assert report.speed.max < 1e6 * target.link.answer_within
