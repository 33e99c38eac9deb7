"""The messages of the handshake and of the end, and ERROR: their fields, their limits, and nothing about order.

They are those of docs/protocol.md, "Messages"; the messages that run the model are in inference.py. Each message is a
frozen value with ``encode()`` and ``decode()``. Both hold every limit of the protocol page: what breaks one when
encoding is our fault (LocalLinkError), what breaks one when decoding is the device's (RemoteLinkError). Limits that
depend on the model or on the request, such as the length of a RESULT, are the connection's to check.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, Self

from tinyhil.affine import DType, TensorSpec
from tinyhil.link.fields import BareMessage, MalformedError, Message, exactly, is_float32, member, outside, split
from tinyhil.link.fields import MessageType as MessageType  # readers look for it here
from tinyhil.link.frames import MAX_PAYLOAD

VERSION = 1
"""The one version of the protocol that this package speaks."""

HASH_BYTES = 32
MAX_RANK = 6
MAX_ENGINE_NAME = 16
"""Characters."""
MAX_TENSOR_NAME = 63
"""Bytes of UTF-8."""
MIN_PAYLOAD = 20 + 2 * HASH_BYTES + MAX_ENGINE_NAME
"""Bytes that every device takes: of the longest WELCOME, which is the longest answer but RESULT, DATA and PROFILED."""


class ErrorCode(IntEnum):
    """What an ERROR says."""

    UNSUPPORTED_VERSION = 1
    UNKNOWN_TYPE = 2
    BAD_LENGTH = 3
    BAD_ARGUMENT = 4
    NOT_READY = 5
    INIT_FAILED = 6
    INVOKE_FAILED = 7
    INPUTS_DIFFER = 8


class Direction(IntEnum):
    """On which side of the model a tensor lies."""

    INPUT = 0
    OUTPUT = 1


@dataclass(frozen=True, slots=True)
class Hello(Message):
    """Opens a session: the versions that the host speaks, 0..255 each."""

    TYPE: ClassVar[MessageType] = MessageType.HELLO

    lowest: int = VERSION
    highest: int = VERSION

    def _problems(self) -> Iterator[str]:
        yield from outside("lowest version", self.lowest, 0, 0xFF)
        yield from outside("highest version", self.highest, 0, 0xFF)

    def _pack(self) -> bytes:
        return bytes((self.lowest, self.highest))

    @classmethod
    def _unpack(cls, payload: bytes) -> Self:
        return cls(*exactly("<BB", payload))


@dataclass(frozen=True, slots=True)
class Welcome(Message):
    """Who the device is and what it can take.

    Attributes:
        version: of the protocol, from now on.
        stateful: the model keeps state between inferences.
        inputs: number of input tensors, 1..255.
        outputs: number of output tensors, 1..255.
        max_payload: bytes of the largest payload that the device takes or sends, 100..4096.
        window: requests that may be unanswered at a time, 1..255.
        boot_id: differs from boot to boot.
        tick_rate: ticks per second of the device's clock, 0 without one.
        arena_bytes: working memory of the engine.
        model_sha256: of the model file that the firmware was made from, 32 bytes.
        project_sha256: of all other files that it was made from, 32 bytes.
        engine: 1..16 characters of printable ASCII.
    """

    TYPE: ClassVar[MessageType] = MessageType.WELCOME
    _FORMAT: ClassVar[struct.Struct] = struct.Struct("<BBBBHBBIII32s32s")

    version: int
    stateful: bool
    inputs: int
    outputs: int
    max_payload: int
    window: int
    boot_id: int
    tick_rate: int
    arena_bytes: int
    model_sha256: bytes
    project_sha256: bytes
    engine: str

    def _problems(self) -> Iterator[str]:
        yield from outside("version", self.version, VERSION, VERSION)
        yield from outside("inputs", self.inputs, 1, 0xFF)
        yield from outside("outputs", self.outputs, 1, 0xFF)
        yield from outside("max payload", self.max_payload, MIN_PAYLOAD, MAX_PAYLOAD)
        yield from outside("window", self.window, 1, 0xFF)
        yield from outside("boot id", self.boot_id, 0, 0xFFFFFFFF)
        yield from outside("tick rate", self.tick_rate, 0, 0xFFFFFFFF)
        yield from outside("arena bytes", self.arena_bytes, 0, 0xFFFFFFFF)
        yield from outside("bytes of the model hash", len(self.model_sha256), HASH_BYTES, HASH_BYTES)
        yield from outside("bytes of the project hash", len(self.project_sha256), HASH_BYTES, HASH_BYTES)
        yield from outside("characters of the engine's name", len(self.engine), 1, MAX_ENGINE_NAME)
        if not all(" " <= character <= "~" for character in self.engine):
            yield f"the engine's name {self.engine!r} is not printable ASCII"

    def _pack(self) -> bytes:
        fixed = self._FORMAT.pack(
            self.version,
            int(self.stateful),
            self.inputs,
            self.outputs,
            self.max_payload,
            self.window,
            0,
            self.boot_id,
            self.tick_rate,
            self.arena_bytes,
            self.model_sha256,
            self.project_sha256,
        )
        return fixed + self.engine.encode("ascii")

    @classmethod
    def _unpack(cls, payload: bytes) -> Self:
        fixed, engine = split(payload, cls._FORMAT.size)
        version, flags, inputs, outputs, max_payload, window, reserved, *rest = cls._FORMAT.unpack(fixed)
        if flags > 1 or reserved:
            raise MalformedError(f"flags 0x{flags:02x} or reserved 0x{reserved:02x} have bits unknown to version 1")
        boot_id, tick_rate, arena_bytes, model_sha256, project_sha256 = rest
        return cls(
            version,
            bool(flags),
            inputs,
            outputs,
            max_payload,
            window,
            boot_id,
            tick_rate,
            arena_bytes,
            model_sha256,
            project_sha256,
            engine.decode("latin-1"),
        )


@dataclass(frozen=True, slots=True)
class Describe(Message):
    """Asks for one tensor, ``index`` counted from 0."""

    TYPE: ClassVar[MessageType] = MessageType.DESCRIBE

    direction: Direction
    index: int

    def _problems(self) -> Iterator[str]:
        yield from outside("index", self.index, 0, 0xFF)

    def _pack(self) -> bytes:
        return bytes((self.direction, self.index))

    @classmethod
    def _unpack(cls, payload: bytes) -> Self:
        direction, index = exactly("<BB", payload)
        return cls(member(Direction, direction, "direction"), index)


@dataclass(frozen=True, slots=True)
class Tensor(Message):
    """One tensor of the model.

    The scale travels as float32: ``spec.scale`` has to be one exactly, so that what arrives compares equal.
    """

    TYPE: ClassVar[MessageType] = MessageType.TENSOR
    _FIXED: ClassVar[struct.Struct] = struct.Struct("<BBBB")

    direction: Direction
    index: int
    spec: TensorSpec

    def _problems(self) -> Iterator[str]:
        yield from outside("index", self.index, 0, 0xFF)
        yield from outside("rank", len(self.spec.shape), 1, MAX_RANK)
        for axis, extent in enumerate(self.spec.shape):
            yield from outside(f"dimension {axis}", extent, 1, 0xFFFFFFFF)
        scale = self.spec.scale
        if not math.isfinite(scale) or math.copysign(1.0, scale) < 0:
            yield f"a scale of {scale} is not finite and above 0, nor 0"
        elif not is_float32(scale):
            yield f"the scale {scale!r} is not exactly a float32"
        yield from outside("zero point", self.spec.zero_point, -0x80000000, 0x7FFFFFFF)
        try:
            yield from outside("bytes of the tensor's name", len(self.spec.name.encode()), 0, MAX_TENSOR_NAME)
        except UnicodeEncodeError:
            yield f"the tensor's name {self.spec.name!r} has no UTF-8"

    def _pack(self) -> bytes:
        shape = self.spec.shape
        return b"".join(
            (
                self._FIXED.pack(self.direction, self.index, self.spec.dtype.value, len(shape)),
                struct.pack(f"<{len(shape)}I", *shape),
                struct.pack("<fi", self.spec.scale, self.spec.zero_point),
                self.spec.name.encode(),
            )
        )

    @classmethod
    def _unpack(cls, payload: bytes) -> Self:
        fixed, rest = split(payload, cls._FIXED.size)
        direction, index, code, rank = cls._FIXED.unpack(fixed)
        for problem in outside("rank", rank, 1, MAX_RANK):
            raise MalformedError(problem)
        dimensions, rest = split(rest, 4 * rank)
        affine, name = split(rest, 8)
        scale, zero_point = struct.unpack("<fi", affine)
        try:
            text = name.decode()
        except UnicodeDecodeError:
            raise MalformedError(f"the tensor's name {name!r} is not UTF-8") from None
        dtype = member(DType, code, "element type")
        spec = TensorSpec(text, dtype, struct.unpack(f"<{rank}I", dimensions), scale, zero_point)
        return cls(member(Direction, direction, "direction"), index, spec)


@dataclass(frozen=True)
class Goodbye(BareMessage):
    """Ends the session, if there is one: the line is back at its first rate, and the device at what it does alone."""

    TYPE: ClassVar[MessageType] = MessageType.GOODBYE


@dataclass(frozen=True)
class Parted(BareMessage):
    """The session is over."""

    TYPE: ClassVar[MessageType] = MessageType.PARTED


@dataclass(frozen=True, slots=True)
class Error(Message):
    """Why the device did not do what was asked; the code says what ``detail`` (32 bits) means."""

    TYPE: ClassVar[MessageType] = MessageType.ERROR

    code: ErrorCode
    detail: int

    def _problems(self) -> Iterator[str]:
        yield from outside("detail", self.detail, 0, 0xFFFFFFFF)

    def _pack(self) -> bytes:
        return struct.pack("<BI", self.code, self.detail)

    @classmethod
    def _unpack(cls, payload: bytes) -> Self:
        code, detail = exactly("<BI", payload)
        return cls(member(ErrorCode, code, "error code"), detail)
