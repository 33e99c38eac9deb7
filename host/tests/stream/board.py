"""The device's end of a pseudo-terminal."""

from __future__ import annotations

import os
import tty


class Board:
    """A device that prints what a test has it print.

    Attributes:
        master: the descriptor of its end.
        path: of the port.
    """

    def __init__(self) -> None:
        self.master, slave = os.openpty()
        tty.setraw(slave)
        self.path = os.ttyname(slave)
        self._cable: int | None = slave

    def print(self, text: str) -> None:
        """Sends it."""
        os.write(self.master, text.encode())

    def unplug(self) -> None:
        """The port hangs up. May be called again."""
        if self._cable is not None:
            os.close(self._cable)
            os.close(self.master)
            self._cable = None
