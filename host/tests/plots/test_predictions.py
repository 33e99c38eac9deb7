"""Pictures of predictions show what they were handed, and can be read whatever that is."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from tinyhil.plots import predictions

from .look import LONG, legend, line, points

X = np.array([3.0, 1.0, 2.0])
MODEL = predictions.Predictions("A model", X**2, X, X**2 + 1, X**2 + 2, X**2 + 3)
BASE = predictions.Predictions("A base model", X**2, X, X)


def test_predictions_over_the_input(stem: Path, drawn: list[Figure]) -> None:
    predictions.over_input([MODEL], stem, x_label="x (rad)", y_label="y (V)")
    (axes,) = drawn[0].axes
    assert points(axes, "actual") == [(3, 9), (1, 1), (2, 4)]
    for more, label in enumerate(("float model", "integer reference", "device"), start=1):
        assert points(axes, label) == [(1, 1 + more), (2, 4 + more), (3, 9 + more)]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("x (rad)", "y (V)")
    assert legend(drawn[0]) == ["actual", "float model", "integer reference", "device"]


def test_base_and_improved_side_by_side(stem: Path, drawn: list[Figure]) -> None:
    predictions.over_input([BASE, MODEL], stem)
    left, right = drawn[0].axes
    assert left.get_ylim() == right.get_ylim()
    assert [axes.get_title() for axes in (left, right)] == ["A base model", "A model"]
    assert not any(one.get_label() == "device" for one in left.get_lines())


def test_where_they_agree_all_marks_are_seen(stem: Path, drawn: list[Figure]) -> None:
    """What is drawn later is smaller."""
    predictions.over_input([MODEL], stem)
    axes = drawn[0].axes[0]
    reference, model, device = (line(axes, label) for label in ("integer reference", "float model", "device"))
    assert reference.get_zorder() < model.get_zorder() < device.get_zorder()
    assert reference.get_markersize() > model.get_linewidth() > device.get_markersize()


def test_predictions_over_what_is_true(stem: Path, drawn: list[Figure]) -> None:
    predictions.against_actual([MODEL, BASE], stem, unit="V")
    left, right = drawn[0].axes
    assert points(left, "device") == [(9, 12), (1, 4), (4, 7)]
    for axes in (left, right):
        assert axes.get_xlim() == axes.get_ylim()
        (low, _), (_, high) = points(axes, "predicted = actual")
        assert (low, high) == axes.get_xlim()
        assert low < 1
        assert high > 12
        assert axes.get_xlabel() == "Actual (V)"


@pytest.mark.parametrize("actual", [[0.0], [1e9, 1e9], [-1e-9, 1e-9], [0.0, math.nan], [math.nan]])
def test_any_prediction_can_be_read(stem: Path, drawn: list[Figure], actual: list[float]) -> None:
    one = predictions.Predictions(LONG, actual, actual, actual, actual, actual)
    predictions.over_input([one, one], stem)
    predictions.against_actual([one], stem)
    predictions.against_actual([one, one], stem, unit="a unit")
    assert len(drawn) == 3


def test_no_prediction_to_show(stem: Path) -> None:
    with pytest.raises(ValueError, match="inputs"):
        predictions.over_input([predictions.Predictions("", [1.0])], stem)
    with pytest.raises(ValueError, match="inputs"):
        predictions.over_input([], stem)
    with pytest.raises(ValueError, match="nothing"):
        predictions.against_actual([], stem)
