"""The pseudo-terminal that the host opens as its serial port, and the link under which it is found.

Only the master is kept open. The kernel then tells whether somebody has the port open (a poll for hang-up), and a port
that nobody has open swallows what is sent to it, as a real one does: yesterday's answers never wait for today's host.

A port that vanishes returns under another name for certain: its successor is allocated while it still exists.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import tty
from pathlib import Path

from tinyhil.errors import ConfigError, StorageError
from tinyhil.proxy.rates import rate_of


class HostPort:
    """The host's end.

    Ownership: holds one descriptor, and the link; ``close`` gives both up. Used by one thread at a time, but ``name``
    may be read by any.

    Args:
        link: a path that always leads to the current terminal and is absent while there is none; None for no link.

    Raises:
        ConfigError: something else is at ``link``.
        StorageError: there are no terminals left, or the link cannot be made.
    """

    def __init__(self, link: Path | None = None) -> None:
        self._link = link
        self._hidden: tuple[int, str] | None = None
        self._master: int | None = None
        self._connected = False
        self.name = ""
        if link is not None and link.is_symlink() and not link.exists():
            link.unlink(missing_ok=True)  # what a proxy left behind that was killed
        if link is not None and (link.exists() or link.is_symlink()):
            raise ConfigError(f"{link} exists already", hint="choose another --link, or remove it if nothing uses it")
        self._show(*_open_terminal())

    @property
    def fileno(self) -> int | None:
        """The descriptor to wait for, None while nobody has the port open or it is gone."""
        return self._master if self._connected else None

    @property
    def rate(self) -> int:
        """What the port is set to, in bit/s; 0 where that is unknown."""
        return rate_of(self._master) if self._master is not None else 0

    @property
    def present(self) -> bool:
        """Whether there is a port at all."""
        return self._master is not None

    def look(self) -> None:
        """Finds out whether somebody has opened the port; the kernel gives no sign of it that could be waited for."""
        if self._master is not None and not self._connected:
            poll = select.poll()
            poll.register(self._master, select.POLLIN)
            seen = poll.poll(0)
            # Hung up with bytes to read: somebody has come, written and gone since the last look.
            self._connected = not seen or bool(seen[0][1] & select.POLLIN)

    def read(self, size: int) -> bytes:
        """At most ``size`` bytes from the host, b"" if there are none."""
        if self._master is None or not self._connected:
            return b""
        try:
            return os.read(self._master, size)
        except BlockingIOError:
            return b""
        except OSError as error:
            self._hung_up(error)
            return b""

    def write(self, data: bytes) -> int | None:
        """Hands over what the kernel takes at once; returns how many bytes, None if nobody has the port open."""
        if self._master is None or not self._connected:
            return None
        try:
            return os.write(self._master, data)
        except BlockingIOError:
            return 0
        except OSError as error:
            self._hung_up(error)
            return None

    def vanish(self) -> None:
        """Takes the port away: whoever has it open sees a hang-up."""
        if self._master is not None:
            self._hidden = _open_terminal()
            self._hide()

    def come_back(self) -> None:
        """Lets the port return under another name."""
        if self._hidden is not None:
            hidden, self._hidden = self._hidden, None
            self._show(*hidden)

    def close(self) -> None:
        """Takes the port away for good. May be called again."""
        if self._hidden is not None:
            os.close(self._hidden[0])
            self._hidden = None
        if self._master is not None:
            self._hide()

    def _show(self, master: int, name: str) -> None:
        self._master, self.name, self._connected = master, name, False
        if self._link is None:
            return
        try:
            self._link.symlink_to(name)
        except OSError as error:
            os.close(master)
            self._master = None
            raise StorageError(f"cannot make the link {self._link}: {error.strerror}") from error

    def _hide(self) -> None:
        assert self._master is not None
        if self._link is not None:
            with contextlib.suppress(OSError):
                if str(self._link.readlink()) == self.name:
                    self._link.unlink()
        os.close(self._master)
        self._master, self._connected = None, False

    def _hung_up(self, error: OSError) -> None:
        if error.errno != errno.EIO:
            raise StorageError(f"the pseudo-terminal {self.name} failed: {error.strerror}") from error
        self._connected = False


def _open_terminal() -> tuple[int, str]:
    """A new terminal in raw mode: its master, non-blocking, and its name."""
    try:
        master, slave = os.openpty()
    except OSError as error:
        raise StorageError(f"cannot make a pseudo-terminal: {error.strerror}") from error
    try:
        tty.setraw(slave)
        os.set_blocking(master, False)
        return master, os.ttyname(slave)
    except BaseException:
        os.close(master)
        raise
    finally:
        os.close(slave)
