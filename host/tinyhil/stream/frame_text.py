"""Frames of our protocol in one line each, for whoever looks at the line between host and device."""

from __future__ import annotations

import struct
from dataclasses import fields
from typing import Any

from tinyhil.errors import RemoteLinkError
from tinyhil.link.fields import BareMessage, Message, MessageType
from tinyhil.link.frames import Frame
from tinyhil.link.messages import Error
from tinyhil.link.table import EXCHANGES

_HEADER = struct.Struct("<BI")
_SHOWN_BYTES = 16
_MESSAGES: dict[int, type[Message]] = {
    Error.TYPE: Error,
    **{message.TYPE: message for row in EXCHANGES for message in (row.request, row.answer)},
}
"""By type; those that are sent in one form only."""


def packed(frame: Frame) -> bytes:
    """A frame as it is kept in a line."""
    return _HEADER.pack(frame.type, frame.sequence) + frame.payload


def unpacked(data: bytes) -> Frame:
    """The inverse of ``packed``."""
    kind, sequence = _HEADER.unpack_from(data)
    return Frame(kind, sequence, data[_HEADER.size :])


def described(frame: Frame) -> str:
    """A frame in words: type, sequence, the fields of its message, and how long its payload is."""
    known = frame.type in MessageType.__members__.values()
    name = MessageType(frame.type).name if known else f"type 0x{frame.type:02x}"
    head = f"{name} #{frame.sequence:08x}"
    message = _MESSAGES.get(frame.type)
    if message is None:
        return f"{head}: {_bytes(frame.payload)}"
    try:
        found = message.decode(frame.payload)
    except RemoteLinkError as error:
        return f"{head}: malformed: {error.message}"
    if isinstance(found, BareMessage):
        return head
    return f"{head}: {', '.join(f'{field.name} {_value(getattr(found, field.name))}' for field in fields(found))}"  # type: ignore[arg-type]


def _value(value: Any) -> str:
    if isinstance(value, bytes):
        return _bytes(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(getattr(value, "name", value))


def _bytes(data: bytes) -> str:
    shown = data[:_SHOWN_BYTES].hex(" ")
    return f"{len(data)} bytes {shown}{' ...' if len(data) > _SHOWN_BYTES else ''}" if data else "0 bytes"
