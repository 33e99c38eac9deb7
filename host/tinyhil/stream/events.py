"""What a source of bytes has to tell; and what was asked of the model's device meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol


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


@dataclass(frozen=True)
class Answered:
    """The model's device was asked something: its answer in words, and as a point where it is a few numbers."""

    text: str
    names: tuple[str, ...]
    values: tuple[float, ...]
    at: float


Event = Came | Sent | Dropped | Changed | Answered


class Source(Protocol):
    """Where events come from: a port, or a recording.

    Attributes:
        address: of the port.
        said: what the last change of its state was, in words.
    """

    address: str
    said: str

    @property
    def state(self) -> State:
        """What it is doing."""

    def take(self) -> list[Event]:
        """What has happened since the last time, in order."""

    def wait(self, seconds: float) -> bool:
        """Waits until there is something to take; whether there is."""

    def send(self, data: bytes) -> None:
        """Sends bytes.

        Raises:
            DeviceError: nothing can be sent at the moment, or ever.
        """
