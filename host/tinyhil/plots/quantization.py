"""What quantization and the device cost: error per input in LSB, and how well the calibrated ranges fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tinyhil.artifacts.types import Reals
from tinyhil.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_STICKS = 1024
"""With more inputs than this, each place shows the smallest and the largest of several."""

_LETTERS = 28


@dataclass(frozen=True)
class LsbError:
    """A difference of two computations.

    Attributes:
        title: what minus what.
        lsb: (vectors,), the largest difference of each vector's outputs by absolute value, with its sign.
        tolerance: what is allowed either way, if there is a limit.
    """

    title: str
    lsb: npt.ArrayLike
    tolerance: float | None = None


@dataclass(frozen=True)
class TensorUse:
    """How a tensor's quantized range is used by data.

    Attributes:
        name: of the tensor.
        coverage: share of the representable range between the smallest and the largest value that occurred, 0 to 1.
        saturated_low: share of the values at the lowest representable number, 0 to 1.
        saturated_high: share at the highest.
    """

    name: str
    coverage: float
    saturated_low: float
    saturated_high: float


def lsb_error(
    errors: Sequence[LsbError], stem: Path, *, inputs: npt.ArrayLike | None = None, x_label: str = "Input"
) -> style.Written:
    """Error per input, one panel below the other.

    Args:
        errors: the differences, such as device minus reference, and reference minus float model.
        stem: path without suffix.
        inputs: the model's one input in real units, (vectors,); without them the vectors are numbered.
        x_label: what the input is, with its unit.

    Raises:
        ValueError: there is nothing to show, or not the same number of inputs.
        MissingToolError: matplotlib is not installed.
        StorageError: the files cannot be written.
    """
    series = [np.asarray(one.lsb, np.float64) for one in errors]
    if not series or any(values.size == 0 for values in series):
        raise ValueError("there is no error to show")
    places = np.arange(len(series[0]), dtype=np.float64) if inputs is None else np.asarray(inputs, np.float64)
    if any(values.shape != places.shape for values in series):
        raise ValueError("there is not one error for each input")

    def draw(figure: Figure) -> None:
        column = figure.subplots(len(errors), 1, sharex=True, squeeze=False)[:, 0]
        for axes, one, values in zip(column, errors, series, strict=True):
            _sticks(axes, places, values)
            if one.tolerance:
                for limit in (-one.tolerance, one.tolerance):
                    axes.axhline(limit, color=style.BLUE, linestyle="--", linewidth=1.2, label="tolerance")
            reach = 1.25 * max(1.0, float(np.abs(values).max()), one.tolerance or 0.0)
            axes.set_ylim(-reach, reach)
            axes.set_ylabel("Error (LSB)")
            allowed = "" if one.tolerance is None else f" (tolerance {one.tolerance:g})"
            lines = (style.title(text, style.PANEL[0] - 1.0) for text in (one.title, _summary(values) + allowed))
            axes.set_title("\n".join(lines))
        column[-1].set_xlabel("Vector" if inputs is None else x_label)
        style.legend(figure, *column)

    return style.save(stem, (style.PANEL[0], 2.8 * len(errors) + 0.8), draw)


def calibration(tensors: Sequence[TensorUse], stem: Path) -> style.Written:
    """Bars per tensor: how much of its range is used, and how many values lie at the ends.

    A range that is hardly used wastes resolution; one with values at its ends may have cut them off.

    Args:
        tensors: from the model's input to its output.
        stem: path without suffix.

    Raises:
        ValueError: there is nothing to show.
        MissingToolError: matplotlib is not installed.
        StorageError: the files cannot be written.
    """
    if not tensors:
        raise ValueError("there is no tensor to show")
    names = [style.short(tensor.name, _LETTERS) for tensor in tensors]
    rows = np.arange(len(tensors))
    low = np.array([100.0 * tensor.saturated_low for tensor in tensors])
    high = np.array([100.0 * tensor.saturated_high for tensor in tensors])
    used = np.array([100.0 * tensor.coverage for tensor in tensors])

    def draw(figure: Figure) -> None:
        left, right = figure.subplots(1, 2, sharey=True)
        bars = left.barh(rows, used, color=style.BLUE)
        left.bar_label(bars, fmt="%.0f", padding=3, fontsize=9)
        left.set_xlim(0.0, 118.0)
        left.set_xticks(range(0, 101, 25))
        left.set_xlabel("Range that is used (%)")
        left.set_yticks(rows, names)
        left.invert_yaxis()
        right.barh(rows, low, color=style.ORANGE, edgecolor="white", label="at the lowest number")
        ends = right.barh(
            rows, high, left=low, color=style.PURPLE, hatch="//", edgecolor="white", label="at the highest"
        )
        right.bar_label(ends, labels=[f"{value:.3g}" for value in low + high], padding=3, fontsize=9)
        right.set_xlim(0.0, max(1.0, 1.25 * float((low + high).max())))
        right.set_xlabel("Values at an end of the range (%)")
        right.tick_params(left=False)
        for axes in (left, right):
            axes.grid(visible=False, axis="y")
        figure.suptitle("Calibrated ranges and saturation")
        style.legend(figure, right)

    return style.save(stem, (8.6, 0.36 * len(tensors) + 1.9), draw)


def _sticks(axes: Axes, places: Reals, values: Reals) -> None:
    axes.axhline(0.0, color=style.GREY, linewidth=1.0)
    order = np.argsort(places, kind="stable")
    x, y = places[order], values[order]
    if len(x) <= MOST_STICKS:
        axes.vlines(x, 0.0, y, color=style.VERMILION, linewidth=1.0)
        axes.plot(x, y, ".", color=style.VERMILION, markersize=3.5)
        return
    parts = np.array_split(np.arange(len(x)), MOST_STICKS)
    middle = [float(x[part].mean()) for part in parts]
    axes.vlines(
        middle,
        [min(0.0, y[part].min()) for part in parts],
        [max(0.0, y[part].max()) for part in parts],
        color=style.VERMILION,
        linewidth=1.0,
    )


def _summary(values: Reals) -> str:
    wrong = int(np.count_nonzero(values))
    if not wrong:
        return f"0 LSB at all {len(values):,} inputs"
    return f"up to {np.abs(values).max():.3g} LSB, not 0 at {wrong:,} of {len(values):,} inputs"
