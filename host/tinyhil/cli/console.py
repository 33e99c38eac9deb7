"""What the user sees while stages run: a live line in a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import shlex
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from tinyhil.cli.silence import Silence
from tinyhil.errors import TinyhilError
from tinyhil.progress import Reporter

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

DETAIL_LINES = 30
"""Of a failed tool's output, how much is shown without ``-v``: the end, where the cause usually is."""

LABEL_WIDTH = 16


class StageReporter:
    """Shows one stage's progress."""

    def __init__(self, console: Console, progress: Progress | None, task: TaskID | None, *, verbose: bool) -> None:
        self._console = console
        self._progress = progress
        self._task = task
        self._verbose = verbose

    def progress(self, done: int, total: int, note: str = "") -> None:
        """Moves the bar."""
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, completed=done, total=total, note=note)

    def command(self, argv: Sequence[str]) -> None:
        """Shows a command with ``-v``."""
        if self._verbose:
            self._console.print(f"  $ {shlex.join(argv)}", style="dim", markup=False, soft_wrap=True)

    def text(self, line: str) -> None:
        """Shows a tool's line with ``-v``."""
        if self._verbose:
            self._console.print(f"  | {line}", style="dim", markup=False, soft_wrap=True)


class ConsoleObserver:
    """Shows the stages of a run on a console."""

    def __init__(self, console: Console, *, verbose: bool) -> None:
        self._console = console
        self._verbose = verbose
        self._note: tuple[str, bool] | None = None
        self._name = ""

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[Reporter]:
        """Shows a stage from its start to its end."""
        self._note = None
        self._name = name
        started = time.monotonic()
        if self._console.is_terminal:
            from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

            columns = (
                SpinnerColumn(),
                TextColumn(f"{name:<10}"),
                BarColumn(bar_width=24),
                TimeElapsedColumn(),
                TextColumn("{task.fields[note]}", markup=False),
            )
            with Progress(*columns, console=self._console, transient=True) as progress:
                task = progress.add_task(name, total=None, note="")
                yield StageReporter(self._console, progress, task, verbose=self._verbose)
        else:
            # Who hears nothing of the stages is not told that they take long.
            with contextlib.nullcontext() if self._console.quiet else Silence(name):
                yield StageReporter(self._console, None, None, verbose=self._verbose)
        if self._note is not None:
            note, found = self._note
            how = "unchanged" if found else f"{time.monotonic() - started:.1f} s"
            self._console.print(f"[bold]{name:<10}[/] {how:>9}  {escape(note)}", soft_wrap=True, highlight=False)

    def result(self, note: str, *, found: bool) -> None:
        """Keeps what the stage made, to be shown at its end."""
        self._note = (note, found)

    def announcement(self, text: str) -> None:
        """Shows what the stage is about to do."""
        self._console.print(f"[bold]{self._name:<10}[/] {'':>9}  {escape(text)}", soft_wrap=True, highlight=False)

    def warning(self, text: str) -> None:
        """Shows what the user should know although the run goes on."""
        self._console.print(f"[yellow]warning:[/] {escape(text)}", soft_wrap=True, highlight=False)


def show_error(console: Console, error: TinyhilError, *, verbose: bool) -> None:
    """Cause, evidence, next step; the cause first, the next step last."""
    console.print(f"[bold red]error {error.kind.id}:[/] {escape(error.message)}", soft_wrap=True, highlight=False)
    lines = error.detail.rstrip().splitlines()
    if len(lines) > DETAIL_LINES and not verbose:
        console.print(f"  | ... {len(lines) - DETAIL_LINES} lines more with -v", style="dim")
        lines = lines[-DETAIL_LINES:]
    for line in lines:
        console.print(f"  | {line}", style="dim", markup=False, soft_wrap=True, highlight=False)
    if error.hint:
        console.print(f"[bold]next:[/]  {escape(error.hint)}", soft_wrap=True, highlight=False)


def show_rows(console: Console, rows: Sequence[tuple[str, str]]) -> None:
    """Label and value, one pair a line."""
    for label, value in rows:
        console.print(f"{label:<{LABEL_WIDTH}} {value}", markup=False, soft_wrap=True, highlight=False)
