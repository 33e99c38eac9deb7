"""Takes a stream apart: lines of text, and frames of our protocol between them.

Unlike the link's own decoder (:mod:`tinyhil.link.frames`), which drops what is neither frame nor text, this loses no
byte: whatever is no frame is a line, with its zero bytes and control characters. A line goes out when its newline has
come, unless it may still turn out to be a frame, by the rule of :mod:`tinyhil.link.text`: its second byte is the type
of an answer, and it is not longer than any frame. Text that a frame interrupts goes on behind it.

Memory: the longest encoding of a frame, and one line.
"""

from __future__ import annotations

from tinyhil.link import cobs
from tinyhil.link.frames import ANSWER_TYPES, FRAME_OVERHEAD, MAX_PAYLOAD, Frame, FrameDecoder

LONGEST_LINE = 4096
"""Bytes after which a line goes on as another one: nobody reads longer ones, and noise may never have a newline."""

_LONGEST_FRAME = cobs.longest_encoding(MAX_PAYLOAD + FRAME_OVERHEAD)
_LEAST_FRAME = FRAME_OVERHEAD + 1
_ZERO = b"\0"


class Part(bytes):
    """A piece of a line that is longer than ``LONGEST_LINE``, or was interrupted: numbers in it may lack digits."""

    __slots__ = ()


Item = bytes | Frame
"""A line without its newline, or a frame."""


class Splitter:
    """Takes bytes, cut anywhere.

    Args:
        types: of the frames that may come; those of a device by default.
    """

    def __init__(self, types: frozenset[int] = ANSWER_TYPES) -> None:
        self._types = types
        self._decoder = FrameDecoder()
        self._line: bytes = b""
        self._cut = False
        self._zeros = 0
        self._chunk: bytearray | None = bytearray()
        """Since the last zero, what may still be a frame; None where that is text."""

    @property
    def unfinished(self) -> bytes:
        """What has come of a line whose newline is still missing, such as a prompt."""
        return self._line + _ZERO * self._zeros + bytes(self._chunk or b"")

    def feed(self, data: bytes) -> list[Item]:
        """What these bytes complete, in order."""
        if self._chunk is None and _ZERO not in data:
            return [*self._lines(data)]
        items: list[Item] = []
        first, *rest = data.split(_ZERO)
        self._extend(first, items)
        for piece in rest:
            self._zero(items)
            self._extend(piece, items)
        return items

    def finish(self) -> list[bytes]:
        """Gives out the line that is unfinished, because nothing more will come of it; the next begins anew."""
        items = self._lines(_ZERO * self._zeros + bytes(self._chunk or b""))
        if self._line:
            items.append(Part(self._line))
        self._line, self._cut, self._zeros, self._chunk = b"", False, 0, bytearray()
        return items

    def _extend(self, piece: bytes, items: list[Item]) -> None:
        if not piece:
            return
        chunk = self._chunk
        if chunk is None:
            items += self._lines(piece)
            return
        chunk += piece
        if len(chunk) > _LONGEST_FRAME or (len(chunk) > 1 and chunk[1] not in self._types):
            self._chunk = None
            items += self._lines(_ZERO * self._take_zeros() + bytes(chunk))

    def _zero(self, items: list[Item]) -> None:
        """A zero byte has come: whatever stands between it and the last one is judged."""
        chunk, self._chunk = self._chunk, bytearray()
        if chunk:
            event = None
            if len(chunk) >= _LEAST_FRAME:
                (*_, event) = self._decoder.feed(_ZERO + chunk + _ZERO) or (None,)
            if isinstance(event, Frame):
                # The zero in front of it was its own, and so is this one.
                if (others := self._take_zeros() - 1) > 0:
                    items += self._lines(_ZERO * others)
                items.append(event)
                return
            items += self._lines(_ZERO * self._take_zeros() + bytes(chunk))
        self._zeros += 1
        if self._zeros > LONGEST_LINE:
            items += self._lines(_ZERO * (self._take_zeros() - 1))
            self._zeros = 1

    def _take_zeros(self) -> int:
        zeros, self._zeros = self._zeros, 0
        return zeros

    def _lines(self, text: bytes) -> list[bytes]:
        """Text goes on; what is finished of it."""
        *found, rest = text.split(b"\n")
        if found:
            found[0] = self._line + found[0]
            self._line = rest
        else:
            self._line += rest
        if not self._cut and len(self._line) <= LONGEST_LINE and max(map(len, found), default=0) <= LONGEST_LINE:
            return found
        items: list[bytes] = []
        for line in found:
            rest = self._pieces(line, items)
            items.append(Part(rest) if self._cut else rest)
            self._cut = False
        self._line = self._pieces(self._line, items)
        return items

    def _pieces(self, line: bytes, items: list[bytes]) -> bytes:
        """What is left of a line that is not too long."""
        while len(line) > LONGEST_LINE:
            items.append(Part(line[:LONGEST_LINE]))
            line, self._cut = line[LONGEST_LINE:], True
        return line
