"""Frames on a byte stream: ``0x00  COBS(type | sequence | payload | crc)  0x00`` (docs/protocol.md, "Frames").

A zero byte always and only delimits, so a decoder that joins in the middle, or loses bytes, is in step again at the
next zero. What arrives between two zeros is a chunk; each gives one event: a frame, a rejection with its reason, or
text that a sketch printed. Corrupt input is a counted value, never an exception.

The CRC is the standard library's ``zlib.crc32``, which is CRC-32/ISO-HDLC.

Memory: a decoder keeps at most the longest encoding of one frame, and as much text (see text.py), whatever arrives.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from enum import Enum

from tinyhil.errors import LocalLinkError
from tinyhil.link import cobs
from tinyhil.link.text import TextLines

MAX_PAYLOAD = 4096
"""Bytes of the largest payload of the protocol."""

REQUEST_TYPES = frozenset(range(0x01, 0x10))
"""Types that the host sends, those to come included."""

ANSWER_TYPES = frozenset([*range(0x81, 0x90), 0xFF])
"""Types that the device sends, those to come included."""

FRAME_TYPES = REQUEST_TYPES | ANSWER_TYPES
"""Types that pass the decoder."""

_HEADER = struct.Struct("<BI")
_CRC = struct.Struct("<I")

FRAME_HEADER = _HEADER.size
"""Bytes of a body before the payload: type and sequence."""

FRAME_OVERHEAD = FRAME_HEADER + _CRC.size
"""Bytes of a body but for the payload."""


class Reason(Enum):
    """Why a chunk was rejected, in the order of judging."""

    OVERSIZE = "oversize"
    COBS = "cobs"
    SHORT = "short"
    CRC = "crc"
    TYPE = "type"


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame whose CRC holds.

    Attributes:
        type: one of FRAME_TYPES.
        sequence: number of the request, modulo 2^32.
        payload: the message, at most MAX_PAYLOAD bytes.
    """

    type: int
    sequence: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Rejected:
    """A chunk that is neither a frame nor text."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Text:
    """A line that a sketch printed, with its newline if it has one."""

    data: bytes

    @property
    def text(self) -> str:
        """The line as UTF-8, a replacement character for each byte that is none."""
        return self.data.decode("utf-8", "replace")


DecoderEvent = Frame | Rejected | Text


def encode_frame(frame: Frame) -> bytes:
    """The bytes of a frame on the wire, both delimiters included.

    Raises:
        LocalLinkError: a field is outside the limits of the protocol.
    """
    if frame.type not in FRAME_TYPES:
        raise LocalLinkError(f"no frame has the type 0x{frame.type:02x}")
    if not 0 <= frame.sequence <= 0xFFFFFFFF:
        raise LocalLinkError(f"the sequence {frame.sequence} does not fit in 32 bits")
    if len(frame.payload) > MAX_PAYLOAD:
        raise LocalLinkError(f"a payload of {len(frame.payload)} bytes is larger than the protocol's {MAX_PAYLOAD}")
    checked = _HEADER.pack(frame.type, frame.sequence) + frame.payload
    return b"\0" + cobs.encode(checked + _CRC.pack(zlib.crc32(checked))) + b"\0"


def longest_wire(payload_bytes: int) -> int:
    """The most bytes that the frame of a payload takes on the wire, both delimiters included."""
    return cobs.longest_encoding(payload_bytes + FRAME_OVERHEAD) + 2


class FrameDecoder:
    """Turns a byte stream into events.

    Args:
        max_payload: bytes of the largest payload to take.
    """

    def __init__(self, max_payload: int = MAX_PAYLOAD) -> None:
        self._longest_body = max_payload + FRAME_OVERHEAD
        self._longest_chunk = cobs.longest_encoding(self._longest_body)
        self._chunk = bytearray()
        self._oversize = False
        self._text = TextLines(self._longest_chunk, ANSWER_TYPES)

    @property
    def held_bytes(self) -> int:
        """Bytes of unfinished input kept at the moment."""
        return len(self._chunk) + self._text.held_bytes

    def feed(self, data: bytes) -> list[DecoderEvent]:
        """Takes any number of bytes, cut anywhere, and returns what they complete, in order."""
        events: list[DecoderEvent] = []
        *ends, last = data.split(b"\0")
        for piece in ends:
            if piece:
                self._extend(piece, events)
            if self._chunk or self._oversize:
                self._end_chunk(events)
        if last:
            self._extend(last, events)
        return events

    def _extend(self, piece: bytes, events: list[DecoderEvent]) -> None:
        events.extend(map(Text, self._text.add(piece)))
        if self._oversize or len(self._chunk) + len(piece) > self._longest_chunk:
            self._oversize = True
            self._chunk.clear()
        else:
            self._chunk += piece

    def _end_chunk(self, events: list[DecoderEvent]) -> None:
        event = Rejected(Reason.OVERSIZE) if self._oversize else self._judge(bytes(self._chunk))
        only_text = self._text.only_text
        held_back = self._text.end()
        if isinstance(event, Frame) or not only_text:
            events.append(event)
        else:
            events.extend(map(Text, held_back))
        self._chunk.clear()
        self._oversize = False

    def _judge(self, chunk: bytes) -> Frame | Rejected:
        body = cobs.decode(chunk)
        if body is None:
            return Rejected(Reason.COBS)
        if len(body) > self._longest_body:
            return Rejected(Reason.OVERSIZE)
        if len(body) < FRAME_OVERHEAD:
            return Rejected(Reason.SHORT)
        checked = body[: -_CRC.size]
        if zlib.crc32(checked) != _CRC.unpack(body[-_CRC.size :])[0]:
            return Rejected(Reason.CRC)
        kind, sequence = _HEADER.unpack_from(checked)
        if kind not in FRAME_TYPES:
            return Rejected(Reason.TYPE)
        return Frame(kind, sequence, checked[FRAME_HEADER:])
