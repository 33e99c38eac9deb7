"""What all messages have in common, and the checks that their fields share.

A check is a generator of complaints: a good field yields none. Whoever runs it decides whose fault a complaint is.
"""

from __future__ import annotations

import struct
from abc import ABC, abstractmethod
from collections.abc import Iterator
from enum import Enum, IntEnum
from typing import ClassVar, Self, TypeVar

from tinyhil.errors import LocalLinkError, RemoteLinkError

_E = TypeVar("_E", bound=Enum)


class MessageType(IntEnum):
    """The first byte of a body."""

    HELLO = 0x01
    DESCRIBE = 0x02
    INFER = 0x03
    RESET = 0x04
    WRITE = 0x05
    RUN = 0x06
    READ = 0x07
    USAGE = 0x08
    ARENA = 0x09
    PROFILE = 0x0A
    BAUD = 0x0B
    GOODBYE = 0x0C
    PREPROCESS = 0x0D
    WELCOME = 0x81
    TENSOR = 0x82
    RESULT = 0x83
    CLEARED = 0x84
    WRITTEN = 0x85
    RAN = 0x86
    DATA = 0x87
    USED = 0x88
    PREPARED = 0x89
    PROFILED = 0x8A
    SWITCHED = 0x8B
    PARTED = 0x8C
    PREPROCESSED = 0x8D
    ERROR = 0xFF


class MalformedError(Exception):
    """A payload that cannot be taken apart into fields."""


class Message(ABC):
    """What all messages have in common."""

    TYPE: ClassVar[IntEnum]

    def encode(self) -> bytes:
        """The payload of the message's frame.

        Raises:
            LocalLinkError: a field is outside the limits of the protocol.
        """
        for problem in self._problems():
            raise LocalLinkError(f"{self.TYPE.name} cannot be sent: {problem}")
        return self._pack()

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        """The message in ``payload``.

        Raises:
            RemoteLinkError: it is too short or too long, or a field is outside the limits of the protocol.
        """
        try:
            message = cls._unpack(payload)
        except MalformedError as error:
            raise RemoteLinkError(f"{cls.TYPE.name} of {len(payload)} bytes: {error}") from None
        for problem in message._problems():
            raise RemoteLinkError(f"{cls.TYPE.name} of {len(payload)} bytes: {problem}")
        return message

    @abstractmethod
    def _problems(self) -> Iterator[str]:
        """What is wrong with the fields, worst first."""

    @abstractmethod
    def _pack(self) -> bytes:
        """The payload of fields that are known to be good."""

    @classmethod
    @abstractmethod
    def _unpack(cls, payload: bytes) -> Self:
        """The fields of a payload, not yet checked."""


class BareMessage(Message):
    """A message without a payload."""

    def _problems(self) -> Iterator[str]:
        yield from ()

    def _pack(self) -> bytes:
        return b""

    @classmethod
    def _unpack(cls, payload: bytes) -> Self:
        exactly("", payload)
        return cls()


def outside(name: str, value: int, low: int, high: int) -> Iterator[str]:
    """A complaint where ``value`` is not in ``low..high``."""
    if not low <= value <= high:
        yield f"{name} {value} is not {low}" if low == high else f"{name} {value} is not in {low}..{high}"


def uneven(data: bytes, count: int) -> Iterator[str]:
    """A complaint where ``data`` cannot be ``count`` vectors of one length of at least a byte."""
    if not data or len(data) % count:
        yield f"{len(data)} bytes are not {count} vectors of one length"


def is_float32(value: float) -> bool:
    """Whether ``value`` survives the way through binary32 exactly."""
    try:
        return bool(struct.unpack("<f", struct.pack("<f", value))[0] == value)
    except OverflowError:
        return False


def exactly(layout: str, payload: bytes) -> tuple[int, ...]:
    """The fields of a payload that is exactly as long as ``layout``."""
    if len(payload) != struct.calcsize(layout):
        raise MalformedError(f"it should have {struct.calcsize(layout)}")
    return struct.unpack(layout, payload)


def split(payload: bytes, at: int) -> tuple[bytes, bytes]:
    """The first ``at`` bytes and the rest."""
    if len(payload) < at:
        raise MalformedError("it is too short for its fields")
    return payload[:at], payload[at:]


def member(kind: type[_E], value: int, name: str) -> _E:
    """The member of an enumeration that stands for ``value``."""
    try:
        return kind(value)
    except ValueError:
        raise MalformedError(f"{name} {value} is unknown") from None
