"""The commands that make one thing: ``train``, ``render``, ``build``, ``flash``."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from tinyhil.cli.job import open_job
from tinyhil.cli.session import (
    BUILD_DIR,
    DEFAULT_TARGET,
    BuildDirOption,
    DataOption,
    EngineOption,
    ForceOption,
    JsonOption,
    ModelArgument,
    PortOption,
    RecipeArgument,
    SamplesOption,
    SchemeOption,
    TargetOption,
    VerboseOption,
    command,
)
from tinyhil.pipeline.request import Request

if TYPE_CHECKING:
    from tinyhil.pipeline.run import Run


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
        model = open_job(output, Request(recipe, DEFAULT_TARGET, build_dir=build_dir, data=data)).train()
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


def render(
    recipe: ModelArgument,
    target: TargetOption = DEFAULT_TARGET,
    engine: EngineOption = None,
    scheme: SchemeOption = None,
    samples: SamplesOption = None,
    data: DataOption = None,
    force: ForceOption = False,
    build_dir: BuildDirOption = BUILD_DIR,
    json: JsonOption = None,
    verbose: VerboseOption = False,
) -> None:
    """Render a self-contained PlatformIO project; it opens and builds in an IDE without tinyhil."""
    with command(json, verbose=verbose) as output:
        job = open_job(
            output,
            Request(recipe, target, engine, scheme, samples=samples, data=data, force=force, build_dir=build_dir),
        )
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


def build(
    recipe: ModelArgument,
    target: TargetOption = DEFAULT_TARGET,
    engine: EngineOption = None,
    scheme: SchemeOption = None,
    samples: SamplesOption = None,
    data: DataOption = None,
    force: ForceOption = False,
    build_dir: BuildDirOption = BUILD_DIR,
    json: JsonOption = None,
    verbose: VerboseOption = False,
) -> None:
    """Build the firmware with PlatformIO and measure its flash and RAM."""
    with command(json, verbose=verbose) as output:
        job = open_job(
            output,
            Request(recipe, target, engine, scheme, samples=samples, data=data, force=force, build_dir=build_dir),
        )
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


def flash(
    recipe: ModelArgument,
    target: TargetOption = DEFAULT_TARGET,
    engine: EngineOption = None,
    scheme: SchemeOption = None,
    samples: SamplesOption = None,
    data: DataOption = None,
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
        job = open_job(
            output,
            Request(
                recipe, target, engine, scheme, samples=samples, data=data, force=force, port=port, build_dir=build_dir
            ),
        )
        if stop:
            job.stop()
            return
        job.flash()
        output.console.print(f"[bold]next:[/]  {escape(_next(job))}", soft_wrap=True, highlight=False)


def _next(job: Run) -> str:
    """The command that judges what was flashed."""
    request = job.request
    words = ["tinyhil", "verify", request.recipe, "--target", request.target]
    asked = {
        "--engine": request.engine,
        "--scheme": request.scheme,
        "--samples": request.samples,
        "--data": request.data,
        "--build-dir": None if request.build_dir == BUILD_DIR else request.build_dir,
    }
    for option, value in asked.items():
        words += [] if value is None else [option, str(value)]
    if job.target.upload is not None:
        words += ["--port", job.port]
    return shlex.join(words)
