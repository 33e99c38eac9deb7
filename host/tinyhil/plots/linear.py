"""The straight line: guesses with their errors, and how gradient descent finds the best one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tinyhil.artifacts.types import Reals
from tinyhil.compare import metrics
from tinyhil.plots import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_GRID = 161
_LEVELS = 9


@dataclass(frozen=True)
class Line:
    """A line ``weight * x + bias`` and what to call it."""

    label: str
    weight: float
    bias: float


@dataclass(frozen=True)
class Descent:
    """One descent.

    Attributes:
        label: of the panel, such as the learning rate.
        path: (steps + 1, 2), weight and bias from the start on; values that are not finite end it.
    """

    label: str
    path: npt.ArrayLike


def guesses(x: npt.ArrayLike, y: npt.ArrayLike, lines: Sequence[Line], stem: Path) -> style.Written:
    """Points, and lines through them, each with its error.

    Two errors are named, as they are often taken for one another: RMSD, the root of the *mean* squared difference, and
    the root of the *sum* of the squared differences.

    Args:
        x: inputs, (points,).
        y: targets, (points,).
        lines: the guesses.
        stem: path without suffix.

    Raises:
        ValueError: there are no points, or the shapes differ.
        MissingToolError: matplotlib is not installed.
        StorageError: the files cannot be written.
    """
    inputs, targets = np.asarray(x, np.float64), np.asarray(y, np.float64)
    errors = [metrics.figures(line.weight * inputs + line.bias, targets).rmse for line in lines]
    ends = np.array([inputs.min(), inputs.max()])

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for index, (line, rmsd) in enumerate(zip(lines, errors, strict=True)):
            summed = rmsd * math.sqrt(inputs.size)
            axes.plot(
                ends,
                line.weight * ends + line.bias,
                color=style.CYCLE[index % len(style.CYCLE)],
                linestyle=style.DASHES[index % len(style.DASHES)],
                label=f"{line.label}: RMSD {rmsd:.2f}, root of the summed squares {summed:.2f}",
            )
        axes.plot(inputs, targets, "o", color=style.BLACK, label="data", zorder=3)
        axes.set_xlabel("x")
        axes.set_ylabel("y")
        figure.suptitle("Guesses of a line, and their errors")
        style.legend(figure, axes)

    return style.save(stem, (style.PANEL[0], 5.0), draw)


def descent(x: npt.ArrayLike, y: npt.ArrayLike, descents: Sequence[Descent], stem: Path) -> style.Written:
    """Paths of gradient descent over the loss of a line, one panel for each, on one map.

    The map shows every start and the minimum, with room around; a path may leave it, and then it says so.

    Args:
        x: inputs, (points,), not all equal.
        y: targets, (points,).
        descents: the paths.
        stem: path without suffix.

    Raises:
        ValueError: there is no path, or one is empty.
        MissingToolError: matplotlib is not installed.
        StorageError: the files cannot be written.
    """
    inputs, targets = np.asarray(x, np.float64), np.asarray(y, np.float64)
    paths = [_finite(np.asarray(one.path, np.float64)) for one in descents]
    if not paths or any(len(path) == 0 for path in paths):
        raise ValueError("there is no path to show")
    best = np.polyfit(inputs, targets, 1)
    low, high = _window(np.array([best, *(path[0] for path in paths)]))
    weights, biases = (np.linspace(low[axis], high[axis], _GRID) for axis in (0, 1))
    surface = _loss(weights[np.newaxis, :, np.newaxis], biases[:, np.newaxis, np.newaxis], inputs, targets)
    # The smallest loss may be 0, which has no logarithm; three decades below the largest all is equally good.
    levels = np.geomspace(surface.max() / 1e3, surface.max(), _LEVELS)
    columns = min(2, len(paths))
    rows = math.ceil(len(paths) / columns)

    def draw(figure: Figure) -> None:
        from matplotlib.colors import LogNorm

        every = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        for index, axes in enumerate(every.flat):
            if index >= len(paths):
                axes.set_visible(False)
                continue
            path, name = paths[index], descents[index].label
            norm = LogNorm(levels[0], levels[-1])
            filled = axes.contourf(
                weights, biases, surface, levels=levels, norm=norm, cmap=f"{style.MAP}_r", alpha=0.75, extend="min"
            )
            lines = axes.contour(weights, biases, surface, levels=levels[1:-1:2], colors="#444444", linewidths=0.6)
            axes.clabel(lines, fmt="%.3g", fontsize=8)
            axes.plot(*path.T, color="white", linewidth=3.4, zorder=3)
            axes.plot(*path.T, color=style.VERMILION, marker=".", markersize=5, linewidth=1.4, zorder=4, label="path")
            axes.plot(*path[0], "s", color=style.BLUE, markeredgecolor="white", markersize=8, zorder=5, label="start")
            axes.plot(*best, "*", color=style.BLACK, markeredgecolor="white", markersize=13, zorder=5, label="minimum")
            axes.set_xlim(low[0], high[0])
            axes.set_ylim(low[1], high[1])
            axes.set_title(f"{style.title(name, 4.6)}\n{_outcome(path, low, high, inputs, targets)}", fontsize=10)
            axes.grid(visible=False)
        for axes in every[:, 0]:
            axes.set_ylabel("Bias b")
        for column in range(columns):
            # Under an empty place the axes above name the axis.
            lowest = max(row for row in range(rows) if row * columns + column < len(paths))
            every[lowest, column].set_xlabel("Weight w")
            every[lowest, column].tick_params(labelbottom=True)
        bar = figure.colorbar(filled, ax=every, label="Loss (mean squared error)", shrink=0.9, format="%.3g")
        bar.set_ticks(list(levels[::2]))
        bar.minorticks_off()
        figure.suptitle("Gradient descent on the loss of a line")
        style.legend(figure, every[0, 0])

    return style.save(stem, (4.6 * columns + 1.4, 4.2 * rows + 0.8), draw)


def _finite(path: Reals) -> Reals:
    """The path up to the first step that is not finite."""
    wrong = np.flatnonzero(~np.isfinite(path).all(axis=1))
    return path[: wrong[0]] if wrong.size else path


def _window(points: Reals) -> tuple[Reals, Reals]:
    low, high = points.min(axis=0), points.max(axis=0)
    margin = 0.45 * np.where(high > low, high - low, 1.0)
    return low - margin, high + margin


def _loss(weight: npt.ArrayLike, bias: npt.ArrayLike, inputs: Reals, targets: Reals) -> Reals:
    squares: Reals = ((np.asarray(weight) * inputs + np.asarray(bias) - targets) ** 2).mean(axis=-1)
    return squares


def _outcome(path: Reals, low: Reals, high: Reals, inputs: Reals, targets: Reals) -> str:
    outside = np.flatnonzero(((path < low) | (path > high)).any(axis=1))
    steps = len(path) - 1
    with np.errstate(over="ignore"):  # a path that ran away may have a loss beyond float64
        last = float(_loss(path[-1:, :1], path[-1:, 1:], inputs, targets)[0])
    left = f", leaves the map at step {outside[0]}" if outside.size else ""
    return f"loss {last:.3g} after {steps} step{'s' if steps != 1 else ''}{left}"
