"""Curves over time, or over one another, as a monitor shows them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tinyhil.plots import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LARGEST = 1e300
_LETTERS = 40


def png(
    path: Path,
    curves: Mapping[str, tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]],
    across: str,
    *,
    points: bool = False,
) -> None:
    """Draws curves into a .png file.

    Args:
        path: the file.
        curves: x and y by name; points that are not finite leave a gap.
        across: what the axis of x is called.
        points: draws points in place of lines.

    Raises:
        MissingToolError: matplotlib is not installed.
        StorageError: the file cannot be written.
    """

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for index, (name, (x, y)) in enumerate(curves.items()):
            looks: dict[str, Any] = {"linestyle": "none", "marker": ".", "markersize": 3} if points else {}
            drawable = [np.where(np.abs(part) <= _LARGEST, part, np.nan) for part in (x, y)]
            colour = style.CYCLE[index % len(style.CYCLE)]
            axes.plot(*drawable, color=colour, label=style.short(name, _LETTERS), **looks)
        axes.set_xlabel(across)
        style.legend(figure, axes)

    style.write(path, style.PANEL, draw)
