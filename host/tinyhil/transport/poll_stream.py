"""A transport over a file descriptor that ``select`` can wait for: a terminal or a socket, in non-blocking mode.

``read`` returns with the first bytes, not with a full buffer, so an answer is seen as soon as it arrives. ``write``
never blocks in the kernel: while the peer takes nothing it waits for either direction, and puts aside what arrives. Two
ends that both write more than the buffers between them hold thus get on, where each would otherwise wait for the other.
"""

from __future__ import annotations

import os
import select
from collections.abc import Callable

from tinyhil.deadline import Deadline
from tinyhil.errors import DeviceError, PortLostError

READ_AHEAD_LIMIT = 1 << 20
"""Bytes that a write puts aside at most, should the device never stop talking."""

_CHUNK = 65536


class PollStream:
    """Bytes over an open file descriptor.

    Args:
        name: the address, for messages.
        fileno: the descriptor, in non-blocking mode.
        receive: reads at most so many bytes from it; b"" is the end of the stream.
        send: writes as much of its argument as possible and returns how much that was.
        close: gives the descriptor up.
    """

    def __init__(
        self,
        name: str,
        fileno: int,
        receive: Callable[[int], bytes],
        send: Callable[[memoryview], int],
        close: Callable[[], None],
    ) -> None:
        self._name = name
        self._fileno = fileno
        self._receive = receive
        self._send = send
        self._close = close
        self._open = True
        self._ahead = bytearray()

    @property
    def name(self) -> str:
        """The address, for messages."""
        return self._name

    def read(self, max_bytes: int, timeout_s: float) -> bytes:
        """See ``Transport.read``."""
        self._require_open()
        if self._ahead:
            taken = bytes(self._ahead[:max_bytes])
            del self._ahead[:max_bytes]
            return taken
        deadline = Deadline.after(timeout_s)
        while True:
            readable, _ = self._wait(True, False, deadline.remaining)
            taken = self._receive_now(max_bytes) if readable else b""
            if taken or deadline.expired:
                return taken

    def write(self, data: bytes, deadline: Deadline) -> None:
        """See ``Transport.write``."""
        self._require_open()
        left = memoryview(data)
        waited = False
        while left:
            taken = self._send_now(left)
            left = left[taken:]
            if taken and waited:  # the buffers in between were full, so it was the other end that took something
                deadline.renew()
            if not left:
                return
            if deadline.expired:
                raise DeviceError(
                    f"{self._name} took only {len(data) - len(left)} of {len(data)} bytes "
                    f"within {deadline.seconds:g} s",
                    hint="the device does not read its port: it may hang, or run other firmware",
                )
            listening = len(self._ahead) < READ_AHEAD_LIMIT
            waited = True
            readable, _ = self._wait(listening, True, deadline.remaining)
            if readable:
                self._ahead += self._receive_now(_CHUNK)

    def fileno(self) -> int:
        """See ``Pollable.fileno``."""
        self._require_open()
        return self._fileno

    def write_some(self, data: bytes | memoryview) -> int:
        """See ``Pollable.write_some``."""
        self._require_open()
        return self._send_now(memoryview(data))

    def close(self) -> None:
        """See ``Transport.close``."""
        if self._open:
            self._open = False
            self._close()

    def _wait(self, reading: bool, writing: bool, seconds: float) -> tuple[bool, bool]:
        fds = [self._fileno]
        try:
            readable, writable, _ = select.select(fds if reading else [], fds if writing else [], [], seconds)
        except OSError as error:
            raise self._lost(error) from None
        return bool(readable), bool(writable)

    def _receive_now(self, max_bytes: int) -> bytes:
        """What is there; b"" if it was a false alarm."""
        try:
            data = self._receive(max_bytes)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise self._lost(error) from None
        if not data:
            # The descriptor was readable and yields nothing: a socket at its end, a terminal that was hung up.
            raise self._lost(None)
        return data

    def _send_now(self, data: memoryview) -> int:
        try:
            return self._send(data)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise self._lost(error) from None

    def _require_open(self) -> None:
        if not self._open:
            raise DeviceError(f"{self._name} is closed")

    def _lost(self, error: OSError | None) -> PortLostError:
        cause = f" ({os.strerror(error.errno)})" if error is not None and error.errno else ""
        return PortLostError(
            f"{self._name}: the other end is gone{cause}",
            hint="the board was unplugged or reset its port, or the emulator ended",
        )
