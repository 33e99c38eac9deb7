"""The command ``models``: the table of a whole folder of models."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tinyhil import kinds
from tinyhil.cli import completion
from tinyhil.cli.live import Live
from tinyhil.cli.options import takes_options
from tinyhil.cli.row_table import STYLES, RowTable
from tinyhil.cli.session import Output
from tinyhil.errors import ConfigError, ExitCode
from tinyhil.options import Level, Options

if TYPE_CHECKING:
    from tinyhil.experiments.models import Case, Row

_TO_STDOUT = Path("-")
_CODES = (("fail", ExitCode.FAIL), ("fault", ExitCode.FAULT), ("blocked", ExitCode.BLOCKED))
"""What a table with such a row exits with; the first one counts."""


@takes_options(
    Level.ANSWERS,
    without=("target", "engine", "samples", "data", "port", "firmware", "resume", "record"),
    flash=True,
)
def models(
    output: Output,
    options: Options,
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="DIR",
            readable=False,
            help="A folder with .tflite and .keras files; folders inside of it are left alone.",
            show_default=False,
            autocompletion=completion.folders,
        ),
    ],
    target: Annotated[
        list[str] | None,
        typer.Option(
            "--target",
            "-t",
            metavar="NAME",
            help=f"Where they run; may be given several times.  [default: {Options.target}]",
            show_default=False,
            autocompletion=completion.targets,
        ),
    ] = None,
    engine: Annotated[
        list[str] | None,
        typer.Option(
            "--engine",
            metavar="NAME",
            help="An engine, for the targets that have it; may be given several times; all for every engine of each "
            "target.  [default: each target's]",
            show_default=False,
            autocompletion=completion.engines_of_all,
        ),
    ] = None,
    markdown: Annotated[
        Path | None,
        typer.Option("--markdown", help="Write the table as Markdown to this file; '-' is standard output."),
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Run everything, whatever an earlier call has finished.")
    ] = False,
) -> None:
    """Run every model file of a folder on targets and engines, and show what became of each in a table.

    A .keras file needs samples: **NAME.npz** beside **NAME.keras**. Samples beside a .tflite file are taken too.

    A row is kept when it is finished, so that a call that was interrupted goes on where it was: rows of the same file,
    target, engine, options and version of tinyhil are shown as they are. A blocked row is always tried again.

    The exit code is 1 if a model fails, else 4 after a fault of tinyhil, else 3 if one was blocked, else 0: a refused
    model fails nothing. The last column is the time of the run on this computer; no target has anything to do with it.

    **Examples**

    tinyhil models my-models

    tinyhil models my-models --target qemu-m4 --target sim --engine all --markdown table.md
    """
    from tinyhil.artifacts import store
    from tinyhil.experiments import models as experiment

    if output.json_path == markdown == _TO_STDOUT:
        raise ConfigError(
            "--json and --markdown cannot both be standard output",
            hint="name a file for one of them",
            kind=kinds.CONTRADICTION,
        )
    if markdown == _TO_STDOUT:
        output = replace(output, console=output.errors)
    if markdown is not None and markdown != _TO_STDOUT:
        store.refuse_unwritable(markdown)
    placed = experiment.placements(target or [options.target], engine or [])
    cases = experiment.plan(folder, placed)
    rows: list[Row] = []
    try:
        _run(output, cases, options, again, rows)
    finally:
        # Also after Ctrl-C: what is finished stays.
        _write(output, markdown, folder, len(cases), rows)
    _conclude(output, rows)


def _run(output: Output, cases: Sequence[Case], options: Options, again: bool, rows: list[Row]) -> None:
    """Shows each row as soon as it is there."""
    from tinyhil.experiments import models as experiment

    table = RowTable(experiment.COLUMNS, [(case.path.name, case.target, case.engine) for case in cases])
    with Live(output) as live:
        live.say(table.head, "bold")
        finished = experiment.survey(cases, options, live, again=again)
        for number, case in enumerate(cases, 1):
            live.begin(f"{number}/{len(cases)} {case.path.name} on {case.target} ({case.engine})")
            row = next(finished)
            rows.append(row)
            for line in table.lines(row):
                live.say(line, STYLES[row.outcome])


def _write(output: Output, markdown: Path | None, folder: Path, total: int, rows: Sequence[Row]) -> None:
    """Markdown and JSON, where they are asked for."""
    import msgspec

    from tinyhil.artifacts import store
    from tinyhil.experiments import models as experiment

    counted = {outcome.value: count for outcome, count in experiment.counts(rows).items()}
    found: dict[str, Any] = {"folder": str(folder), "planned": total, "counts": counted}
    output.write_json({**found, "rows": [msgspec.to_builtins(row) for row in rows]})
    if markdown is None:
        return
    text = experiment.markdown(rows)
    if markdown == _TO_STDOUT:
        sys.stdout.write(text)
    else:
        store.write_text(markdown, text)


def _conclude(output: Output, rows: Sequence[Row]) -> None:
    """The sum in words, and the exit code."""
    from tinyhil.experiments import models as experiment

    worst = next((each for each in _CODES if each[0] in {row.outcome for row in rows}), None)
    word, code = ("PASS", ExitCode.PASS) if worst is None else (worst[0].upper(), worst[1])
    style = STYLES[word.lower()]
    found = sum(row.found for row in rows)
    kept = f"; {found} of them found of an earlier call, --again runs them again" if found else ""
    output.console.print()
    output.console.print(
        f"{word}  {experiment.words(rows)}{kept}", style=style, markup=False, soft_wrap=True, highlight=False
    )
    raise typer.Exit(code)
