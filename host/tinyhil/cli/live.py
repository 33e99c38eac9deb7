"""What is shown while a table is made: what is being done now, in one line that moves, or a word every now and then."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Self

from tinyhil.cli.console import StageReporter
from tinyhil.cli.session import Output
from tinyhil.progress import Reporter

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

SILENCE_S = 1.5
"""Where nothing can move: after so many seconds without a word, one is said."""
_BETWEEN = "at work"
"""What is said between two stages."""


class Live:
    """An observer of many runs, one after the other; a context manager, during which it shows what is being done.

    In a terminal that is a line below everything that is printed. Elsewhere it is a line of its own on standard error,
    whenever nothing was said for ``SILENCE_S``: the table on standard output stays a table.
    """

    def __init__(self, output: Output) -> None:
        self._output = output
        self._console = output.console
        self._progress: Progress | None = None
        self._task: TaskID | None = None
        self._what = ""
        self._stage = _BETWEEN
        self._began = self._said = time.monotonic()
        self._over = threading.Event()
        self._watch = threading.Thread(target=self._break_the_silence, daemon=True)

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

            columns = (
                *(SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(bar_width=16)),
                *(TimeElapsedColumn(), TextColumn("{task.fields[note]}", markup=False)),
            )
            self._progress = Progress(*columns, console=self._console, transient=True)
            self._task = self._progress.add_task("", total=None, note="")
            self._progress.start()
        else:
            self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._progress is not None:
            self._progress.stop()
        if self._watch.ident is not None:
            self._watch.join()

    def begin(self, what: str) -> None:
        """The next run begins.

        Args:
            what: which it is.
        """
        self._what = what
        self._show(_BETWEEN)

    def say(self, text: str, style: str | None = None) -> None:
        """Prints a line that stays."""
        self._said = time.monotonic()
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
        self._stage, self._began = stage, time.monotonic()
        if self._progress is not None and self._task is not None:
            self._progress.reset(self._task, total=None, description=f"{self._what}: {stage}", note="")

    def _break_the_silence(self) -> None:
        while not self._over.wait(SILENCE_S / 3):
            now = time.monotonic()
            if self._what and now - self._said >= SILENCE_S:
                self._said = now
                self._output.errors.print(
                    f"... {self._what}: {self._stage}, {now - self._began:.0f} s",
                    markup=False,
                    soft_wrap=True,
                    highlight=False,
                )
