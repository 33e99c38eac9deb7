"""The messages about the line's rate.

They are those of docs/protocol.md, "Messages", and keep to the rules of messages.py. A device may be older than these
requests; it then answers ``unknown type``.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Self

from tinyhil.link.fields import Message, MessageType, exactly, outside

RATE_TRIAL_MS = 500
"""Milliseconds after which a device is back at its first rate where no frame has come at the other one yet."""

RATE_QUIET_MS = 2000
"""The same where frames have come, and stay away."""


@dataclass(frozen=True, slots=True)
class Baud(Message):
    """Asks for another rate of the line.

    Attributes:
        rate: in bit/s; 0 for the one that the line has after the device's start.
    """

    TYPE: ClassVar[MessageType] = MessageType.BAUD

    rate: int

    def _problems(self) -> Iterator[str]:
        yield from outside("rate", self.rate, 0, 0xFFFFFFFF)

    def _pack(self) -> bytes:
        return struct.pack("<I", self.rate)

    @classmethod
    def _unpack(cls, payload: bytes) -> Self:
        return cls(*exactly("<I", payload))


class Switched(Baud):
    """What the device's line goes over to after this answer; 0 where that is the rate after its start."""

    TYPE: ClassVar[MessageType] = MessageType.SWITCHED
