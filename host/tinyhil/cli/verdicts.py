"""The commands that end in a verdict: ``run``, ``verify``, ``replay``, ``report``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tinyhil.cli.job import open_job
from tinyhil.cli.options import MODEL, takes_options
from tinyhil.cli.session import Output
from tinyhil.errors import ExitCode
from tinyhil.options import Level, Options

if TYPE_CHECKING:
    from tinyhil.compare.verdict import Report
    from tinyhil.pipeline.run import Run


@takes_options(Level.ANSWERS, flash=True)
def run(output: Output, options: Options, model: MODEL) -> None:
    """All stages: train, quantize, render, build, run on the target, judge.

    A .tflite file is run as it is; without a float model its fidelity alone is judged, and without samples inputs are
    drawn to find bugs.

    A board that does not run this very build is flashed first.

    Where the vectors are not all inputs there are, a seeded search tries some more (**--search**), climbs towards what
    the device gets wrong most, and reduces it to a small example.

    The report is in BUILD_DIR/RECIPE/TARGET: report.html (a page), report.md (for a pull request), report.xml (JUnit)
    and report.json; with another engine or scheme than the default in BUILD_DIR/RECIPE/TARGET-ENGINE-SCHEME.

    **Examples**

    tinyhil run sine --target qemu-m4 --json out.json

    tinyhil run model.keras --samples data.npz

    tinyhil run model.tflite
    """
    _verify(output, open_job(output, model, options))


def _verify(output: Output, job: Run) -> None:
    """Judges; a blocked run still gets its JSON."""
    import msgspec

    from tinyhil.errors import BlockedError
    from tinyhil.report import files

    folder = job.layout.target
    try:
        report = job.verify()
    except BlockedError:
        if (folder / files.JSON).is_file():
            output.write_json(msgspec.to_builtins(files.read(folder)))
        raise
    _conclude(output, report, folder / files.HTML)


@takes_options(Level.ANSWERS)
def verify(output: Output, options: Options, model: MODEL) -> None:
    """Run the vectors on the device and judge its answers.

    What is missing before that is made first. With **--firmware** another image is judged against this recipe's model;
    with **--port** a device that is already running.

    Every answer goes to BUILD_DIR/RECIPE/TARGET/journal as it arrives. After a run that was interrupted, **--resume**
    asks the device only for what is missing there.

    **Example**

    tinyhil verify sine --target nano33ble --port /dev/ttyACM0
    """
    _verify(output, open_job(output, model, options))


@takes_options(Level.MODEL, without=("data", "samples"))
def replay(
    output: Output,
    options: Options,
    file: Annotated[Path, typer.Argument(help="What --record has written.", show_default=False)],
) -> None:
    """Judge a recorded run again, without a device.

    The recording plays the device's part: the verdict, and its sha256, are those of the run. The model and its vectors
    come from BUILD_DIR.

    **Example**

    tinyhil replay sine.rec
    """
    from tinyhil import api
    from tinyhil.cli.console import ConsoleObserver

    observer = ConsoleObserver(output.console, verbose=output.verbose)
    with api.open_replay(file, options.build_dir, observer) as job:
        found = job.judge()
    _conclude(output, found, file)


@takes_options(Level.PLACEMENT)
def report(output: Output, options: Options, model: MODEL) -> None:
    """Show the report of the last run again, and exit with its verdict.

    **Example**

    tinyhil report sine --target qemu-m4
    """
    from tinyhil.report import files

    folder = open_job(output, model, options).layout.target
    _conclude(output, files.read(folder), folder / files.HTML)


def _conclude(output: Output, report: Report, place: Path) -> None:
    """Shows the report, writes it as JSON where asked, and exits with the verdict's code."""
    import msgspec

    from tinyhil.cli import console as view
    from tinyhil.compare.verdict import digest
    from tinyhil.report import terminal

    output.console.print()
    view.show_rows(output.console, list(terminal.rows(report)))
    view.show_rows(output.console, [("verdict", f"sha256 {digest(report)}"), ("report", str(place))])
    output.console.print()
    style = {"pass": "bold green", "fail": "bold red", "blocked": "bold yellow"}[report.verdict]
    output.console.print(terminal.verdict(report), style=style, markup=False, soft_wrap=True, highlight=False)
    output.write_json(msgspec.to_builtins(report))
    raise typer.Exit({"pass": ExitCode.PASS, "fail": ExitCode.FAIL, "blocked": ExitCode.BLOCKED}[report.verdict])
