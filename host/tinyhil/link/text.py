"""Text that a sketch prints between frames, picked out of the chunks of a stream.

A line is passed on as soon as its newline has arrived, long before the chunk ends, because the next zero byte may be
minutes away. But a sound frame may consist of text bytes only and contain a newline, and must not leak out as text: a
RESULT of 300 vectors whose encoding begins with 0x0A, say. The second byte tells them apart. In a frame it is the
type, and a device sends answers only, so a chunk with another second byte is no frame. The lines of a chunk that may
still be an answer come when it ends, or when it is longer than any frame: late, not lost.

Memory is bounded by the longest frame and LONGEST_LINE, whichever is larger; a longer line is passed on in pieces.
"""

from __future__ import annotations

import re

LONGEST_LINE = 4096
"""Bytes after which a line is passed on without its newline."""

_TEXT = re.compile(rb"[\t\n\r\x1b\x20-\x7e\x80-\xff]*")


class TextLines:
    """The text of one chunk after another.

    Usage: ``add`` every piece of a chunk as it arrives, then ``end`` once. The pieces may be cut anywhere: what comes
    out is the same.

    Args:
        longest_chunk: bytes of the longest chunk that may be a frame.
        answer_types: second bytes of the chunks that may be one.
    """

    def __init__(self, longest_chunk: int, answer_types: frozenset[int]) -> None:
        self._answer_types = answer_types
        self._longest_chunk = longest_chunk
        self._longest_line = max(LONGEST_LINE, longest_chunk + 1)
        self._held = bytearray()
        self._length = 0
        self._certain = False
        self._only_text = True

    @property
    def only_text(self) -> bool:
        """Whether all bytes of the chunk so far are text."""
        return self._only_text

    @property
    def held_bytes(self) -> int:
        """Bytes kept at the moment."""
        return len(self._held)

    def add(self, piece: bytes) -> list[bytes]:
        """Takes the next bytes of the chunk and returns the lines that may be passed on now."""
        if not self._only_text:
            return []
        match = _TEXT.match(piece)
        text = piece[: match.end()] if match else b""
        self._only_text = len(text) == len(piece)
        self._length += len(text)
        self._held += text
        if not self._certain and len(self._held) >= 2:
            self._certain = self._held[1] not in self._answer_types or self._length > self._longest_chunk
        lines = self._take_lines() if self._certain else []
        if not self._only_text:
            self._held.clear()
        return lines

    def end(self) -> list[bytes]:
        """Ends the chunk and returns what was held back, for the case that the chunk is no frame."""
        rest = bytes(self._held)
        lines = [line + b"\n" for line in rest.split(b"\n")[:-1]]
        unfinished = rest[rest.rfind(b"\n") + 1 :]
        self._held.clear()
        self._length = 0
        self._certain = False
        self._only_text = True
        return [*lines, unfinished] if unfinished else lines

    def _take_lines(self) -> list[bytes]:
        lines = []
        start = 0
        while True:
            end = self._held.find(b"\n", start, start + self._longest_line) + 1
            if not end:
                if len(self._held) - start < self._longest_line:
                    break
                end = start + self._longest_line
            lines.append(bytes(self._held[start:end]))
            start = end
        del self._held[:start]
        return lines
