"""What docs/protocol.md has a device answer, over the models of the fakes: a third implementation, for comparison."""

from __future__ import annotations

import struct
import zlib
from typing import Protocol

from . import counter_model, large_model
from .wire import (
    ARENA,
    BAD_ARGUMENT,
    BAD_LENGTH,
    BAUD,
    BOOT_ID,
    CLEARED,
    DATA,
    DESCRIBE,
    GOODBYE,
    HELLO,
    INFER,
    INIT_FAILED,
    INPUTS_DIFFER,
    INVOKE_FAILED,
    INVOKE_STATUS,
    NOT_READY,
    PARTED,
    PREPARE_STATUS,
    PREPARED,
    PROFILE,
    PROFILED,
    READ,
    RESET,
    RESULT,
    RUN,
    STACK,
    SWITCHED,
    TICKS_EACH,
    UNKNOWN_REQUESTS,
    UNKNOWN_TYPE,
    UNSUPPORTED_VERSION,
    USAGE,
    USED,
    WRITE,
    WRITTEN,
    Message,
    error,
    ran,
)


class Model(Protocol):
    inputs: list[bytearray]
    outputs: list[bytes]

    def invoke(self) -> bool: ...
    def reset(self) -> None: ...
    def prepare(self, size: int) -> bool: ...
    def memory(self) -> tuple[int, int, int, int]: ...
    def profiled(self, first: int, payload: int) -> Message: ...


class CounterModel:
    def __init__(self) -> None:
        self.inputs = [bytearray(3), bytearray(4)]
        self.outputs = [bytes(3), bytes(8)]
        self.calls = 0
        self.arena = counter_model.CAPACITY
        self.overrun = 0

    def invoke(self) -> bool:
        x, size = struct.unpack("<3b", self.inputs[0]), struct.unpack("<2h", self.inputs[1])
        if x[0] == counter_model.FAILING_INPUT:
            return False
        wrapped = bytes((2 * each + 1) % 256 for each in x)
        self.outputs = [wrapped, struct.pack("<2i", *(1000 * each + self.calls for each in size))]
        self.calls += 1
        self.overrun += self.arena < counter_model.SAFE
        return True

    def reset(self) -> None:
        self.calls = 0

    def prepare(self, size: int) -> bool:
        self.arena = size
        self.calls = self.overrun = 0
        return size >= counter_model.NEEDED

    def memory(self) -> tuple[int, int, int, int]:
        said = counter_model.NEEDED if self.arena >= counter_model.NEEDED else 0
        return counter_model.CAPACITY, self.arena, said, self.overrun

    def profiled(self, first: int, payload: int) -> Message:
        return counter_model.profiled(first, payload)


class LargeModel:
    def __init__(self) -> None:
        self.inputs = [bytearray(size) for size in large_model.SIZES]
        self.outputs = [bytes(size) for size in large_model.SIZES]

    def invoke(self) -> bool:
        if self.inputs[large_model.MASK][0] == 255:
            return False
        self.outputs = list(large_model.outputs(tuple(map(bytes, self.inputs))))
        self.inputs = [bytearray(b"\xa5" * size) for size in large_model.SIZES]
        return True

    def reset(self) -> None:
        """There is no state."""

    def prepare(self, size: int) -> bool:
        raise AssertionError("its memory is fixed")

    def memory(self) -> tuple[int, int, int, int]:
        return 0, 0, 0, 0

    def profiled(self, first: int, payload: int) -> Message:
        return PROFILED, bytes(4)


