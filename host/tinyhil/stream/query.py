"""Looking for lines: what is searched for, where it is found, and the lines that a filter lets through."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from tinyhil import kinds
from tinyhil.errors import ConfigError
from tinyhil.stream.appearance import text_of
from tinyhil.stream.line_store import Block, Kind, Line, LineStore

_TEXT_ONLY = {Kind.TEXT, Kind.PART, Kind.NOTICE, Kind.SENT}
_AS_IT_IS = re.compile(r"(?![xu0-9a-f])[\x20-\x5b\x5d-\x7e]*(?<![xu0-9a-f])")
r"""Words that no control character written out (``\x1b``) can have a part in: without the backslash that it begins
with, and neither beginning nor ending with a letter or digit of it."""


@dataclass(frozen=True)
class Query:
    r"""What lines are looked for, in their text as it is shown (``appearance.text_of``).

    Attributes:
        text: the words, or a regular expression.
        regex: which of them.
        case: whether case counts; by default where the text has a capital.
        inverted: looks for the lines that have it not.

    Raises:
        ConfigError: it is no regular expression.
    """

    text: str
    regex: bool = False
    case: bool | None = None
    inverted: bool = False

    def __post_init__(self) -> None:
        """Sees that it can be looked for."""
        _ = self._pattern

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        try:
            return re.compile(self.text if self.regex else re.escape(self.text), 0 if self._case else re.IGNORECASE)
        except (re.error, OverflowError) as error:
            raise ConfigError(
                f"{self.text!r} is no regular expression: {error}",
                hint="correct it, or look for the words as they are",
                kind=kinds.CONFIG,
            ) from error

    @property
    def _case(self) -> bool:
        return self.text != self.text.lower() if self.case is None else self.case

    @cached_property
    def _in_bytes(self) -> re.Pattern[bytes] | None:
        """What is in the bytes of every line of text that matches; None where nothing so simple can be told."""
        text = self.text if self._case else self.text.lower()
        if self.regex or self.inverted or not _AS_IT_IS.fullmatch(text):
            return None
        return re.compile(re.escape(self.text.encode()), 0 if self._case else re.IGNORECASE)

    def places(self, text: str) -> list[tuple[int, int]]:
        """Where in a text it is found, to be shown."""
        return [] if self.inverted else [found.span() for found in self._pattern.finditer(text) if found[0]]

    def matches(self, line: Line) -> bool:
        """Whether a line is one of those that are looked for."""
        return (self._pattern.search(text_of(line)) is not None) is not self.inverted

    def cannot_be_in(self, block: Block) -> bool:
        """Whether a look at its bytes tells that no line of a block matches."""
        if self._in_bytes is None or self._in_bytes.search(block.data):
            return False
        if not self._case and not block.data.isascii():
            return False  # letters beyond ASCII may be the same as one within it but for their case
        # Colours between its letters, and lines whose text is made from their bytes, do not show in these.
        return b"\x1b" not in block.data and b"\t" not in block.data and set(block.kinds) <= _TEXT_ONLY


def search(store: LineStore, query: Query, start: int, end: int | None = None) -> Iterator[int]:
    """Numbers of the lines that match, from ``start`` to before ``end``, the last one by default."""
    last = store.end if end is None else min(end, store.end)
    for block in store.blocks(start):
        if block.first >= last:
            return
        if query.cannot_be_in(block):
            continue
        for index in range(max(start - block.first, 0), min(len(block.ends), last - block.first)):
            if query.matches(block.line(index)):
                yield block.first + index


def search_back(store: LineStore, query: Query, before: int) -> int | None:
    """Number of the last line before ``before`` that matches."""
    for number in range(min(before, store.end) - 1, store.first - 1, -1):
        if query.matches(store.line(number)):
            return number
    return None


class Filter:
    """The lines of a store that match, kept up to date.

    Args:
        store: the lines.
        query: what is let through.
    """

    def __init__(self, store: LineStore, query: Query) -> None:
        self.query = query
        self._store = store
        self._looked_at = store.first
        self._numbers = array("Q")
        self._dropped = 0

    @property
    def pending(self) -> int:
        """How many lines were not looked at yet."""
        return self._store.end - max(self._looked_at, self._store.first)

    def __len__(self) -> int:
        return len(self._numbers) - self._dropped

    def __getitem__(self, index: int) -> int:
        """Number of the line at a place of the filtered ones."""
        return self._numbers[self._dropped + index]

    def place(self, number: int) -> int:
        """The place of the first filtered line that is not before line ``number``."""
        return bisect_left(self._numbers, number, self._dropped) - self._dropped

    def update(self, most: int = 10_000) -> None:
        """Looks at the lines that have come since, at most ``most`` of them, and forgets those that are gone."""
        begin = max(self._looked_at, self._store.first)
        end = min(self._store.end, begin + most)
        self._numbers.extend(search(self._store, self.query, begin, end))
        self._looked_at = end
        self._dropped = bisect_left(self._numbers, self._store.first)
        if self._dropped > len(self._numbers) // 2:
            del self._numbers[: self._dropped]
            self._dropped = 0
