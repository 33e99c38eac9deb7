"""The device's role of docs/protocol.md in Python. It is these tests' own, and no product code."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import replace

from tinyhil.affine import TensorSpec
from tinyhil.link.fields import Message, MessageType
from tinyhil.link.frames import Frame, FrameDecoder, encode_frame
from tinyhil.link.messages import Direction, Error, ErrorCode, Result, Tensor, Welcome

WELCOME = Welcome(1, False, 1, 1, 256, 4, 0xB007, 1000, 2048, b"m" * 32, b"p" * 32, "test")


class DeviceRole:
    """A device whose model is a Python function of one vector.

    Args:
        inputs: the model's inputs.
        outputs: its outputs.
        model: all output tensors of one vector from all its input tensors, as bytes.
        max_payload: as in WELCOME.
        window: as in WELCOME.
    """

    def __init__(
        self,
        inputs: Sequence[TensorSpec],
        outputs: Sequence[TensorSpec],
        model: Callable[[bytes], bytes],
        *,
        max_payload: int = 256,
        window: int = 4,
    ) -> None:
        self.tensors = {Direction.INPUT: list(inputs), Direction.OUTPUT: list(outputs)}
        self.model = model
        self.welcome = replace(
            WELCOME, inputs=len(inputs), outputs=len(outputs), max_payload=max_payload, window=window
        )
        self.greeted = False
        self.inferences = 0
        self._decoder = FrameDecoder(max_payload)

    def restart(self) -> None:
        """Forgets the session, as a reset does."""
        self.greeted = False
        self.welcome = replace(self.welcome, boot_id=self.welcome.boot_id + 1)

    def receive(self, data: bytes) -> list[bytes]:
        """Takes bytes of the host and returns the frames that answer them."""
        frames = [event for event in self._decoder.feed(data) if isinstance(event, Frame)]
        answers = [(frame.sequence, self._answer(frame)) for frame in frames if frame.type < 0x80]
        return [encode_frame(Frame(answer.TYPE, sequence, answer.encode())) for sequence, answer in answers]

    def _answer(self, frame: Frame) -> Message:
        if frame.type == MessageType.HELLO:
            return self._hello(frame.payload)
        if frame.type not in (MessageType.DESCRIBE, MessageType.INFER):
            return Error(ErrorCode.UNKNOWN_TYPE, frame.type)
        if not self.greeted:
            return Error(ErrorCode.NOT_READY, self.welcome.boot_id)
        return self._describe(frame.payload) if frame.type == MessageType.DESCRIBE else self._infer(frame.payload)

    def _hello(self, payload: bytes) -> Message:
        if len(payload) != 2:
            return Error(ErrorCode.BAD_LENGTH, len(payload))
        if not payload[0] <= self.welcome.version <= payload[1]:
            return Error(ErrorCode.UNSUPPORTED_VERSION, self.welcome.version)
        self.greeted = True
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
        count = struct.unpack_from("<H", payload)[0] if len(payload) >= 2 else 0
        if len(payload) < 2 or len(payload) != 2 + count * size:
            return Error(ErrorCode.BAD_LENGTH, len(payload))
        vectors = [payload[start : start + size] for start in range(2, len(payload), size)]
        outputs = b"".join(map(self.model, vectors))
        if count == 0 or 6 + len(outputs) > self.welcome.max_payload:
            return Error(ErrorCode.BAD_ARGUMENT, count)
        self.inferences += count
        return Result(count, 10 * count, outputs)
