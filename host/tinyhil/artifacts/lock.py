"""One process at a time works in a build folder; the second waits, and says for whom."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from tinyhil.artifacts import store

NAME = ".lock"


@contextlib.contextmanager
def exclusive(folder: Path, on_wait: Callable[[str], None]) -> Iterator[None]:
    """Holds the lock of ``folder``; the kernel lets go of it when the process ends, however it ends.

    Args:
        on_wait: called once with a sentence if another process holds it.

    Raises:
        StorageError: the folder cannot be written.
    """
    store.make_folder(folder)
    with store.storage(folder):
        handle = os.open(folder / NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(handle, 32, 0).decode(errors="replace").strip() or "unknown"
            on_wait(f"waiting for process {holder}, which works in {folder}")
            fcntl.flock(handle, fcntl.LOCK_EX)
        os.truncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(handle)
