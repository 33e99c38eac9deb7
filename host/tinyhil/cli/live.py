"""What is shown while a table is made: what is being done now, in one line that moves, or a word every now and then."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Self

from tinyhil.cli.console import StageReporter
from tinyhil.cli.session import Output
from tinyhil.cli.silence import Silence
from tinyhil.progress import Reporter

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

_BETWEEN = "at work"
"""What is said between two stages."""


def bars(console: Console) -> Progress:
    """Lines that show how far something is, each with a note, and are gone when it has ended."""
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        *(SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(bar_width=16)),
        *(TimeElapsedColumn(), TextColumn("{task.fields[note]}", markup=False)),
    )
    return Progress(*columns, console=console, transient=True)


class Live:
    """An observer of many runs, one after the other; a context manager, during which it shows what is being done.

    In a terminal that is a line below everything that is printed. Elsewhere it is a line of its own on standard error
    every now and then: the table on standard output stays a table.
    """

    def __init__(self, output: Output) -> None:
        self._output = output
        self._console = output.console
        self._progress: Progress | None = None
        self._task: TaskID | None = None
        self._what = ""
        self._silence = Silence()
        self._open = contextlib.ExitStack()

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._progress = self._open.enter_context(bars(self._console))
            self._task = self._progress.add_task("", total=None, note="")
        else:
            self._open.enter_context(self._silence)
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def begin(self, what: str) -> None:
        """The next run begins.

        Args:
            what: which it is.
        """
        self._what = what
        self._show(_BETWEEN)

    def say(self, text: str, style: str | None = None) -> None:
        """Prints a line that stays."""
        self._silence.said()
        self._console.print(text, style=style, markup=False, soft_wrap=True, highlight=False)

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[Reporter]:
        """Shows a stage from its start to its end."""
        self._show(name)
        yield StageReporter(self._console, self._progress, self._task, verbose=self._output.verbose)
        self._show(_BETWEEN)

    def result(self, note: str, *, found: bool) -> None:
        """Left out: a row has what was found."""

    def announcement(self, text: str) -> None:
        """Left out: the line that shows the progress says that it goes on."""

    def warning(self, text: str) -> None:
        """Shows what the user should know although the table goes on."""
        self.say(f"warning: {text}", "yellow")

    def _show(self, stage: str) -> None:
        self._silence.begin(f"{self._what}: {stage}")
        if self._progress is not None and self._task is not None:
            self._progress.reset(self._task, total=None, description=f"{self._what}: {stage}", note="")
