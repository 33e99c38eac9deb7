"""The messages about what the device needs: memory in use, the arena's size, and the time of each operator.

They are those of docs/protocol.md, "Messages", and keep to the rules of messages.py. A device may be older than these
requests; it then answers ``unknown type``.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Self

from tinyhil.artifacts.types import OperatorTicks as OperatorTicks  # it is a field of Profiled
from tinyhil.link.fields import BareMessage, MalformedError, Message, MessageType, exactly, outside, split

MAX_OPERATOR_NAME = 63
"""Characters of the longest name of an operator."""


@dataclass(frozen=True)
class Usage(BareMessage):
    """Asks how much memory is in use."""

    TYPE: ClassVar[MessageType] = MessageType.USAGE


@dataclass(frozen=True, slots=True)
class Used(Message):
    """How much memory is in use, in bytes.

    Attributes:
        arena_capacity: the most that ARENA may ask for; 0 where the engine's memory is fixed.
        arena_bytes: what the engine was last prepared in.
        arena_used: what the engine itself says that it needs; 0 where it does not say.
        arena_overrun: bytes of the arena behind those in use that have changed since the engine was prepared.
        stack_bytes: that the stack may take; 0 where that is not known.
        stack_used: the most that it has taken since start; 0 where that is not known.
    """

    TYPE: ClassVar[MessageType] = MessageType.USED
    _FORMAT: ClassVar[str] = "<6I"

    arena_capacity: int
    arena_bytes: int
    arena_used: int
    arena_overrun: int
    stack_bytes: int
    stack_used: int

    def _fields(self) -> tuple[int, ...]:
        return (
            self.arena_capacity,
            self.arena_bytes,
            self.arena_used,
            self.arena_overrun,
            self.stack_bytes,
            self.stack_used,
        )

    def _problems(self) -> Iterator[str]:
        for value in self._fields():
            yield from outside("a number of bytes", value, 0, 0xFFFFFFFF)

    def _pack(self) -> bytes:
        return struct.pack(self._FORMAT, *self._fields())

    @classmethod
    def _unpack(cls, payload: bytes) -> Self:
        return cls(*exactly(cls._FORMAT, payload))


@dataclass(frozen=True, slots=True)
class Arena(Message):
    """Asks to prepare the engine anew in the first ``size`` bytes of its arena."""

    TYPE: ClassVar[MessageType] = MessageType.ARENA

    size: int

    def _problems(self) -> Iterator[str]:
        yield from outside("arena", self.size, 1, 0xFFFFFFFF)

    def _pack(self) -> bytes:
        return struct.pack("<I", self.size)

    @classmethod
    def _unpack(cls, payload: bytes) -> Self:
        return cls(*exactly("<I", payload))


@dataclass(frozen=True, slots=True)
class Prepared(Message):
    """ARENA was carried out: with ``status`` 0 the engine is ready, and says to need ``arena_used`` bytes."""

    TYPE: ClassVar[MessageType] = MessageType.PREPARED

    status: int
    arena_used: int

    def _problems(self) -> Iterator[str]:
        yield from outside("status", self.status, 0, 0xFFFFFFFF)
        yield from outside("arena used", self.arena_used, 0, 0xFFFFFFFF)

    def _pack(self) -> bytes:
        return struct.pack("<II", self.status, self.arena_used)

    @classmethod
    def _unpack(cls, payload: bytes) -> Self:
        return cls(*exactly("<II", payload))


@dataclass(frozen=True, slots=True)
class Profile(Message):
    """Asks to time each operator in one inference (``first`` 0), or for more of that (``first`` above 0)."""

    TYPE: ClassVar[MessageType] = MessageType.PROFILE

    first: int

    def _problems(self) -> Iterator[str]:
        yield from outside("first operator", self.first, 0, 0xFFFF)

    def _pack(self) -> bytes:
        return struct.pack("<H", self.first)

    @classmethod
    def _unpack(cls, payload: bytes) -> Self:
        return cls(*exactly("<H", payload))


@dataclass(frozen=True, slots=True)
class Profiled(Message):
    """Some of the operators of the last profile, in the order of execution.

    Attributes:
        operators: how many there are in all; 0 where the engine does not time them.
        first: number of the first one here.
        entries: as many as the device's payload takes, at least one where there are operators.
    """

    TYPE: ClassVar[MessageType] = MessageType.PROFILED
    _ENTRY: ClassVar[struct.Struct] = struct.Struct("<IB")
    HEADER_BYTES: ClassVar[int] = 4
    ENTRY_BYTES: ClassVar[int] = _ENTRY.size
    """Of an entry, without the name."""

    operators: int
    first: int
    entries: tuple[OperatorTicks, ...]

    def _problems(self) -> Iterator[str]:
        yield from outside("operators", self.operators, 0, 0xFFFF)
        yield from outside("first operator", self.first, 0, max(0, self.operators - 1))
        fewest = 1 if self.operators else 0
        yield from outside("operators in the page", len(self.entries), fewest, self.operators - self.first)
        for entry in self.entries:
            yield from outside("ticks", entry.ticks, 0, 0xFFFFFFFF)
            yield from outside("characters of the operator's name", len(entry.name), 0, MAX_OPERATOR_NAME)
            if not all(" " <= character <= "~" for character in entry.name):
                yield f"the operator's name {entry.name!r} is not printable ASCII"

    def _pack(self) -> bytes:
        parts = [struct.pack("<HH", self.operators, self.first)]
        for entry in self.entries:
            parts += [self._ENTRY.pack(entry.ticks, len(entry.name)), entry.name.encode("ascii")]
        return b"".join(parts)

    @classmethod
    def _unpack(cls, payload: bytes) -> Self:
        fixed, rest = split(payload, cls.HEADER_BYTES)
        operators, first = struct.unpack("<HH", fixed)
        entries = []
        while rest:
            head, rest = split(rest, cls.ENTRY_BYTES)
            ticks, length = cls._ENTRY.unpack(head)
            if length > MAX_OPERATOR_NAME:
                raise MalformedError(f"an operator's name of {length} characters")
            name, rest = split(rest, length)
            entries.append(OperatorTicks(name.decode("latin-1"), ticks))
        return cls(operators, first, tuple(entries))
