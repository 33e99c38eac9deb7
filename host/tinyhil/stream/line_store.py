"""A million lines to scroll back over, in bounded memory.

Lines are kept as the bytes that came, 1024 to a block: their bytes in one piece, and in arrays where each ends, when it
came and of which kind it is, 13 bytes a line. Only the block that is being filled has an object for each line. When
there are too many lines, or they take too many bytes, the oldest block goes.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

BLOCK_LINES = 1024
MOST_LINES = 1_000_000
MOST_BYTES = 192 << 20

_BLOCK_OVERHEAD = 512
"""Bytes of the objects of a block, and of its place in the row of blocks."""

_OBJECT_OVERHEAD = 64
"""Bytes of the object of a line that is not in a full block yet."""


class Kind(IntEnum):
    """What a line is."""

    TEXT = 0
    """As the device has sent it, without its newline."""
    PART = 1
    """A piece of a line that is too long, or was interrupted."""
    FRAME = 2
    """The body of a frame: type, sequence and payload (appearance.py)."""
    NOTICE = 3
    """Of ours: what happened to the port."""
    BYTES = 4
    """A row of bytes, whatever they mean, behind its place in the stream (appearance.py)."""
    SENT = 5
    """What was sent to the device."""


class Line(NamedTuple):
    """One line.

    Attributes:
        number: counted from 0, for ever.
        at: when it came, in seconds of the monotonic clock.
        kind: likewise.
        data: its bytes.
    """

    number: int
    at: float
    kind: Kind
    data: bytes


class Block(NamedTuple):
    """Lines that follow one another.

    Attributes:
        first: number of the first line.
        data: the bytes of all lines, one after the other.
        ends: where each line ends in ``data``.
        times: of the lines.
        kinds: likewise.
    """

    first: int
    data: bytes
    ends: array[int]
    times: array[float]
    kinds: bytes

    def line(self, index: int) -> Line:
        """A line by its place in the block."""
        begin = self.ends[index - 1] if index else 0
        data = self.data[begin : self.ends[index]]
        return Line(self.first + index, self.times[index], Kind(self.kinds[index]), data)

    @property
    def held_bytes(self) -> int:
        """Bytes that it takes."""
        arrays = self.ends.itemsize * len(self.ends) + self.times.itemsize * len(self.times)
        return len(self.data) + arrays + len(self.kinds) + _BLOCK_OVERHEAD


class LineStore:
    """The last lines.

    Args:
        most_lines: how many are kept at least, but for ``most_bytes``; up to a block more are.
        most_bytes: how much memory the lines may take.
    """

    def __init__(self, most_lines: int = MOST_LINES, most_bytes: int = MOST_BYTES) -> None:
        self._most_lines = most_lines
        self._most_bytes = most_bytes
        self._blocks: deque[Block] = deque()
        self._block_bytes = 0
        self._lines: list[bytes] = []
        self._line_bytes = 0
        self._times = array("d")
        self._kinds = bytearray()
        self._first = 0
        self._begin = 0

    @property
    def first(self) -> int:
        """Number of the oldest line that is kept."""
        return self._first

    @property
    def end(self) -> int:
        """Number that the next line will have."""
        return self._begin + len(self._lines)

    @property
    def held_bytes(self) -> int:
        """Bytes that the lines take."""
        return self._block_bytes + self._line_bytes + len(self._lines) * (_OBJECT_OVERHEAD + 17)

    def __len__(self) -> int:
        return self.end - self._first

    def append(self, data: bytes, at: float, kind: Kind = Kind.TEXT) -> int:
        """Adds a line and returns its number."""
        lines = self._lines
        number = self._begin + len(lines)
        lines.append(data)
        self._times.append(at)
        self._kinds.append(kind)
        self._line_bytes += len(data)
        if len(lines) == BLOCK_LINES:
            self._close_block()
        return number

    def line(self, number: int) -> Line:
        """A line by its number.

        Raises:
            IndexError: it is not kept any more, or has not come yet.
        """
        if not self._first <= number < self.end:
            raise IndexError(f"line {number} is not in {self._first}..{self.end - 1}")
        index = number - self._begin
        if index >= 0:
            return Line(number, self._times[index], Kind(self._kinds[index]), self._lines[index])
        block, index = divmod(number - self._first, BLOCK_LINES)
        return self._blocks[block].line(index)

    def lines(self, start: int, end: int) -> Iterator[Line]:
        """The lines ``start``..``end`` - 1, as far as they are kept."""
        for number in range(max(start, self._first), min(end, self.end)):
            yield self.line(number)

    def blocks(self, start: int) -> Iterator[Block]:
        """All lines from ``start`` on, in blocks; the first may begin before it, and the last may be empty."""
        skipped = max(0, start - self._first) // BLOCK_LINES
        for index in range(skipped, len(self._blocks)):
            yield self._blocks[index]
        yield self._open_block()

    def clear(self) -> None:
        """Forgets all lines; the next has the number that it would have had."""
        self._begin = self._first = self.end
        self._blocks.clear()
        self._lines, self._times, self._kinds = [], array("d"), bytearray()
        self._block_bytes = self._line_bytes = 0

    def _open_block(self) -> Block:
        ends, end = array("I"), 0
        for line in self._lines:
            end += len(line)
            ends.append(end)
        return Block(self._begin, b"".join(self._lines), ends, self._times[:], bytes(self._kinds))

    def _close_block(self) -> None:
        block = self._open_block()
        self._begin += len(self._lines)
        self._lines, self._times, self._kinds, self._line_bytes = [], array("d"), bytearray(), 0
        self._blocks.append(block)
        self._block_bytes += block.held_bytes
        while self._begin - self._first - BLOCK_LINES >= self._most_lines or self._block_bytes > self._most_bytes:
            oldest = self._blocks.popleft()
            self._block_bytes -= oldest.held_bytes
            self._first = oldest.first + len(oldest.ends)
