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
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import Enum
from functools import partial

import numpy as np

from tinyhil.artifacts.types import Array, Vectors
from tinyhil.deadline import Deadline
from tinyhil.errors import DeviceError, RemoteLinkError
from tinyhil.link.events import ArenaPrepared, UsageTold
from tinyhil.link.resources import Used
from tinyhil.progress import Reporter
from tinyhil.session.conversation import Check, Conversation, RestartError, conversing
from tinyhil.session.identity import Identity
from tinyhil.session.lines import Line, Lines, PortLines
from tinyhil.session.stage import outputs_of, records_of
from tinyhil.targets.model import Target

STEP = 16
"""Bytes that sizes are multiples of: what engines align their arenas to."""


class Outcome(Enum):
    """What came of a size. All but ``FITS`` mean that it is too small."""

    FITS = "every output is exact"
    REFUSED = "the engine was not prepared"
    WRONG = "outputs are wrong"
    OVERRUN = "memory behind the arena was changed"
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


class ArenaSession:
    """One line to a device that is greeted, on which sizes are tried.

    After an attempt whose outcome is ``GONE`` the session is of no more use.

    Args:
        talk: the conversation, before the handshake.
        identity: what the device has to be.
        vectors: what it is asked, and what it has to answer.
        max_batch: most vectors in one request.

    Attributes:
        used: the device's memory when it was greeted, in its whole arena.

    Raises:
        DeviceError: the device does not answer, is not the one that is meant, or has no arena whose size can be set.
        LinkError: it does not speak the protocol, or reports an error.
    """

    def __init__(self, talk: Conversation, identity: Identity, vectors: Vectors, max_batch: int) -> None:
        self._talk = talk
        self._identity = identity
        self._vectors = vectors
        self._most = max_batch
        self._records = records_of(vectors.inputs)
        talk.handshake(identity)
        self.used = self._usage()
        if not self.used.arena_capacity:
            raise DeviceError("the engine's memory is fixed: there is no arena whose size can be set")

    def prepare(self, size: int) -> tuple[int, int]:
        """Prepares the engine in ``size`` bytes, 1..``used.arena_capacity``.

        Returns:
            Its status, 0 if it is ready, and the bytes that it says to need.

        Raises:
            DeviceError: the device fell silent or died.
            RestartError: it has restarted, and is back in its whole arena.
            LinkError: it reports an error.
        """
        told = self._talk.answer_to(partial(self._talk.connection.prepare, size), f"an arena of {size} bytes")
        if not isinstance(told, ArenaPrepared):
            raise _too_old()
        return told.status, told.arena_used

    def wrong_outputs(self) -> int:
        """Runs all vectors in the arena of the last ``prepare``, and counts those with a wrong output.

        Raises:
            DeviceError: the device fell silent or died.
            RestartError: it has restarted, and is back in its whole arena.
            LinkError: it reports an error.
        """
        most = min(self._talk.connection.capacity, self._most)
        starts = range(0, len(self._records), most)
        batches = [self._records[start : start + most] for start in starts]
        answers: dict[int, bytes] = {}
        sizes = [len(batch) for batch in batches]
        for index, answer in self._talk.answers([b"".join(batch) for batch in batches], sizes):
            answers[index] = answer.outputs
        outputs = outputs_of(b"".join(answers[index] for index in range(len(batches))), self._identity.outputs)
        return _differing(outputs, self._vectors.reference)

    def attempt(self, size: int) -> Attempt:
        """Tries one size. Whatever the device does is told by the outcome, not raised."""
        used = 0
        try:
            status, used = self.prepare(size)
            if status:
                return Attempt(size, Outcome.REFUSED, used, f"status {status}")
            wrong = self.wrong_outputs()
            overrun = self._usage().arena_overrun
        except RestartError as error:
            return Attempt(size, Outcome.RESTARTED, used, error.message)
        except RemoteLinkError as error:
            return self._greeted_anew(Attempt(size, Outcome.FAILED, used, error.message))
        except DeviceError as error:
            return Attempt(size, Outcome.GONE, used, error.message)
        if wrong:
            return Attempt(size, Outcome.WRONG, used, f"{wrong} of {len(self._records)}")
        if overrun:
            return Attempt(size, Outcome.OVERRUN, used, f"{overrun} bytes")
        return Attempt(size, Outcome.FITS, used)

    def _greeted_anew(self, attempt: Attempt) -> Attempt:
        """An error ends a connection, but not the device: it gets another one."""
        try:
            self._talk.begin_again()
            self._talk.handshake(self._identity)
        except (DeviceError, RemoteLinkError) as error:
            return Attempt(attempt.size, Outcome.GONE, attempt.used, f"{attempt.note}; then {error.message}")
        return attempt

    def _usage(self) -> Used:
        told = self._talk.answer_to(self._talk.connection.usage, "the question for its memory")
        if not isinstance(told, UsageTold):
            raise _too_old()
        return told.used


Start = Callable[[], AbstractContextManager[ArenaSession]]
"""Starts the device, or resets it, and opens a session; its end ends both."""


@contextlib.contextmanager
def arena_session(
    port: str,
    identity: Identity,
    vectors: Vectors,
    target: Target,
    check: Check,
    reporter: Reporter,
    *,
    lines: Lines | None = None,
) -> Iterator[ArenaSession]:
    """A session with the device on ``port``. The arguments are those of :func:`tinyhil.session.capture`.

    Raises:
        DeviceError: as for ArenaSession.
        LinkError: as for ArenaSession.
    """
    opening: Callable[[Deadline], Line] = (lines or PortLines(port, target.link.baud)).open
    with conversing(opening, target, check, reporter) as talk:
        yield ArenaSession(talk, identity, vectors, target.link.max_batch)


def smallest_arena(start: Start, reporter: Reporter) -> Sizing:
    """Searches the smallest arena, starting the device again whenever a size has cost it.

    Raises:
        DeviceError: the device cannot be started, not even its whole arena is enough, or sizes do not behave: what fits
            once does not fit the second time, or fits below a size that does not.
        LinkError: as for ArenaSession.
    """
    with _Trials(start, reporter) as trials:
        used = trials.used
        high = used.arena_capacity // STEP * STEP
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
        return Sizing(high, used.arena_capacity, used.arena_used, tuple(trials.attempts))


class _Trials:
    """Attempts, over as many starts of the device as it takes."""

    def __init__(self, start: Start, reporter: Reporter) -> None:
        self.attempts: list[Attempt] = []
        self._start = start
        self._reporter = reporter
        self._stack = contextlib.ExitStack()
        self._session: ArenaSession | None = None

    def __enter__(self) -> _Trials:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def used(self) -> Used:
        """The memory of the device in its whole arena."""
        return self._opened().used

    def attempt(self, size: int) -> Attempt:
        """Tries a size."""
        found = self._opened().attempt(size)
        self.attempts.append(found)
        self._reporter.text(f"arena of {size:,} B: {_told(found)}")
        if found.outcome is Outcome.GONE:
            self._session = None
            with contextlib.suppress(DeviceError):  # that the device is gone is known already
                self._stack.close()
        return found

    def _opened(self) -> ArenaSession:
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
