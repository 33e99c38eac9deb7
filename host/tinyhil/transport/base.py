"""What every transport can do."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from tinyhil.deadline import Deadline


class Transport(Protocol):
    """Bytes both ways.

    Ownership: whoever opens a transport closes it. It is used by one thread at a time.
    """

    @property
    def name(self) -> str:
        """The address, for messages."""

    def read(self, max_bytes: int, timeout_s: float) -> bytes:
        """Returns as soon as there are bytes, at most ``max_bytes``; nothing once ``timeout_s`` seconds have passed.

        Raises:
            PortLostError: the other end is gone.
        """

    def write(self, data: bytes, deadline: Deadline) -> None:
        """Hands all of ``data`` over, and keeps for ``read`` what arrives meanwhile.

        Both ends may therefore send at once, and more than the buffers between them hold. Where those are full, each
        byte that the other end takes renews the deadline.

        Raises:
            PortLostError: the other end is gone.
            DeviceError: it did not take the data before the deadline.
        """

    def close(self) -> None:
        """Gives the port up. May be called again; anything else afterwards raises DeviceError."""


@runtime_checkable
class Rated(Transport, Protocol):
    """A transport whose line has a rate."""

    def set_rate(self, baud: int) -> None:
        """Goes over to another rate, in bit/s, and gives the other end a moment to do the same.

        What was written before has to have arrived.

        A rate that the port has not is no error: who asks for one has to see whether it carries anything.
        """


@runtime_checkable
class Controlled(Transport, Protocol):
    """A transport with the control lines of a serial port."""

    def set_controls(self, dtr: bool, rts: bool) -> None:
        """Raises or drops DTR and RTS.

        Raises:
            DeviceError: the port has none, or is gone.
        """


@runtime_checkable
class Pollable(Transport, Protocol):
    """A transport that ``select`` can wait for, for who serves several ends in one thread."""

    def fileno(self) -> int:
        """The descriptor. After ``write`` there may be bytes to ``read`` although it is not readable."""

    def write_some(self, data: bytes | memoryview) -> int:
        """Hands over what the system takes at once; returns how many bytes that was, 0 if none.

        Raises:
            DeviceError: the other end is gone.
        """
