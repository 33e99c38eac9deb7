"""What a connection tells its caller."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tinyhil.affine import TensorSpec
from tinyhil.errors import RemoteLinkError
from tinyhil.link.fields import MessageType
from tinyhil.link.messages import Error, ErrorCode, Welcome


@dataclass(frozen=True)
class DeviceDescription:
    """All that the handshake says.

    Attributes:
        welcome: the device's own figures.
        inputs: the model's input tensors, in order.
        outputs: its output tensors, in order.
    """

    welcome: Welcome
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]

    @property
    def input_bytes(self) -> int:
        """Bytes of all input tensors of one vector."""
        return _total_bytes(self.inputs)

    @property
    def output_bytes(self) -> int:
        """Bytes of all output tensors of one vector."""
        return _total_bytes(self.outputs)


@dataclass(frozen=True)
class Greeted:
    """The device answered HELLO."""

    welcome: Welcome


@dataclass(frozen=True)
class Ready:
    """All tensors are known: INFER may be sent."""

    description: DeviceDescription


@dataclass(frozen=True)
class Inferred:
    """An INFER was answered. Each ticket comes exactly once, not necessarily in order.

    Attributes:
        ticket: what ``Connection.infer`` returned.
        count: vectors.
        ticks: of the device's clock, for all of them, modulo 2^32.
        outputs: all output tensors of each vector, row-major, ``count * output_bytes`` bytes.
    """

    ticket: int
    count: int
    ticks: int
    outputs: bytes


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


ConnectionEvent = Greeted | Ready | Inferred | DeviceText | Failed


class DeviceReportedError(RemoteLinkError):
    """The device answered a request with ERROR.

    Attributes:
        code: NOT_READY means that the device has restarted, and that a new handshake may go on.
        device_detail: the 32 bits beside the code.
    """

    def __init__(self, asked: MessageType, error: Error) -> None:
        meaning, hint = _MEANINGS[error.code]
        super().__init__(
            f"the device answered {asked.name} with ERROR {error.code.value}: {meaning.format(error.detail)}", hint=hint
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
}


def _total_bytes(specs: Sequence[TensorSpec]) -> int:
    # In Python's integers: a device may claim six dimensions of 2^32 - 1 each, which no fixed width holds.
    return sum(math.prod(spec.shape) * spec.dtype.numpy.itemsize for spec in specs)
