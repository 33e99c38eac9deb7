"""What a line looks like: its text, its bytes in hexadecimal, and the time in front of it."""

from __future__ import annotations

import struct
import time
from dataclasses import dataclass
from enum import Enum

from tinyhil.plain_text import plain
from tinyhil.stream import frame_text
from tinyhil.stream.line_store import Kind, Line
from tinyhil.stream.styles import PLAIN, Span, shown, spans

ROW_BYTES = 16
"""Bytes of a row in hexadecimal."""

_PLACE = struct.Struct("<Q")


def text_of(line: Line) -> str:
    """A line as it is read, searched and copied: one row, without colours and without what a terminal obeys."""
    if line.kind is Kind.FRAME:
        return f"[frame] {plain(frame_text.described(frame_text.unpacked(line.data)))}"
    if line.kind is Kind.BYTES:
        return _row(line.data)
    text = _decoded(line.data)
    return text if text.isprintable() else _one_row(shown(text))


def spans_of(line: Line) -> list[Span]:
    """The same in pieces, with the colours that the device has sent."""
    if line.kind in (Kind.TEXT, Kind.PART):
        return [Span(_one_row(text), style) for text, style in spans(_decoded(line.data))]
    return [Span(text_of(line), PLAIN)]


def row_of_bytes(place: int, data: bytes) -> bytes:
    """At most ``ROW_BYTES`` bytes as they are kept in a line, with their place in the stream."""
    return _PLACE.pack(place) + data


def _decoded(data: bytes) -> str:
    return data.removesuffix(b"\r").decode("utf-8", "replace")


def _one_row(text: str) -> str:
    return text.expandtabs(8).replace("\n", "\\n")


def _row(data: bytes) -> str:
    """``00000010  48 65 6c 6c 6f 0a ...  Hello.``."""
    (place,), content = _PLACE.unpack_from(data), data[_PLACE.size :]
    first, second = content[: ROW_BYTES // 2].hex(" "), content[ROW_BYTES // 2 :].hex(" ")
    letters = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in content)
    return f"{place:08x}  {first:<23}  {second:<23}  {letters}"


class TimeStyle(Enum):
    """What stands in front of a line."""

    NONE = "none"
    CLOCK = "clock"
    RELATIVE = "relative"
    DELTA = "delta"


@dataclass(frozen=True)
class Stamps:
    """Times of lines in words.

    Attributes:
        start: when the first byte could come, in seconds of the monotonic clock.
        epoch: the same moment, in seconds since 1970.
    """

    start: float
    epoch: float

    def of(self, at: float, before: float | None, style: TimeStyle) -> str:
        """The time of a line; empty without a style.

        Args:
            at: of the line.
            before: of the line before it, None for the first.
            style: time of the day, seconds since the start, or since the line before.
        """
        if style is TimeStyle.NONE:
            return ""
        if style is TimeStyle.RELATIVE:
            return f"{at - self.start:12.6f}"
        if style is TimeStyle.DELTA:
            return f"{0.0 if before is None else at - before:+11.6f}"
        moment = self.epoch + (at - self.start)
        milliseconds = int(moment * 1000)
        return f"{time.strftime('%H:%M:%S', time.localtime(milliseconds // 1000))}.{milliseconds % 1000:03d}"
