"""Errors of quantization show what they were handed, and can be read whatever that is."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from tinyhil.plots import quantization

from .look import LONG, legend


def sticks(axes: Axes) -> Any:
    (found,) = (one for one in axes.collections if isinstance(one, LineCollection))
    return np.array(found.get_segments())


def test_error_per_input(stem: Path, drawn: list[Figure]) -> None:
    errors = [
        quantization.LsbError("Device - reference", [0, 0, 0], tolerance=0),
        quantization.LsbError("Reference - float", [0.5, 0.0, -1.5], tolerance=2),
    ]
    quantization.lsb_error(errors, stem, inputs=np.array([3.0, 1.0, 2.0]), x_label="x (rad)")
    upper, lower = drawn[0].axes
    assert upper.get_title() == "Device - reference\n0 LSB at all 3 inputs (tolerance 0)"
    assert lower.get_title() == "Reference - float\nup to 1.5 LSB, not 0 at 2 of 3 inputs (tolerance 2)"
    assert sticks(lower)[:, 1].tolist() == [[1, 0], [2, -1.5], [3, 0.5]]
    assert lower.get_xlabel() == "x (rad)"
    assert lower.get_ylim()[1] > 2
    assert legend(drawn[0]) == ["tolerance"]


def test_one_wrong_input_of_65536_is_seen(stem: Path, drawn: list[Figure]) -> None:
    for place in (0, 12345, 65535):
        values = np.zeros(65536)
        values[place] = -3
        quantization.lsb_error([quantization.LsbError("Device - reference", values, 0)], stem)
        ends = sticks(drawn[-1].axes[0])
        assert len(ends) == quantization.MOST_STICKS
        wrong = ends[ends[:, :, 1].min(axis=1) == -3]
        assert len(wrong) == 1
        assert wrong[0, 0, 0] == pytest.approx(place, abs=65536 / quantization.MOST_STICKS)


@pytest.mark.parametrize("values", [[0.0], [1e6, -3], [0.001] * 5, list(range(-128, 128))])
@pytest.mark.parametrize("panels", [1, 2, 3])
def test_any_error_can_be_read(stem: Path, drawn: list[Figure], values: list[float], panels: int) -> None:
    quantization.lsb_error([quantization.LsbError(LONG, values, 1)] * panels, stem)
    assert len(drawn[0].axes) == panels


def test_no_error_to_show(stem: Path) -> None:
    for errors in ([], [quantization.LsbError("", [])]):
        with pytest.raises(ValueError, match="no error"):
            quantization.lsb_error(errors, stem)
    with pytest.raises(ValueError, match="each input"):
        quantization.lsb_error([quantization.LsbError("", [1, 2])], stem, inputs=[1.0])


def bars(axes: Axes) -> list[tuple[float, float]]:
    """Start and length of each."""
    return [(bar.get_x(), bar.get_width()) for bar in axes.patches if isinstance(bar, Rectangle)]


def test_error_cut_off_and_saturation_of_tensors(stem: Path, drawn: list[Figure]) -> None:
    tensors = [
        quantization.TensorUse("input", 0.02, 0.0, 0.25, 0.5),
        quantization.TensorUse("output", math.nan, 0.125, 0.0, 0.0),
    ]
    quantization.calibration(tensors, stem)
    error, outside, ends = drawn[0].axes
    assert bars(error) == [(0, 2), (0, 0)]
    assert [text.get_text() for text in error.texts] == ["2", ""]  # what is not known is not 0
    assert bars(outside) == [(0, 0), (0, 12.5)]
    assert bars(ends) == [(0, 25), (0, 0), (25, 50), (0, 0)]
    assert [label.get_text() for label in error.get_yticklabels()] == ["input", "output"]
    assert [text.get_text() for text in ends.texts] == ["75", "0"]
    low, high = error.get_ylim()
    assert low > high  # the input is at the top


@pytest.mark.parametrize("count", [1, 3, 20])
def test_any_calibration_can_be_read(stem: Path, drawn: list[Figure], count: int) -> None:
    shares = np.linspace(0, 1, count).tolist()
    quantization.calibration([quantization.TensorUse(LONG, share, share, share, 1 - share) for share in shares], stem)
    quantization.calibration([quantization.TensorUse("t", 123.4, 1e-5, 0.0, 1e-5)] * count, stem)
    assert len(drawn) == 2
    assert all(len(text.get_text()) < 30 for text in drawn[0].axes[0].get_yticklabels())


def test_of_many_tensors_the_worst_are_shown_in_their_order(stem: Path, drawn: list[Figure]) -> None:
    errors = [math.nan, *np.random.default_rng(1).permutation(299).tolist()]
    uses = [quantization.TensorUse(f"{place}", error, 0.0, 0.0, 0.0) for place, error in enumerate(errors)]
    quantization.calibration(uses, stem)
    most = quantization.MOST_TENSORS
    expected = [str(place) for place, error in enumerate(errors) if error >= 299 - most]
    assert [label.get_text() for label in drawn[0].axes[0].get_yticklabels()] == expected
    assert drawn[0].get_suptitle().endswith(f"the {most} of 300 tensors with the largest error")


def test_no_tensor_to_show(stem: Path) -> None:
    with pytest.raises(ValueError, match="no tensor"):
        quantization.calibration([], stem)
