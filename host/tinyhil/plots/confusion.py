"""The confusion matrix of a classifier."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tinyhil.plots import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_NUMBERED = 30
"""With more classes the numbers would not be readable, and only the colours are drawn."""

_LETTERS = 18
_DARK = 71.0
"""Percent from which on white stands out more against the map than black."""


def confusion_matrix(
    counts: Sequence[Sequence[int]] | npt.ArrayLike,
    names: Sequence[str],
    stem: Path,
    *,
    title: str = "Confusion matrix",
) -> style.Written:
    """Vectors by true class (rows) and predicted class (columns).

    Colours are shares of the row, so that rare classes are seen as well as frequent ones; the numbers are counts.

    Args:
        counts: (classes, classes).
        names: of the classes.
        stem: path without suffix.
        title: of the picture.

    Raises:
        ValueError: the matrix has another shape.
        MissingToolError: matplotlib is not installed.
        StorageError: the files cannot be written.
    """
    table = np.asarray(counts, np.int64)
    classes = len(names)
    if classes == 0 or table.shape != (classes, classes):
        raise ValueError(f"the matrix of {classes} classes is not {table.shape}")
    labels = [style.short(name, _LETTERS) for name in names]
    longest = max(len(label) for label in labels)
    # A cell holds its largest number, and the names on both sides need their room.
    cell = max(0.5, 0.1 * len(str(table.max())) + 0.12)
    side = max(2.4, cell * classes) if classes <= MOST_NUMBERED else 0.16 * classes
    upright = longest * 0.1 > side / classes
    margin = 0.09 * longest
    size = (max(side + margin + 2.2, 4.8), side + (margin if upright else 0.2) + 1.5)
    totals = table.sum(axis=1, keepdims=True)
    shares = 100.0 * table / np.maximum(totals, 1)

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        image = axes.imshow(shares, cmap=style.MAP, vmin=0.0, vmax=100.0)
        if classes <= MOST_NUMBERED:
            for row, column in np.ndindex(table.shape):
                colour = "white" if shares[row, column] > _DARK else "black"
                axes.text(column, row, str(table[row, column]), ha="center", va="center", color=colour, fontsize=9)
        axes.set_xticks(range(classes), labels, rotation=90 if upright else 0)
        axes.set_yticks(range(classes), labels)
        axes.tick_params(length=0)
        axes.grid(visible=False)
        axes.set_xlabel("Predicted class")
        axes.set_ylabel("True class")
        axes.set_title(style.title(title, side))
        for edge in axes.spines.values():
            edge.set_visible(True)  # the lightest cells are as white as the paper
        figure.colorbar(image, ax=axes, label="Share of the true class (%)", shrink=0.9)

    return style.save(stem, size, draw)
