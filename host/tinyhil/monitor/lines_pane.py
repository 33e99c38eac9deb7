"""The lines of a port, as many as fit."""

from __future__ import annotations

import itertools

from rich.segment import Segment
from rich.style import Style as Look
from textual.strip import Strip
from textual.widget import Widget

from tinyhil.stream.appearance import Stamps, TimeStyle, spans_of
from tinyhil.stream.line_store import Kind, Line, LineStore
from tinyhil.stream.line_view import LineView
from tinyhil.stream.query import Query
from tinyhil.stream.styles import PLAIN, Colour, Span, Style

_STAMP = Look(dim=True)
_OURS = {Kind.NOTICE: Look(italic=True, dim=True), Kind.FRAME: Look(color="cyan"), Kind.SENT: Look(bold=True)}
_FOUND = Look(reverse=True)


class LinesPane(Widget, can_focus=True):
    """Shows a store of lines.

    Args:
        store: the lines.
        stamps: their times in words.

    Attributes:
        view: which of them are on the screen.
        times: what stands in front of a line.
        query_marked: what was searched for last; marked where it is on the screen.
    """

    DEFAULT_CSS = "LinesPane { height: 1fr; }"

    def __init__(self, store: LineStore, stamps: Stamps) -> None:
        super().__init__()
        self.view = LineView(store)
        self.times = TimeStyle.NONE
        self.query_marked: Query | None = None
        self._stamps = stamps
        self._rows: list[Strip] = []

    def draw(self) -> None:
        """Shows what is there by now."""
        self.view.update()
        rows, before = [], None
        for line in self.view.visible(max(1, self.size.height)):
            rows.append(self._strip(line, before))
            before = line.at
        self._rows = rows
        self.refresh()

    def scroll_lines(self, by: int) -> None:
        """Moves by so many lines, back where it is negative."""
        self.view.scroll(by, max(1, self.size.height))
        self.draw()

    def render_line(self, y: int) -> Strip:
        """One row, as Textual asks for it."""
        width, look = self.size.width, self.rich_style
        if y >= len(self._rows):
            return Strip.blank(width, look)
        return self._rows[y].apply_style(look).adjust_cell_length(width, look)

    @property
    def shown(self) -> list[str]:
        """The text of the rows that are drawn."""
        return [row.text.rstrip() for row in self._rows]

    def _strip(self, line: Line, before: float | None) -> Strip:
        time = self._stamps.of(line.at, before, self.times)
        segments = [Segment(f"{time}  ", _STAMP)] if time else []
        pieces = spans_of(line)
        if self.query_marked is not None:
            places = self.query_marked.places("".join(piece.text for piece in pieces))
            segments += _marked(pieces, places)
        else:
            own = _OURS.get(line.kind)
            segments += [Segment(text, own or look_of(style)) for text, style in pieces]
        return Strip(segments)


def look_of(style: Style) -> Look:
    """A device's style as Rich has it."""
    if style == PLAIN:
        return Look.null()
    return Look(
        color=_colour(style.foreground),
        bgcolor=_colour(style.background),
        bold=style.bold or None,
        dim=style.dim or None,
        italic=style.italic or None,
        underline=style.underline or None,
        reverse=style.reverse or None,
        strike=style.strike or None,
    )


def _colour(colour: Colour) -> str | None:
    if colour is None:
        return None
    return f"color({colour})" if isinstance(colour, int) else "rgb({},{},{})".format(*colour)


def _marked(pieces: list[Span], places: list[tuple[int, int]]) -> list[Segment]:
    """Pieces cut where something was found in them, which is shown reversed."""
    segments, at = [], 0
    for text, style in pieces:
        look, end = look_of(style), at + len(text)
        edges = sorted({at, end, *(edge for place in places for edge in place if at < edge < end)})
        for begin, stop in itertools.pairwise(edges):
            found = any(first <= begin < last for first, last in places)
            segments.append(Segment(text[begin - at : stop - at], look + _FOUND if found else look))
        at = end
    return segments
