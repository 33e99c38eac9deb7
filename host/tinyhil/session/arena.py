"""The smallest arena that a model runs in, found on the device itself, without building anything anew.

An engine's own word for what it needs is no safe size: TensorFlow Lite Micro says 932 bytes of a model that it cannot
prepare in fewer than 1,328. So sizes are tried: the device prepares its engine in that many bytes, and runs all test
vectors. A size is enough only if every output is exactly the reference's and nothing behind the arena has changed.

Trying means going too low, and an engine in too little memory may do anything: refuse, compute wrong numbers, restart
the device, or hang it. All of that means *too small*. After a restart the device is back in its whole arena, and the
conversation goes on; where the device is gone, it has to be started again, which is the caller's to do (``Start``).

The search is a bisection. It takes for granted that what fits in a size fits in every larger one, and checks that at
its end as far as it can: the size found is tried once more, and so is the one below it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import Enum

import numpy as np

from tinyhil.artifacts.types import Array, Resources, Vectors
from tinyhil.errors import DeviceError, RemoteLinkError
from tinyhil.link.connection import Connection
from tinyhil.link.events import Answered
from tinyhil.link.resources import Prepared
from tinyhil.progress import Reporter
from tinyhil.session.conversation import RestartError
from tinyhil.session.session import Session

STEP = 16
"""Bytes that sizes are multiples of: what engines align their arenas to."""


class Outcome(Enum):
    """What came of a size. All but ``FITS`` mean that it is too small."""

    FITS = "every output is exact"
    REFUSED = "the engine was not prepared"
    WRONG = "outputs are wrong"
    OVERRUN = "the engine wrote beyond the arena"
    FAILED = "an inference failed"
    RESTARTED = "the device restarted"
    GONE = "the device died or fell silent"


@dataclass(frozen=True)
class Attempt:
    """One size that was tried.

    Attributes:
        size: of the arena, in bytes.
        outcome: what came of it.
        used: bytes that the engine said to need, 0 where it did not say.
        note: more about the outcome, in words; may be empty.
    """

    size: int
    outcome: Outcome
    used: int
    note: str = ""

    @property
    def fits(self) -> bool:
        """Whether the size is enough."""
        return self.outcome is Outcome.FITS


@dataclass(frozen=True)
class Sizing:
    """What the search has found.

    Attributes:
        smallest: bytes of the smallest arena that is enough, a multiple of STEP.
        capacity: bytes of the whole arena.
        said: bytes that the engine itself says to need when it has the whole arena; 0 where it does not say.
        attempts: all that was tried, in order.
    """

    smallest: int
    capacity: int
    said: int
    attempts: tuple[Attempt, ...]


def whole_arena(session: Session) -> Resources:
    """The device's memory; in its whole arena, if nothing was asked of it yet.

    Raises:
        DeviceError: it has no arena whose size can be set.
        LinkError: it reports an error.
    """
    used = session.usage()
    if used is None:
        raise _too_old()
    if not used.arena_capacity:
        raise DeviceError("the engine's memory is fixed: there is no arena whose size can be set")
    return used


def prepare(session: Session, size: int) -> tuple[int, int]:
    """Prepares the engine in ``size`` bytes, 1 to the arena's capacity.

    Returns:
        Its status, 0 if it is ready, and the bytes that it says to need.

    Raises:
        DeviceError: the device fell silent or died.
        RestartError: it has restarted, and is back in its whole arena.
        LinkError: it reports an error.
    """

    def ask(connection: Connection, now: float) -> int:
        return connection.prepare(size, now)

    told = session.answer_to(ask, f"an arena of {size} bytes")
    if not (isinstance(told, Answered) and isinstance(told.answer, Prepared)):
        raise _too_old()
    return told.answer.status, told.answer.arena_used


def attempt(session: Session, vectors: Vectors, size: int) -> Attempt:
    """Tries one size. Whatever the device does is told by the outcome, not raised.

    After an attempt whose outcome is ``GONE`` the session is of no more use.

    Args:
        vectors: what the device is asked, and what it has to answer.
        size: in bytes.
    """
    with session.one_attempt():
        return _attempt(session, vectors, size)


def _attempt(session: Session, vectors: Vectors, size: int) -> Attempt:
    said = 0
    try:
        status, said = prepare(session, size)
        if status:
            return Attempt(size, Outcome.REFUSED, said, f"status {status}")
        wrong = _differing(session.answers_to(vectors.inputs).outputs, vectors.reference)
        overrun = whole_arena(session).arena_overrun
    except RestartError as error:
        return Attempt(size, Outcome.RESTARTED, said, error.message)
    except RemoteLinkError as error:
        return _greeted_anew(session, Attempt(size, Outcome.FAILED, said, error.message))
    except DeviceError as error:
        return Attempt(size, Outcome.GONE, said, error.message)
    if wrong:
        return Attempt(size, Outcome.WRONG, said, f"{wrong} of {vectors.count}")
    if overrun:
        return Attempt(size, Outcome.OVERRUN, said, f"{overrun} bytes")
    return Attempt(size, Outcome.FITS, said)


def _greeted_anew(session: Session, failed: Attempt) -> Attempt:
    """An error ends a connection, but not the device: it gets another one."""
    try:
        session.greet()
    except (DeviceError, RemoteLinkError) as error:
        return Attempt(failed.size, Outcome.GONE, failed.used, f"{failed.note}; then {error.message}")
    return failed


Start = Callable[[], AbstractContextManager[Session]]
"""Starts the device, or resets it, and opens a session; its end ends both."""


def smallest_arena(start: Start, vectors: Vectors, reporter: Reporter) -> Sizing:
    """Searches the smallest arena, starting the device again whenever a size has cost it.

    Args:
        start: starts the device.
        vectors: what it is asked in each size, and what it has to answer.
        reporter: told of each size.

    Raises:
        DeviceError: the device cannot be started, not even its whole arena is enough, or sizes do not behave: what fits
            once does not fit the second time, or fits below a size that does not.
        LinkError: as for ``whole_arena``.
    """
    with _Trials(start, vectors, reporter) as trials:
        used = trials.used
        capacity = used.arena_capacity or 0
        high = capacity // STEP * STEP
        whole = trials.attempt(high)
        if not whole.fits:
            raise DeviceError(
                f"the model does not run in the whole arena of {high} bytes: {_told(whole)}",
                hint="build the firmware with a larger arena first",
            )
        low = 0
        while high - low > STEP:
            middle = (low + high) // (2 * STEP) * STEP
            if trials.attempt(middle).fits:
                high = middle
            else:
                low = middle
        for size, fits in ((high - STEP, False), (high, True)):
            if size and (again := trials.attempt(size)).fits is not fits:
                raise DeviceError(
                    f"an arena of {size} bytes does not behave the same twice, or fits below a size that does not: "
                    f"this time {_told(again)}",
                    hint="the engine may find what an earlier, larger arena has left behind; set the size by hand",
                )
        return Sizing(high, capacity, used.arena_used or 0, tuple(trials.attempts))


class _Trials:
    """Attempts, over as many starts of the device as it takes."""

    def __init__(self, start: Start, vectors: Vectors, reporter: Reporter) -> None:
        self.attempts: list[Attempt] = []
        self._start = start
        self._vectors = vectors
        self._reporter = reporter
        self._stack = contextlib.ExitStack()
        self._session: Session | None = None

    def __enter__(self) -> _Trials:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def used(self) -> Resources:
        """The memory of the device in its whole arena."""
        return whole_arena(self._opened())

    def attempt(self, size: int) -> Attempt:
        """Tries a size."""
        found = attempt(self._opened(), self._vectors, size)
        self.attempts.append(found)
        self._reporter.text(f"arena of {size:,} B: {_told(found)}")
        if found.outcome is Outcome.GONE:
            self._session = None
            with contextlib.suppress(DeviceError):  # that the device is gone is known already
                self._stack.close()
        return found

    def _opened(self) -> Session:
        if self._session is None:
            self._session = self._stack.enter_context(self._start())
        return self._session


def _told(attempt: Attempt) -> str:
    return f"{attempt.outcome.value} ({attempt.note})" if attempt.note else attempt.outcome.value


def _differing(outputs: tuple[Array, ...], reference: tuple[Array, ...]) -> int:
    """How many vectors have an element that is not bit for bit the reference's."""
    wrong = np.zeros(len(outputs[0]), bool)
    for found, expected in zip(outputs, reference, strict=True):
        raw = [np.ascontiguousarray(part).view(np.uint8).reshape(len(part), -1) for part in (found, expected)]
        wrong |= (raw[0] != raw[1]).any(axis=1)
    return int(wrong.sum())


def _too_old() -> DeviceError:
    return DeviceError(
        "the firmware does not know how to set the size of its arena",
        hint="render, build and flash it with this version of tinyhil",
    )
