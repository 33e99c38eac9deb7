"""The comparison of two trainings: both do the same work, and goals are judged as they say, not how fast we are."""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="module")
def bench() -> Iterator[Any]:
    """The program; what it sets in the environment is taken back."""
    before = dict(os.environ)
    try:
        yield importlib.import_module("train")
    finally:
        os.environ.clear()
        os.environ.update(before)


# Keras' own call, where it reads a variable.
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")
@pytest.mark.long
def test_both_train_for_as_many_epochs(bench: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Three epochs after a warm-up of one, from the same weights: both figures come from a validation set."""
    goal = bench.Goal("sine", 0.0, "val_mae")
    bench.measure(goal, 3 / 600)
    found = re.fullmatch(
        r"sine +3 +[\d.]+ s +[\d.]+ s +[\d.]+x +0x  val_mae ([\d.]+) and ([\d.]+) \(median of the last 50\), "
        r"([\d.]+) and ([\d.]+) \(best\): (met|missed)\n",
        capsys.readouterr().out,
    )
    assert found is not None
    figures = [float(found[place]) for place in range(1, 5)]
    # A mean absolute error against a sine is below that of saying nothing (0.64) by a network that has begun to learn.
    assert all(0 < figure < 0.64 for figure in figures)
    assert figures[2] <= figures[0]
    assert figures[3] <= figures[1]


@pytest.mark.parametrize(
    ("seconds", "theirs", "ours", "rising", "met"),
    [
        ((30.0, 2.0), 0.10, 0.10, False, True),
        ((29.0, 2.0), 0.10, 0.10, False, False),  # not 15 times faster
        ((30.0, 2.0), 0.10, 0.109, False, True),
        ((30.0, 2.0), 0.10, 0.111, False, False),  # more than a tenth worse
        ((30.0, 2.0), 0.90, 0.82, True, True),
        ((30.0, 2.0), 0.90, 0.80, True, False),
        ((30.0, 2.0), 0.10, float("nan"), False, False),
    ],
)
def test_a_goal_is_met_by_speed_and_figure(
    bench: Any, seconds: tuple[float, float], theirs: float, ours: float, rising: bool, met: bool
) -> None:
    goal = bench.Goal("sine", 15.0, "figure", rising=rising)
    histories = [{"figure": [last] * 60, "loss": [0.0] * 60} for last in (theirs, ours)]
    assert bench._row(goal, *histories, *seconds) is met


def test_the_goals_are_those_that_were_promised(bench: Any) -> None:
    assert [(goal.recipe, goal.faster) for goal in bench.GOALS] == [("sine", 15.0), ("digits", 3.0)]
    assert bench.TOLERANCE == 0.1
