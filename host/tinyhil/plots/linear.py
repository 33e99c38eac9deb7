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
from tinyhil.plots import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_GRID = 161
_DRAWN = 12
"""Steps of a path that goes off: more would cover the map."""


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
    errors = [float(np.sqrt(np.mean((line.weight * inputs + line.bias - targets) ** 2))) for line in lines]
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
        axes.set_title("Guesses of a line, and their errors")
        style.legend(figure, axes)

    return style.save(stem, (style.PANEL[0], 5.0), draw)


def descent(x: npt.ArrayLike, y: npt.ArrayLike, descents: Sequence[Descent], stem: Path) -> style.Written:
    """Paths of gradient descent over the loss of a line, one panel for each, on one map.

    The map shows the minimum and the paths. Of one whose loss rises only the first steps are drawn, and it may leave
    the map.

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
    losses = [_loss(path[:, :1], path[:, 1:], inputs, targets) for path in paths]
    low, high = _window(best, paths, losses)
    weights, biases = (np.linspace(low[axis], high[axis], _GRID) for axis in (0, 1))
    surface = _loss(weights[np.newaxis, :, np.newaxis], biases[:, np.newaxis, np.newaxis], inputs, targets)
    levels = _levels(float(surface.max()))
    surface = np.maximum(surface, levels[0] / 10)  # 0 has no logarithm, and all below the levels looks the same
    columns = min(2, len(paths))
    rows = math.ceil(len(paths) / columns)

    def draw(figure: Figure) -> None:
        from matplotlib.colors import LogNorm
        from matplotlib.patheffects import withStroke

        every = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        for index, axes in enumerate(every.flat):
            if index >= len(paths):
                axes.set_visible(False)
                continue
            path = paths[index][: _DRAWN + 1] if _rises(losses[index]) else paths[index]
            norm = LogNorm(levels[0], levels[-1])
            filled = axes.contourf(
                weights, biases, surface, levels=levels, norm=norm, cmap=style.MAP, alpha=0.8, extend="both"
            )
            lines = axes.contour(weights, biases, surface, levels=levels, colors="#444444", linewidths=0.6)
            axes.clabel(lines, levels[1::2], fmt=_number, fontsize=8, colors="black", zorder=6)
            for text in axes.texts:
                text.set_path_effects([withStroke(linewidth=2, foreground="white")])
            axes.plot(*path.T, color="white", linewidth=3.0, zorder=3)
            axes.plot(*path.T, color=style.VERMILION, marker=".", markersize=5, linewidth=1.3, zorder=4, label="path")
            axes.plot(*path[0], "s", color="white", markeredgecolor="black", markersize=8, zorder=5, label="start")
            axes.plot(*best, "*", color=style.BLACK, markeredgecolor="white", markersize=13, zorder=5, label="minimum")
            axes.set_xlim(low[0], high[0])
            axes.set_ylim(low[1], high[1])
            heading = (style.title(text, 4.4) for text in (descents[index].label, _outcome(losses[index])))
            axes.set_title("\n".join(heading), fontsize=style.POINTS)
            axes.grid(visible=False)
        for axes in every[:, 0]:
            axes.set_ylabel("Bias b")
        for column in range(columns):
            # Under an empty place the axes above name the axis.
            lowest = max(row for row in range(rows) if row * columns + column < len(paths))
            every[lowest, column].set_xlabel("Weight w")
            every[lowest, column].tick_params(labelbottom=True)
        bar = figure.colorbar(filled, ax=every, label="Loss (mean squared error)", shrink=0.9)
        bar.set_ticks(levels, labels=[_number(level) for level in levels])
        bar.minorticks_off()
        figure.suptitle("Gradient descent on the loss of a line")
        style.legend(figure, every[0, 0])
        for axes in every.flat:
            # A level's number is put somewhere on its line, which may be so near to the frame that it is cut.
            for text in axes.texts:
                box, frame = text.get_window_extent(), axes.get_window_extent()
                text.set_visible(frame.containsx(box.x0) and frame.containsx(box.x1))
                text.set_visible(text.get_visible() and frame.containsy(box.y0) and frame.containsy(box.y1))

    return style.save(stem, (4.6 * columns + 1.4, 4.2 * rows + 0.8), draw)


def _finite(path: Reals) -> Reals:
    """The path up to the first step that is not finite."""
    wrong = np.flatnonzero(~np.isfinite(path).all(axis=1))
    return path[: wrong[0]] if wrong.size else path


def _window(best: Reals, paths: Sequence[Reals], losses: Sequence[Reals]) -> tuple[Reals, Reals]:
    """Lowest and highest weight and bias of the map.

    It holds the minimum, the starts, and the paths that come down, as far as they stay near the former two.
    """
    ends = np.array([best, *(path[0] for path in paths)])
    low, high = ends.min(axis=0), ends.max(axis=0)
    span = np.where(high > low, high - low, 1.0)
    shown = np.concatenate([ends, *(path for path, loss in zip(paths, losses, strict=True) if not _rises(loss))])
    shown = np.clip(shown, low - span, high + span)
    low, high = shown.min(axis=0), shown.max(axis=0)
    margin = 0.2 * np.where(high > low, high - low, 1.0)
    return low - margin, high + margin


def _levels(highest: float) -> list[float]:
    """Round numbers of the three decades below the highest loss; below them all is equally good."""
    top = math.floor(math.log10(highest))
    rounds = [digit * 10.0**power for power in range(top - 3, top + 1) for digit in (1, 2, 5)]
    return [level for level in rounds if highest / 1e3 <= level <= highest]


def _loss(weight: npt.ArrayLike, bias: npt.ArrayLike, inputs: Reals, targets: Reals) -> Reals:
    with np.errstate(over="ignore"):  # a path that ran away may have a loss beyond float64
        squares: Reals = ((np.asarray(weight) * inputs + np.asarray(bias) - targets) ** 2).mean(axis=-1)
    return squares


def _rises(losses: Reals) -> bool:
    return bool(losses[-1] > losses[0])


def _outcome(losses: Reals) -> str:
    steps = len(losses) - 1
    drawn = f" (first {_DRAWN} drawn)" if _rises(losses) and steps > _DRAWN else ""
    return f"loss {_number(float(losses[-1]))} after {steps} step{'' if steps == 1 else 's'}{drawn}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if 100.0 <= value < 1e9 else f"{value:.3g}"
