"""Carries the cells out: each job is a child process that takes one cell after the other.

The children start once, so that what every run imports is loaded once a job and not once a cell. One that crashes takes
its cell with it, and nothing else: the next cell of that job gets a new child.

Each child is asked by a thread of its own (``process.spawn``: it lives no longer than that thread). Everything is
decided in the caller's thread, which the others send their events to.
"""

from __future__ import annotations

import contextlib
import queue
import shlex
import signal
import threading
import time
from collections.abc import Callable, Generator, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import msgspec

from tinyhil.compare.verdict import Report
from tinyhil.errors import TinyhilError
from tinyhil.experiments.models import Row, row_of
from tinyhil.experiments.models.rows import Outcome
from tinyhil.matrix.cells import Cell
from tinyhil.matrix.results import Result
from tinyhil.matrix.schedule import Schedule
from tinyhil.options import Level, fields, flags_of
from tinyhil.pipeline.observer import Observer, SilentObserver
from tinyhil.report.files import Took
from tinyhil.worker import Worker

MODULE = "tinyhil.matrix.child"
MADE = "render"
"""The stage before which a run has made all that others of its model find."""
END_SECONDS = 10.0
"""How long a child may take to end in order what its run has started."""


class Told(Protocol):
    """Who is told of the cells while they are carried out, always by the caller's thread."""

    def begins(self, cell: Cell) -> None:
        """A cell begins."""

    def stage(self, cell: Cell, name: str) -> None:
        """A stage of it begins."""

    def progress(self, cell: Cell, done: int, total: int, note: str) -> None:
        """How far the stage is."""

    def text(self, cell: Cell, line: str) -> None:
        """A program is started, or says something; only if it was asked for."""

    def ends(self, result: Result) -> None:
        """A cell has ended."""


@dataclass(frozen=True)
class _Event:
    """What a thread has noticed.

    Attributes:
        cell: whose it is.
        tell: tells it; nothing to be told of an end.
        stage: that has begun; empty for none.
        result: makes the result of a cell that has ended, in the caller's thread: msgspec crashes where two threads
            meet a type for the first time.
    """

    cell: Cell
    tell: Callable[[Told], None] | None = None
    stage: str = ""
    result: Callable[[], Result] | None = None


def carry_out(cells: Sequence[Cell], jobs: int, told: Told, *, verbose: bool = False) -> Generator[Result]:
    """The result of each cell, as soon as it is there. When the iteration ends early, so does everything that runs.

    Args:
        cells: what to run.
        jobs: how many run at once.
        told: of what happens.
        verbose: whether commands, and what tools print, are told.
    """
    schedule, events = Schedule(cells), queue.SimpleQueue[_Event]()
    idle = [_Job(events, verbose=verbose) for _ in range(min(jobs, len(cells)))]
    crew, busy = tuple(idle), dict[Cell, _Job]()
    try:
        while busy or schedule.left:
            while idle and (cell := schedule.take()) is not None:
                busy[cell] = idle.pop()
                told.begins(cell)
                busy[cell].begin(cell)
            event = events.get()
            if event.stage == MADE:
                schedule.made(event.cell)
            if event.tell is not None:
                event.tell(told)
            if event.result is not None:
                schedule.ended(event.cell)
                idle.append(busy.pop(event.cell))
                result = event.result()
                told.ends(result)
                yield result
    finally:
        _end(crew, set(busy.values()))


def _end(crew: Sequence[_Job], busy: Set[_Job]) -> None:
    """Ends all children, those at work as by Ctrl-C; a second Ctrl-C does it at once."""
    until = time.monotonic() + END_SECONDS
    for job in crew:
        job.end(signal.SIGTERM if job in busy else signal.SIGKILL)
    interrupted: KeyboardInterrupt | None = None
    for job in crew:
        try:
            job.wait(until - time.monotonic())
        except KeyboardInterrupt as error:
            interrupted, until = error, 0.0
    for job in crew:
        job.end(signal.SIGKILL)
        job.wait(END_SECONDS)
    if interrupted is not None:
        raise interrupted


class _OverError(Exception):
    """All is to end, so nothing is started any more."""


