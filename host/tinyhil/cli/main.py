"""The commands. Each imports what it needs when it runs, so that ``--help`` is quick."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

import tinyhil
from tinyhil.cli import listings
from tinyhil.cli.arena import arena
from tinyhil.cli.preflight import preflight
from tinyhil.cli.proxy import proxy
from tinyhil.cli.quantize import quantize
from tinyhil.cli.session import (
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
    RecipeArgument,
    RecordOption,
    ResumeOption,
    SamplesOption,
    SchemeOption,
    TargetOption,
    VerboseOption,
    command,
)
from tinyhil.cli.starter import new
from tinyhil.errors import ExitCode

if TYPE_CHECKING:
    from tinyhil.compare.verdict import Report
    from tinyhil.pipeline.run import Run

BUILD_DIR = Path("build")

app = typer.Typer(
    name="tinyhil",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=(
        "Proves that a neural network computes on a microcontroller what it computed on the desk.\n\n"
        "The whole way: **tinyhil run sine** trains, quantizes, renders, builds, runs and judges. "
        "Each stage is also a command of its own, and a stage whose inputs have not changed is not run again.\n\n"
        "Exit codes: 0 pass, 1 fail, 2 wrong usage or input, 3 blocked (could not be carried out), 130 interrupted."
    ),
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tinyhil {tinyhil.__version__}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


def _job(
    output: Output,
    recipe: str,
    target: str = DEFAULT_TARGET,
    *,
    build_dir: Path,
    engine: str | None = None,
    scheme: str | None = None,
    force: bool = False,
    port: str | None = None,
    firmware: Path | None = None,
    resume: bool = False,
    record: Path | None = None,
    data: Path | None = None,
    flash: bool = False,
    samples: Path | None = None,
) -> Run:
    """The run that a command's options describe."""
    from tinyhil.cli.console import ConsoleObserver
    from tinyhil.pipeline.given import open_run
    from tinyhil.pipeline.run import Request

    request = Request(
        recipe=recipe,
        target=target,
        engine=engine,
        scheme=scheme,
        force=force,
        build_dir=build_dir,
        port=port,
        firmware=firmware,
        resume=resume,
        record=record,
        data=data,
        flash=flash,
        samples=samples,
    )
    return open_run(request, ConsoleObserver(output.console, verbose=output.verbose))


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


@app.command()
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

    The report is in BUILD_DIR/RECIPE/TARGET/report.json and report.xml (JUnit); with another engine or scheme than
    the default in BUILD_DIR/RECIPE/TARGET-ENGINE-SCHEME.
    """
    with command(json, verbose=verbose) as output:
        job = _job(
            output,
            recipe,
            target,
            engine=engine,
            scheme=scheme,
            force=force,
            port=port,
            build_dir=build_dir,
            resume=resume,
            record=record,
            data=data,
            flash=True,
            samples=samples,
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
    _conclude(output, report, job.folder / files.JSON)


@app.command()
def verify(
    recipe: RecipeArgument,
    target: TargetOption = DEFAULT_TARGET,
    engine: EngineOption = None,
    scheme: SchemeOption = None,
    force: ForceOption = False,
    port: PortOption = None,
    firmware: FirmwareOption = None,
    build_dir: BuildDirOption = BUILD_DIR,
    resume: ResumeOption = False,
    record: RecordOption = None,
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
        job = _job(
            output,
            recipe,
            target,
            engine=engine,
            scheme=scheme,
            force=force,
            port=port,
            firmware=firmware,
            build_dir=build_dir,
            resume=resume,
            record=record,
        )
        _verify(output, job)


@app.command()
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
        from tinyhil.pipeline.replay import Replay

        with Replay(file, build_dir, ConsoleObserver(output.console, verbose=output.verbose)) as job:
            report = job.verify()
        _conclude(output, report, file)


@app.command()
def train(
    recipe: RecipeArgument,
    data: DataOption = None,
    build_dir: BuildDirOption = BUILD_DIR,
    json: JsonOption = None,
    verbose: VerboseOption = False,
) -> None:
    """Train the recipe's model (Keras), or find it trained already."""
    from tinyhil.cli import console as view

    with command(json, verbose=verbose) as output:
        model = _job(output, recipe, build_dir=build_dir, data=data).train()
        trained = {
            "model": str(model.path),
            "dataset": str(model.dataset),
            "history": str(model.history),
            "data": model.provenance,
            "trained_by": model.trained_by,
            "epoch": model.epoch,
            "metrics": model.metrics,
            "diagnosis": model.diagnosis,
            "figures": model.figures,
        }
        said = model.diagnosis
        rows = [("data", model.provenance), ("diagnosis", f"{said['kind']}: {said['reason']}")]
        view.show_rows(output.console, [*rows, *((name, str(value)) for name, value in model.figures.items())])
        output.write_json(trained)


