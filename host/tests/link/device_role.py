"""The device's role of docs/protocol.md in Python. It is these tests' own, and no product code."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from tinyhil.affine import TensorSpec
from tinyhil.link.fields import Message, MessageType
from tinyhil.link.frames import Frame, FrameDecoder, encode_frame
from tinyhil.link.inference import Cleared, Data, Ran, Result, Written
from tinyhil.link.messages import Direction, Error, ErrorCode, Parted, Tensor, Welcome
from tinyhil.link.resources import OperatorTicks, Prepared, Profiled, Used

OPERATORS = tuple(OperatorTicks(f"operator {index}", 5 * index) for index in range(20))
"""What a profile tells: more than a payload of 256 bytes takes."""

ARENA_NEEDED = 1000
"""Fewest bytes of arena that the engine of a device is prepared in."""

STACK = 4096, 500
"""Of a device: all of it, and the most that was used."""

WELCOME = Welcome(1, False, 1, 1, 256, 4, 0xB007, 1000, 2048, b"m" * 32, b"p" * 32, "test")

Model = Callable[[bytes], bytes]
"""All output tensors of one vector from all its input tensors, as bytes."""


def never() -> bool:
    return False


def never_at(kind: int) -> bool:
    return False


class DeviceRole:
    """A device whose model is a Python function of one vector.

    Args:
        inputs: the model's inputs.
        outputs: its outputs.
        model: what it computes.
        clear: puts a model that keeps state back; None for one that keeps none.
        max_payload: as in WELCOME.
        window: as in WELCOME.
        forgets: asked at every WRITE whether its bytes get lost inside the device.
        restarts: asked at every request of a session, by its type, whether the device starts again instead of carrying
            it out. It is then answered as if it came once more.
        knows_resources: whether the device knows USAGE, ARENA and PROFILE, and GOODBYE, which is younger.
        operators: what a profile tells.
        more: handlers of requests that are none of the protocol's, by type.

    Attributes:
        runs: the vectors that were carried out, one list from each start or RESET to the next.
        boots: how often it has started again.
        inferences: how many vectors were carried out in all, profiles included.
        arena: bytes that the engine was last prepared in.
        goodbyes: how often it was told goodbye, repetitions included.
    """

    def __init__(
        self,
        inputs: Sequence[TensorSpec],
        outputs: Sequence[TensorSpec],
        model: Model,
        *,
        clear: Callable[[], None] | None = None,
        max_payload: int = 256,
        window: int = 4,
        forgets: Callable[[], bool] = never,
        restarts: Callable[[int], bool] = never_at,
        knows_resources: bool = True,
        operators: Sequence[OperatorTicks] = OPERATORS,
        more: Mapping[int, Callable[[bytes], Message]] | None = None,
    ) -> None:
        self.tensors = {Direction.INPUT: list(inputs), Direction.OUTPUT: list(outputs)}
        self.runs: list[list[bytes]] = []
        self.boots = 0
        self.inferences = 0
        self.goodbyes = 0
        self.welcome = replace(
            WELCOME,
            stateful=clear is not None,
            inputs=len(inputs),
            outputs=len(outputs),
            max_payload=max_payload,
            window=window,
        )
        self.arena = WELCOME.arena_bytes
        self._operators = tuple(operators) if knows_resources else None
        self._model = model
        self._more = more or {}
        self._clear = clear
        self._forgets = forgets
        self._restarts = restarts
        self._start()

    @property
    def ran(self) -> list[bytes]:
        """The last of ``runs``."""
        return self.runs[-1]

    def restart(self) -> None:
        """Forgets everything, as a reset does."""
        self.welcome = replace(self.welcome, boot_id=self.welcome.boot_id + 1)
        self.boots += 1
        self._start()

    def receive(self, data: bytes) -> list[bytes]:
        """Takes bytes of the host and returns the frames that answer them."""
        frames = [event for event in self._decoder.feed(data) if isinstance(event, Frame)]
        answers = [(frame.sequence, self._answer(frame)) for frame in frames if frame.type < 0x80]
        return [encode_frame(Frame(answer.TYPE, sequence, answer.encode())) for sequence, answer in answers]

    def _start(self) -> None:
        self._greeted = False
        self.arena = WELCOME.arena_bytes
        self._profiled = False
        self._decoder = FrameDecoder(self.welcome.max_payload)
        self._kept: tuple[int, int, Message] | None = None
        # Tensors of absurd shapes are only described, never used.
        self._memory = {
            direction: [bytearray(min(spec.nbytes, 1 << 20)) for spec in specs]
            for direction, specs in self.tensors.items()
        }
        self._put_back()

    def _put_back(self) -> None:
        self.runs.append([])
        if self._clear is not None:
            self._clear()

    def _answer(self, frame: Frame) -> Message:
        if frame.type == MessageType.HELLO:
            return self._hello(frame.payload)
        if self._kept is not None and self._kept[:2] == (frame.type, frame.sequence):
            return self._kept[2]
        answer = self._carry_out(frame.type, frame.payload)
        self._kept = frame.type, frame.sequence, answer
        return answer

    def _carry_out(self, kind: int, payload: bytes) -> Message:
        handlers: dict[int, Callable[[bytes], Message]] = {
            **self._more,
            MessageType.DESCRIBE: self._describe,
            MessageType.INFER: self._infer,
            MessageType.RESET: self._reset,
            MessageType.WRITE: self._write,
            MessageType.RUN: self._run,
            MessageType.READ: self._read,
        }
        if self._operators is not None:
            handlers[MessageType.USAGE] = self._usage
            handlers[MessageType.ARENA] = self._arena
            handlers[MessageType.PROFILE] = self._profile
            handlers[MessageType.GOODBYE] = self._goodbye
        if kind not in handlers:
            return Error(ErrorCode.UNKNOWN_TYPE, kind)
        if kind == MessageType.GOODBYE:
            return self._goodbye(payload)
        if self._greeted and self._restarts(kind):
            self.restart()
        if not self._greeted:
            return Error(ErrorCode.NOT_READY, self.welcome.boot_id)
        if self.arena < ARENA_NEEDED and kind not in (MessageType.USAGE, MessageType.ARENA, *self._more):
            return Error(ErrorCode.INIT_FAILED, 9)
        return handlers[kind](payload)

    def _hello(self, payload: bytes) -> Message:
        if len(payload) != 2:
            return Error(ErrorCode.BAD_LENGTH, len(payload))
        if not payload[0] <= self.welcome.version <= payload[1]:
            return Error(ErrorCode.UNSUPPORTED_VERSION, self.welcome.version)
        self._greeted = True
        self._kept = None
        self._profiled = False
        self.arena = WELCOME.arena_bytes
        return self.welcome

    def _describe(self, payload: bytes) -> Message:
        if len(payload) != 2:
            return Error(ErrorCode.BAD_LENGTH, len(payload))
        direction, index = payload
        if direction > 1:
            return Error(ErrorCode.BAD_ARGUMENT, direction)
        specs = self.tensors[Direction(direction)]
        if index >= len(specs):
            return Error(ErrorCode.BAD_ARGUMENT, index)
        return Tensor(Direction(direction), index, specs[index])

    def _infer(self, payload: bytes) -> Message:
        size = sum(spec.nbytes for spec in self.tensors[Direction.INPUT])
        results = sum(spec.nbytes for spec in self.tensors[Direction.OUTPUT])
        count = struct.unpack_from("<H", payload)[0] if len(payload) >= 2 else 0
        if len(payload) < 2 or len(payload) != 2 + count * size:
            return Error(ErrorCode.BAD_LENGTH, len(payload))
        if count == 0 or 6 + count * results > self.welcome.max_payload:
            return Error(ErrorCode.BAD_ARGUMENT, count)
        outputs = b"".join(self._invoke(payload[start : start + size]) for start in range(2, len(payload), size))
        return Result(count, 10 * count, outputs)

    def _reset(self, payload: bytes) -> Message:
        if payload:
            return Error(ErrorCode.BAD_LENGTH, len(payload))
        self._put_back()
        return Cleared()

    def _write(self, payload: bytes) -> Message:
        if len(payload) < 6:
            return Error(ErrorCode.BAD_LENGTH, len(payload))
        (index, offset), data = struct.unpack_from("<BI", payload), payload[5:]
        refused = self._beyond(Direction.INPUT, index, offset, len(data))
        if refused:
            return refused
        for output in self._memory[Direction.OUTPUT]:
            output[:] = b"\xdd" * len(output)
        if not self._forgets():
            self._memory[Direction.INPUT][index][offset : offset + len(data)] = data
        return Written()

    def _run(self, payload: bytes) -> Message:
        if len(payload) != 4:
            return Error(ErrorCode.BAD_LENGTH, len(payload))
        vector = b"".join(self._memory[Direction.INPUT])
        if zlib.crc32(vector) != struct.unpack("<I", payload)[0]:
            return Error(ErrorCode.INPUTS_DIFFER, zlib.crc32(vector))
        outputs = self._invoke(vector)
        for output in self._memory[Direction.OUTPUT]:
            output[:], outputs = outputs[: len(output)], outputs[len(output) :]
        for tensor in self._memory[Direction.INPUT]:
            tensor[:] = b"\xee" * len(tensor)
        return Ran(10)

    def _read(self, payload: bytes) -> Message:
        if len(payload) != 7:
            return Error(ErrorCode.BAD_LENGTH, len(payload))
        index, offset, length = struct.unpack("<BIH", payload)
        if not 1 <= length <= self.welcome.max_payload:
            return Error(ErrorCode.BAD_ARGUMENT, length)
        refused = self._beyond(Direction.OUTPUT, index, offset, length)
        return refused or Data(bytes(self._memory[Direction.OUTPUT][index][offset : offset + length]))

    def _usage(self, payload: bytes) -> Message:
        if payload:
            return Error(ErrorCode.BAD_LENGTH, len(payload))
        return Used(self.welcome.arena_bytes, self.arena, ARENA_NEEDED, 0, *STACK)

    def _arena(self, payload: bytes) -> Message:
        if len(payload) != 4:
            return Error(ErrorCode.BAD_LENGTH, len(payload))
        (size,) = struct.unpack("<I", payload)
        if not 1 <= size <= self.welcome.arena_bytes:
            return Error(ErrorCode.BAD_ARGUMENT, size)
        self.arena = size
        self._profiled = False
        self._put_back()
        return Prepared(0 if size >= ARENA_NEEDED else 9, ARENA_NEEDED if size >= ARENA_NEEDED else 0)

    def _profile(self, payload: bytes) -> Message:
        if len(payload) != 2:
            return Error(ErrorCode.BAD_LENGTH, len(payload))
        (first,) = struct.unpack("<H", payload)
        operators = self._operators or ()
        if first >= (len(operators) if self._profiled else 1):
            return Error(ErrorCode.BAD_ARGUMENT, first)
        if first == 0:
            self._invoke(b"".join(self._memory[Direction.INPUT]))
            self._profiled = True
        page = Profiled(len(operators), first, operators[first:])
        while len(page._pack()) > self.welcome.max_payload:
            page = replace(page, entries=page.entries[:-1])
        return page

    def _goodbye(self, payload: bytes) -> Message:
        """For the link it goes back to its work by a start."""
        if payload:
            return Error(ErrorCode.BAD_LENGTH, len(payload))
        self.goodbyes += 1
        self.welcome = replace(self.welcome, boot_id=self.welcome.boot_id + 1)
        self._greeted = False
        return Parted()

    def _beyond(self, direction: Direction, index: int, offset: int, length: int) -> Error | None:
        if index >= len(self._memory[direction]):
            return Error(ErrorCode.BAD_ARGUMENT, index)
        if offset + length > len(self._memory[direction][index]):
            return Error(ErrorCode.BAD_ARGUMENT, offset)
        return None

    def _invoke(self, vector: bytes) -> bytes:
        self.runs[-1].append(vector)
        self.inferences += 1
        return self._model(vector)
