"""The two ends of a proxied line: a device, which is the master of a real pseudo-terminal, and a host."""

from __future__ import annotations

import contextlib
import os
import time
import tty
from collections.abc import Callable

from tinyhil.deadline import Deadline
from tinyhil.transport import Transport

PATIENCE_S = 30.0
"""Far beyond what any exchange takes; only a hang uses it up."""

Opens = Callable[[str], Transport]
"""How a host opens a port."""


class Device:
    """The device's end, non-blocking."""

    def __init__(self) -> None:
        self.master, slave = os.openpty()
        tty.setraw(slave)
        self.port = os.ttyname(slave)
        os.close(slave)
        os.set_blocking(self.master, False)

    def read(self) -> bytes:
        """What is there now."""
        with contextlib.suppress(BlockingIOError, OSError):
            return os.read(self.master, 65536)
        return b""

    def write(self, data: bytes) -> int:
        """Hands over what is taken now."""
        with contextlib.suppress(BlockingIOError):
            return os.write(self.master, data)
        return 0

    def read_all(self, size: int) -> bytes:
        """Exactly ``size`` bytes."""
        data = b""

        def enough() -> bool:
            nonlocal data
            data += self.read()
            return len(data) >= size

        until(enough, f"{size} bytes at the device")
        return data

    def unplug(self) -> None:
        """Does what a pulled plug does."""
        if self.master >= 0:
            os.close(self.master)
            self.master = -1


def until(condition: Callable[[], bool], what: str) -> None:
    """Returns once ``condition`` holds."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.001)


def read_all(transport: Transport, size: int) -> bytes:
    """Exactly ``size`` bytes at the host."""
    data, deadline = b"", Deadline.after(PATIENCE_S)
    while len(data) < size:
        assert not deadline.expired, f"only {len(data)} of {size} bytes came"
        data += transport.read(65536, 0.1)
    return data
