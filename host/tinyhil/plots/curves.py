"""Training curves: loss, error and accuracy by epoch, for one model or for several side by side; or any trace."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tinyhil.plots import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LONG = 100
_COLUMNS = 3
_STEEP = 1e3
"""How many times larger than its smallest value a series that stays positive may get on a linear scale."""


@dataclass(frozen=True)
class Curves:
    """One quantity of one training.

    Attributes:
        title: of the panel.
        training: value of each epoch on the training set.
        validation: the same on the validation set, if there is one.
        kept_epoch: the epoch whose weights were kept, from 1, if it was not the last.
    """

    title: str
    training: npt.ArrayLike
    validation: npt.ArrayLike | None = None
    kept_epoch: int | None = None


def loss(panels: Sequence[Curves], stem: Path, *, name: str = "mean squared error", skip: int = 0) -> style.Written:
    """Loss by epoch.

    Args:
        panels: one or more, side by side on one scale.
        stem: path without suffix.
        name: of the loss function.
        skip: how many epochs to leave out, so that the first steep ones do not flatten the others.

    Raises:
        ValueError: there is no epoch to show.
        MissingToolError: matplotlib is not installed.
        StorageError: the files cannot be written.
    """
    heading = "Loss" if not skip else f"Loss after the first {skip} epochs"
    return _save(panels, stem, heading, f"Loss ({name})", skip)


def mae(panels: Sequence[Curves], stem: Path, *, unit: str = "", skip: int = 0) -> style.Written:
    """Mean absolute error by epoch, in ``unit``; for the rest see ``loss``."""
    heading = "Mean absolute error" if not skip else f"Mean absolute error after the first {skip} epochs"
    return _save(panels, stem, heading, f"Mean absolute error ({unit})" if unit else "Mean absolute error", skip)


def accuracy(panels: Sequence[Curves], stem: Path, *, skip: int = 0) -> style.Written:
    """Accuracy by epoch, given as shares of 1 and shown in percent; for the rest see ``loss``."""
    heading = "Accuracy" if not skip else f"Accuracy after the first {skip} epochs"
    return _save(panels, stem, heading, "Accuracy (%)", skip, factor=100.0)


def trace(series: Mapping[str, npt.ArrayLike], stem: Path, *, title: str = "") -> style.Written:
    """Every series of a training by its steps, each in a panel of its own; the first value is step 0.

    Args:
        series: (steps,) each, by name.
        stem: path without suffix.
        title: of the picture.

    Raises:
        ValueError: there is no series, or one is empty.
        MissingToolError: matplotlib is not installed.
        StorageError: the files cannot be written.
    """
    values = {name: np.asarray(one, np.float64) for name, one in series.items()}
    if not values or any(one.size == 0 for one in values.values()):
        raise ValueError("there is no step to show")
    columns = min(_COLUMNS, len(values))
    rows = math.ceil(len(values) / columns)
    width = max(style.PANEL[0], 3.6 * columns)

    def draw(figure: Figure) -> None:
        every = figure.subplots(rows, columns, squeeze=False)
        for axes in every.flat[len(values) :]:
            axes.set_visible(False)
        for axes, (name, one) in zip(every.flat, values.items(), strict=False):
            axes.plot(one, marker="." if len(one) <= _LONG else None, color=style.BLUE)
            steep = one.min() > 0 and one.max() > _STEEP * one.min()
            if steep:
                axes.set_yscale("log")
                axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")  # the usual one writes formulas
            axes.set_title(style.title(f"{name} (logarithmic)" if steep else name, width / columns - 0.5))
            axes.set_xlabel("Step")
            axes.xaxis.get_major_locator().set_params(integer=True)
        if title:
            figure.suptitle(style.title(title, width))

    return style.save(stem, (width, 3.0 * rows + 0.6), draw)


def _save(
    panels: Sequence[Curves], stem: Path, heading: str, label: str, skip: int, factor: float | None = None
) -> style.Written:
    if any(len(np.asarray(panel.training)) <= skip for panel in panels) or not panels:
        raise ValueError(f"there is no epoch after the first {skip}")
    width = style.PANEL[0] if len(panels) == 1 else 5.0 * len(panels)

    def draw(figure: Figure) -> None:
        row = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
        for axes, panel in zip(row, panels, strict=True):
            for values, name, look in (
                (panel.training, "training", style.TRAINING),
                (panel.validation, "validation", style.VALIDATION),
            ):
                if values is None:
                    continue
                shown = np.asarray(values, np.float64)[skip:] * (factor or 1.0)
                mark = "o" if len(shown) == 1 else None  # a line of one point is invisible
                # Dashes of hundreds of noisy epochs run into a band.
                long = {"linestyle": "-", "linewidth": 1.0} if len(shown) > _LONG else {}
                axes.plot(
                    np.arange(skip + 1, skip + 1 + len(shown)), shown, label=name, marker=mark, **{**look, **long}
                )
            if panel.kept_epoch is not None and panel.kept_epoch > skip:
                axes.axvline(panel.kept_epoch, color=style.BLACK, linestyle=":", label="epoch whose weights were kept")
            axes.set_xlim(left=skip)
            axes.set_xlabel("Epoch")
            axes.xaxis.get_major_locator().set_params(integer=True)
        row[0].set_ylabel(label)
        if factor is None:
            row[0].set_ylim(bottom=0.0)  # an error's distance from 0 is what is to be seen
        style.headings(figure, row, heading, [panel.title for panel in panels], width)
        style.legend(figure, *row)

    return style.save(stem, (width, style.PANEL[1]), draw)
