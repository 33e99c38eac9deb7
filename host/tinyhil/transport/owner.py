"""One owner per port: a lock across processes, with the owner's process id in it.

The lock is a file named after the resolved device path, so a symbolic link and its target are one port. The kernel
drops it when the process ends, however that ends. Within a process it can be taken again (whoever uploads goes on to
talk); it is free when the last holder has let go.

The number of a pseudo-terminal is given to the next one when it is gone. Who still holds the old one, such as a run
that waits for its emulator, does not hold the new one: the lock is that of the terminal with this time of birth.

An owner may lend its port, as the monitor does: it says so in the lock file. Who wants the port then takes a second
lock beside it, ``.wanted``, and waits. The owner looks for that lock (:func:`wanted`), lets go, and takes the port back
when it was free for a while (:func:`is_free`). A monitor is not asked by another monitor, nor by who only lists ports
(:func:`unasked`).

pyserial locks the terminal besides (serial_port.py), which keeps other programs and other users out, but cannot say who
holds it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path

from tinyhil import terminal
from tinyhil.artifacts import lock, store
from tinyhil.deadline import Deadline
from tinyhil.errors import DeviceError, PortBusyError
from tinyhil.transport.base import Controlled, Pollable, Rated, Transport

_OWN = ("loop://", terminal.SCHEME)
"""pyserial's port without a device, and terminals of ours: every process has its own."""

_PSEUDO_TERMINALS = "/dev/pts/"
_BORN = "-born"
"""In the names of lock files of pseudo-terminals."""

LENDS = "lends"
"""The note in the lock file of an owner that lends its port."""

LENT_WITHIN_S = 5.0
"""How long an owner that lends its port may take to step aside."""

_PAUSE_S = 0.02
"""Between two looks for a port that is to be lent."""

_asking: ContextVar[bool] = ContextVar("_asking", default=True)
_guard = threading.Lock()
_held: dict[Path, tuple[int, int]] = {}
"""By lock file: its handle, and how often this process holds it."""


def claim(address: str, *, lends: bool = False) -> Path | None:
    """Takes the port for this process; an owner that lends it is asked to step aside.

    Args:
        address: as ``open_transport`` takes it.
        lends: others may ask for it: the owner looks whether it is :func:`wanted`.

    Returns:
        What :func:`release` wants.

    Raises:
        PortBusyError: another process holds it, and does not lend it or not in time.
        StorageError: the lock file cannot be written.
    """
    if address.startswith(_OWN):
        return None
    path = lock_file(address)
    _forget_others(path)
    try:
        return _claimed(path, LENDS if lends else "")
    except lock.HeldError as error:
        if error.note != LENDS or not _asking.get():
            raise _busy(address, error, "") from None
    return _borrowed(address, path, LENDS if lends else "")


def _claimed(path: Path, note: str) -> Path:
    with _guard:
        handle, times = _held.get(path, (-1, 0))
        if not times:
            handle = lock.claim(path, note)
        _held[path] = (handle, times + 1)
    return path


def _borrowed(address: str, path: Path, note: str) -> Path:
    """Asks the owner for the port, and takes it when it is free."""
    until = Deadline.after(LENT_WITHIN_S)
    asked: int | None = None
    try:
        while True:
            if asked is None:
                with contextlib.suppress(lock.HeldError):  # another one asks already
                    asked = lock.claim(_wanted_file(path))
            try:
                return _claimed(path, note)
            except lock.HeldError as error:
                if error.note != LENDS or until.expired:
                    raise _busy(address, error, f" that did not step aside within {until.seconds:g} s") from None
            time.sleep(until.within(_PAUSE_S))
    finally:
        if asked is not None:
            lock.release(asked)


def _busy(address: str, error: lock.HeldError, what: str) -> PortBusyError:
    if error.note == LENDS:
        return PortBusyError(
            f"{address} is busy, held by PID {error.holder}, a monitor{what}",
            hint=f"look on with tinyhil monitor --port {address} --follow, or close that monitor",
        )
    return PortBusyError(
        f"{address} is busy, held by PID {error.holder}",
        hint="wait for that run to end, or end it; a port has one owner at a time",
    )


def wanted(claimed: Path | None) -> bool:
    """Whether another process asks for a port.

    Args:
        claimed: what :func:`claim` has returned.
    """
    return claimed is not None and lock.is_held(_wanted_file(claimed))


def is_free(claimed: Path | None) -> bool:
    """Whether nobody has a port that was let go, or asks for it."""
    return claimed is None or not (lock.is_held(claimed) or lock.is_held(_wanted_file(claimed)))


@contextlib.contextmanager
def unasked() -> Iterator[None]:
    """No owner is asked to lend its port in it: what is busy is busy."""
    token = _asking.set(False)
    try:
        yield
    finally:
        _asking.reset(token)


def release(path: Path | None) -> None:
    """Lets go of what :func:`claim` has taken."""
    if path is None:
        return
    with _guard:
        handle, times = _held.pop(path)
        if times > 1:
            _held[path] = (handle, times - 1)
        else:
            lock.release(handle)


@contextlib.contextmanager
def owned(address: str) -> Iterator[None]:
    """Holds a port over several uses of it.

    Raises:
        PortBusyError: another process holds it.
    """
    path = claim(address)
    try:
        yield
    finally:
        release(path)


def until_closed(inner: Transport, claimed: Path | None) -> Transport:
    """A transport whose port belongs to this process until it is closed.

    It is ``Pollable`` if ``inner`` is: who serves several ends has to be able to wait for this one.
    """
    return _OwnedPollable(inner, claimed) if isinstance(inner, Pollable) else _OwnedTransport(inner, claimed)


class _OwnedTransport:
    def __init__(self, inner: Transport, claimed: Path | None) -> None:
        self._inner = inner
        self._claimed = claimed
        self.read = inner.read
        self.write = inner.write
        if isinstance(inner, Rated):
            self.set_rate = inner.set_rate
        if isinstance(inner, Controlled):
            self.set_controls = inner.set_controls

    @property
    def name(self) -> str:
        """The address, for messages."""
        return self._inner.name

    def close(self) -> None:
        """See ``Transport.close``."""
        self._inner.close()
        claimed, self._claimed = self._claimed, None
        release(claimed)


class _OwnedPollable(_OwnedTransport):
    def __init__(self, inner: Pollable, claimed: Path | None) -> None:
        super().__init__(inner, claimed)
        self.fileno = inner.fileno
        self.write_some = inner.write_some


def lock_file(address: str) -> Path:
    """The lock of a port: a readable name where the path has one, and a hash that no two ports share."""
    key = address if "://" in address or address.startswith("unix:") else os.path.realpath(address)
    name = "".join(char if char.isalnum() else "-" for char in key.strip("/"))[-40:]
    if key.startswith(_PSEUDO_TERMINALS):
        with contextlib.suppress(OSError):  # it is gone: whoever opens it will say so
            key += f" of {Path(key).stat().st_ctime_ns}"
            name = f"{name}{_BORN}"
    return _folder() / f"{name}.{hashlib.sha256(key.encode()).hexdigest()[:8]}.lock"


def _forget_others(path: Path) -> None:
    """Removes the lock files of pseudo-terminals that had the number of this one before, but for those still held."""
    if _BORN not in path.name:
        return
    for other in path.parent.glob(f"{path.name.partition('.')[0]}.*.lock"):
        if other != path:
            with contextlib.suppress(lock.HeldError, OSError):
                handle = lock.claim(other)
                _wanted_file(other).unlink(missing_ok=True)
                other.unlink()
                lock.release(handle)


def _wanted_file(path: Path) -> Path:
    return path.with_suffix(".wanted")


def _folder() -> Path:
    """A folder of this user's that is the same for all of the user's processes and gone after a restart."""
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if runtime and Path(runtime).is_dir():
        folder = Path(runtime) / "tinyhil"
    else:
        folder = Path(tempfile.gettempdir()) / f"tinyhil-{os.getuid()}"
    with store.storage(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.stat().st_uid != os.getuid():
            raise DeviceError(f"{folder} belongs to another user", hint="set XDG_RUNTIME_DIR to a folder of yours")
    return folder
