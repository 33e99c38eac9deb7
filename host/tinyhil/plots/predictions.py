"""What the float model, the integer reference and the device predict, beside what is true."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tinyhil.artifacts.types import Reals
from tinyhil.plots import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Predictions:
    """The predictions of one model, in real units; all arrays are (vectors,).

    Attributes:
        title: of the panel.
        actual: the truth, or the samples of the test set.
        inputs: the model's input, where it is one number.
        float_model: the float model's outputs.
        reference: the integer reference's outputs.
        device: the device's outputs.
    """

    title: str
    actual: npt.ArrayLike
    inputs: npt.ArrayLike | None = None
    float_model: npt.ArrayLike | None = None
    reference: npt.ArrayLike | None = None
    device: npt.ArrayLike | None = None


def over_input(
    panels: Sequence[Predictions], stem: Path, *, x_label: str = "Input", y_label: str = "Output"
) -> style.Written:
    """Actual and predicted values over a model's one input; two panels show a base model beside an improved one.

    Args:
        panels: one or more, side by side on one scale; each with ``inputs``.
        stem: path without suffix.
        x_label: what the input is, with its unit.
        y_label: what the output is, with its unit.

    Raises:
        ValueError: there is no panel, or one has no inputs.
        MissingToolError: matplotlib is not installed.
        StorageError: the files cannot be written.
    """
    if not panels or any(panel.inputs is None for panel in panels):
        raise ValueError("predictions over the input need inputs")
    width = style.PANEL[0] if len(panels) == 1 else 5.0 * len(panels)

    def draw(figure: Figure) -> None:
        row = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
        for axes, panel in zip(row, panels, strict=True):
            inputs = np.asarray(panel.inputs, np.float64)
            order = np.argsort(inputs, kind="stable")
            axes.plot(inputs, np.asarray(panel.actual, np.float64), label="actual", **style.TRUTH)
            for values, name, look in _series(panel):
                axes.plot(inputs[order], values[order], label=name, **look)
            axes.set_xlabel(x_label)
        row[0].set_ylabel(y_label)
        style.headings(figure, row, "Predicted and actual", [panel.title for panel in panels], width)
        style.legend(figure, *row)

    return style.save(stem, (width, style.PANEL[1]), draw)


def against_actual(panels: Sequence[Predictions], stem: Path, *, unit: str = "") -> style.Written:
    """Predicted over actual values, for a model of any inputs: what is right lies on the diagonal.

    Args:
        panels: one or more, side by side.
        stem: path without suffix.
        unit: of the output.

    Raises:
        ValueError: there is no panel.
        MissingToolError: matplotlib is not installed.
        StorageError: the files cannot be written.
    """
    if not panels:
        raise ValueError("there is nothing to show")
    width = 5.0 * len(panels)
    suffix = f" ({unit})" if unit else ""
    low, high = _limits(panels)

    def draw(figure: Figure) -> None:
        row = figure.subplots(1, len(panels), sharex=True, sharey=True, squeeze=False)[0]
        for axes, panel in zip(row, panels, strict=True):
            actual = np.asarray(panel.actual, np.float64)
            axes.plot([low, high], [low, high], color=style.GREY, linewidth=1.2, label="predicted = actual")
            for values, name, look in _series(panel):
                marks = {"linestyle": "none", "marker": "s", "markersize": 4.5} if look is style.FLOAT else {}
                axes.plot(actual, values, label=name, **{**look, **marks})
            axes.set_xlabel(f"Actual{suffix}")
            axes.set_xlim(low, high)
            axes.set_ylim(low, high)
            axes.set_aspect("equal")
        row[0].set_ylabel(f"Predicted{suffix}")
        style.headings(figure, row, "Predicted over actual", [panel.title for panel in panels], width)
        style.legend(figure, *row)

    return style.save(stem, (width, 5.4), draw)


def _limits(panels: Sequence[Predictions]) -> tuple[float, float]:
    """The ends of both axes: all finite values, and some room."""
    drawn = [np.asarray(panel.actual, np.float64) for panel in panels]
    drawn += [values for panel in panels for values, _, _ in _series(panel)]
    every = np.concatenate([values[np.isfinite(values)] for values in drawn])
    low, high = (float(every.min()), float(every.max())) if every.size else (0.0, 0.0)
    margin = 0.04 * (high - low) or 0.5 * max(1.0, abs(high))
    return low - margin, high + margin


def _series(panel: Predictions) -> Iterator[tuple[Reals, str, dict[str, Any]]]:
    for values, name, look in (
        (panel.float_model, "float model", style.FLOAT),
        (panel.reference, "integer reference", style.REFERENCE),
        (panel.device, "device", style.DEVICE),
    ):
        if values is not None:
            yield np.asarray(values, np.float64), name, look
