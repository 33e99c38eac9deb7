"""The series of a port as curves, with their figures below."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static
from textual_plot import HiResMode, PlotWidget

from tinyhil.stream.series import EVERYTHING, Curve, Window, thinned
from tinyhil.stream.table import Table

COLOURS = ("#4dd0e1", "#ff79c6", "#a5d66f", "#ffd54f", "#82aaff", "#ff8a65", "#d7baff", "#e0e0e0")
COLOURS_ON_LIGHT = ("#00697a", "#b3006b", "#3b6d00", "#8a5300", "#1446c8", "#b3261e", "#6a1fc0", "#333333")
"""Of the series that are drawn, which are the first so many of those that are not hidden."""

ASKED = ("asked x", "device y", "reference y")
"""Names of the series that answers of the model's device make."""

WINDOWS = (EVERYTHING, Window(samples=100), Window(samples=1000), Window(seconds=10), Window(seconds=60))
"""In the order in which a key leads through them."""

_MARGIN_TOP = 1
"""Rows between lines and plot."""

_POINTS = 2000
"""Of one series over another, the last ones."""

_MARKED_EVERY = 3
"""Columns for one point of the device that lies beside a curve, which would be hidden behind more of them."""

_LARGEST = 1e100
"""Values beyond it are drawn at it: differences of larger ones may be none."""
_FLAT = 1e-9
"""Of its size, what a range has to be to be drawn."""


def window_text(window: Window) -> str:
    """A window in words."""
    if window.samples is not None:
        return f"last {window.samples:,} values"
    return "all values" if window.seconds is None else f"last {window.seconds:g} s"


