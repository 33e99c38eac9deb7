"""The device's serial line: a pseudo-terminal that it opens itself and holds open, as a cable does.

A master without a slave reads as an error, so the device keeps a slave of its own; hosts come and go.
"""

from __future__ import annotations

import os
import select
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
        self._torn = False

    def read(self, seconds: float | None = None) -> bytes:
        """Waits for bytes; nothing after so many seconds, if it is not to wait for ever."""
        if seconds is not None and not select.select([self._master], [], [], seconds)[0]:
            return b""
        return os.read(self._master, READ_BYTES)

    def offer(self, text: bytes) -> None:
        """Sends a line of text if there is room for it: nobody may be listening, and it is not waited for."""
        if not text or not select.select([], [self._master], [], 0)[1]:
            return
        whole = b"\n" + text if self._torn else text
        os.set_blocking(self._master, False)
        try:
            self._torn = os.write(self._master, whole) < len(whole)
        except BlockingIOError:
            pass
        finally:
            os.set_blocking(self._master, True)

    def write(self, data: bytes) -> None:
        """Sends all bytes, waiting for a host that does not read."""
        left = memoryview(data)
        while left:
            left = left[os.write(self._master, left) :]