class Oracle:
    """Answers requests, in order.

    Args:
        model: computes.
        payload: the largest.
        facts: the answers to HELLO and to each DESCRIBE that is answered with a tensor, by the request.
    """

    def __init__(self, model: Model, payload: int, facts: dict[Message, Message]) -> None:
        self.model = model
        self.payload = payload
        self.facts = facts
        self.ready = False
        self.status = 0
        self.resized = False
        self.operators = 1
        self.last: tuple[int, int] | None = None
        self.kept: Message = (0, b"")

    def answer(self, kind: int, number: int, payload: bytes) -> Message:
        if self.last != (kind, number):
            self.kept = self._carry_out(kind, payload)
            self.last = None if kind == HELLO else (kind, number)
        return self.kept

    def inputs(self) -> bytes:
        return b"".join(self.model.inputs)

    def _carry_out(self, kind: int, payload: bytes) -> Message:
        if kind == HELLO:
            return self._hello(payload)
        if kind in UNKNOWN_REQUESTS:
            return error(UNKNOWN_TYPE, kind)
        if kind == GOODBYE:
            return self._goodbye(payload)
        if not self.ready:
            return error(NOT_READY, BOOT_ID)
        if self.status and kind not in (USAGE, ARENA, BAUD):
            return error(INIT_FAILED, self.status)
        handlers = {
            DESCRIBE: self._describe,
            INFER: self._infer,
            RESET: self._reset,
            WRITE: self._write,
            RUN: self._run,
            READ: self._read,
            USAGE: self._usage,
            ARENA: self._arena,
            PROFILE: self._profile,
            BAUD: self._baud,
        }
        return handlers[kind](payload) or error(BAD_LENGTH, len(payload))

    def _hello(self, payload: bytes) -> Message:
        if len(payload) != 2:
            return error(BAD_LENGTH, len(payload))
        if not payload[0] <= 1 <= payload[1]:
            return error(UNSUPPORTED_VERSION, 1)
        self.ready = True
        self.operators = 1
        if self.resized:
            self.model.prepare(self.model.memory()[0])
            self.resized, self.status = False, 0
        return self.facts[HELLO, b"\1\1"]

    def _goodbye(self, payload: bytes) -> Message:
        if payload:
            return error(BAD_LENGTH, len(payload))
        self.ready = False
        return PARTED, b""

    def _describe(self, payload: bytes) -> Message | None:
        if len(payload) != 2:
            return None
        direction, index = payload
        if direction > 1:
            return error(BAD_ARGUMENT, direction)
        return self.facts.get((DESCRIBE, payload)) or error(BAD_ARGUMENT, index)

    def _infer(self, payload: bytes) -> Message | None:
        count = int.from_bytes(payload[:2], "little")
        each = sum(map(len, self.model.inputs))
        if len(payload) < 2 or len(payload) - 2 != count * each:
            return None
        if count == 0 or 6 + count * sum(map(len, self.model.outputs)) > self.payload:
            return error(BAD_ARGUMENT, count)
        found = b""
        for at in range(2, len(payload), each):
            for tensor in self.model.inputs:
                tensor[:] = payload[at : at + len(tensor)]
                at += len(tensor)
            if not self.model.invoke():
                return error(INVOKE_FAILED, INVOKE_STATUS)
            found += b"".join(self.model.outputs)
        return RESULT, struct.pack("<HI", count, count * TICKS_EACH) + found

    def _reset(self, payload: bytes) -> Message | None:
        if payload:
            return None
        self.model.reset()
        return CLEARED, b""

    def _write(self, payload: bytes) -> Message | None:
        if len(payload) < 6:
            return None
        index, offset = struct.unpack_from("<BI", payload)
        part = payload[5:]
        if index >= len(self.model.inputs):
            return error(BAD_ARGUMENT, index)
        tensor = self.model.inputs[index]
        if offset >= len(tensor):
            return error(BAD_ARGUMENT, offset)
        if offset + len(part) > len(tensor):
            return error(BAD_ARGUMENT, len(part))
        tensor[offset : offset + len(part)] = part
        return WRITTEN, b""

    def _run(self, payload: bytes) -> Message | None:
        if len(payload) != 4:
            return None
        crc = zlib.crc32(self.inputs())
        if payload != struct.pack("<I", crc):
            return error(INPUTS_DIFFER, crc)
        return ran() if self.model.invoke() else error(INVOKE_FAILED, INVOKE_STATUS)

    def _read(self, payload: bytes) -> Message | None:
        if len(payload) != 7:
            return None
        index, offset, length = struct.unpack("<BIH", payload)
        if index >= len(self.model.outputs):
            return error(BAD_ARGUMENT, index)
        tensor = self.model.outputs[index]
        if offset >= len(tensor):
            return error(BAD_ARGUMENT, offset)
        if not 1 <= length <= self.payload or offset + length > len(tensor):
            return error(BAD_ARGUMENT, length)
        return DATA, tensor[offset : offset + length]

    def _usage(self, payload: bytes) -> Message | None:
        return None if payload else (USED, struct.pack("<6I", *self.model.memory(), *STACK))

    def _arena(self, payload: bytes) -> Message | None:
        if len(payload) != 4:
            return None
        size = int.from_bytes(payload, "little")
        if not 1 <= size <= self.model.memory()[0]:
            return error(BAD_ARGUMENT, size)
        self.resized, self.operators = True, 1
        self.status = 0 if self.model.prepare(size) else PREPARE_STATUS
        return PREPARED, struct.pack("<II", self.status, self.model.memory()[2])

    def _baud(self, payload: bytes) -> Message | None:
        return (SWITCHED, bytes(4)) if len(payload) == 4 else None

    def _profile(self, payload: bytes) -> Message | None:
        """PROFILE; ``operators`` is what ``first`` has to be below."""
        if len(payload) != 2:
            return None
        first = int.from_bytes(payload, "little")
        if first >= self.operators:
            return error(BAD_ARGUMENT, first)
        if first == 0:
            self.operators = 1
            if not self.model.invoke():
                return error(INVOKE_FAILED, INVOKE_STATUS)
        answer = self.model.profiled(first, self.payload)
        self.operators = max(1, int.from_bytes(answer[1][:2], "little"))
        return answer
