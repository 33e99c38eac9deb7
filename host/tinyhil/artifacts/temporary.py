"""Folders for temporary files. A run that is killed cannot remove its own, so the next one does.

Each folder has a file that its owner holds a lock on, which the kernel takes from a process that ends, however it ends.
What is not locked belongs to nobody any more.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from pathlib import Path

from tinyhil.errors import StorageError

_PREFIX = "tinyhil-"
_LOCK = ".in-use"


class TemporaryFolder:
    """A folder below the system's folder for temporary files.

    Ownership: whoever makes it closes it, or uses it as a context manager.

    Attributes:
        path: the folder, with nothing in it.

    Raises:
        StorageError: it cannot be made.
    """

    def __init__(self) -> None:
        sweep()
        try:
            self._whole = Path(tempfile.mkdtemp(prefix=_PREFIX))
            self.path = self._whole / "files"
            self.path.mkdir()
            # Locked before it has its name: nobody finds it without.
            new = self._whole / f"{_LOCK}.new"
            self._handle: int | None = os.open(new, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._handle, fcntl.LOCK_EX)
            new.rename(self._whole / _LOCK)
        except OSError as error:
            raise StorageError(
                f"cannot write to {tempfile.gettempdir()}: {error.strerror}",
                hint="free some space there, or name another folder in the variable TMPDIR",
            ) from error

    def close(self) -> None:
        """Removes the folder. May be called again."""
        handle, self._handle = self._handle, None
        if handle is not None:
            shutil.rmtree(self._whole, ignore_errors=True)
            os.close(handle)

    def __enter__(self) -> Path:
        return self.path

    def __exit__(self, *_: object) -> None:
        self.close()


def sweep() -> None:
    """Removes the folders of runs that were killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            if folder.is_symlink() or folder.stat().st_uid != os.getuid():
                continue
            handle = os.open(folder / _LOCK, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(handle)
