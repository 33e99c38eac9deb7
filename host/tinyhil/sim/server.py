"""The device's role of docs/protocol.md in Python, without I/O: the twin of firmware/lib/server.

Both are held to the same cases (host/tests/firmware). What a request is has to be judged by the device in the
protocol's order (type, not ready, init failed, length, argument), which the host's message classes do not need to
know, so requests are taken apart here; frames and answers are those classes' business.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from tinyhil.affine import TensorSpec
from tinyhil.link.fields import Message, MessageType
from tinyhil.link.frames import REQUEST_TYPES, Frame, FrameDecoder, encode_frame
from tinyhil.link.inference import Cleared, Data, Ran, Result, Write, Written
from tinyhil.link.line_rate import Switched
from tinyhil.link.messages import VERSION, Direction, Error, ErrorCode, Parted, Tensor, Welcome
from tinyhil.link.resources import MAX_OPERATOR_NAME, OperatorTicks, Prepared, Profiled, Used
from tinyhil.link.table import EXCHANGES, Needs

_WITHOUT_SESSION = frozenset(row.request.TYPE for row in EXCHANGES if row.needs is Needs.NOTHING)
_WITHOUT_MODEL = frozenset(row.request.TYPE for row in EXCHANGES if row.needs is not Needs.MODEL)
"""What tells about an engine that did not accept the model, and what may mend it."""


class Engine(Protocol):
    """Whatever computes the model, as firmware/lib/engine/engine.h has it: status 0 is success."""

    def init(self) -> int:
        """Prepares the model, in the whole arena where there is one."""

    def prepare(self, size: int) -> int:
        """As init(), in the first ``size`` bytes of the arena, 1..arena_capacity(). Never called where that is 0."""

    def input(self, index: int) -> memoryview:
        """The memory of an input, as bytes."""

    def output(self, index: int) -> memoryview:
        """The memory of an output, as bytes."""

    def invoke(self) -> int:
        """Computes the outputs from the inputs, which it may destroy."""

    def reset(self) -> None:
        """Takes a stateful model back to its state after init, and has no effect on any other."""

    def arena_bytes(self) -> int:
        """Working memory that the engine was last prepared in."""

    def arena_capacity(self) -> int:
        """The largest arena that prepare() takes, 0 where the working memory is fixed."""

    def arena_used(self) -> int:
        """How much of the arena the engine itself says that it needs, 0 where it does not say."""

    def arena_overrun(self) -> int:
        """Bytes of the whole arena behind arena_bytes() that have changed since the engine was prepared."""

    def profile(self, ticks: Callable[[], int]) -> int:
        """As invoke(), with each operator timed by ``ticks``, which runs freely over all 32 bits."""

    def operators(self) -> Sequence[OperatorTicks]:
        """What the last profile() has timed, in the order of execution; empty where the engine times none."""


@dataclass(frozen=True)
class Identity:
    """What the device is.

    Attributes:
        welcome: its answer to HELLO, but for the arena's bytes, which the engine says.
        inputs: the model's input tensors, as many as ``welcome`` says.
        outputs: its output tensors, likewise.
        ticks: its clock, which runs freely over 32 bits; None where the tick rate is 0.
        stack_bytes: that its stack may take; 0 where that is not known.
        stack_used: the most that it has taken since start; None where that is not known.
    """

    welcome: Welcome
    inputs: Sequence[TensorSpec]
    outputs: Sequence[TensorSpec]
    ticks: Callable[[], int] | None = None
    stack_bytes: int = 0
    stack_used: Callable[[], int] | None = None


class Server:
    """Answers each request with exactly one frame.

    Ownership: one session and one engine; not for use by two threads.

    Attributes:
        frames: how many sound requests have come.
        parted: whether the last one has ended the session.
    """

    def __init__(self, identity: Identity, engine: Engine) -> None:
        self.frames = 0
        self.parted = False
        self._identity = identity
        self._welcome = identity.welcome
        self._engine = engine
        self._decoder = FrameDecoder(self._welcome.max_payload)
        self._input_bytes = [spec.nbytes for spec in identity.inputs]
        self._output_bytes = [spec.nbytes for spec in identity.outputs]
        self._ready = False
        self._kept: tuple[int, int, bytes] | None = None
        self._resized = False
        self._profiled: Sequence[OperatorTicks] = ()
        self._init_status = engine.init()
        self._handlers: dict[int, Callable[[bytes], Message]] = {
            MessageType.DESCRIBE: self._describe,
            MessageType.INFER: self._infer,
            MessageType.RESET: self._reset,
            MessageType.WRITE: self._write,
            MessageType.RUN: self._run,
            MessageType.READ: self._read,
            MessageType.USAGE: self._usage,
            MessageType.ARENA: self._arena,
            MessageType.PROFILE: self._profile,
            MessageType.BAUD: self._baud,
            MessageType.GOODBYE: self._goodbye,
        }

    def begin(self, boot_id: int) -> None:
        """As after a start, which this one is for the link: no session, no kept answer, the engine prepared anew."""
        self._welcome = replace(self._welcome, boot_id=boot_id)
        self._ready = self._resized = self.parted = False
        self._kept = None
        self._profiled = ()
        self._init_status = self._engine.init()

    def receive(self, data: bytes) -> bytes:
        """Takes any number of bytes, cut anywhere, and returns what the device sends for them."""
        frames = (event for event in self._decoder.feed(data) if isinstance(event, Frame))
        return b"".join(self._respond(frame) for frame in frames if frame.type in REQUEST_TYPES)

    def _respond(self, request: Frame) -> bytes:
        """The wire bytes of the answer: for a request that comes again, those of the first time."""
        self.frames += 1
        if self._kept is not None and self._kept[:2] == (request.type, request.sequence):
            return self._kept[2]
        answer = self._answer(request)
        wire = encode_frame(Frame(answer.TYPE, request.sequence, answer.encode()))
        self._kept = None if request.type == MessageType.HELLO else (request.type, request.sequence, wire)
        return wire

    def _answer(self, request: Frame) -> Message:
        """The order of the checks is part of the protocol."""
        if request.type == MessageType.HELLO:
            return self._hello(request.payload)
        handler = self._handlers.get(request.type)
        if handler is None:
            return Error(ErrorCode.UNKNOWN_TYPE, request.type)
        if not self._ready and request.type not in _WITHOUT_SESSION:
            return Error(ErrorCode.NOT_READY, self._welcome.boot_id)
        if self._init_status != 0 and request.type not in _WITHOUT_MODEL:
            return Error(ErrorCode.INIT_FAILED, self._init_status)
        return handler(request.payload)

    def _hello(self, payload: bytes) -> Message:
        if len(payload) != 2:
            return _bad_length(payload)
        if not payload[0] <= VERSION <= payload[1]:
            return Error(ErrorCode.UNSUPPORTED_VERSION, VERSION)
        self._ready, self.parted = True, False
        self._profiled = ()
        # A session begins as after a start, whatever arena the one before has tried last.
        if self._resized:
            self._init_status = self._engine.init()
        self._resized = False
        return replace(self._welcome, arena_bytes=self._engine.arena_bytes())

    def _describe(self, payload: bytes) -> Message:
        if len(payload) != 2:
            return _bad_length(payload)
        direction, index = payload
        if direction > Direction.OUTPUT:
            return _bad_argument(direction)
        tensors = self._identity.inputs if direction == Direction.INPUT else self._identity.outputs
        if index >= len(tensors):
            return _bad_argument(index)
        return Tensor(Direction(direction), index, tensors[index])

    def _infer(self, payload: bytes) -> Message:
        count = int.from_bytes(payload[:2], "little")
        if len(payload) < 2 or len(payload) - 2 != count * sum(self._input_bytes):
            return _bad_length(payload)
        if count == 0 or Result.HEADER_BYTES + count * sum(self._output_bytes) > self._welcome.max_payload:
            return _bad_argument(count)
        start = self._ticks()
        at, outputs = 2, []
        for _ in range(count):
            for index, size in enumerate(self._input_bytes):
                self._engine.input(index)[:] = payload[at : at + size]
                at += size
            status = self._engine.invoke()
            if status != 0:
                return Error(ErrorCode.INVOKE_FAILED, status)
            outputs += [bytes(self._engine.output(index)) for index in range(len(self._output_bytes))]
        return Result(count, self._since(start), b"".join(outputs))

    def _reset(self, payload: bytes) -> Message:
        if payload:
            return _bad_length(payload)
        self._engine.reset()
        return Cleared()

    def _write(self, payload: bytes) -> Message:
        if len(payload) <= Write.HEADER_BYTES:
            return _bad_length(payload)
        index, offset = struct.unpack_from("<BI", payload)
        data = payload[Write.HEADER_BYTES :]
        refused = _beyond(self._input_bytes, index, offset, len(data))
        if refused is not None:
            return refused
        self._engine.input(index)[offset : offset + len(data)] = data
        return Written()

    def _run(self, payload: bytes) -> Message:
        if len(payload) != 4:
            return _bad_length(payload)
        crc = 0
        for index in range(len(self._input_bytes)):
            crc = zlib.crc32(self._engine.input(index), crc)
        if crc != int.from_bytes(payload, "little"):
            return Error(ErrorCode.INPUTS_DIFFER, crc)
        start = self._ticks()
        status = self._engine.invoke()
        return Ran(self._since(start)) if status == 0 else Error(ErrorCode.INVOKE_FAILED, status)

    def _read(self, payload: bytes) -> Message:
        if len(payload) != 7:
            return _bad_length(payload)
        index, offset, length = struct.unpack("<BIH", payload)
        refused = _beyond(self._output_bytes, index, offset, length)
        if refused is not None:
            return refused
        if not 1 <= length <= self._welcome.max_payload:
            return _bad_argument(length)
        return Data(bytes(self._engine.output(index)[offset : offset + length]))

    def _usage(self, payload: bytes) -> Message:
        if payload:
            return _bad_length(payload)
        return Used(
            arena_capacity=self._engine.arena_capacity(),
            arena_bytes=self._engine.arena_bytes(),
            arena_used=self._engine.arena_used(),
            arena_overrun=self._engine.arena_overrun(),
            stack_bytes=self._identity.stack_bytes,
            stack_used=0 if self._identity.stack_used is None else self._identity.stack_used(),
        )

    def _arena(self, payload: bytes) -> Message:
        if len(payload) != 4:
            return _bad_length(payload)
        size = int.from_bytes(payload, "little")
        if not 1 <= size <= self._engine.arena_capacity():
            return _bad_argument(size)
        self._resized = True
        self._profiled = ()
        self._init_status = self._engine.prepare(size)
        return Prepared(self._init_status, self._engine.arena_used())

    def _profile(self, payload: bytes) -> Message:
        if len(payload) != 2:
            return _bad_length(payload)
        first = int.from_bytes(payload, "little")
        if first != 0 and first >= len(self._profiled):
            return _bad_argument(first)
        if first == 0:
            self._profiled = ()
            status = self._engine.profile(self._ticks)
            if status != 0:
                return Error(ErrorCode.INVOKE_FAILED, status)
            self._profiled = tuple(
                OperatorTicks(each.name[:MAX_OPERATOR_NAME], each.ticks) for each in self._engine.operators()
            )
        return _page(self._profiled, first, self._welcome.max_payload)

    def _baud(self, payload: bytes) -> Message:
        """There is no line whose rate could be another one."""
        return Switched(0) if len(payload) == 4 else _bad_length(payload)

    def _goodbye(self, payload: bytes) -> Message:
        """It does nothing of its own that it could go back to."""
        if payload:
            return _bad_length(payload)
        self._ready, self.parted = False, True
        return Parted()

    def _ticks(self) -> int:
        return 0 if self._identity.ticks is None else self._identity.ticks()

    def _since(self, start: int) -> int:
        return (self._ticks() - start) & 0xFFFFFFFF


def _beyond(sizes: list[int], index: int, offset: int, length: int) -> Error | None:
    """What is wrong with a part of a tensor: the first field that is to blame."""
    if index >= len(sizes):
        return _bad_argument(index)
    if offset >= sizes[index]:
        return _bad_argument(offset)
    return _bad_argument(length) if length > sizes[index] - offset else None


def _page(operators: Sequence[OperatorTicks], first: int, max_payload: int) -> Profiled:
    """As many operators as a payload takes: the longest name fits into every payload."""
    room = max_payload - Profiled.HEADER_BYTES
    page = []
    for operator in operators[first:]:
        room -= Profiled.ENTRY_BYTES + len(operator.name)
        if room < 0:
            break
        page.append(operator)
    return Profiled(len(operators), first, tuple(page))


def _bad_length(payload: bytes) -> Error:
    return Error(ErrorCode.BAD_LENGTH, len(payload))


def _bad_argument(value: int) -> Error:
    return Error(ErrorCode.BAD_ARGUMENT, value)
