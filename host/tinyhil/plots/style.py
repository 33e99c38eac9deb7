"""What all pictures have in common: colours, sizes, lettering, and how they become files.

- A role has one colour and one mark everywhere: who knows the device in one picture knows it in all. The colours are
  those of Okabe and Ito, "Color Universal Design" (2008), which people with any colour vision can tell apart; the
  marks differ as well, for print without colour.
- The same picture has the same bytes: no dates, no random names in the SVG, none of the user's matplotlib settings.
- Legends stand below the axes, where they cover no data; text is never clipped, long names are shortened in the middle.
- Lettering in an SVG is drawn as outlines, so that it looks the same without the font.

matplotlib is imported when a picture is drawn: it takes about half a second. Its global state (pyplot) is not used.
"""

from __future__ import annotations

import contextlib
import io
import textwrap
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tinyhil.artifacts import store
from tinyhil.errors import MissingToolError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
BLUE, VERMILION, PURPLE, GREY = "#0072B2", "#D55E00", "#CC79A7", "#767676"
CYCLE = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, BLACK)
"""For series without a role, in this order."""

DASHES = ("-", "--", "-.", ":")
"""Beside the colours of the cycle."""

# Where the three computations agree, the smaller mark lies in the middle of the larger one, and all can be seen.
TRUTH: dict[str, Any] = {"color": GREY, "marker": "o", "markersize": 4, "linestyle": "none", "alpha": 0.6, "zorder": 2}
REFERENCE: dict[str, Any] = {"color": "#F2C14E", "marker": "o", "markersize": 8, "linestyle": "none", "zorder": 3}
FLOAT: dict[str, Any] = {"color": BLUE, "linewidth": 3.2, "zorder": 4}
DEVICE: dict[str, Any] = {
    "color": "#FF6A13",
    "marker": "o",
    "markersize": 3,
    "markeredgewidth": 0,
    "linestyle": "none",
    "zorder": 5,
}

TRAINING: dict[str, Any] = {"color": BLUE, "linestyle": "-", "zorder": 3}
VALIDATION: dict[str, Any] = {"color": ORANGE, "linestyle": "--", "zorder": 2}

MAP = "Blues"
"""One hue from light to dark: lightness alone carries the value. By C. A. Brewer, https://colorbrewer2.org"""

PANEL = (6.4, 4.4)
"""Inches of a single picture, width and height."""
DPI = 144
POINTS = 10
"""Size of the lettering; nothing is smaller than 8."""
_TITLE_POINTS = 11

_SETTINGS: dict[str, Any] = {
    "font.family": ["DejaVu Sans"],  # matplotlib brings it along
    "font.size": POINTS,
    "axes.titlesize": _TITLE_POINTS,
    "figure.titlesize": _TITLE_POINTS,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.8,
    "axes.edgecolor": "#555555",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.formatter.limits": (-4, 6),
    "lines.linewidth": 1.6,
    "text.parse_math": False,  # names come from users: a $ is a $
    "svg.fonttype": "path",
    "svg.hashsalt": "tinyhil",
}


class Written(NamedTuple):
    """The files of one picture."""

    png: Path
    svg: Path


def save(stem: Path, size: tuple[float, float], draw: Callable[[Figure], None]) -> Written:
    """Draws a picture and writes it as ``<stem>.png`` and ``<stem>.svg``, each whole or not at all.

    Args:
        stem: path without a suffix; what looks like one is part of the name.
        size: width and height in inches.
        draw: fills the figure.

    Raises:
        MissingToolError: matplotlib is not installed.
        StorageError: the files cannot be written.
    """
    written = Written(stem.with_name(f"{stem.name}.png"), stem.with_name(f"{stem.name}.svg"))
    with _settings():
        figure = render(size, draw)
        for path in written:
            _write(path, figure)
    return written


def write(path: Path, size: tuple[float, float], draw: Callable[[Figure], None]) -> None:
    """Draws a picture and writes it as one file, whose name ends with .png or .svg.

    Args:
        path, size, draw: as for ``save``.

    Raises:
        As ``save``.
    """
    with _settings():
        _write(path, render(size, draw))


def _write(path: Path, figure: Figure) -> None:
    kind = path.suffix.lower().removeprefix(".")
    # What would name a date or a version of matplotlib is left out.
    nothing = {"png": {"Software": None}, "svg": {"Date": None, "Creator": None}}[kind]
    picture = io.BytesIO()
    figure.savefig(picture, format=kind, dpi=DPI, metadata=nothing)
    store.write_bytes(path, picture.getvalue())


def render(size: tuple[float, float], draw: Callable[[Figure], None]) -> Figure:
    """A figure that is filled and laid out, to be used under the common settings only."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    # Between two axes, the last number of one and the first of the other would read as one.
    figure = Figure(figsize=size, dpi=DPI, layout=ConstrainedLayoutEngine(wspace=0.06))
    draw(figure)
    return figure


def legend(figure: Figure, *axes: Axes) -> None:
    """One legend below all axes, each label once, in as few rows as the width allows."""
    from matplotlib.lines import Line2D

    entries: dict[str, Any] = {}
    for one in axes:
        for handle, label in zip(*one.get_legend_handles_labels(), strict=True):
            entries.setdefault(label, handle)
    if not entries:
        return
    room = figure.get_figwidth() * figure.dpi
    for rows in range(1, len(entries) + 1):
        columns = -(-len(entries) // rows)
        made = figure.legend(list(entries.values()), list(entries), loc="outside lower center", ncols=columns)
        for handle in made.findobj(Line2D):
            handle.set_markersize(max(5.0, handle.get_markersize()))
        figure.draw_without_rendering()
        if columns == 1 or made.get_window_extent().width <= 0.98 * room:
            return
        made.remove()


def headings(figure: Figure, row: Sequence[Axes], heading: str, titles: Sequence[str], inches: float) -> None:
    """What a picture shows, and what each of its panels: over a single panel both in one place."""
    if len(titles) == 1:
        row[0].set_title("\n".join(title(text, inches - 1.0) for text in (heading, titles[0]) if text))
        return
    figure.suptitle(title(heading, inches))
    for axes, text in zip(row, titles, strict=True):
        axes.set_title(title(text, inches / len(titles) - 0.5))


def title(text: str, inches: float) -> str:
    """A title in lines that fit a width."""
    # The mean letter of the font is 0.6 times as wide as its size.
    return "\n".join(textwrap.wrap(text, max(12, int(inches * 72 / (_TITLE_POINTS * 0.6)))))


def short(name: str, letters: int) -> str:
    """A name of at most so many letters: both its ends, which tell layers apart."""
    if len(name) <= letters:
        return name
    head = (letters - 1) // 2
    return f"{name[:head]}…{name[len(name) - (letters - 1 - head) :]}"


@contextlib.contextmanager
def _settings() -> Iterator[None]:
    try:
        import matplotlib
        import matplotlib.style
    except ModuleNotFoundError as error:
        raise MissingToolError("matplotlib is not installed", hint="pip install matplotlib") from error
    with matplotlib.style.context(["default", _SETTINGS]), warnings.catch_warnings():
        # A letter that the font has not becomes a box; the picture is still one.
        warnings.filterwarnings("ignore", "Glyph", UserWarning)
        yield
