"""The messages that run the model: all vectors of a request at once, or one large vector in parts.

They are those of docs/protocol.md, "Messages", and keep to the rules of messages.py. ``HEADER_BYTES`` is what stands in
a payload before the tensors' bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Self

from tinyhil.link.fields import BareMessage, Message, MessageType, exactly, outside, split, uneven
from tinyhil.link.frames import MAX_PAYLOAD


@dataclass(frozen=True, slots=True)
class Infer(Message):
    """Asks for ``count`` inferences, 1..65535; ``vectors`` holds all input tensors of each, row-major."""

    TYPE: ClassVar[MessageType] = MessageType.INFER
    HEADER_BYTES: ClassVar[int] = 2

    count: int
    vectors: bytes

    def _problems(self) -> Iterator[str]:
        yield from outside("count", self.count, 1, 0xFFFF)
        yield from uneven(self.vectors, self.count)

    def _pack(self) -> bytes:
        return struct.pack("<H", self.count) + self.vectors

    @classmethod
    def _unpack(cls, payload: bytes) -> Self:
        fixed, vectors = split(payload, cls.HEADER_BYTES)
        (count,) = struct.unpack("<H", fixed)
        return cls(count, vectors)


@dataclass(frozen=True, slots=True)
class Result(Message):
    """What the device computed.

    Attributes:
        count: vectors, as asked, 1..65535.
        ticks: of the device's clock spent in the engine for all of them, modulo 2^32; 0 without a clock.
        outputs: all output tensors of each vector, row-major.
    """

    TYPE: ClassVar[MessageType] = MessageType.RESULT
    HEADER_BYTES: ClassVar[int] = 6

    count: int
    ticks: int
    outputs: bytes

    def _problems(self) -> Iterator[str]:
        yield from outside("count", self.count, 1, 0xFFFF)
        yield from outside("ticks", self.ticks, 0, 0xFFFFFFFF)
        yield from uneven(self.outputs, self.count)

    def _pack(self) -> bytes:
        return struct.pack("<HI", self.count, self.ticks) + self.outputs

    @classmethod
    def _unpack(cls, payload: bytes) -> Self:
        fixed, outputs = split(payload, cls.HEADER_BYTES)
        count, ticks = struct.unpack("<HI", fixed)
        return cls(count, ticks, outputs)


@dataclass(frozen=True)
class Reset(BareMessage):
    """Asks to put a model that keeps state back to its state after start."""

    TYPE: ClassVar[MessageType] = MessageType.RESET


@dataclass(frozen=True)
class Cleared(BareMessage):
    """RESET was carried out."""

    TYPE: ClassVar[MessageType] = MessageType.CLEARED


@dataclass(frozen=True, slots=True)
class Write(Message):
    """Puts ``data`` (at least a byte) into the input tensor ``index``, from byte ``offset`` on."""

    TYPE: ClassVar[MessageType] = MessageType.WRITE
    HEADER_BYTES: ClassVar[int] = 5

    index: int
    offset: int
    data: bytes

    def _problems(self) -> Iterator[str]:
        yield from outside("input", self.index, 0, 0xFF)
        yield from outside("offset", self.offset, 0, 0xFFFFFFFF)
        yield from outside("bytes to write", len(self.data), 1, MAX_PAYLOAD - self.HEADER_BYTES)

    def _pack(self) -> bytes:
        return struct.pack("<BI", self.index, self.offset) + self.data

    @classmethod
    def _unpack(cls, payload: bytes) -> Self:
        fixed, data = split(payload, cls.HEADER_BYTES)
        index, offset = struct.unpack("<BI", fixed)
        return cls(index, offset, data)


@dataclass(frozen=True)
class Written(BareMessage):
    """WRITE was carried out."""

    TYPE: ClassVar[MessageType] = MessageType.WRITTEN


@dataclass(frozen=True, slots=True)
class Run(Message):
    """Asks for one inference on what has been written; ``crc`` is the CRC-32 of all input tensors."""

    TYPE: ClassVar[MessageType] = MessageType.RUN

    crc: int

    def _problems(self) -> Iterator[str]:
        yield from outside("crc", self.crc, 0, 0xFFFFFFFF)

    def _pack(self) -> bytes:
        return struct.pack("<I", self.crc)

    @classmethod
    def _unpack(cls, payload: bytes) -> Self:
        return cls(*exactly("<I", payload))


@dataclass(frozen=True, slots=True)
class Ran(Message):
    """RUN was carried out, in ``ticks`` of the device's clock, modulo 2^32; 0 without a clock."""

    TYPE: ClassVar[MessageType] = MessageType.RAN

    ticks: int

    def _problems(self) -> Iterator[str]:
        yield from outside("ticks", self.ticks, 0, 0xFFFFFFFF)

    def _pack(self) -> bytes:
        return struct.pack("<I", self.ticks)

    @classmethod
    def _unpack(cls, payload: bytes) -> Self:
        return cls(*exactly("<I", payload))


@dataclass(frozen=True, slots=True)
class Read(Message):
    """Asks for ``length`` bytes (at least one) of the output tensor ``index``, from byte ``offset`` on."""

    TYPE: ClassVar[MessageType] = MessageType.READ

    index: int
    offset: int
    length: int

    def _problems(self) -> Iterator[str]:
        yield from outside("output", self.index, 0, 0xFF)
        yield from outside("offset", self.offset, 0, 0xFFFFFFFF)
        yield from outside("bytes to read", self.length, 1, MAX_PAYLOAD)

    def _pack(self) -> bytes:
        return struct.pack("<BIH", self.index, self.offset, self.length)

    @classmethod
    def _unpack(cls, payload: bytes) -> Self:
        return cls(*exactly("<BIH", payload))


@dataclass(frozen=True, slots=True)
class Data(Message):
    """The bytes that READ asked for."""

    TYPE: ClassVar[MessageType] = MessageType.DATA

    data: bytes

    def _problems(self) -> Iterator[str]:
        yield from outside("bytes", len(self.data), 1, MAX_PAYLOAD)

    def _pack(self) -> bytes:
        return self.data

    @classmethod
    def _unpack(cls, payload: bytes) -> Self:
        return cls(payload)
