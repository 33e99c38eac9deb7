"""The commands that end in a verdict: ``run``, ``verify``, ``replay``, ``report``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tinyhil.cli.job import open_job
from tinyhil.cli.options import MODEL, MODELS, takes_options
from tinyhil.cli.session import Output
from tinyhil.errors import ExitCode
from tinyhil.options import Level, Options

if TYPE_CHECKING:
    from tinyhil.compare.verdict import Report
    from tinyhil.pipeline.run import Run


@takes_options(Level.ANSWERS, flash=True)
def run(
    output: Output,
    options: Options,
    models: MODELS,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs",
            "-j",
            metavar="COUNT",
            min=1,
            help="Of several runs, how many at once.  [default: a run for each core]",
            show_default=False,
        ),
    ] = None,
) -> None:
    """All stages: train, quantize, render, build, run on the target, judge.

    A .tflite file is run as it is: without a float model only its fidelity is judged, and without samples its inputs
    are random ones and edge cases.

    A board that runs another build is flashed first.

    Where a model has too many inputs to send them all, a seeded search tries more than the vectors (**--search**). It
    looks for the largest error and reduces it to a small example.

    The report is in BUILD_DIR/RECIPE/TARGET: report.html (a page), report.md (for a pull request), report.xml (JUnit)
    and report.json. With another engine or scheme than the default it is in BUILD_DIR/RECIPE/TARGET-ENGINE-SCHEME.

    Several models, and several targets and engines with commas between them, are a matrix: one table, one exit code (1
    if a run fails, else 4, 2, 3 or 0), and BUILD_DIR/matrix.html, matrix.xml, matrix.md and matrix.json. **--engine
    all** is every engine of each target.

    **Examples**

    tinyhil run sine --target qemu-m4 --json out.json

    tinyhil run model.keras --samples data.npz

    tinyhil run model.tflite

    tinyhil run sine digits --target qemu-m4,qemu-m33,native --engine all
    """
    if _is_several(models, options):
        from tinyhil.cli import matrix

        matrix.run(output, options, models, jobs)
        return
    _verify(output, open_job(output, models[0], options))


def _is_several(models: Sequence[str], options: Options) -> bool:
    """Whether what is asked for is a matrix, even if of one cell, rather than a single run."""
    return (
        len(models) > 1
        or any("," in each for each in (options.target, options.engine or ""))
        or (options.engine == "all")
    )


def _verify(output: Output, job: Run) -> None:
    """Judges; a blocked run still gets its JSON. What is kept of it is kept after the verdict has been shown."""
    import msgspec

    from tinyhil import api
    from tinyhil.cli import ci
    from tinyhil.cli import console as view
    from tinyhil.errors import BlockedError
    from tinyhil.report import files, terminal

    folder = job.layout.results
    output.afterwards.extend((lambda: ci.tell_run(output, job), lambda: api.keep(job)))
    try:
        report = job.verify()
    except BlockedError:
        if (folder / files.JSON).is_file():
            blocked = files.read(folder)
            output.write_json(msgspec.to_builtins(blocked))
            view.show_rows(output.errors, [row for row in terminal.rows(blocked) if row[0] == "retries"])
        raise
    _conclude(output, report, folder / files.HTML)


@takes_options(Level.ANSWERS)
def verify(output: Output, options: Options, model: MODEL) -> None:
    """Run the vectors on the device and judge its answers.

    The stages before that are run first where needed. **--firmware** judges another image against this recipe's model,
    **--port** a device that is already running.

    Every answer is written to BUILD_DIR/RECIPE/TARGET/journal as it arrives. After an interrupted run, **--resume**
    asks the device only for the answers that are missing.

    **Example**

    tinyhil verify sine --target nano33ble --port /dev/ttyACM0
    """
    _verify(output, open_job(output, model, options))


@takes_options(Level.MODEL, "prepare", without=("data", "samples"))
def replay(
    output: Output,
    options: Options,
    file: Annotated[Path, typer.Argument(help="A file that --record wrote.", show_default=False, readable=False)],
) -> None:
    """Judge a recorded run again, without a device.

    The recording takes the place of the device. The verdict and its sha256 are those of the run. The model and its
    vectors come from BUILD_DIR. Code that --prepare named is to be named again.

    **Example**

    tinyhil replay sine.rec
    """
    from tinyhil import api
    from tinyhil.cli.console import ConsoleObserver

    observer = ConsoleObserver(output.console, verbose=output.verbose)
    with api.open_replay(file, options.build_dir, observer, options.prepare) as job:
        found = job.judge()
    _conclude(output, found, file)


@takes_options(Level.PLACEMENT, "firmware")
def report(output: Output, options: Options, model: MODEL) -> None:
    """Show the report of the last run again, and exit with its verdict.

    It has to be of the model that is named now: another file of the same name, a recipe that was changed since, or
    other samples are no such run.

    **Example**

    tinyhil report sine --target qemu-m4
    """
    from tinyhil.pipeline import stored_report
    from tinyhil.report import files

    job = open_job(output, model, options)
    _conclude(output, stored_report.read(job), job.layout.results / files.HTML)


def _conclude(output: Output, report: Report, place: Path) -> None:
    """Shows the report, writes it as JSON where asked, and exits with the verdict's code."""
    import msgspec

    from tinyhil.cli import console as view
    from tinyhil.compare.digest import digest
    from tinyhil.report import terminal
    from tinyhil.report.headline import headline, judged

    output.console.print()
    view.show_rows(output.console, list(terminal.rows(report)))
    view.show_rows(output.console, [("verdict", f"sha256 {digest(report)}"), ("report", str(place))])
    output.console.print()
    style = {"pass": "bold green", "fail": "bold red", "blocked": "bold yellow"}[report.verdict]
    if report.verdict == "pass" and not judged(report.accuracy):
        style = "bold"  # green is for what was judged whole
        output.console.print(headline(report), style=style, markup=False, soft_wrap=True, highlight=False)
    output.console.print(terminal.verdict(report), style=style, markup=False, soft_wrap=True, highlight=False)
    output.write_json(msgspec.to_builtins(report))
    raise typer.Exit({"pass": ExitCode.PASS, "fail": ExitCode.FAIL, "blocked": ExitCode.BLOCKED}[report.verdict])
