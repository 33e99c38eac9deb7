"""The device's serial line: a pseudo-terminal that it opens itself and holds open, as a cable does.

A master without a slave reads as an error, so the device keeps a slave of its own; hosts come and go.
"""

from __future__ import annotations

import os
import tty

READ_BYTES = 65536


class Line:
    """A pseudo-terminal.

    Attributes:
        path: what a host opens.
    """

    def __init__(self) -> None:
        self._master, self._cable = os.openpty()
        tty.setraw(self._cable)
        self.path = os.ttyname(self._cable)

    def read(self) -> bytes:
        """Waits for bytes."""
        return os.read(self._master, READ_BYTES)

    def write(self, data: bytes) -> None:
        """Sends all bytes, waiting for a host that does not read."""
        left = memoryview(data)
        while left:
            left = left[os.write(self._master, left) :]
