"""A process that carries out one cell after the other: ``python -m tinyhil.matrix.child``, see tinyhil.worker.

A run here is a run like any other: by ``opening.open_run``, with the folders, locks and history of ``tinyhil run``.
"""

from __future__ import annotations

import contextlib
import shlex
import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from types import FrameType
from typing import Any, NoReturn

import msgspec

from tinyhil.experiments.models import found, row_of
from tinyhil.history.keep import kept
from tinyhil.options import Options, overridden
from tinyhil.pipeline import opening
from tinyhil.pipeline.observer import Observer
from tinyhil.pipeline.run import Run
from tinyhil.progress import Reporter
from tinyhil.report import files
from tinyhil.worker import Channel, serve

_BETWEEN_S = 0.1
"""The least time between two words about progress: nobody sees more."""


def carry_out(request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """One cell.

    Args:
        request: ``model``; ``options`` by their names, paths as texts; whether what tools print is told (``verbose``).
        channel: told of the stages.

    Returns:
        ``row``; and ``report`` with ``began`` (ISO 8601) and ``seconds``, where there is a report.
    """
    options = overridden(Options(), request["options"])
    assert options.engine is not None
    runs: list[Run] = []

    def work(observer: Observer) -> dict[str, Any]:
        run = opening.open_run(request["model"], options, observer)
        runs.append(run)
        with kept(run):
            return found(run)

    observer = _Telling(channel, verbose=request["verbose"])
    row = row_of(request["model"], options.target, options.engine, work, observer)
    row = replace(row, cause=" ".join(row.cause.split()), step=" ".join(row.step.split()))  # a line of a table
    for run in runs:
        if run.concluded is not None:
            report, took = run.concluded
            row = replace(row, report=str(run.layout.results / files.HTML))
            said = {"began": took.began.isoformat(), "seconds": took.seconds}
            return {"row": asdict(row), "report": msgspec.to_builtins(report), **said}
    return {"row": asdict(row), "report": None}


class _Telling:
    """Tells the parent of the stages.

    Args:
        channel: to the parent.
        verbose: whether commands, and what tools print, are told too.
    """

    def __init__(self, channel: Channel, *, verbose: bool) -> None:
        self._channel = channel
        self._verbose = verbose
        self._said = 0.0

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[Reporter]:
        """A stage begins."""
        self._channel.tell({"stage": name})
        yield self

    def result(self, note: str, *, found: bool) -> None:
        """Left out: the table has what was found."""

    def announcement(self, text: str) -> None:
        """Left out: the progress says that it goes on."""

    def warning(self, text: str) -> None:
        """Left out: the row has the warnings."""

    def progress(self, done: int, total: int, note: str = "") -> None:
        """How far the stage is."""
        now = time.monotonic()
        if now - self._said >= _BETWEEN_S:
            self._said = now
            self._channel.progress(done, total, note)

    def command(self, argv: Sequence[str]) -> None:
        """A program is started."""
        if self._verbose:
            self._channel.tell({"text": f"$ {shlex.join(argv)}"})

    def text(self, line: str) -> None:
        """A tool says something."""
        if self._verbose:
            self._channel.tell({"text": f"| {line}"})


def _terminated(_number: int, _frame: FrameType | None) -> NoReturn:
    """As Ctrl-C: everything that a run has started is ended in order."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _terminated)
    serve(carry_out)
