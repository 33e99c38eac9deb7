"""What a caller asked for, as requests and answers: one request, a row of pages, or the many messages of large.py.

A work gives its next request whenever the window has space for one, takes the answers, and gives its event with the
last. It knows neither numbers nor time. After a restart of the device it begins again, once nothing of it is on its
way.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from tinyhil.errors import RemoteLinkError
from tinyhil.link.events import DeviceDescription, NotKnown, OperatorsTimed, WorkDone
from tinyhil.link.fields import Message
from tinyhil.link.messages import Error
from tinyhil.link.resources import OperatorTicks, Profile, Profiled
from tinyhil.link.table import Handler


class Work(ABC):
    """Something that was asked for and is not answered yet."""

    @abstractmethod
    def begin(self) -> None:
        """Starts afresh. No request of it may be on its way."""

    @abstractmethod
    def next_request(self) -> Message | None:
        """The next request, or None while it has to wait for answers first."""

    @abstractmethod
    def take(self, request: Message, answer: Message) -> WorkDone | None:
        """Takes the answer to one of its requests and returns its event once it is done.

        Raises:
            RemoteLinkError: the answer does not fit the request.
        """


class OneRequest(Work):
    """A work that is one request.

    Args:
        ticket: of the event.
        handler: makes the event, as that of a row.
        request: the whole of it.
        device: that it goes to.
    """

    def __init__(self, ticket: int, handler: Handler[Any, Any], request: Message, device: DeviceDescription) -> None:
        self._ticket = ticket
        self._handler = handler
        self._request = request
        self._device = device
        self._sent = False

    def begin(self) -> None:
        """See ``Work.begin``."""
        self._sent = False

    def next_request(self) -> Message | None:
        """See ``Work.next_request``."""
        if self._sent:
            return None
        self._sent = True
        return self._request

    def take(self, request: Message, answer: Message) -> WorkDone:
        """See ``Work.take``. An ERROR is `unknown type`."""
        if isinstance(answer, Error):
            return NotKnown(self._ticket)
        return self._handler(self._ticket, request, answer, self._device)


class Profiling(Work):
    """One PROFILE from operator 0 on, and as many more as its result has pages.

    Args:
        ticket: of the event.
    """

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

    def take(self, request: Message, answer: Message) -> OperatorsTimed | NotKnown | None:
        """See ``Work.take``. An ERROR is `unknown type`."""
        if isinstance(answer, Error):
            return NotKnown(self._ticket)
        assert isinstance(request, Profile)
        assert isinstance(answer, Profiled)
        if answer.first != request.first or answer.operators != (self._count or answer.operators):
            raise RemoteLinkError(
                f"asked for operator {request.first} and on of {self._count or 'all'}, "
                f"the device answered from {answer.first} on of {answer.operators}"
            )
        self._count = answer.operators
        self._operators += answer.entries
        if len(self._operators) == self._count:
            return OperatorsTimed(self._ticket, tuple(self._operators))
        self._next = Profile(len(self._operators))
        return None


class Works:
    """The works of one connection that are not done, by ticket."""

    def __init__(self) -> None:
        self._works: dict[int, Work] = {}
        self._alone = False

    def __len__(self) -> int:
        return len(self._works)

    @property
    def alone(self) -> bool:
        """Whether there is one, and nothing else may be on its way meanwhile."""
        return self._alone and bool(self._works)

    def start(self, ticket: int, work: Work, *, alone: bool) -> None:
        """Adds one."""
        self._works[ticket] = work
        self._alone = alone

    def begin_again(self) -> None:
        """Starts them all afresh."""
        for work in self._works.values():
            work.begin()

    def next_request(self) -> tuple[int, Message] | None:
        """The next request of the oldest work that has one, and the work's ticket."""
        for ticket, work in self._works.items():
            if (message := work.next_request()) is not None:
                return ticket, message
        return None

    def take(self, ticket: int, request: Message, answer: Message) -> WorkDone | None:
        """Takes an answer, and returns the event of the work that it was the last one of.

        Raises:
            RemoteLinkError: the answer does not fit the request.
        """
        done = self._works[ticket].take(request, answer)
        if done is not None:
            del self._works[ticket]
        return done

    def clear(self) -> None:
        """Forgets them all."""
        self._works.clear()
