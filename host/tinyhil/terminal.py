"""Layer 1: a pseudo-terminal whose other end a program of ours opens by its path.

We keep the end that has no path. So that whoever talks to the program can be told where by a text, as for every other
line, the terminal has an address for this process, ``terminal:NUMBER``; :func:`take` leads from there to the bytes.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import threading
import tty
from collections.abc import Callable

from tinyhil.errors import DeviceError, PortBusyError, StorageError

SCHEME = "terminal:"

_READ_BYTES = 65536
_guard = threading.Lock()
_numbers = itertools.count(1)
_open: dict[str, Terminal] = {}
"""By address, those that are not closed yet."""


class Terminal:
    """A pseudo-terminal in raw mode.

    Ownership: whoever makes it closes it. The program's end is held open here too, as a cable does, so that the program
    may come and go.

    Attributes:
        path: what the program opens.
        address: where the line is, for :func:`take`, in this process only.

    Raises:
        StorageError: the system has none left.
    """

    def __init__(self) -> None:
        try:
            self._ours, self._cable = os.openpty()
        except OSError as error:
            raise StorageError(f"cannot make a pseudo-terminal: {error.strerror}") from error
        tty.setraw(self._cable)
        os.set_blocking(self._ours, False)
        self.path = os.ttyname(self._cable)
        self.address = f"{SCHEME}{next(_numbers)}"
        self._taken = False
        with _guard:
            _open[self.address] = self

    def close(self) -> None:
        """Gives both ends up. Who has taken the line finds its other end gone. May be called again."""
        with _guard:
            if _open.pop(self.address, None) is not None:
                os.close(self._cable)
                os.close(self._ours)

    def _take(self) -> int:
        if self._taken:
            raise PortBusyError(f"{self.address} is in use", hint="close the session that uses it")
        with contextlib.suppress(OSError):  # nothing more is there
            while os.read(self._ours, _READ_BYTES):
                pass
        descriptor = os.dup(self._ours)
        self._taken = True
        return descriptor

    def _give_back(self, descriptor: int) -> None:
        self._taken = False
        os.close(descriptor)


def take(address: str) -> tuple[int, Callable[[], None]]:
    """Takes the line at an address, for one user at a time. What had arrived before is thrown away.

    Returns:
        A descriptor in non-blocking mode, and what gives it up again.

    Raises:
        DeviceError: there is no such line any more.
        PortBusyError: somebody has it.
    """
    with _guard:
        terminal = _open.get(address)
        if terminal is None:
            raise DeviceError(f"there is no {address}: the program at its other end was stopped")
        descriptor = terminal._take()
    return descriptor, functools.partial(terminal._give_back, descriptor)
