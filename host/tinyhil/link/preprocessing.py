"""The messages by which the preprocessing of a user's own firmware is carried out (docs/protocol.md, "PREPROCESS").

The raw sample is written before, as if it were one more input, and what was made of it is read afterwards, as if the
inputs were further outputs (``tinyhil.link.large``).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Self

from tinyhil.affine import DType
from tinyhil.link.fields import MalformedError, Message, MessageType, exactly, member, outside, split
from tinyhil.link.messages import MAX_RANK


@dataclass(frozen=True, slots=True)
class Preprocess(Message):
    """Asks to take the raw sample that was written to the model's inputs.

    Attributes:
        crc: of the raw sample; with another one the device only tells what it has.
    """

    TYPE: ClassVar[MessageType] = MessageType.PREPROCESS

    crc: int

    def _problems(self) -> Iterator[str]:
        yield from outside("crc", self.crc, 0, 0xFFFFFFFF)

    def _pack(self) -> bytes:
        return struct.pack("<I", self.crc)

    @classmethod
    def _unpack(cls, payload: bytes) -> Self:
        return cls(*exactly("<I", payload))


@dataclass(frozen=True, slots=True)
class Preprocessed(Message):
    """What the device takes for a raw sample, and whether that was preprocessed: with the CRC that was asked for.

    Attributes:
        crc: of the raw sample as the device has it.
        ticks: of the device's clock that it took, modulo 2^32; 0 without a clock, and where nothing was done.
        dtype: type of the raw sample's elements.
        shape: of the raw sample, batch included.
    """

    TYPE: ClassVar[MessageType] = MessageType.PREPROCESSED
    _FIXED: ClassVar[struct.Struct] = struct.Struct("<IIBB")

    crc: int
    ticks: int
    dtype: DType
    shape: tuple[int, ...]

    def _problems(self) -> Iterator[str]:
        yield from outside("crc", self.crc, 0, 0xFFFFFFFF)
        yield from outside("ticks", self.ticks, 0, 0xFFFFFFFF)
        yield from outside("rank", len(self.shape), 1, MAX_RANK)
        for axis, extent in enumerate(self.shape):
            yield from outside(f"dimension {axis}", extent, 1, 0xFFFFFFFF)

    def _pack(self) -> bytes:
        rank = len(self.shape)
        fixed = self._FIXED.pack(self.crc, self.ticks, self.dtype.value, rank)
        return fixed + struct.pack(f"<{rank}I", *self.shape)

    @classmethod
    def _unpack(cls, payload: bytes) -> Self:
        fixed, rest = split(payload, cls._FIXED.size)
        crc, ticks, code, rank = cls._FIXED.unpack(fixed)
        for problem in outside("rank", rank, 1, MAX_RANK):
            raise MalformedError(problem)
        return cls(crc, ticks, member(DType, code, "element type"), exactly(f"<{rank}I", rest))