class PlotPane(Vertical):
    """Draws a table of series.

    Args:
        table: the series.
        start: the time that is 0 on the axis, in seconds.

    Attributes:
        frozen: whether the picture stays as it is.
        window: which part of each series is drawn.
        xy: whether the second series is drawn over the first, in place of all over time.
        hidden: names of series that are not drawn.
        curves: what is drawn, by name.
        picture: where it is drawn.
        beside: curves that are drawn with x over y, such as those of the float model.
    """

    DEFAULT_CSS = """
    PlotPane { width: 1fr; height: 1fr; }
    PlotPane PlotWidget > .plot--axis { color: $text-muted; }
    PlotPane PlotWidget:focus > .plot--axis { color: $text; }
    PlotPane PlotWidget > .plot--tick { color: $text; text-style: none; }
    PlotPane PlotWidget > .plot--label { color: $text; text-style: none; }
    PlotPane PlotWidget { height: 1fr; }
    PlotPane .figures { height: auto; max-height: 9; }
    """

    def __init__(self, table: Table, start: float, beside: Mapping[str, Curve]) -> None:
        super().__init__()
        self.frozen = False
        self.window = EVERYTHING
        self.xy = False
        self.hidden: set[str] = set()
        self._table = table
        self._start = start
        self._drawn = -1
        self.curves: dict[str, Curve] = {}
        self.beside = dict(beside)
        self.picture = PlotWidget()
        self.picture.set_reactive(PlotWidget.margin_top, _MARGIN_TOP)
        self._figures_below = Static(classes="figures")

    def compose(self) -> ComposeResult:
        """The picture, and the figures."""
        yield self.picture
        yield self._figures_below

    def draw(self, *, again: bool = False) -> None:
        """Draws what is there by now, unless nothing has come or it is frozen.

        Args:
            again: draws in any case: something else is to be seen.
        """
        count = sum(series.count for series in self._table.series.values())
        if not again and (self.frozen or count == self._drawn):
            return
        self._drawn = count
        self.curves = self._curves()
        plot = self.picture
        plot.clear()
        drawn = list(zip(self._colours, self.curves.items(), strict=False))
        for colour, (name, curve) in reversed(drawn):  # what the device has computed comes last, on top
            x, y = _drawable(curve)
            if not self.xy or name in self.beside:
                plot.plot(x, y, line_style=colour, hires_mode=HiResMode.BRAILLE)
            elif self.beside:
                x, y = _apart(Curve(x, y), self.beside, max(1, self.size.width // _MARKED_EVERY))
                plot.scatter(x, y, marker="●", marker_style=colour)
            else:
                plot.scatter(x, y, marker_style=colour, hires_mode=HiResMode.BRAILLE)
        for across, up in _corners(list(self.curves.values())):
            plot.plot([across], [up])
        plot.set_xlabel(self.across)
        self._figures_below.update(self._figures())

    @property
    def _colours(self) -> tuple[str, ...]:
        return COLOURS if self.app.current_theme.dark else COLOURS_ON_LIGHT

    @property
    def across(self) -> str:
        """What the axis of x is called."""
        return "x" if self.xy else "seconds"

    def shown_curves(self, columns: int) -> dict[str, Curve]:
        """What is drawn by now, in a picture with so many columns."""
        return self._curves(columns)

    def _curves(self, columns: int | None = None) -> dict[str, Curve]:
        """What is to be drawn, by name."""
        names = [name for name in self._table.series if name not in self.hidden][: len(COLOURS)]
        if self.xy:
            pairs = sorted(self._table.curves) or list(pairwise(names))[:1]
            if ASKED[0] in self._table.series and ASKED[:2] not in pairs:
                pairs.append(ASKED[:2])
            drawn = {f"{y} over {x}": self._table.xy(x, y, self.window) for x, y in pairs}
            return {**{name: Curve(*(part[-_POINTS:] for part in drawn[name])) for name in drawn}, **self.beside}
        columns = columns or max(20, self.size.width)
        found = {}
        for name in names:
            series = self._table.series[name]
            curve = thinned(series.curve(self.window), columns)
            start = self._start if not series.own_clock else float(curve.x[0]) if len(curve.x) else 0.0
            found[name] = Curve(curve.x - start, curve.y)
        return found

    def _figures(self) -> Text:
        """A row for each series that is drawn. Its name is the device's: it is text, and no markup."""
        rows = Text()
        for colour, name in zip(self._colours, self.curves, strict=False):
            series = self._table.series.get(name)
            rows.append("━━ ", style=colour).append(name)
            if series is None:
                rows.append("   ")  # a curve has a name only, so that several have room in a row
                continue
            unit = f" {series.unit}" if series.unit else ""
            low, high, mean, rate = series.figures(self.window)[1:]
            rows.append(
                f"  {series.last:.5g}{unit}  min {low:.5g}  max {high:.5g}  mean {mean:.5g}  {rate:.3g}/s",
                style="dim",
            )
            rows.append("\n")
        rows.rstrip()
        return rows


def _drawable(curve: Curve) -> Curve:
    return Curve(np.clip(curve.x, -_LARGEST, _LARGEST), np.clip(curve.y, -_LARGEST, _LARGEST))


def _apart(points: Curve, beside: Mapping[str, Curve], count: int) -> Curve:
    """Of each part of the axis the one point that is farthest from a curve, so that none that is off is left out."""
    finite = np.isfinite(points.x) & np.isfinite(points.y)
    x, y = points.x[finite], points.y[finite]
    if not len(x):
        return Curve(x, y)
    curve = next(iter(beside.values()))
    far = np.abs(y - np.interp(x, curve.x, curve.y))
    width = float(x.max() - x.min()) or 1.0
    part = np.minimum(((x - x.min()) * (count / width)).astype(np.intp), count - 1)
    order = np.lexsort((far, part))
    last = np.flatnonzero(np.diff(part[order], append=count))
    return Curve(x[order[last]], y[order[last]])


def _corners(curves: list[Curve]) -> list[tuple[float, float]]:
    """Two corners of a picture whose curves lie in a line, which has no range of its own; none of any other."""
    points = [np.stack(_drawable(curve), 1) for curve in curves]
    table = np.concatenate([part[np.isfinite(part).all(axis=1)] for part in points] or [np.empty((0, 2))])
    if not len(table):
        return []
    low, high = table.min(axis=0), table.max(axis=0)
    size = np.maximum(np.abs(low), np.abs(high))
    flat = high - low <= _FLAT * size
    if not flat.any():
        return []
    room = np.where(flat, np.maximum(1e-3 * size, 1e-6), 0.0)
    return [tuple((low - room).tolist()), tuple((high + room).tolist())]
