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

from tinyhil.errors import ExitCode

FEWER_COLLECTIONS = (20_000, 20, 20)
"""Starting makes many objects that stay; looking through them every 700 new ones took a tenth of a warm run."""


def main() -> NoReturn:
    """Entry point of the console script. What is not foreseen ends here, as a fault of tinyhil."""
    gc.set_threshold(*FEWER_COLLECTIONS)
    try:
        sys.stdout, sys.stderr = _unbroken(sys.stdout), _unbroken(sys.stderr)
        from tinyhil.cli.app import app

        app()
    except KeyboardInterrupt:
        sys.exit(ExitCode.INTERRUPTED)
    except SystemExit:
        raise
    except BaseException as error:
        _tell(error)
        sys.exit(ExitCode.FAULT)
    sys.exit(ExitCode.PASS)


def _tell(error: BaseException) -> None:
    """What to say of a fault; the whole traceback with ``--verbose``."""
    if {"-v", "--verbose"} & set(sys.argv):
        traceback.print_exception(error)
    from tinyhil.cli import crash

    for line in crash.told(error):
        sys.stderr.write(f"{line}\n")


class _Unbroken(io.FileIO):
    """A file descriptor that leads nowhere from the moment on in which nobody reads it any more.

    ``tinyhil run sine | head -1`` ends with the verdict's exit code, and not with an error of the pipe.
    """

    def write(self, data: Any, /) -> int:
        """Writes, at the latest to where nothing is read."""
        try:
            return super().write(data)
        except BrokenPipeError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            return super().write(data)


def _unbroken(stream: TextIO) -> TextIO:
    """The same stream over an ``_Unbroken``; the stream itself where it is no file descriptor."""
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    stream.flush()
    raw = _Unbroken(stream.fileno(), "w", closefd=False)
    return io.TextIOWrapper(
        raw if isinstance(stream.buffer, io.RawIOBase) else io.BufferedWriter(raw),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )
