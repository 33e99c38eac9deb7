"""One process at a time: in a build folder, where the second waits, and at a port, where it is turned away."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tinyhil.artifacts import store
from tinyhil.errors import StorageError

NAME = ".lock"

_LOOKS = 100
_PAUSE_S = 0.005
"""How often, and how long apart, a lock is looked at whose holder has not written its process id yet."""


class HeldError(Exception):
    """Another process holds the lock.

    Attributes:
        holder: its process id.
    """

    def __init__(self, holder: str) -> None:
        super().__init__(holder)
        self.holder = holder


@contextlib.contextmanager
def exclusive(folder: Path, on_wait: Callable[[str], None]) -> Iterator[None]:
    """Holds the lock of ``folder``; the kernel lets go of it when the process ends, however it ends.

    Args:
        on_wait: called once with a sentence if another process holds it.

    Raises:
        StorageError: the folder cannot be written.
    """
    store.make_folder(folder)
    handle = _open(folder / NAME)
    try:
        if not _lock(handle):
            on_wait(f"waiting for process {_holder(handle) or 'unknown'}, which works in {folder}")
            fcntl.flock(handle, fcntl.LOCK_EX)
        _sign(handle, folder / NAME)
        yield
    finally:
        os.close(handle)


def claim(path: Path) -> int:
    """Takes the lock that is the file ``path``, without waiting for another process.

    Returns:
        What :func:`release` wants; the kernel lets go of the lock when the process ends, however it ends.

    Raises:
        HeldError: another process holds it.
        StorageError: the file cannot be written.
    """
    handle = _open(path)
    holder = ""
    for _ in range(_LOOKS):
        if _lock(handle):
            try:
                _sign(handle, path)
            except StorageError:
                os.close(handle)
                raise
            return handle
        holder = _holder(handle)
        if holder.isdecimal() and Path("/proc", holder).exists():
            break
        time.sleep(_PAUSE_S)  # it has just been taken: what the file says is its last owner, or nothing
    os.close(handle)
    raise HeldError(holder or "unknown")


def release(handle: int) -> None:
    """Lets go of what :func:`claim` has taken."""
    os.truncate(handle, 0)
    os.close(handle)


def _open(path: Path) -> int:
    with store.storage(path):
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)


def _lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(handle: int) -> str:
    return os.pread(handle, 32, 0).decode(errors="replace").strip()


def _sign(handle: int, path: Path) -> None:
    with store.storage(path):
        os.truncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
