"""Lines and descents show what they were handed, and can be read whatever that is."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from tinyhil.plots import linear

from .look import LONG, legend, points

LESSON_X = np.arange(-1.0, 5.0)
LESSON_Y = 2 * LESSON_X - 1


def descend(rate: float, steps: int, decay: float = 0.0) -> Any:
    """Gradient descent on the mean squared error from w = b = 10."""
    w = b = 10.0
    path = [(w, b)]
    with np.errstate(over="ignore", invalid="ignore"):
        for step in range(steps):
            error = w * LESSON_X + b - LESSON_Y
            now = rate / (1 + decay * step)
            w, b = w - now * 2 * float((error * LESSON_X).mean()), b - now * 2 * float(error.mean())
            path.append((w, b))
    return np.array(path)


def test_guesses_with_both_errors(stem: Path, drawn: list[Figure]) -> None:
    guesses = [linear.Line("3x - 1", 3, -1), linear.Line("2x - 2", 2, -2), linear.Line("2x - 1", 2, -1)]
    linear.guesses(LESSON_X, LESSON_Y, guesses, stem)
    assert legend(drawn[0]) == [
        "3x - 1: RMSD 2.27, root of the summed squares 5.57",
        "2x - 2: RMSD 1.00, root of the summed squares 2.45",
        "2x - 1: RMSD 0.00, root of the summed squares 0.00",
        "data",
    ]
    axes = drawn[0].axes[0]
    assert points(axes, legend(drawn[0])[0]) == [(-1, -4), (4, 11)]
    assert points(axes, "data") == list(zip(LESSON_X.tolist(), LESSON_Y.tolist(), strict=True))


def test_descents_at_several_rates(stem: Path, drawn: list[Figure]) -> None:
    rates = {"right": (0.1, 0.0), "too large": (0.18, 0.0), "too small": (0.005, 0.0), "decaying": (0.17, 0.1)}
    paths = [linear.Descent(label, descend(rate, 50, decay)) for label, (rate, decay) in rates.items()]
    linear.descent(LESSON_X, LESSON_Y, paths, stem)
    panels = drawn[0].axes[:4]
    assert [axes.get_title().split("\n")[0] for axes in panels] == list(rates)
    for axes, one in zip(panels, paths, strict=True):
        whole = [tuple(point) for point in np.asarray(one.path).tolist()]
        assert points(axes, "path") == (whole[:13] if one.label == "too large" else whole)
        assert points(axes, "minimum")[0] == pytest.approx((2, -1))
        assert points(axes, "start") == [(10, 10)]
    assert "first 12 drawn" in panels[1].get_title()
    assert "loss 0.000614 after 50 steps" in panels[0].get_title()
    assert legend(drawn[0]) == ["path", "start", "minimum"]


def test_the_map_holds_the_minimum_the_starts_and_what_comes_down(stem: Path, drawn: list[Figure]) -> None:
    path = descend(0.1, 50)
    linear.descent(LESSON_X, LESSON_Y, [linear.Descent("a", path), linear.Descent("b", [(-3, 4)])], stem)
    axes = drawn[0].axes[0]
    for x, y in [*path.tolist(), (-3, 4), (2, -1)]:
        assert axes.get_xlim()[0] < x < axes.get_xlim()[1]
        assert axes.get_ylim()[0] < y < axes.get_ylim()[1]


@pytest.mark.parametrize("count", [1, pytest.param(3, marks=pytest.mark.long)])
def test_any_descent_can_be_read(stem: Path, drawn: list[Figure], count: int) -> None:
    every = [
        [(2.0, -1.0)],  # it starts at the minimum
        [(1e6, 1e6), (2, -1)],
        [(10, 10), (-1e200, 1e200), (1e250, 1e250)],
        [(10, 10), (math.inf, 0), (math.nan, math.nan)],
        descend(0.3, 2000),
    ]
    for turn in range(len(every)):
        paths = [linear.Descent(LONG, every[(turn + index) % len(every)]) for index in range(count)]
        linear.descent(LESSON_X, LESSON_Y, paths, stem)
    assert len(drawn) == len(every)


def test_no_descent_to_show(stem: Path) -> None:
    for paths in ([], [linear.Descent("", [(math.nan, 1.0)])]):
        with pytest.raises(ValueError, match="no path"):
            linear.descent(LESSON_X, LESSON_Y, paths, stem)
