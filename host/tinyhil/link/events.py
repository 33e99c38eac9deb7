"""What a connection tells its caller."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

from tinyhil.affine import TensorSpec
from tinyhil.errors import LocalLinkError, RemoteLinkError
from tinyhil.link.fields import Message
from tinyhil.link.frames import MAX_PAYLOAD
from tinyhil.link.inference import Infer, Result
from tinyhil.link.messages import Error, ErrorCode, Welcome
from tinyhil.link.resources import OperatorTicks

_ADDRESSABLE = 1 << 32
"""Bytes of the largest tensor that WRITE and READ can address by their 32-bit offset."""


@dataclass(frozen=True)
class DeviceDescription:
    """All that the handshake says.

    Attributes:
        welcome: the device's own figures.
        inputs: the model's input tensors, in order.
        outputs: its output tensors, in order.
        longest_payload: bytes that this side puts into a payload at most.
    """

    welcome: Welcome
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    longest_payload: int = MAX_PAYLOAD

    @property
    def tensors(self) -> tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]]:
        """The inputs, and the outputs."""
        return self.inputs, self.outputs

    @property
    def payload_bytes(self) -> int:
        """Bytes of the longest payload that both sides take."""
        return min(self.welcome.max_payload, self.longest_payload)

    @cached_property
    def input_bytes(self) -> int:
        """Bytes of all input tensors of one vector."""
        return sum(spec.nbytes for spec in self.inputs)

    @cached_property
    def output_bytes(self) -> int:
        """Bytes of all output tensors of one vector."""
        return sum(spec.nbytes for spec in self.outputs)

    @cached_property
    def large(self) -> bool:
        """Whether not even one vector fits into INFER and RESULT, so that it has to travel in parts."""
        return self._together < 1

    @cached_property
    def capacity(self) -> int:
        """Most vectors that one request can carry, 1 for a large model.

        Raises:
            RemoteLinkError: a tensor is so large that not even its parts can be addressed.
        """
        for spec in (*self.inputs, *self.outputs):
            if self.large and spec.nbytes > _ADDRESSABLE:
                raise RemoteLinkError(
                    f"the device describes a tensor {spec.name!r} of shape {spec.shape}, "
                    f"which is {spec.nbytes} bytes; the link can address {_ADDRESSABLE}"
                )
        return max(1, self._together)

    def refuse(self, vectors: bytes, count: int) -> None:
        """Sees that ``vectors`` are ``count`` vectors of this model, and go into one request.

        Raises:
            LocalLinkError: they are not, or do not.
            RemoteLinkError: as ``capacity``.
        """
        if not 1 <= count <= self.capacity:
            raise LocalLinkError(f"{count} vectors in one request, where 1 to {self.capacity} are possible")
        size = count * self.input_bytes
        if len(vectors) != size:
            raise LocalLinkError(f"{count} vectors of this model are {size} bytes, not {len(vectors)}")

    @cached_property
    def _together(self) -> int:
        # In Python's integers: a device may claim six dimensions of 2^32 - 1 each, which no fixed width holds.
        limit = self.payload_bytes
        return min(
            (limit - Infer.HEADER_BYTES) // self.input_bytes, (limit - Result.HEADER_BYTES) // self.output_bytes, 0xFFFF
        )


@dataclass(frozen=True)
class Greeted:
    """The device answered HELLO."""

    welcome: Welcome


@dataclass(frozen=True)
class Ready:
    """All tensors are known for the first time: inferences may be asked for."""

    description: DeviceDescription


@dataclass(frozen=True)
class Restarted:
    """The device has started again since Ready, was greeted anew, and is the same as before.

    Tickets stay good: what was unanswered has been asked again. For a model that keeps state they are void instead,
    because its state is lost: begin again with ``reset`` and the first vector. They are void as well where an arena had
    been asked for: the device is back in its whole arena.

    Attributes:
        old_boot_id: of the last handshake.
        new_boot_id: of this one.
        arena_lost: whether ``prepare`` had been called before.
    """

    old_boot_id: int
    new_boot_id: int
    arena_lost: bool = False


@dataclass(frozen=True)
class WorkDone:
    """What was asked for has been answered. Each ticket comes exactly once, not necessarily in order.

    Attributes:
        ticket: what ``Connection.infer``, ``reset`` and the like returned.
    """

    ticket: int


@dataclass(frozen=True)
class Inferred(WorkDone):
    """An inference was answered.

    Attributes:
        count: vectors.
        ticks: of the device's clock, for all of them, modulo 2^32.
        outputs: all output tensors of each vector, row-major, ``count * output_bytes`` bytes.
    """

    count: int
    ticks: int
    outputs: bytes


@dataclass(frozen=True)
class Answered(WorkDone):
    """A request was answered, and its answer is all that there is to tell.

    Attributes:
        answer: the message.
    """

    answer: Message


@dataclass(frozen=True)
class OperatorsTimed(WorkDone):
    """One inference was carried out with each operator timed.

    Attributes:
        operators: in the order of execution; none where the engine does not time them.
    """

    operators: tuple[OperatorTicks, ...]


@dataclass(frozen=True)
class SamplePreprocessed(WorkDone):
    """The device has taken a raw sample to the model's inputs.

    Attributes:
        ticks: of the device's clock that it took, modulo 2^32; 0 without a clock.
        inputs: all input tensors, one after the other.
    """

    ticks: int
    inputs: bytes


@dataclass(frozen=True)
class NotKnown(WorkDone):
    """The device is older than the request, or has nothing that could answer it."""


@dataclass(frozen=True)
class DeviceText:
    """A line that the sketch printed, with its newline if it has one."""

    text: str


@dataclass(frozen=True)
class Failed:
    """The session is over; nothing but text follows.

    Attributes:
        error: what to raise: a DeviceReportedError for an ERROR of the device, and otherwise a plain RemoteLinkError.
    """

    error: RemoteLinkError


ConnectionEvent = Greeted | Ready | Restarted | WorkDone | DeviceText | Failed


class DeviceReportedError(RemoteLinkError):
    """The device answered a request with ERROR.

    Args:
        request: the type of the request.
        error: its answer.

    Attributes:
        code: what it says.
        device_detail: the 32 bits beside the code.
    """

    def __init__(self, request: IntEnum, error: Error) -> None:
        meaning, hint = _MEANINGS[error.code]
        super().__init__(
            f"the device answered {request.name} with ERROR {error.code.value}: {meaning.format(error.detail)}",
            hint=hint,
        )
        self.code = error.code
        self.device_detail = error.detail


_FIRMWARE_HINT = "render, build and flash the firmware with this version of tinyhil"

_MEANINGS = {
    ErrorCode.UNSUPPORTED_VERSION: ("it speaks version {} of the protocol only", _FIRMWARE_HINT),
    ErrorCode.UNKNOWN_TYPE: ("it knows no request of type {}", _FIRMWARE_HINT),
    ErrorCode.BAD_LENGTH: ("it did not expect a payload of {} bytes", _FIRMWARE_HINT),
    ErrorCode.BAD_ARGUMENT: ("it cannot do that for the value {}", _FIRMWARE_HINT),
    ErrorCode.NOT_READY: (
        "it has restarted since the handshake (boot id {})",
        "look for a crash or a brown-out in what it printed",
    ),
    ErrorCode.INIT_FAILED: (
        "its engine did not accept the model (status {})",
        "look for the engine's own message in what it printed",
    ),
    ErrorCode.INVOKE_FAILED: (
        "an inference failed (status {})",
        "look for the engine's own message in what it printed",
    ),
    ErrorCode.INPUTS_DIFFER: (
        "what was written to its inputs did not arrive there (it finds the CRC {})",
        "something else writes to the engine's memory: look at the sketch, and at the size of the arena",
    ),
}
