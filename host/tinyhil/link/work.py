"""What a caller asked for, as requests and answers: one request, a row of pages, or the many messages of large.py.

A work gives its next request whenever there is room for one, takes the answers, and gives its event with the last.
It knows neither numbers nor time. After a restart of the device it begins again, once nothing of it is on its way.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from tinyhil.errors import RemoteLinkError
from tinyhil.link.events import ArenaPrepared, Inferred, NotKnown, OperatorsTimed, StateCleared, UsageTold, WorkDone
from tinyhil.link.fields import Message
from tinyhil.link.inference import Infer, Reset, Result
from tinyhil.link.messages import Error
from tinyhil.link.resources import Arena, OperatorTicks, Prepared, Profile, Profiled, Usage, Used


class Work(ABC):
    """Something that was asked for and is not answered yet.

    Attributes:
        alone: whether nothing else may be on its way meanwhile.
    """

    alone = False

    @abstractmethod
    def begin(self) -> None:
        """Starts afresh. No request of it may be on its way."""

    @abstractmethod
    def next_request(self) -> Message | None:
        """The next request, or None while it has to wait for answers first."""

    @abstractmethod
    def take(self, asked: Message, answer: Message) -> WorkDone | None:
        """Takes the answer to one of its requests and returns its event once it is done.

        Raises:
            RemoteLinkError: the answer does not fit the request.
        """


class _OneRequest(Work):
    """A work that is one request.

    Args:
        ticket: of the event.
        request: the whole of it.
    """

    def __init__(self, ticket: int, request: Message) -> None:
        self._ticket = ticket
        self._request = request
        self._asked = False

    def begin(self) -> None:
        self._asked = False

    def next_request(self) -> Message | None:
        if self._asked:
            return None
        self._asked = True
        return self._request


class Clearing(_OneRequest):
    """A RESET."""

    def __init__(self, ticket: int) -> None:
        super().__init__(ticket, Reset())

    def take(self, asked: Message, answer: Message) -> StateCleared:
        """See ``Work.take``."""
        return StateCleared(self._ticket)


class Inference(_OneRequest):
    """An INFER.

    Args:
        ticket: of the event.
        request: the whole of it.
        output_bytes: of one vector.
    """

    def __init__(self, ticket: int, request: Infer, output_bytes: int) -> None:
        super().__init__(ticket, request)
        self._count = request.count
        self._expected = request.count * output_bytes

    def take(self, asked: Message, answer: Message) -> Inferred:
        """See ``Work.take``."""
        assert isinstance(answer, Result)
        if answer.count != self._count or len(answer.outputs) != self._expected:
            raise RemoteLinkError(
                f"asked for {self._count} vectors, which are {self._expected} bytes of output, "
                f"the device answered {answer.count} in {len(answer.outputs)} bytes"
            )
        return Inferred(self._ticket, answer.count, answer.ticks, answer.outputs)


class Asking(_OneRequest):
    """A USAGE.

    Args:
        ticket: of the event.
    """

    alone = True

    def __init__(self, ticket: int) -> None:
        super().__init__(ticket, Usage())

    def take(self, asked: Message, answer: Message) -> UsageTold | NotKnown:
        """See ``Work.take``. An ERROR is `unknown type`."""
        if isinstance(answer, Error):
            return NotKnown(self._ticket)
        assert isinstance(answer, Used)
        return UsageTold(self._ticket, answer)


class Preparing(_OneRequest):
    """An ARENA.

    Args:
        ticket: of the event.
        size: of the arena, in bytes.
    """

    alone = True

    def __init__(self, ticket: int, size: int) -> None:
        super().__init__(ticket, Arena(size))

    def take(self, asked: Message, answer: Message) -> ArenaPrepared | NotKnown:
        """See ``Work.take``. An ERROR is `unknown type`."""
        if isinstance(answer, Error):
            return NotKnown(self._ticket)
        assert isinstance(answer, Prepared)
        return ArenaPrepared(self._ticket, answer.status, answer.arena_used)


class Profiling(Work):
    """One PROFILE from operator 0 on, and as many more as its result has pages.

    Args:
        ticket: of the event.
    """

    alone = True

    def __init__(self, ticket: int) -> None:
        self._ticket = ticket
        self.begin()

    def begin(self) -> None:
        """See ``Work.begin``."""
        self._next: Profile | None = Profile(0)
        self._count: int | None = None
        self._operators: list[OperatorTicks] = []

    def next_request(self) -> Profile | None:
        """See ``Work.next_request``."""
        request, self._next = self._next, None
        return request

    def take(self, asked: Message, answer: Message) -> OperatorsTimed | NotKnown | None:
        """See ``Work.take``. An ERROR is `unknown type`."""
        if isinstance(answer, Error):
            return NotKnown(self._ticket)
        assert isinstance(asked, Profile)
        assert isinstance(answer, Profiled)
        if answer.first != asked.first or answer.operators != (self._count or answer.operators):
            raise RemoteLinkError(
                f"asked for operator {asked.first} and on of {self._count or 'all'}, "
                f"the device answered from {answer.first} on of {answer.operators}"
            )
        self._count = answer.operators
        self._operators += answer.entries
        if len(self._operators) == self._count:
            return OperatorsTimed(self._ticket, tuple(self._operators))
        self._next = Profile(len(self._operators))
        return None
