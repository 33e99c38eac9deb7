"""The plot as a file: a picture for people, or the numbers for programs."""

from __future__ import annotations

from pathlib import Path

from tinyhil import kinds
from tinyhil.artifacts import store
from tinyhil.errors import InputError
from tinyhil.monitor.plot_pane import PlotPane
from tinyhil.plots import traces
from tinyhil.stream.svg import drawing
from tinyhil.stream.table import Table

_COLUMNS = 1500
"""Of a picture: as many columns as points are needed for."""
_TABLES = (".csv", ".npz")


def save(path: Path, plot: PlotPane, table: Table) -> str:
    """Writes a file, by the end of its name; a picture shows what the plot shows, a table has all series.

    Returns:
        What was written, in words.

    Raises:
        InputError: the name ends otherwise, or there is nothing to be drawn.
        MissingToolError: matplotlib, which draws .png, is not installed.
        StorageError: the file cannot be written.
    """
    suffix = path.suffix.lower()
    if suffix in _TABLES:
        table.export(path)
        return f"{path} is written"
    if suffix not in (".png", ".svg"):
        raise InputError(
            f"{path} ends with none of .png, .svg, .csv and .npz", hint="name the file so", kind=kinds.CONFIG
        )
    curves = plot.shown_curves(_COLUMNS)
    if not any(len(curve.x) for curve in curves.values()):
        raise InputError(
            f"{path} would be empty: there is nothing to be drawn yet",
            hint="wait for numbers, or look at another window",
        )
    if suffix == ".svg":
        store.write_bytes(path, drawing(curves, plot.across, points=plot.xy).encode())
    else:
        traces.png(path, {name: (curve.x, curve.y) for name, curve in curves.items()}, plot.across, points=plot.xy)
    return f"{path} is written"
