"""The entry point: nothing that goes wrong gets past it, whether in a command, a callback or an import.

It imports next to nothing itself; the commands are in ``tinyhil.cli.app``.
"""

from __future__ import annotations

import gc
import io
import os
import sys
import traceback
from typing import Any, NoReturn, TextIO

from tinyhil.errors import ExitCode, StorageError, TinyhilError
from tinyhil.plain_text import for_log

FEWER_COLLECTIONS = (20_000, 20, 20)
"""Starting makes many objects that stay; looking through them every 700 new ones took a tenth of a warm run."""


def main() -> NoReturn:
    """Entry point of the console script. What is not foreseen ends here, as a fault of tinyhil."""
    gc.set_threshold(*FEWER_COLLECTIONS)
    try:
        _open_streams()
        sys.stdout, sys.stderr = _unbroken(sys.stdout, "standard output"), _unbroken(sys.stderr)
        try:
            from tinyhil.cli.app import application

            application(sys.argv[1:])()
        finally:
            sys.stdout.flush()
    except KeyboardInterrupt:
        sys.exit(ExitCode.INTERRUPTED)
    except SystemExit:
        raise
    except TinyhilError as error:  # of the output itself: all else is said where commands end
        sys.stderr.write(for_log(f"error {error.kind.id}: {error.message}\nnext:  {error.hint}\n"))
        sys.exit(error.exit_code)
    except BaseException as error:
        try:
            _tell(error)
        finally:  # whatever becomes of the telling
            sys.exit(ExitCode.FAULT)
    sys.exit(ExitCode.PASS)


def _open_streams() -> None:
    """Leads to nowhere what the caller has closed: the next file or pipe would get its number, and be taken for it."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest number that is free
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, "r" if number == 0 else "w", closefd=False))


def _tell(error: BaseException) -> None:
    """What to say of a fault; the whole traceback with ``--verbose``."""
    if {"-v", "--verbose"} & set(sys.argv):
        sys.stderr.write(for_log("".join(traceback.format_exception(error))))
    from tinyhil.cli import crash

    for line in crash.told(error):
        sys.stderr.write(for_log(f"{line}\n"))


class _Unbroken(io.FileIO):
    """A file descriptor that leads nowhere from the moment on in which nothing can be written to it any more.

    ``tinyhil run sine | head -1`` ends with the verdict's exit code, and not with an error of the pipe.

    Args:
        descriptor: of the stream.
        needed: what it is called, if what is written to it may not be lost; else empty.
    """

    def __init__(self, descriptor: int, needed: str) -> None:
        super().__init__(descriptor, "w", closefd=False)
        self._needed = needed

    def write(self, data: Any, /) -> int:
        """Writes, at the latest to where nothing is read.

        Raises:
            StorageError: it is needed, and somebody reads it, but there is no space.
        """
        if not len(data):
            return 0  # libraries try so whether bytes can be written, and keep what it raises to themselves
        try:
            return super().write(data)
        except OSError as error:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            if self._needed and not isinstance(error, BrokenPipeError):
                raise StorageError(
                    f"cannot write {self._needed}: {error.strerror}", hint="free some space where it leads to"
                ) from error
            return super().write(data)


def _unbroken(stream: TextIO, needed: str = "") -> TextIO:
    """The same stream over an ``_Unbroken``; the stream itself where it is no file descriptor.

    What its encoding cannot carry is written out: a file's name may be no UTF-8, and a terminal know ASCII only.
    """
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    stream.flush()
    raw = _Unbroken(stream.fileno(), needed)
    return io.TextIOWrapper(
        raw if isinstance(stream.buffer, io.RawIOBase) else io.BufferedWriter(raw),
        encoding=stream.encoding,
        errors="backslashreplace",
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )
