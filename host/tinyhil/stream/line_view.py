"""The lines that are on a screen: the last ones, or where somebody has stopped to look.

A place is the number of a line, not of a row, so what is looked at stays where it is while lines come, and while the
oldest go; when it goes itself, the oldest line takes its place.
"""

from __future__ import annotations

from tinyhil.stream.line_store import Line, LineStore
from tinyhil.stream.query import Filter, Query, search, search_back


class LineView:
    """A view of a store.

    Args:
        store: the lines.

    Attributes:
        found: number of the line that was found last, None where nothing was looked for.
    """

    def __init__(self, store: LineStore) -> None:
        self._store = store
        self._filter: Filter | None = None
        self._last: int | None = None
        self._paused_at = 0
        self.found: int | None = None

    @property
    def paused(self) -> bool:
        """Whether it stays where it is when lines come."""
        return self._last is not None

    @property
    def missed(self) -> int:
        """How many lines have come since it was paused."""
        return self._store.end - self._paused_at if self.paused else 0

    @property
    def query(self) -> Query | None:
        """What the filter lets through; None without one."""
        return self._filter.query if self._filter is not None else None

    def pause(self) -> None:
        """Stays at the last line of now."""
        if self._last is None:
            self._stop_at(self._store.end - 1)

    def follow(self) -> None:
        """Goes to the last line, and along with it."""
        self._last = None

    def set_filter(self, query: Query | None) -> None:
        """Shows only the lines that match, or all for None; the line that is looked at stays in view if it matches."""
        self._filter = None if query is None else Filter(self._store, query)
        self.update()

    def update(self) -> None:
        """Brings the filter up to date with what has come; to be called before each drawing."""
        if self._filter is not None:
            self._filter.update()

    def visible(self, rows: int) -> list[Line]:
        """The lines on a screen with so many rows."""
        end = self._end(rows)
        return [self._store.line(self._number(place)) for place in range(max(0, end - rows), end)]

    def scroll(self, by: int, rows: int) -> None:
        """Moves by so many lines, back where it is negative; at the end it goes along again.

        Args:
            by: likewise.
            rows: of the screen.
        """
        end = self._end(rows) + by
        if end >= len(self):
            self.follow()
        elif len(self):
            self._stop_at(self._number(max(end, min(rows, len(self))) - 1))

    def find(self, query: Query, *, back: bool = False) -> bool:
        """Goes to the next line that matches, or back to the one before, and stops there.

        It begins behind the line that was found last, if that is the one that is looked at; else at the last line.

        Returns:
            Whether there is one; where there is none nothing changes.
        """
        at = self.found if self.found is not None and self.paused else self._store.end
        if back or at == self._store.end:
            number = search_back(self._store, query, at)
        else:
            number = next(search(self._store, query, at + 1), None)
        if number is None:
            return False
        self.found = number
        self._stop_at(number)
        return True

    def __len__(self) -> int:
        return len(self._store) if self._filter is None else len(self._filter)

    def _stop_at(self, number: int) -> None:
        if self._last is None:
            self._paused_at = self._store.end
        self._last = number

    def _end(self, rows: int) -> int:
        """The place behind the last one on the screen."""
        if self._last is None:
            return len(self)
        shown = self._last + 1
        end = shown - self._store.first if self._filter is None else self._filter.place(shown)
        return min(len(self), max(end, rows))

    def _number(self, place: int) -> int:
        return self._store.first + place if self._filter is None else self._filter[place]
