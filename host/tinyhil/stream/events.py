"""What a source of bytes has to tell."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class State(Enum):
    """What a source is doing."""

    OPEN = "open"
    WAITING = "waiting"
    """The port is gone or busy, and is waited for."""
    LENT = "lent"
    """Another process of tinyhil has asked for the port, and is using it."""
    ENDED = "ended"
    """The device's program has ended, or the port cannot come back; nothing more will come."""


@dataclass(frozen=True)
class Came:
    """Bytes, and when they came, in seconds of the monotonic clock."""

    data: bytes
    at: float


@dataclass(frozen=True)
class Sent:
    """Bytes that were handed to the port, likewise."""

    data: bytes
    at: float


@dataclass(frozen=True)
class Dropped:
    """So many bytes came faster than they were taken, and are lost."""

    bytes: int
    at: float


@dataclass(frozen=True)
class Changed:
    """The source is doing something else now, or cannot do what it was asked for; the text says what and why."""

    state: State
    text: str
    at: float


Event = Came | Sent | Dropped | Changed
