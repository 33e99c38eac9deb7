"""What ``run`` does where it is asked for several runs: each is a cell of one table, with one exit code."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

import typer

from tinyhil import matrix
from tinyhil.artifacts import store
from tinyhil.cli import ci
from tinyhil.cli import console as view
from tinyhil.cli.live import bars
from tinyhil.cli.row_table import STYLES, RowTable
from tinyhil.cli.session import Output
from tinyhil.cli.silence import Silence
from tinyhil.options import Options

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from tinyhil.matrix import Cell, Plan, Result


def run(output: Output, options: Options, models: Sequence[str], jobs: int | None) -> None:
    """Runs all cells, shows the table, writes the files, and exits with the code that counts."""
    made = matrix.plan(models, options)
    store.refuse_unwritable_folder(options.build_dir, matrix.NAMES)
    for line in made.left_out:
        _say(output, f"left out: {line}")
    results: list[Result] = []
    at_once = jobs or _cores()
    try:
        with (
            _Live(output, len(made.cells)) as live,
            contextlib.closing(matrix.carry_out(made.cells, at_once, live, verbose=output.verbose)) as ended,
        ):
            for result in ended:
                results.append(result)
    finally:  # also after Ctrl-C: what is finished stays
        _conclude(output, made, results, options)
    raise typer.Exit(matrix.exit_code(results))


def _cores() -> int:
    """How many cores this process may use, where the system says it."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _conclude(output: Output, made: Plan, results: list[Result], options: Options) -> None:
    """The table in the order of the plan, and all files."""
    places = {cell: place for place, cell in enumerate(made.cells)}
    results.sort(key=lambda each: places[each.cell])
    table = RowTable(matrix.HEAD, [(cell.model, cell.target, cell.engine) for cell in made.cells])
    output.console.print()
    _say(output, table.head, "bold")
    for result in results:
        for line in table.lines(result.row):
            _say(output, line, STYLES[result.row.outcome])
    matrix.write(made, results, options.build_dir)
    output.console.print()
    view.show_rows(output.console, [("report", str(options.build_dir / matrix.HTML))])
    output.console.print()
    verdict = matrix.verdict(results, len(made.cells))
    green = "bold" if any(each.is_exact_alone for each in results) else "bold green"  # as after a single run
    style = {"pass": green, "fail": "bold red", "fault": "bold red"}.get(verdict, "bold yellow")
    _say(output, f"{verdict.upper()}  {matrix.words(results, len(made.cells))}", style)
    output.write_json(matrix.as_values(made, results))
    if ci.system():
        comment = matrix.to_markdown(made, results)
        output.afterwards.append(lambda: ci.tell_matrix(output, results, comment))


def _say(output: Output, text: str, style: str | None = None) -> None:
    output.console.print(text, style=style, markup=False, soft_wrap=True, highlight=False)


class _Live:
    """Shows what is being done: ``tinyhil.matrix.Told``; a context manager.

    In a terminal each cell that runs is a line below everything that is printed. Elsewhere all of them are a line on
    standard error every now and then.

    Args:
        output: where it is shown.
        planned: how many cells there are.
    """

    def __init__(self, output: Output, planned: int) -> None:
        self._output = output
        self._planned = planned
        self._ended = 0
        self._stages: dict[Cell, str] = {}
        self._tasks: dict[Cell, TaskID] = {}
        self._progress: Progress | None = None
        self._silence = Silence()
        self._open = contextlib.ExitStack()

    def __enter__(self) -> Self:
        if self._output.console.is_terminal:
            self._progress = self._open.enter_context(bars(self._output.console))
        elif not self._output.console.quiet:
            self._open.enter_context(self._silence)
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def begins(self, cell: Cell) -> None:
        """A cell begins."""
        self._stages[cell] = "begins"
        if self._progress is not None:
            self._tasks[cell] = self._progress.add_task(cell.title, total=None, note="")
        self._word()

    def stage(self, cell: Cell, name: str) -> None:
        """A stage of it begins."""
        self._stages[cell] = name
        if self._progress is not None:
            self._progress.update(
                self._tasks[cell], completed=0, total=None, description=f"{cell.title}: {name}", note=""
            )
        self._word()

    def progress(self, cell: Cell, done: int, total: int, note: str) -> None:
        """Moves its bar."""
        if self._progress is not None:
            self._progress.update(self._tasks[cell], completed=done, total=total, note=note)

    def text(self, cell: Cell, line: str) -> None:
        """Prints what a tool says, behind the cell's name."""
        self._silence.said()
        _say(self._output, f"  {cell.title} {line}", "dim")

    def ends(self, result: Result) -> None:
        """Prints what became of it, and how many there are."""
        cell, row = result.cell, result.row
        self._ended += 1
        del self._stages[cell]
        if self._progress is not None:
            self._progress.remove_task(self._tasks.pop(cell))
        self._silence.said()
        number = f"{self._ended}/{self._planned}"
        _say(
            self._output,
            f"{number:>7}  {row.outcome.upper():<7}  {cell.title}, {row.seconds:.1f} s",
            STYLES[row.outcome],
        )
        for note in row.notes:
            _say(self._output, f"warning: {cell.title}: {note}", "yellow")
        self._word()

    def _word(self) -> None:
        """What is said where nothing can move."""
        running = "; ".join(f"{cell.title}: {stage}" for cell, stage in self._stages.items())
        self._silence.begin(f"{self._ended}/{self._planned} ended; {running}")
