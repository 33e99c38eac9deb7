"""Training curves show what they were handed, and can be read whatever that is."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from tinyhil.plots import curves

from .look import LONG, legend, line, points


def test_loss_by_epoch(stem: Path, drawn: list[Figure]) -> None:
    written = curves.loss([curves.Curves("A model", [3.0, 2.0, 1.0], [4.0, 3.0, 2.0], kept_epoch=2)], stem)
    assert [path.name for path in written] == ["picture.png", "picture.svg"]
    (axes,) = drawn[0].axes
    assert points(axes, "training") == [(1, 3), (2, 2), (3, 1)]
    assert points(axes, "validation") == [(1, 4), (2, 3), (3, 2)]
    assert axes.get_title() == "Loss\nA model"
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("Epoch", "Loss (mean squared error)")
    assert axes.get_ylim()[0] == 0
    assert legend(drawn[0]) == ["training", "validation", "epoch whose weights were kept"]


def test_the_first_epochs_are_left_out(stem: Path, drawn: list[Figure]) -> None:
    values = np.geomspace(1e3, 1e-3, 600)
    curves.loss([curves.Curves("", values, kept_epoch=50)], stem, skip=100, name="mse")
    (axes,) = drawn[0].axes
    shown = points(axes, "training")
    assert [x for x, _ in shown] == list(range(101, 601))
    assert [y for _, y in shown] == values[100:].tolist()
    assert axes.get_title() == "Loss after the first 100 epochs"
    assert legend(drawn[0]) == ["training"]


def test_models_side_by_side_share_the_scale(stem: Path, drawn: list[Figure]) -> None:
    base = curves.Curves("Base", np.full(1000, 0.4), np.full(1000, 0.5))
    curves.mae([base, curves.Curves("Improved", np.full(600, 0.01))], stem, unit="V")
    left, right = drawn[0].axes
    assert left.get_ylim() == right.get_ylim()
    assert [axes.get_title() for axes in (left, right)] == ["Base", "Improved"]
    assert left.get_ylabel() == "Mean absolute error (V)"
    assert drawn[0].get_suptitle() == "Mean absolute error"
    assert legend(drawn[0]) == ["training", "validation"]


def test_a_trace_has_a_panel_for_each_series(stem: Path, drawn: list[Figure]) -> None:
    curves.trace({"loss": [1e4, 10, 1], "w": [10, -2, 2], "b": [3, 2, 1], "rate": [0.5]}, stem, title="Trace")
    shown = [axes for axes in drawn[0].axes if axes.get_visible()]
    assert [axes.get_title() for axes in shown] == ["loss (logarithmic)", "w", "b", "rate"]
    assert [axes.get_yscale() for axes in shown] == ["log", "linear", "linear", "linear"]
    ((x, y),) = [np.asarray(one.get_xydata()).T.tolist() for one in shown[1].get_lines()]
    assert (x, y) == ([0, 1, 2], [10, -2, 2])
    assert drawn[0].get_suptitle() == "Trace"


@pytest.mark.parametrize("count", [1, 2, 3, 12])
def test_any_trace_can_be_read(stem: Path, drawn: list[Figure], count: int) -> None:
    curves.trace({f"{LONG} {index}": np.geomspace(1e9, 1e-9, 200) for index in range(count)}, stem, title=LONG)
    assert len(drawn) == 1


@pytest.mark.parametrize("series", [{}, {"loss": []}])
def test_no_trace_to_show(stem: Path, series: dict[str, list[float]]) -> None:
    with pytest.raises(ValueError, match="no step"):
        curves.trace(series, stem)


def test_accuracy_in_percent(stem: Path, drawn: list[Figure]) -> None:
    curves.accuracy([curves.Curves("digits", [0.5, 0.75])], stem)
    assert points(drawn[0].axes[0], "training") == [(1, 50), (2, 75)]
    assert drawn[0].axes[0].get_ylabel() == "Accuracy (%)"


@pytest.mark.parametrize(
    "values",
    [
        [1.0],
        [0.0, 0.0],
        [1e-12, 1e-13],
        [1e30, 1e35, math.inf, math.nan],
        np.geomspace(1, 1e-6, 5000).tolist(),
        [123456.789] * 3,
    ],
)
@pytest.mark.parametrize("panels", [1, 2, 3])
def test_any_curve_can_be_read(stem: Path, drawn: list[Figure], values: list[float], panels: int) -> None:
    curves.loss([curves.Curves(LONG, values, values[::-1], kept_epoch=1)] * panels, stem)
    assert len(drawn[0].axes) == panels


def test_a_single_epoch_is_seen(stem: Path, drawn: list[Figure]) -> None:
    curves.loss([curves.Curves("", [1.0])], stem)
    assert line(drawn[0].axes[0], "training").get_marker() == "o"


@pytest.mark.parametrize(
    ("panels", "skip"), [([], 0), ([curves.Curves("", [1.0, 2.0])], 2), ([curves.Curves("", [])], 0)]
)
def test_no_epoch_to_show(stem: Path, panels: list[curves.Curves], skip: int) -> None:
    with pytest.raises(ValueError, match="no epoch"):
        curves.loss(panels, stem, skip=skip)
