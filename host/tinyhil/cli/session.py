"""What every command shares: options, the console, errors to exit codes, Ctrl-C."""

from __future__ import annotations

import contextlib
import json
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console

from tinyhil.cli import console as view
from tinyhil.errors import ExitCode, StorageError, TinyhilError

JsonOption = Annotated[
    Path | None, typer.Option("--json", help="Write the result as JSON to this file; '-' is standard output.")
]
VerboseOption = Annotated[bool, typer.Option("--verbose", "-v", help="Show the commands that run and what they print.")]


@dataclass(frozen=True)
class Output:
    """Where a command writes: people's lines to ``console``, errors to ``errors``, the result to ``json_path``."""

    console: Console
    errors: Console
    json_path: Path | None
    verbose: bool

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
        try:
            self.json_path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise StorageError(f"cannot write {self.json_path}: {error.strerror}") from error


@contextlib.contextmanager
def command(json_path: Path | None = None, *, verbose: bool = False) -> Iterator[Output]:
    """Runs a command's body; turns what it raises into a message and the exit code that belongs to it."""
    to_stdout = json_path is not None and str(json_path) == "-"
    output = Output(Console(stderr=to_stdout), Console(stderr=True), json_path, verbose)
    # A polite kill (CI systems send one before the rough one) ends as orderly as a Ctrl-C.
    signal.signal(signal.SIGTERM, _terminated)
    try:
        yield output
    except TinyhilError as error:
        view.show_error(output.errors, error, verbose=verbose)
        if error.exit_code is ExitCode.BLOCKED:
            output.errors.print("[bold yellow]BLOCKED[/]: neither pass nor fail")
        raise typer.Exit(error.exit_code) from error
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        storage = StorageError(f"the operating system refused: {place}{error.strerror}")
        view.show_error(output.errors, storage, verbose=verbose)
        raise typer.Exit(storage.exit_code) from error
    except (EOFError, SystemExit) as error:
        # Nothing foresees them here; left alone they would end the process with exit code 1, a verdict of fail.
        raise RuntimeError("unforeseen") from error
    except KeyboardInterrupt as error:
        output.errors.print("interrupted; what was finished is kept, and nothing is left running")
        raise typer.Exit(ExitCode.INTERRUPTED) from error


def _terminated(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
