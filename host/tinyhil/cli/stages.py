"""The commands that make one thing: ``train``, ``render``, ``build``, ``flash``."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from tinyhil.cli.job import open_job
from tinyhil.cli.options import MODEL, takes_options
from tinyhil.cli.session import Output
from tinyhil.options import Level, Options, flags_of

if TYPE_CHECKING:
    from tinyhil.pipeline.run import Run


@takes_options(Level.MODEL)
def train(output: Output, options: Options, model: MODEL) -> None:
    """Train the recipe's model with Keras. Does nothing if it is trained already.

    **Example**

    tinyhil train sine
    """
    from tinyhil.cli import console as view

    trained = open_job(output, model, options).train()
    rows = [("data", trained.provenance)]
    if trained.diagnosis:
        rows.append(("diagnosis", f"{trained.diagnosis['kind']}: {trained.diagnosis['reason']}"))
    view.show_rows(output.console, [*rows, *((name, str(value)) for name, value in trained.figures.items())])
    output.write_json(
        {
            "model": str(trained.path),
            "dataset": str(trained.dataset),
            "history": None if trained.history is None else str(trained.history),
            "data": trained.provenance,
            "trained_by": trained.trained_by,
            "epoch": trained.epoch,
            "metrics": trained.metrics,
            "diagnosis": trained.diagnosis,
            "figures": trained.figures,
        }
    )


@takes_options(Level.BUILD)
def render(output: Output, options: Options, model: MODEL) -> None:
    """Write a self-contained PlatformIO project, which opens and builds in an IDE without tinyhil.

    **--as library** writes a library instead, by which a sketch of your own, with its sensors, is verified.

    **Example**

    tinyhil render sine --target nano33ble
    """
    from tinyhil.cli import console as view
    from tinyhil.render import LIBRARY, library

    job = open_job(output, model, options)
    project = job.render()
    folder = project.folder
    if job.placement.form == LIBRARY:
        folder /= library.NAME
        rows = [("library", str(folder)), *library.LINES, ("then", _judge(job, model, "--firmware", "FIRMWARE.elf"))]
        view.show_rows(output.console, rows)
    output.write_json(
        {
            "project": str(folder),
            "environment": project.environment,
            "project_sha256": project.sha256,
            "model_sha256": project.model_sha256,
            "kernels": project.kernels,
        }
    )


@takes_options(Level.BUILD)
def build(output: Output, options: Options, model: MODEL) -> None:
    """Build the firmware with PlatformIO and measure its flash and RAM.

    **Example**

    tinyhil build digits --target qemu-m4
    """
    image = open_job(output, model, options).build()
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


@takes_options(Level.DEVICE)
def flash(
    output: Output,
    options: Options,
    model: MODEL,
    stop: Annotated[
        bool, typer.Option("--stop", help="Stop the process that an earlier flash started. Makes nothing.")
    ] = False,
) -> None:
    """Put the firmware on the device and check that it answers with this build.

    A board is found by its USB id, flashed by PlatformIO, and asked as soon as it is back. **native** and QEMU are
    processes: flashing starts one, and it runs, with the recipe's demo, until the next flash or **--stop**.

    Another emulator gets its image when it starts: it is started, asked which build it runs, and stopped.

    **Example**

    tinyhil flash sine --target nano33ble
    """
    job = open_job(output, model, options)
    if stop:
        job.stop()
        return
    job.flash()
    output.console.print(f"[bold]next:[/]  {escape(_next(job, model))}", soft_wrap=True, highlight=False)


def _next(job: Run, model: str) -> str:
    """The command that judges what was flashed."""
    return _judge(job, model, *(["--port", job.live.port] if job.target.upload is not None else []))


def _judge(job: Run, model: str, *more: str) -> str:
    """The command that judges what was made."""
    words = ["tinyhil", "verify", model, "--target", job.target.name]
    words += flags_of(job.options, ("engine", "scheme", "samples", "data", "budget", "vectors", "build_dir", "form"))
    return shlex.join([*words, *more])
