"""The commands that end in a verdict: ``run``, ``verify``, ``replay``, ``report``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tinyhil.cli.job import open_job
from tinyhil.cli.session import (
    BUILD_DIR,
    DEFAULT_TARGET,
    BuildDirOption,
    DataOption,
    EngineOption,
    FirmwareOption,
    ForceOption,
    JsonOption,
    ModelArgument,
    Output,
    PortOption,
    RecordOption,
    ResumeOption,
    SamplesOption,
    SchemeOption,
    SearchOption,
    TargetOption,
    VerboseOption,
    command,
)
from tinyhil.errors import ExitCode
from tinyhil.pipeline.request import Request

if TYPE_CHECKING:
    from tinyhil.compare.verdict import Report
    from tinyhil.pipeline.run import Run


def run(
    recipe: ModelArgument,
    target: TargetOption = DEFAULT_TARGET,
    engine: EngineOption = None,
    scheme: SchemeOption = None,
    samples: SamplesOption = None,
    force: ForceOption = False,
    port: PortOption = None,
    build_dir: BuildDirOption = BUILD_DIR,
    resume: ResumeOption = False,
    record: RecordOption = None,
    search: SearchOption = None,
    data: DataOption = None,
    json: JsonOption = None,
    verbose: VerboseOption = False,
) -> None:
    """All stages: train, quantize, render, build, run on the target, judge.

    Examples: **tinyhil run sine --target qemu-m4 --json out.json**, **tinyhil run model.keras --samples data.npz**,
    **tinyhil run model.tflite**

    A .tflite file is run as it is; without a float model its fidelity alone is judged, and without samples inputs are
    drawn to find bugs.

    A board that does not run this very build is flashed first.

    Where the vectors are not all inputs there are, a seeded search tries some more (**--search**), climbs towards what
    the device gets wrong most, and reduces it to a small example.

    The report is in BUILD_DIR/RECIPE/TARGET: report.html (a page), report.md (for a pull request), report.xml (JUnit)
    and report.json; with another engine or scheme than the default in BUILD_DIR/RECIPE/TARGET-ENGINE-SCHEME.
    """
    with command(json, verbose=verbose) as output:
        job = open_job(
            output,
            Request(
                recipe,
                target,
                engine,
                scheme,
                force=force,
                port=port,
                build_dir=build_dir,
                resume=resume,
                record=record,
                search=search,
                data=data,
                flash=True,
                samples=samples,
            ),
        )
        _verify(output, job)


def _verify(output: Output, job: Run) -> None:
    """Judges; a blocked run still gets its JSON."""
    import msgspec

    from tinyhil.errors import BlockedError
    from tinyhil.report import files

    try:
        report = job.verify()
    except BlockedError:
        if (job.folder / files.JSON).is_file():
            output.write_json(msgspec.to_builtins(files.read(job.folder)))
        raise
    _conclude(output, report, job.folder / files.HTML)


def verify(
    recipe: ModelArgument,
    target: TargetOption = DEFAULT_TARGET,
    engine: EngineOption = None,
    scheme: SchemeOption = None,
    samples: SamplesOption = None,
    data: DataOption = None,
    force: ForceOption = False,
    port: PortOption = None,
    firmware: FirmwareOption = None,
    build_dir: BuildDirOption = BUILD_DIR,
    resume: ResumeOption = False,
    record: RecordOption = None,
    search: SearchOption = None,
    json: JsonOption = None,
    verbose: VerboseOption = False,
) -> None:
    """Run the vectors on the device and judge its answers.

    What is missing before that is made first. With **--firmware** another image is judged against this recipe's model;
    with **--port** a device that is already running.

    Every answer goes to BUILD_DIR/RECIPE/TARGET/journal as it arrives. After a run that was interrupted, **--resume**
    asks the device only for what is missing there.
    """
    with command(json, verbose=verbose) as output:
        job = open_job(
            output,
            Request(
                recipe,
                target,
                engine,
                scheme,
                samples=samples,
                data=data,
                force=force,
                port=port,
                firmware=firmware,
                build_dir=build_dir,
                resume=resume,
                record=record,
                search=search,
            ),
        )
        _verify(output, job)


def replay(
    file: Annotated[Path, typer.Argument(help="What --record has written.", show_default=False)],
    build_dir: BuildDirOption = BUILD_DIR,
    json: JsonOption = None,
    verbose: VerboseOption = False,
) -> None:
    """Judge a recorded run again, without a device.

    The recording plays the device's part: the verdict, and its sha256, are those of the run. The model and its vectors
    come from BUILD_DIR.
    """
    with command(json, verbose=verbose) as output:
        from tinyhil.cli.console import ConsoleObserver
        from tinyhil.pipeline.replay import open_replay

        with open_replay(file, build_dir, ConsoleObserver(output.console, verbose=output.verbose)) as job:
            report = job.verify()
        _conclude(output, report, file)


def report(
    recipe: ModelArgument,
    target: TargetOption = DEFAULT_TARGET,
    engine: EngineOption = None,
    scheme: SchemeOption = None,
    samples: SamplesOption = None,
    data: DataOption = None,
    build_dir: BuildDirOption = BUILD_DIR,
    json: JsonOption = None,
) -> None:
    """Show the report of the last run again, and exit with its verdict."""
    with command(json) as output:
        from tinyhil.report import files

        job = open_job(output, Request(recipe, target, engine, scheme, samples=samples, data=data, build_dir=build_dir))
        _conclude(output, files.read(job.folder), job.folder / files.HTML)


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
