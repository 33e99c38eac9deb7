"""The command ``history``: what became of the figures of each model on each target, run by run."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tinyhil.cli import completion
from tinyhil.cli.plain_help import GroupWithDefault, PlainCommand
from tinyhil.cli.session import JsonOption, Output, command

if TYPE_CHECKING:
    from tinyhil.history.database import Database

history = typer.Typer(
    cls=GroupWithDefault,
    help=(
        "Show what became of the figures, run by run; export them, and import older runs.\n\n"
        "Every run is kept, with its commit: in .tinyhil/history.db, or where **TINYHIL_HISTORY** says (a file, the "
        "URL of a PostgreSQL server, or **off**). Without the name of a command below it is **show**.\n\n"
        "**Examples**\n\n"
        "tinyhil history sine --target qemu-m4 --metric flash,instructions\n\n"
        "tinyhil history export --format csv"
    ),
)

RECIPE = Annotated[
    str | None,
    typer.Argument(
        metavar="[RECIPE]",
        help="Of this recipe or model.  [default: all]",
        show_default=False,
        autocompletion=completion.models,
    ),
]
TARGETS = Annotated[
    list[str] | None,
    typer.Option(
        "--target", "-t", metavar="NAME", help="On this target; may be given again.", autocompletion=completion.targets
    ),
]
BRANCH = Annotated[str | None, typer.Option("--branch", metavar="NAME", help="Of this git branch only.")]
METRICS = Annotated[
    list[str] | None,
    typer.Option(
        "--metric",
        metavar="NAME,...",
        help="Of these figures: flash, ram, arena, stack, instructions, microseconds, mae, rmse, mae_truth, top1, "
        "mismatches, max_lsb.",
    ),
]
LAST = Annotated[int, typer.Option("--last", metavar="N", min=1, help="How many of the last runs of each.")]


@history.command("show", cls=PlainCommand)
def show(
    recipe: RECIPE = None,
    target: TARGETS = None,
    metric: METRICS = None,
    branch: BRANCH = None,
    last: LAST = 40,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write a page with curves by commit to this file.")
    ] = None,
    json: JsonOption = None,
) -> None:
    """Show the last runs of each model on each target: a line a figure, with a sparkline and its last change.

    Blocked runs are counted, and have no figures. A star at a commit says that tracked files were changed.

    **Examples**

    tinyhil history

    tinyhil history sine --target qemu-m4 --html history.html
    """
    with command(json) as output:
        from tinyhil.artifacts import store
        from tinyhil.compare import metrics
        from tinyhil.history import export as forms
        from tinyhil.history import lines
        from tinyhil.history.series import Asked, series

        chosen = metrics.chosen(metric or ())
        asked = Asked(recipe, tuple(target or ()), branch, last)
        if html is not None:
            store.refuse_unwritable(html)
        with opened(output) as database, database.reading() as connection:
            found = series(connection, asked, chosen)
        for one in found:
            for line in lines.table(one, chosen):
                output.console.print(line, markup=False, soft_wrap=True, highlight=False)
        if html is not None:
            from tinyhil.history import page

            store.write_text(html, page.to_html(found, chosen, asked.said))
            output.console.print(f"written: {html}", markup=False, soft_wrap=True, highlight=False)
        output.write_json(forms.as_values(found, chosen))


@history.command("export", cls=PlainCommand)
def export(
    recipe: RECIPE = None,
    target: TARGETS = None,
    metric: METRICS = None,
    branch: BRANCH = None,
    last: LAST = 1_000_000,
    form: Annotated[
        str, typer.Option("--format", metavar="NAME", help="json, csv, bencher, or github-action-benchmark.")
    ] = "json",
    to: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="The file.  [default: standard output]")
    ] = None,
) -> None:
    """Write the history for other programs.

    **json** and **csv** have every run. **bencher** and **github-action-benchmark** have the last judged run of each
    model on each target: these programs keep a history of their own.

    **Examples**

    tinyhil history export --format csv -o history.csv

    tinyhil history export --format bencher -o results.json
    """
    with command(Path("-") if to is None else None) as output:
        import sys

        from tinyhil.artifacts import store
        from tinyhil.compare import metrics
        from tinyhil.history import export as forms
        from tinyhil.history.series import Asked, series

        default = [name for name in metrics.USUAL if metrics.BY_NAME[name].better == "less"]
        usual = metrics.BY_NAME if form in ("json", "csv") else default if form.startswith("github") else metrics.USUAL
        chosen = metrics.chosen(metric or usual)
        if to is not None:
            store.refuse_unwritable(to)
        with opened(output) as database, database.reading() as connection:
            found = series(connection, Asked(recipe, tuple(target or ()), branch, last), chosen)
        text = forms.export(found, chosen, form)
        if to is None:
            sys.stdout.write(text)
        else:
            store.write_text(to, text)
            output.console.print(f"written: {to}", markup=False, soft_wrap=True, highlight=False)


@history.command("import", cls=PlainCommand)
def import_(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH...", help="report.json files, records, archives, or folders with such.", readable=False
        ),
    ],
    commit: Annotated[
        str, typer.Option("--commit", metavar="HASH", help="The commit of runs whose files do not say it.")
    ] = "",
    branch: Annotated[str, typer.Option("--branch", metavar="NAME", help="The branch of these runs.")] = "",
    json: JsonOption = None,
) -> None:
    """Take the runs of before, and of CI, into the history.

    Folders are searched for report.json files, for records (.tinyhil of another computer) and for .zip archives of CI
    artifacts. The time of a run is that of the report.xml beside it. A run that the history has is not taken again.

    **Examples**

    tinyhil history import build

    tinyhil history import artifact.zip --commit 1f77ce2 --branch main
    """
    with command(json) as output:
        from tinyhil.history import importing, lookup

        found = importing.find(paths, (lookup.full_commit(commit) or commit) if commit else "", branch)
        with opened(output, new=True) as database:
            taken = database.add(found.records)
        refused = {**found.refused, **taken.refused}
        _say_refused(output, refused)
        said = f"{taken.new} new, {taken.known} known" + (f", {taken.completed} completed" if taken.completed else "")
        output.console.print(f"{said}; in {database.place.shown}", markup=False, soft_wrap=True, highlight=False)
        output.write_json({"new": taken.new, "known": taken.known, "completed": taken.completed, "refused": refused})


@history.command("boards", cls=PlainCommand)
def boards(target: TARGETS = None, json: JsonOption = None) -> None:
    """Show how reliable each board is: blocked runs, and how often something was done again.

    Boards are known by the serial number of their USB device, or by their port. Repeated are requests, restarts, lost
    ports, uploads and power cycles.

    **Example**

    tinyhil history boards --target nano33ble
    """
    with command(json) as output:
        import msgspec

        from tinyhil.history import boards as found_boards

        with opened(output) as database, database.reading() as connection:
            found = found_boards.boards(connection, target or ())
        for line in found_boards.lines(found):
            output.console.print(line, markup=False, soft_wrap=True, highlight=False)
        output.write_json(msgspec.to_builtins(found))


@contextlib.contextmanager
def opened(output: Output, *, new: bool = False) -> Iterator[Database]:
    """The history, with what runs have left taken in.

    Args:
        new: whether it may be made.

    Raises:
        ConfigError: there is none.
        StorageError: it cannot be used.
    """
    from tinyhil import kinds
    from tinyhil.errors import ConfigError
    from tinyhil.history import database
    from tinyhil.history.place import VARIABLE, place

    where = place()
    if where is None:
        raise ConfigError(
            f"no history is kept: {VARIABLE} is off", hint=f"unset {VARIABLE}, or name a file", kind=kinds.NO_HISTORY
        )
    if not new and not database.exists(where):
        raise ConfigError(f"there is no history in {where.shown}", kind=kinds.NO_HISTORY)
    with database.opened(where) as found:
        _say_refused(output, found.taken_in.refused)
        yield found


def _say_refused(output: Output, refused: dict[str, str]) -> None:
    for name, why_not in refused.items():
        said = why_not if name in why_not else f"{name}: {why_not}"
        output.errors.print(f"left out: {said}", style="yellow", markup=False, soft_wrap=True, highlight=False)
