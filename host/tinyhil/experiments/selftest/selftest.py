"""The way of a self-test: each fault planted in a copy, built, run and judged as every firmware is.

Several faults are tried at once, each in a copy of its own, in which sources that a fault leaves alone are not compiled
again. The real project, image, journal and report are not touched.
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
from functools import partial
from typing import TypeVar

from tinyhil.artifacts import lock
from tinyhil.artifacts.types import FirmwareImage
from tinyhil.compare.verdict import Report
from tinyhil.errors import BlockedError, ConfigError, TinyhilError
from tinyhil.experiments.selftest.faults import Fault, LeftOut
from tinyhil.experiments.selftest.faulty import judge_copy, score, score_trial
from tinyhil.experiments.selftest.plan import plan
from tinyhil.experiments.selftest.scoring import Outcome, Score
from tinyhil.pipeline.run import Run
from tinyhil.progress import Reporter

_NAME = "selftest"

_R = TypeVar("_R")


@dataclass(frozen=True)
class SelfTestResult:
    """What a self-test found.

    Attributes:
        scored: each fault with its outcome, in the order of the plan.
        left_out: faults that the model or the target has no place for.
        exhaustive: whether the vectors are all inputs there are; no fault of a firmware is equivalent otherwise.
        vectors: how many there are.
    """

    scored: tuple[Score, ...]
    left_out: tuple[LeftOut, ...]
    exhaustive: bool
    vectors: int

    @property
    def passed(self) -> bool:
        """Whether every fault was caught for the right reason, is none, or cannot be proved to be none."""
        return all(each.good for each in self.scored)

    @property
    def counts(self) -> dict[Outcome, int]:
        """How many faults had each outcome."""
        found = Counter(each.outcome for each in self.scored)
        return {outcome: found[outcome] for outcome in Outcome}


def self_test(true: Run, only: Collection[str], jobs: int, on_scored: Callable[[Score, int], None]) -> SelfTestResult:
    """Plants every fault and sees what becomes of it.

    Args:
        true: the run of the firmware without a fault.
        only: kinds of faults to plant; all of them where there are none.
        jobs: how many faults are tried at once, at least 1.
        on_scored: called with each outcome, in the order of the plan, and the number of faults.

    Raises:
        BlockedError: the firmware without a fault does not pass, or a fault could not be tried.
        ConfigError: the target has no emulator, or ``only`` names no kind of fault that there is a place for.
    """
    target = true.target
    if target.emulator is None or true.options.port is not None:
        raise ConfigError(
            f"the self-test runs dozens of faulty firmwares, each flashed to {true.options.port or target.name}",
            hint="what is tested are tinyhil's own checks, the same for every target: take one with an emulator",
        )
    model = true.quantize()
    planned = plan(true, only)
    image = true.firmware().image
    with (
        true.observer.stage(_NAME) as reporter,
        lock.exclusive(true.layout.selftest, reporter.text),
        _Copies(true, image, min(jobs, len(planned.faults))) as copies,
    ):
        passed = copies.control()
        scored = []
        for result in copies.score_all(planned.faults, passed):
            scored.append(result)
            on_scored(result, len(planned.faults))
            reporter.progress(len(scored), len(planned.faults), result.fault.kind)
        done = SelfTestResult(tuple(scored), planned.left_out, model.vectors.exhaustive, model.vectors.count)
        counts = ", ".join(f"{count} {outcome.value}" for outcome, count in done.counts.items())
        true.observer.result(counts, found=False)
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

    def announcement(self, text: str) -> None:
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


class _Copies:
    """Threads that try faults, each with a copy of its own while it does."""

    def __init__(self, true: Run, image: FirmwareImage, jobs: int) -> None:
        self._true = true
        self._image = image
        self._stop = threading.Event()
        self._free: queue.SimpleQueue[int] = queue.SimpleQueue()
        for number in range(jobs):
            self._free.put(number)
        # A device is ended by the kernel with the thread that started it, so the threads stay until all is done.
        self._threads = ThreadPoolExecutor(jobs, thread_name_prefix=_NAME)

    def __enter__(self) -> _Copies:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._threads.shutdown(cancel_futures=True)

    def control(self) -> Report:
        """Sees that a copy without a fault passes: only then can a fault be what makes one fail. Returns its report."""
        try:
            report = self._threads.submit(self._in_a_copy, self._judge).result()
        except TinyhilError as error:
            error.message = f"the copy without a fault: {error.message}"
            error.args = (error.message,)
            raise
        if report.verdict != "pass":
            raise BlockedError(
                f"the self-test needs a firmware that passes, and this one does not: {report.summary}",
                hint="see what tinyhil run says of it",
            )
        return report

    def score_all(self, faults: Sequence[Fault], passed: Report) -> Iterator[Score]:
        """The outcome of each fault, in their order.

        Args:
            passed: the report of the copy without a fault.
        """
        tried = [self._threads.submit(self._in_a_copy, partial(self._score, fault, passed)) for fault in faults]
        for each in tried:
            yield each.result()

    def _judge(self, number: int) -> Report:
        return judge_copy(self._true, self._image, number, _Quiet(self._stop))

    def _score(self, fault: Fault, passed: Report, number: int) -> Score:
        if fault.trial is not None:
            return score_trial(self._true, passed, fault, number, _Quiet(self._stop))
        return score(self._true, self._image, fault, number, _Quiet(self._stop))

    def _in_a_copy(self, use: Callable[[int], _R]) -> _R:
        number = self._free.get()
        try:
            return use(number)
        finally:
            self._free.put(number)
