"""How a frame was damaged: what has to be undone for its CRC to hold.

Each hypothesis undoes one thing that lines and sketches are known to do. One that makes the CRC hold is certain (to
2^-32 for each attempt); a chunk that none explains is at least known for an answer, damaged or not, by its head: the
type of an answer and the number of a request that is unanswered.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import Enum

from tinyhil.link import cobs
from tinyhil.link.frames import ANSWER_TYPES, FRAME_HEADER, FRAME_OVERHEAD, Frame, FrameDecoder

FLOW_CONTROL = (0x11, 0x13)
"""XON and XOFF."""

CUTS = (64, 256)
"""Bytes after which lines are known to lose the rest: a packet of USB, a queue of ESP32's UART."""

_TEXT = re.compile(rb"[\t\r\n\x20-\x7e]{2,}")
_EDGE = 6
"""Bytes before a text that may look like letters and belong to the frame around it."""

_LONGEST_TEXT = 256
_SHORT_TEXT = 128
"""Bytes of rows of letters that are searched."""

_MOST_SEARCHED = 1100
_SEARCHED_FOR_TWO = 140
"""Bytes of the longest chunk in which one lost byte is looked for, and two: the work grows with their squares."""

_SEVEN_BITS_BYTES = 24
"""So many bytes without a high bit come by chance once in 2^24 times."""


class Damage(Enum):
    """What has happened to a frame."""

    TEXT_INSIDE = "text inside"
    CARRIAGE_RETURNS = "carriage returns"
    SEVEN_BITS = "seven bits"
    FLOW_CONTROL = "flow control"
    CUT = "cut"
    UNKNOWN = "unknown"


def of_chunk(chunk: bytes, asked: Iterable[int]) -> Damage | None:
    """What has happened to a chunk; None where nothing shows that it was an answer.

    Args:
        chunk: what stood between two zero bytes, and was no frame.
        asked: numbers of the requests that are unanswered.
    """
    numbers = {number.to_bytes(4, "little") for number in asked}
    for damage, attempts in (
        (Damage.CARRIAGE_RETURNS, _without_returns(chunk)),
        (Damage.TEXT_INSIDE, _without_text(chunk)),
        (Damage.FLOW_CONTROL, _with_flow_control(chunk, numbers)),
    ):
        if any(_is_answer(attempt) for attempt in attempts):
            return damage
    if _lost_its_high_bits(chunk, numbers):
        return Damage.SEVEN_BITS
    head = _head(chunk)
    if not head or head[0] not in ANSWER_TYPES or head[1:] not in numbers:
        return None
    return Damage.CUT if any(cut - 2 <= len(chunk) <= cut for cut in CUTS) else Damage.UNKNOWN


def _is_answer(chunk: bytes) -> bool:
    if cobs.decode(chunk) is None:
        return False
    events = FrameDecoder().feed(b"\0" + chunk + b"\0")
    return any(isinstance(event, Frame) and event.type in ANSWER_TYPES for event in events)


def _without_returns(chunk: bytes) -> Iterator[bytes]:
    if b"\r\n" in chunk:
        yield chunk.replace(b"\r\n", b"\n")
    if b"\r\r" in chunk:
        yield chunk.replace(b"\r\r", b"\r")


def _without_text(chunk: bytes) -> Iterator[bytes]:
    """Without a row of letters; before and after it the frame's own bytes may look like letters too."""
    for match in _TEXT.finditer(chunk):
        first, last = match.span()
        # In a short row every part of it is tried, for it may begin in the middle of letters of the frame.
        for begin in range(first, last if last - first <= _SHORT_TEXT else first + _EDGE):
            yield from (chunk[:begin] + chunk[end:] for end in range(last, max(last - _LONGEST_TEXT, begin + 1), -1))


def _with_flow_control(chunk: bytes, numbers: set[bytes]) -> Iterator[bytes]:
    """With one byte that flow control may have swallowed, or with two."""
    ours = _head(chunk)[1:] in numbers
    if FRAME_OVERHEAD <= len(chunk) <= (_MOST_SEARCHED if ours else _SEARCHED_FOR_TWO):
        yield from _with_one(chunk)
    if ours and len(chunk) <= _SEARCHED_FOR_TWO:
        for first in _with_one(chunk):
            yield from _with_one(first)


def _with_one(chunk: bytes) -> Iterator[bytes]:
    for at in range(1, len(chunk) + 1):
        for byte in FLOW_CONTROL:
            yield chunk[:at] + bytes([byte]) + chunk[at:]


def _lost_its_high_bits(chunk: bytes, numbers: set[bytes]) -> bool:
    if len(chunk) < _SEVEN_BITS_BYTES or max(chunk) > 0x7F:
        return False
    head = _head(chunk)
    without = {bytes(byte & 0x7F for byte in number) for number in numbers}
    return head[0] | 0x80 in ANSWER_TYPES and head[1:] in without


def _head(chunk: bytes) -> bytes:
    """The first bytes of a body, type and number, whatever follows them; fewer where the chunk is shorter."""
    body, at = bytearray(), 0
    while at < len(chunk) and len(body) < FRAME_HEADER:
        code = chunk[at]
        body += chunk[at + 1 : at + code]
        if code < 0xFF:
            body.append(0)
        at += code
    return bytes(body[:FRAME_HEADER])
