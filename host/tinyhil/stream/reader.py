"""Finds the numbers in lines, in whatever format they are, by looking.

Theory of operation. Teleplot and JSON say what they are. A line of pairs or of columns may be chance: ``load:0`` while
a chip boots, or a stray number. So what has been seen once is a *candidate*, which is kept, and read with the second
of its kind. From then on its *layout*, what stands between the numbers, is one regular expression, which reads most
lines by one match.

- Pairs are of one kind if their names are the same.
- Rows of columns are of one kind if they have as many columns; two in succession, lines without numbers not counted,
  make a layout, and three of another count another one. A row that lost a column on the way is thus left out rather
  than read as something else.
- A line of words right before a row with as many columns has their names.

Lines that have nothing are remembered by their shape, so that they cost little when they come again. Times and levels
that a program or the Arduino IDE puts before a line are passed over.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from tinyhil.stream import columns
from tinyhil.stream.columns import Header, Row
from tinyhil.stream.json_lines import json_line
from tinyhil.stream.numbers import NUMBER, number
from tinyhil.stream.pairs import pairs
from tinyhil.stream.reading import Format, Reading
from tinyhil.stream.teleplot import teleplot

_MOST_LAYOUTS = 8
_MOST_CANDIDATES = 64
_MOST_SHAPES = 1024
_FIRST_ROWS = 2
_OTHER_ROWS = 3

_IN_FRONT = re.compile(
    r"\s*(?:"
    r"\d\d:\d\d:\d\d(?:[.,]\d+)?(?:\s*->)?\s+"  # the time of day, as the Arduino IDE puts it
    r"|\[\s*\d+(?:\.\d+)?\]\s*"  # [ 1234.567]
    r"|[EWIDV] \(\d+\) [\w.-]+: "  # ESP-IDF: level, milliseconds, tag
    r")"
)
_DIGITS = str.maketrans(dict.fromkeys("123456789", "0"))
_COLUMN = re.compile(f"(?<![\\w.]){NUMBER}(?![\\w.])", re.ASCII)
_SPACES = re.compile(r"(?:\\ )+")


class _Layout(NamedTuple):
    """What stands between the numbers of lines of one kind.

    Attributes:
        pattern: has a group for each number.
        reading: the last one, with the names.
    """

    pattern: re.Pattern[str]
    reading: Reading


Found = tuple[Reading, float, int]
"""The numbers of a line, when it came, and its number."""


class Reader:
    """Reads one line after another.

    Args:
        torn: whether the first line may lack its beginning, as where a program joins a device that is printing. Its
            numbers would then be wrong, so they are left out.

    Attributes:
        unread: lines with numbers in columns or a mark of Teleplot that were left out because they do not fit.
    """

    def __init__(self, *, torn: bool = False) -> None:
        self.unread = 0
        self._torn = torn
        self._layouts: list[_Layout] = []
        self._candidates: dict[tuple[str, ...], Found] = {}
        self._names: tuple[str, ...] = ()
        self._units: tuple[str, ...] = ()
        self._row: tuple[Row, float, int] | None = None
        self._rows = 0
        self._words = ""
        """The line before, if it had no numbers: it may be the header of the next one."""
        self._without: set[str] = set()
        """Shapes of lines without numbers: the lines with zeros for their digits."""

    @property
    def formats(self) -> tuple[Format, ...]:
        """Of the lines that are read at the moment, the most recent first."""
        return tuple(dict.fromkeys(layout.reading.format for layout in self._layouts))

    def torn(self) -> None:
        """The next line may lack its beginning: the line was interrupted, or bytes were lost."""
        self._torn = True

    def read(self, text: str, at: float = 0.0, line: int = 0) -> tuple[Found, ...]:
        """The numbers of a line, and of an earlier one of its kind where this one makes it count.

        Args:
            text: without its newline.
            at: when it came.
            line: its number.
        """
        if self._torn:
            self._torn, self._words = False, text
            return ()
        for index, (pattern, last) in enumerate(self._layouts):
            found = pattern.fullmatch(text)
            if found is None:
                continue
            if last.format is Format.COLUMNS:
                if self._words:
                    break  # perhaps these columns have other names from now on
                self._row = None
            if index:
                self._layouts.insert(0, self._layouts.pop(index))
            self._words = ""
            return ((Reading(last.format, last.names, tuple(map(number, found.groups())), last.units), at, line),)
        return self._look(text, at, line)

    def _look(self, text: str, at: float, line: int) -> tuple[Found, ...]:
        if not text or text.isspace():
            return ()
        if text[0] == ">":
            found = teleplot(text)
            self.unread += found is None
        else:
            found = json_line(text)
        if found is not None:
            return ((found, at, line),)
        shape = text.translate(_DIGITS)
        readings = None
        if shape not in self._without:
            readings = self._look_closer(text, at, line)
            if readings is None and (prefix := _IN_FRONT.match(text)):
                readings = self._look_closer(text[prefix.end() :], at, line, _IN_FRONT.pattern)
            if readings is None and len(self._without) < _MOST_SHAPES:
                self._without.add(shape)
        self._words = text if readings is None else ""
        return readings or ()

    def _look_closer(self, text: str, at: float, line: int, prefix: str = "") -> tuple[Found, ...] | None:
        """The same for pairs and columns; None of a line that is neither."""
        in_columns = columns.row(text)
        if in_columns is not None:
            return self._row_of(text, (in_columns, at, line), prefix)
        in_pairs = pairs(text)
        if in_pairs is None:
            return None
        found, places = in_pairs
        before = self._candidates.pop(found.names, None)
        known = any(layout.reading.names == found.names for layout in self._layouts)
        if before is None and not known:
            self._candidates[found.names] = (found, at, line)
            if len(self._candidates) > _MOST_CANDIDATES:
                del self._candidates[next(iter(self._candidates))]
            return ()
        self._keep(text, found, places, prefix)
        now = (found, at, line)
        return (now,) if before is None else (before, now)

    def _row_of(self, text: str, now: tuple[Row, float, int], prefix: str) -> tuple[Found, ...]:
        count = len(now[0].values)
        if (named := self._names_for(now[0])) is not None:
            self._set_columns(named.names, named.units)
        before, self._row = self._row, now
        if count == len(self._names):
            self._row = None
            readings: tuple[Found, ...] = (self._reading(*now),)
        else:
            same = before is not None and len(before[0].values) == count
            self._rows = self._rows + 1 if same else 1
            if self._rows < (_OTHER_ROWS if self._names else _FIRST_ROWS):
                self.unread += bool(self._names)
                return ()
            assert before is not None
            self._set_columns(columns.numbered(count), ())
            self._row = None
            readings = (self._reading(*before), self._reading(*now))
        self._keep(text, readings[-1][0], tuple(each.span() for each in _COLUMN.finditer(text)), prefix)
        return readings

    def _names_for(self, found: Row) -> Header | None:
        """The line before, if it is the header of a row."""
        named = columns.header(self._words) if self._words else None
        if named is None or named.separator != found.separator or len(named.names) != len(found.values):
            return None
        # Words with spaces between them may be a sentence, which says nothing of columns that are known.
        return None if self._names and named.separator == " " else named

    def _reading(self, row: Row, at: float, line: int) -> Found:
        return Reading(Format.COLUMNS, self._names, row.values, self._units if any(self._units) else ()), at, line

    def _set_columns(self, names: tuple[str, ...], units: tuple[str, ...]) -> None:
        self._names, self._units = names, units
        self._layouts = [layout for layout in self._layouts if layout.reading.format is not Format.COLUMNS]

    def _keep(self, text: str, reading: Reading, places: tuple[tuple[int, int], ...], prefix: str) -> None:
        """Keeps what stands between the numbers of a line."""
        if len(places) != len(reading.values):
            return
        ends = [0, *(end for _, end in places)]
        begins = [*(begin for begin, _ in places), len(text)]
        between = [text[end:begin] for end, begin in zip(ends, begins, strict=True)]
        between[0], between[-1] = between[0].lstrip(), between[-1].rstrip()
        literals = [_SPACES.sub(" +", re.escape(part)) for part in between]
        pattern = re.compile(rf"{prefix}\s*{f'({NUMBER})'.join(literals)}\s*", re.ASCII)
        others = [each for each in self._layouts if each.pattern != pattern or each.reading.names != reading.names]
        self._layouts = [_Layout(pattern, reading), *others][:_MOST_LAYOUTS]
