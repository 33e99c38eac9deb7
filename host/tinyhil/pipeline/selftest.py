"""The way of a self-test: each fault planted in a copy, built, run and judged as every firmware is.

::

    build/<recipe>/<target>/selftest/<n>/project/    the copy; sources that a fault leaves alone are not compiled again
    build/<recipe>/<target>/selftest/<n>/firmware/   the image of the fault that was tried last

Several faults are tried at once, each in a copy of its own. The real project, image, journal and report are not
touched.
"""

from __future__ import annotations

import contextlib
import os
import queue
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tinyhil.artifacts import lock
from tinyhil.artifacts.types import FirmwareImage
from tinyhil.device.factory import require
from tinyhil.errors import BlockedError, ConfigError, TinyhilError
from tinyhil.pipeline.planted import PlantedRun
from tinyhil.pipeline.request import Observer
from tinyhil.pipeline.run import Run
from tinyhil.progress import Reporter
from tinyhil.selftest import Fault, LeftOut, Outcome, Scored, plan

FOLDER = "selftest"

_R = TypeVar("_R")


@dataclass(frozen=True)
class SelfTested:
    """What a self-test found.

    Attributes:
        scored: each fault with its outcome, in the order of the plan.
        left_out: faults that the model or the target has no place for.
        exhaustive: whether the vectors are all inputs there are; there are no equivalent faults otherwise.
    """

    scored: tuple[Scored, ...]
    left_out: tuple[LeftOut, ...]
    exhaustive: bool

    @property
    def passed(self) -> bool:
        """Whether every fault was caught for the right reason, or is none."""
        return all(each.good for each in self.scored)

    @property
    def counts(self) -> dict[Outcome, int]:
        """How many faults had each outcome."""
        found = Counter(each.outcome for each in self.scored)
        return {outcome: found[outcome] for outcome in Outcome}


def self_test(
    true: Run, observer: Observer, only: Collection[str], jobs: int, on_scored: Callable[[Scored, int], None]
) -> SelfTested:
    """Plants every fault and sees what becomes of it.

    Args:
        true: the run of the firmware without a fault.
        observer: told of the stage.
        only: kinds of faults to plant; all of them where there are none.
        jobs: how many faults are tried at once, at least 1.
        on_scored: called with each outcome, in the order of the plan, and the number of faults.

    Raises:
        BlockedError: the firmware without a fault does not pass, or a fault could not be tried.
        ConfigError: the target has no emulator, or ``only`` names no kind of fault that there is a place for.
    """
    target = true.target
    if target.emulator is None or true.request.port is not None:
        raise ConfigError(
            "the self-test tries dozens of faulty firmwares, which no board has to bear",
            hint="what is tested are tinyhil's own checks, the same for every target: take one with an emulator",
        )
    model = true.quantize()
    planned = plan(model, target, only)
    require(target, None)
    image = true.build()
    with (
        observer.stage(FOLDER) as reporter,
        lock.exclusive(true.folder / FOLDER, reporter.text),
        _Benches(true, image, min(jobs, len(planned.faults))) as benches,
    ):
        benches.control()
        scored = []
        for result in benches.all_of(planned.faults):
            scored.append(result)
            on_scored(result, len(planned.faults))
            reporter.progress(len(scored), len(planned.faults), result.fault.kind)
        done = SelfTested(tuple(scored), planned.left_out, model.vectors.exhaustive)
        observer.result(", ".join(f"{count} {outcome.value}" for outcome, count in done.counts.items()), found=False)
    return done


def jobs_by_default() -> int:
    """As many as there are cores for us, but not so many that a small memory is filled with emulators."""
    return min(len(os.sched_getaffinity(0)), 4)


class _Stopped(Exception):
    """The self-test is over: what is still being tried is given up."""


class _Quiet:
    """Observer and reporter of a copy's stages: says nothing, and ends them when the self-test is over."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[Reporter]:
        self._look()
        yield self

    def result(self, note: str, *, found: bool) -> None:
        self._look()

    def warning(self, text: str) -> None:
        self._look()

    def progress(self, done: int, total: int, note: str = "") -> None:
        self._look()

    def command(self, argv: Sequence[str]) -> None:
        self._look()

    def text(self, line: str) -> None:
        self._look()

    def _look(self) -> None:
        if self._stop.is_set():
            raise _Stopped


class _Benches:
    """Threads that try faults, each with a copy of its own while it does."""

    def __init__(self, true: Run, image: FirmwareImage, jobs: int) -> None:
        self._true = true
        self._image = image
        self._stop = threading.Event()
        self._free: queue.SimpleQueue[Path] = queue.SimpleQueue()
        for number in range(jobs):
            self._free.put(true.folder / FOLDER / str(number))
        # A device is ended by the kernel with the thread that started it, so the threads stay until all is done.
        self._threads = ThreadPoolExecutor(jobs, thread_name_prefix=FOLDER)

    def __enter__(self) -> _Benches:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._threads.shutdown(cancel_futures=True)

    def control(self) -> None:
        """Sees that a copy without a fault passes: only then can a fault be what makes one fail."""
        try:
            report = self._threads.submit(self._in_a_copy, None, PlantedRun.verify).result()
        except TinyhilError as error:
            error.message = f"the copy without a fault: {error.message}"
            error.args = (error.message,)
            raise
        if report.verdict != "pass":
            raise BlockedError(
                f"the self-test needs a firmware that passes, and this one does not: {report.summary}",
                hint="see what tinyhil run says of it",
            )

    def all_of(self, faults: Sequence[Fault]) -> Iterator[Scored]:
        """The outcome of each fault, in their order."""
        tried = [self._threads.submit(self._in_a_copy, fault, PlantedRun.score) for fault in faults]
        for each in tried:
            yield each.result()

    def _in_a_copy(self, fault: Fault | None, use: Callable[[PlantedRun], _R]) -> _R:
        folder = self._free.get()
        try:
            return use(PlantedRun(self._true, self._image, fault, folder, _Quiet(self._stop)))
        finally:
            self._free.put(folder)