@app.command()
def render(
    recipe: RecipeArgument,
    target: TargetOption = DEFAULT_TARGET,
    engine: EngineOption = None,
    scheme: SchemeOption = None,
    force: ForceOption = False,
    build_dir: BuildDirOption = BUILD_DIR,
    json: JsonOption = None,
    verbose: VerboseOption = False,
) -> None:
    """Render a self-contained PlatformIO project; it opens and builds in an IDE without tinyhil."""
    with command(json, verbose=verbose) as output:
        job = _job(output, recipe, target, engine=engine, scheme=scheme, force=force, build_dir=build_dir)
        project = job.render()
        output.write_json(
            {
                "project": str(project.folder),
                "environment": project.environment,
                "project_sha256": project.sha256,
                "model_sha256": project.model_sha256,
                "kernels": project.kernels,
            }
        )


@app.command()
def build(
    recipe: RecipeArgument,
    target: TargetOption = DEFAULT_TARGET,
    engine: EngineOption = None,
    scheme: SchemeOption = None,
    force: ForceOption = False,
    build_dir: BuildDirOption = BUILD_DIR,
    json: JsonOption = None,
    verbose: VerboseOption = False,
) -> None:
    """Build the firmware with PlatformIO and measure its flash and RAM."""
    with command(json, verbose=verbose) as output:
        job = _job(output, recipe, target, engine=engine, scheme=scheme, force=force, build_dir=build_dir)
        image = job.build()
        output.write_json(
            {
                "elf": str(image.elf),
                "firmware_sha256": image.sha256,
                "flash_bytes": image.flash_bytes,
                "ram_bytes": image.ram_bytes,
                "sections": image.sections,
                "tool_versions": image.tool_versions,
            }
        )


@app.command()
def flash(
    recipe: RecipeArgument,
    target: TargetOption = DEFAULT_TARGET,
    engine: EngineOption = None,
    scheme: SchemeOption = None,
    force: ForceOption = False,
    port: PortOption = None,
    stop: Annotated[bool, typer.Option("--stop", help="End what an earlier flash has left running here.")] = False,
    build_dir: BuildDirOption = BUILD_DIR,
    verbose: VerboseOption = False,
) -> None:
    """Put the firmware on the device and see that it answers with this very build.

    A board is found by its USB id, flashed by PlatformIO, and waited for until it is back. **native** is flashed by
    starting it: it stays, with its port under one path, until the next flash or **--stop**.

    An emulator takes its image when it starts: it is started, asked who it is, and ended.
    """
    with command(verbose=verbose) as output:
        job = _job(output, recipe, target, engine=engine, scheme=scheme, force=force, port=port, build_dir=build_dir)
        if stop:
            job.stop()
            return
        job.flash()
        output.console.print(f"[bold]next:[/]  {escape(_next(job))}", soft_wrap=True, highlight=False)


def _next(job: Run) -> str:
    """The command that judges what was flashed."""
    request = job.request
    words = ["tinyhil", "verify", request.recipe, "--target", request.target]
    if request.engine is not None:
        words += ["--engine", request.engine]
    if request.build_dir != BUILD_DIR:
        words += ["--build-dir", str(request.build_dir)]
    if job.target.upload is not None:
        words += ["--port", job.port]
    return shlex.join(words)


@app.command()
def report(
    recipe: RecipeArgument,
    target: TargetOption = DEFAULT_TARGET,
    engine: EngineOption = None,
    scheme: SchemeOption = None,
    build_dir: BuildDirOption = BUILD_DIR,
    json: JsonOption = None,
) -> None:
    """Show the report of the last run again, and exit with its verdict."""
    with command(json) as output:
        from tinyhil.report import files

        job = _job(output, recipe, target, engine=engine, scheme=scheme, build_dir=build_dir)
        _conclude(output, files.read(job.folder), job.folder / files.JSON)


for other in (
    quantize,
    preflight,
    arena,
    listings.targets,
    listings.recipes,
    listings.ports,
    listings.doctor,
    proxy,
    new,
):
    app.command()(other)


def main() -> None:
    """Entry point of the console script."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(ExitCode.INTERRUPTED)