class _Job:
    """A thread that carries out one cell after the other, by a child that it keeps.

    Args:
        events: where everything that happens is put.
        verbose: see ``carry_out``.
    """

    def __init__(self, events: queue.SimpleQueue[_Event], *, verbose: bool) -> None:
        self._events = events
        self._verbose = verbose
        self._cells = queue.SimpleQueue[Cell | None]()
        self._worker: Worker | None = None
        self._lock = threading.Lock()
        self._over = False
        self._cell: Cell | None = None
        self._thread = threading.Thread(target=self._work, name="matrix", daemon=True)
        self._thread.start()

    def begin(self, cell: Cell) -> None:
        """Has the next cell carried out."""
        self._cells.put(cell)

    def end(self, number: signal.Signals) -> None:
        """Lets the thread end, and sends its child a signal if it has one."""
        with self._lock:
            self._over = True
            if self._worker is not None:
                self._worker.send_signal(number)
        self._cells.put(None)

    def wait(self, seconds: float) -> None:
        """Waits for the end."""
        self._thread.join(max(0.0, seconds))

    def _work(self) -> None:
        try:
            with contextlib.suppress(TinyhilError, _OverError):  # what cannot be started is told of the first cell
                self._open()  # it loads what it needs while the first cell is waited for
            while not self._over and (cell := self._cells.get()) is not None:
                self._cell = cell
                self._events.put(_Event(cell, result=self._carried_out(cell)))
        finally:
            self._close()

    def _carried_out(self, cell: Cell) -> Callable[[], Result]:
        answer: dict[str, Any] = {}

        def work(_: Observer) -> dict[str, Any]:
            answer.update(self._open().ask(_request(cell, verbose=self._verbose)))
            return {"outcome": Outcome.PASS}

        lost = row_of(cell.model, cell.target, cell.engine, work, SilentObserver())
        if answer:
            return lambda: _as_result(cell, answer)
        self._close()  # it is gone, or of no use any more
        return lambda: Result(cell, replace(lost, step=f"it says more by itself: {alone(cell)}"))

    def _open(self) -> Worker:
        with self._lock:
            if self._over:
                raise _OverError
            if self._worker is None:
                self._worker = Worker(MODULE, what="carry out the run", reporter=self, on_told=self._told)
            return self._worker

    def _close(self) -> None:
        with self._lock:
            worker, self._worker = self._worker, None
        if worker is not None:
            worker.close()

    def progress(self, done: int, total: int, note: str = "") -> None:
        """The child says how far it is."""
        self._put(lambda told, cell: told.progress(cell, done, total, note))

    def command(self, argv: Sequence[str]) -> None:
        """The child is started, which is nothing of the cell's."""

    def text(self, line: str) -> None:
        """A library of the child has printed something: what is told comes otherwise."""

    def _told(self, value: Any) -> None:
        if "stage" in value:
            self._put(lambda told, cell: told.stage(cell, value["stage"]), value["stage"])
        else:
            self._put(lambda told, cell: told.text(cell, value["text"]))

    def _put(self, tell: Callable[[Told, Cell], None], stage: str = "") -> None:
        cell = self._cell
        assert cell is not None
        self._events.put(_Event(cell, lambda told: tell(told, cell), stage))


def alone(cell: Cell) -> str:
    """The command that carries out this cell and no other."""
    names = [field.name for field in fields() if field.about.level < Level.HIDDEN]
    return shlex.join(["tinyhil", "run", cell.model, *flags_of(cell.run.options, names)])


def _request(cell: Cell, *, verbose: bool) -> dict[str, Any]:
    values = {field.name: getattr(cell.run.options, field.name) for field in fields()}
    plain = {name: str(value) if isinstance(value, Path) else value for name, value in values.items()}
    return {"model": cell.model, "options": plain, "verbose": verbose}


def _as_result(cell: Cell, answer: dict[str, Any]) -> Result:
    row = msgspec.convert(answer["row"], Row)
    if row.outcome is Outcome.FAULT:
        row = replace(row, step=f"it says more by itself: {alone(cell)}; then please report it")
    if answer["report"] is None:
        return Result(cell, row)
    took = Took(datetime.fromisoformat(answer["began"]), answer["seconds"])
    return Result(cell, row, msgspec.convert(answer["report"], Report), took)
