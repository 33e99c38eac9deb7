"""What quantization and the device cost: error per input in LSB, and what happened inside the model."""

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
    from matplotlib.container import BarContainer
    from matplotlib.figure import Figure

MOST_STICKS = 1024
"""With more inputs than this, each place shows the smallest and the largest of several."""

MOST_TENSORS = 24
"""Of a larger model, those with the largest error are shown."""

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
    """What quantization did to a tensor; all figures are shares, 1 is the whole.

    Attributes:
        name: of the tensor.
        error: largest difference to the float model's values, as a share of their range; NaN where it is not known.
        outside: share of the float model's values that the calibrated range cuts off; NaN where it is not known.
        saturated_low: share of the values at the lowest representable number; 0 where that stands for real 0.
        saturated_high: share at the highest.
    """

    name: str
    error: float
    outside: float
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
    """Bars per tensor: the error that it carries, what its calibrated range cuts off, and what lies at the ends of it.

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
    errors = np.nan_to_num([tensor.error for tensor in tensors])
    worst = sorted(np.argsort(-errors, kind="stable")[:MOST_TENSORS].tolist())
    shown = [tensors[place] for place in worst]
    all_of_them = len(shown) == len(tensors)
    which = "" if all_of_them else f": the {len(shown)} of {len(tensors):,} tensors with the largest error"
    names = [style.short(tensor.name, _LETTERS) for tensor in shown]
    rows = np.arange(len(shown))
    error, outside, low, high = (
        np.array([100.0 * getattr(tensor, field) for tensor in shown])
        for field in ("error", "outside", "saturated_low", "saturated_high")
    )

    def draw(figure: Figure) -> None:
        first, second, third = figure.subplots(1, 3, sharey=True)
        _bars(first, rows, error, "Largest error\n(% of the float values' range)")
        _bars(second, rows, outside, "Float values outside\nthe calibrated range (%)")
        third.barh(rows, low, color=style.ORANGE, edgecolor="white", label="at the lowest number")
        ends = third.barh(
            rows, high, left=low, color=style.PURPLE, hatch="//", edgecolor="white", label="at the highest"
        )
        _numbered(third, ends, low + high, "Values at an end of\nthe range (%)")
        first.set_yticks(rows, names)
        first.set_ylim(len(rows) - 0.4, -0.6)  # the input is at the top
        for axes in (first, second, third):
            axes.grid(visible=False, axis="y")
        figure.suptitle(f"What quantization did inside the model{which}")
        style.legend(figure, third)

    return style.save(stem, (9.6, 0.36 * len(shown) + 2.1), draw)


def _bars(axes: Axes, rows: npt.NDArray[np.int_], values: Reals, label: str) -> None:
    _numbered(axes, axes.barh(rows, np.nan_to_num(values), color=style.BLUE), values, label)


def _numbered(axes: Axes, bars: BarContainer, values: Reals, label: str) -> None:
    """Numbers behind the bars, and room for them; what is not known has none."""
    known = np.nan_to_num(values)
    axes.bar_label(bars, labels=["" if np.isnan(value) else f"{value:.3g}" for value in values], padding=3, fontsize=9)
    axes.set_xlim(0.0, max(1.0, 1.3 * float(known.max())))
    axes.set_xlabel(label)
    axes.tick_params(left=False)


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
