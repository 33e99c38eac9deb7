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
        note: what it has left for others.
    """

    def __init__(self, holder: str, note: str = "") -> None:
        super().__init__(holder)
        self.holder = holder
        self.note = note


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
            on_wait(f"waiting for process {_holder(handle)[0] or 'unknown'}, which works in {folder}")
            fcntl.flock(handle, fcntl.LOCK_EX)
        _sign(handle, folder / NAME)
        yield
    finally:
        os.close(handle)


def claim(path: Path, note: str = "") -> int:
    """Takes the lock that is the file ``path``, without waiting for another process.

    Args:
        path: likewise.
        note: a word for whoever finds the lock held.

    Returns:
        What :func:`release` wants; the kernel lets go of the lock when the process ends, however it ends.

    Raises:
        HeldError: another process holds it.
        StorageError: the file cannot be written.
    """
    handle = _open(path)
    holder, left = "", ""
    for _ in range(_LOOKS):
        if _lock(handle):
            try:
                _sign(handle, path, note)
            except StorageError:
                os.close(handle)
                raise
            return handle
        holder, left = _holder(handle)
        if holder.isdecimal() and Path("/proc", holder).exists():
            break
        time.sleep(_PAUSE_S)  # it has just been taken: what the file says is its last owner, or nothing
    os.close(handle)
    raise HeldError(holder or "unknown", left)


def release(handle: int) -> None:
    """Lets go of what :func:`claim` has taken."""
    os.truncate(handle, 0)
    os.close(handle)


def is_held(path: Path) -> bool:
    """Whether anybody, this process included, has the lock that is the file ``path``; it is not taken."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def _open(path: Path) -> int:
    with store.storage(path):
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)


def _lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(handle: int) -> tuple[str, str]:
    """The process id in a lock file, and the note behind it."""
    holder, _, note = os.pread(handle, 64, 0).decode(errors="replace").strip().partition(" ")
    return holder, note


def _sign(handle: int, path: Path, note: str = "") -> None:
    with store.storage(path):
        os.truncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()} {note}".rstrip().encode() + b"\n", 0)
