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

DEFAULT_TARGET = "qemu-m4"
BUILD_DIR = Path("build")

RecipeArgument = Annotated[
    str, typer.Argument(help="Name of a recipe; 'tinyhil recipes' lists them.", show_default=False)
]
ModelArgument = Annotated[
    str,
    typer.Argument(
        metavar="RECIPE|FILE.keras|FILE.tflite", help="A recipe, or a model of your own.", show_default=False
    ),
]
SamplesOption = Annotated[
    Path | None,
    typer.Option(
        "--samples", help="Inputs for a model of your own: an .npz file with x and perhaps y, first axis the sample."
    ),
]
TargetOption = Annotated[str, typer.Option("--target", "-t", help="Where it runs; 'tinyhil targets' lists them.")]
EngineOption = Annotated[
    str | None, typer.Option("--engine", help="What computes the model there.  [default: the target's]")
]
SchemeOption = Annotated[
    str | None,
    typer.Option(
        "--scheme",
        help="How the model is quantized: float32, int8, int8-per-channel, int16x8 or dynamic.  "
        "[default: the recipe's]",
    ),
]
ForceOption = Annotated[
    bool, typer.Option("--force", help="Go on in spite of what pre-flight finds; the report says so.")
]
BuildDirOption = Annotated[Path, typer.Option("--build-dir", help="Folder for everything that is made.")]
PortOption = Annotated[
    str | None,
    typer.Option(
        "--port",
        help="Talk to a device that is already running, on this port, instead of starting one; for a board, where it "
        "is plugged in. A device path, usb:SERIALNUMBER, socket://host:port, rfc2217://host:port or unix:/path.",
    ),
]
FirmwareOption = Annotated[
    Path | None, typer.Option("--firmware", help="Run this ELF file instead of the one that the project builds.")
]
ResumeOption = Annotated[
    bool, typer.Option("--resume", help="Go on with a run that was interrupted: ask only for what its journal lacks.")
]
RecordOption = Annotated[
    Path | None, typer.Option("--record", help="Keep the whole conversation with the device in this file.")
]
SearchOption = Annotated[
    int | None,
    typer.Option(
        "--search",
        min=0,
        help="Inputs to try beyond the vectors where these are not all there are; 0 for none.",
        show_default="as the recipe says",
    ),
]
DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data", help="Train on the samples in this .npz file instead of the recipe's own; see docs/design.md."
    ),
]
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
    except KeyboardInterrupt as error:
        output.errors.print("interrupted; what was finished is kept, and nothing is left running")
        raise typer.Exit(ExitCode.INTERRUPTED) from error


def _terminated(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
