"""All commands. Each command imports what it needs when it runs, so that ``--help`` is quick."""

from __future__ import annotations

from typing import Annotated

import typer

import tinyhil
from tinyhil.cli import listings, stages, verdicts
from tinyhil.cli.arena import arena
from tinyhil.cli.bench_report import bench_report
from tinyhil.cli.bisect import bisect
from tinyhil.cli.explain import explain
from tinyhil.cli.models import models
from tinyhil.cli.plain_help import PlainCommand, PlainGroup
from tinyhil.cli.plots import plots
from tinyhil.cli.preflight import preflight
from tinyhil.cli.profile import profile
from tinyhil.cli.proxy import proxy
from tinyhil.cli.quantize import quantize
from tinyhil.cli.quarantine import quarantine
from tinyhil.cli.search import search
from tinyhil.cli.selftest import selftest
from tinyhil.cli.starter import new

app = typer.Typer(
    name="tinyhil",
    cls=PlainGroup,
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=(
        "Proves that a neural network computes on a microcontroller what it computed on your computer.\n\n"
        "The whole way: **tinyhil run sine** trains, quantizes, renders, builds, runs and judges. "
        "Each stage is also a command of its own, and a stage whose inputs have not changed is not run again.\n\n"
        "Exit codes: 0 pass, 1 fail, 2 wrong usage or input, 3 blocked (could not be carried out), "
        "4 a fault of tinyhil, 130 interrupted. Every error has an id: **tinyhil explain ID** says more."
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


for each in (
    verdicts.run,
    stages.train,
    quantize,
    preflight,
    stages.render,
    stages.build,
    stages.flash,
    verdicts.verify,
    verdicts.replay,
    verdicts.report,
    models,
    bisect,
    profile,
    arena,
    plots,
    selftest,
    search,
    listings.targets,
    listings.recipes,
    listings.ports,
    listings.doctor,
    quarantine,
    explain,
    proxy,
    new,
):
    app.command(cls=PlainCommand)(each)
app.command("bench-report", cls=PlainCommand)(bench_report)
