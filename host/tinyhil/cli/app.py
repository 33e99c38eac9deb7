"""All commands. Each command imports what it needs when it runs, so that ``--help`` is quick."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Annotated

import typer

import tinyhil
from tinyhil.cli.plain_help import PlainCommand, PlainGroup

COMMANDS = {
    "run": "verdicts",
    "train": "stages",
    "quantize": "quantize",
    "preflight": "preflight",
    "render": "stages",
    "build": "stages",
    "flash": "stages",
    "verify": "verdicts",
    "replay": "verdicts",
    "report": "verdicts",
    "history": "history",
    "compare": "compare",
    "gate": "gate",
    "models": "models",
    "bisect": "bisect",
    "profile": "profile",
    "arena": "arena",
    "plots": "plots",
    "selftest": "selftest",
    "search": "search",
    "targets": "listings",
    "recipes": "listings",
    "ports": "listings",
    "doctor": "listings",
    "quarantine": "quarantine",
    "explain": "explain",
    "monitor": "monitor",
    "ask": "ask",
    "proxy": "proxy",
    "new": "starter",
    "bench-report": "bench_report",
}
"""The module of each command, in the order of the help. Its function, or its group of commands, has the same name."""


def application(arguments: Sequence[str] = ()) -> typer.Typer:
    """The command line.

    Args:
        arguments: what was typed. Where they begin with a command, it alone is there: the others take a twentieth of a
            second to be put together.
    """
    made = typer.Typer(
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
    made.callback()(_common)
    named = [name for name in arguments[:1] if name in COMMANDS]
    for name in named or COMMANDS:
        module = import_module(f"tinyhil.cli.{COMMANDS[name]}")
        command = getattr(module, name.replace("-", "_"))
        if isinstance(command, typer.Typer):
            made.add_typer(command, name=name)
        else:
            made.command(name, cls=PlainCommand)(command)
    return made


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tinyhil {tinyhil.__version__}")
        raise typer.Exit


def _common(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass
