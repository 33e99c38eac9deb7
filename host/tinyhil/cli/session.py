"""What every command shares: options, the console, errors to exit codes, Ctrl-C."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, NoReturn, TextIO

import typer
from rich.console import Console

from tinyhil.cli import console as view
from tinyhil.cli.plain_console import PlainConsole
from tinyhil.errors import ConfigError, ExitCode, StorageError, TinyhilError

JsonOption = Annotated[
    Path | None, typer.Option("--json", help="Write the result as JSON to this file; '-' is standard output.")
]
VerboseOption = Annotated[bool, typer.Option("--verbose", "-v", help="Show the commands that run and what they print.")]


_LOOKED_AT = 64
"""Bytes at the beginning of a file, by which JSON is known."""


@dataclass(frozen=True)
class Output:
    """Where a command writes: people's lines to ``console``, errors to ``errors``, the result to ``json_path``.

    Attributes:
        stream: of a pipe or a device that takes the result; None where that is a file, or nothing.
        afterwards: what is done after everything was shown, whatever the exit code; each returns what went wrong, in a
            line, or nothing. It does not change the exit code.
    """

    console: Console
    errors: Console
    json_path: Path | None
    verbose: bool
    stream: TextIO | None = None
    afterwards: list[Callable[[], str]] = field(default_factory=list)

    def write_json(self, value: Any) -> None:
        """Writes the result where ``--json`` asks for it.

        Raises:
            StorageError: the file cannot be written.
        """
        if self.json_path is None:
            return
        text = json.dumps(value, indent=2) + "\n"
        if str(self.json_path) == "-":
            sys.stdout.write(text)
            return
        from tinyhil.artifacts import store

        try:
            if self.stream is not None:
                self.stream.write(text)
                self.stream.flush()
            else:
                store.make_folder(self.json_path.parent).joinpath(self.json_path.name).write_text(text, "utf-8")
        except BrokenPipeError:
            pass  # who reads it has had enough; what was found stands
        except OSError as error:
            raise StorageError(
                f"cannot write {self.json_path}: {error.strerror}", hint="free some space, or name another file"
            ) from error

    @contextlib.contextmanager
    def ready(self) -> Iterator[Output]:
        """The same, after it is seen that the result can be written, before anything is done for it.

        A pipe stays open until the context ends: whoever reads it takes its last writer for the end.

        Raises:
            ConfigError: the file is there, and no JSON: something else would be lost.
            StorageError: the file cannot be written, or is a pipe that nobody reads.
        """
        path = self.json_path
        if path is None or str(path) == "-":
            yield self
        elif path.exists() and not path.is_file() and not path.is_dir():
            stream = _opened(path)
            try:
                yield replace(self, stream=stream)
            finally:
                with contextlib.suppress(OSError):  # told where it was written
                    stream.close()
        else:
            self._refuse(path)
            yield self

    def _refuse(self, path: Path) -> None:
        from tinyhil.artifacts import store

        store.refuse_unwritable(path)
        if path.is_file():
            with store.storage(path), path.open("rb") as stream:
                begin = stream.read(_LOOKED_AT).lstrip()
            if begin and begin[:1] not in (b"{", b"["):
                raise ConfigError(
                    f"{path} exists and is no JSON, so it is not overwritten", hint="remove it, or name another file"
                )


def _opened(path: Path) -> TextIO:
    """A pipe or a device, to be written; without waiting for whoever reads a pipe."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError as error:
        absent = error.errno == errno.ENXIO
        raise StorageError(
            f"cannot write {path}: {'nobody reads it' if absent else error.strerror}",
            hint="start what reads it first, or name a file" if absent else "look at its rights, or name a file",
        ) from error
    os.set_blocking(descriptor, True)
    return os.fdopen(descriptor, "w", encoding="utf-8")


@contextlib.contextmanager
def command(json_path: Path | None = None, *, verbose: bool = False) -> Iterator[Output]:
    """Runs a command's body; turns what it raises into a message and the exit code that belongs to it."""
    to_stdout = json_path is not None and str(json_path) == "-"
    output = Output(PlainConsole(stderr=to_stdout), PlainConsole(stderr=True), json_path, verbose)
    # A polite kill (CI systems send one before the rough one) ends as orderly as a Ctrl-C.
    signal.signal(signal.SIGTERM, _terminated)
    try:
        with output.ready() as ready:
            yield ready
    except TinyhilError as error:
        raise _ended(output, error, verbose=verbose) from error
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        hint = "use a shorter name" if error.errno == errno.ENAMETOOLONG else ""
        storage = StorageError(f"the operating system refused: {place}{error.strerror or error}", hint=hint)
        raise _ended(output, storage, verbose=verbose) from error
    except (EOFError, SystemExit) as error:
        # Nothing foresees them here; left alone they would end the process with exit code 1, a verdict of fail.
        raise RuntimeError("unforeseen") from error
    except KeyboardInterrupt as error:
        output.errors.print("interrupted; what was finished is kept, and nothing is left running")
        raise typer.Exit(ExitCode.INTERRUPTED) from error
    finally:
        _do_afterwards(output)


def _do_afterwards(output: Output) -> None:
    for work in output.afterwards:
        try:
            said = work()
        except KeyboardInterrupt:  # the exit code stands
            said = "interrupted; what was shown stands"
        if said:
            output.errors.print(said, style="yellow", markup=False, soft_wrap=True, highlight=False)


def _ended(output: Output, error: TinyhilError, *, verbose: bool) -> typer.Exit:
    """Says what went wrong, and gives what ends the command with its exit code."""
    view.show_error(output.errors, error, verbose=verbose)
    if error.exit_code is ExitCode.BLOCKED:
        output.errors.print("[bold yellow]BLOCKED[/]: neither pass nor fail")
    return typer.Exit(error.exit_code)


def _terminated(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
