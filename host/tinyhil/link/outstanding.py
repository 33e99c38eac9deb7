"""Requests that wait for their answer, and when they have to be repeated.

The wire keeps order and the device answers in order. Two signs tell that a request, or its answer, was lost:

- *overtaken*: an answer arrives to a request that was sent later. It is repeated at once.
- *silence*: nothing was accepted for ``patience`` since it was sent. Any accepted answer shows that the device works
  its way through the window, so it starts the wait of all others again. The wait doubles with each repetition: a
  device that is only slow gets more time, not more work.

A request that was sent several times may be answered for any of them, so its answer overtakes only what was sent
before its *first* time.
"""

from __future__ import annotations

from dataclasses import dataclass

from tinyhil.link.fields import Message, MessageType


@dataclass
class Request:
    """One request on its way.

    Attributes:
        sequence: its number.
        message: what it asks.
        wire: its frame, delimiters included.
        patience: seconds of silence before the first repetition.
        endless: repeated at the same pace until it is answered (HELLO, while a board boots).
        tries: how often it was sent.
        first_order: when it was first sent, in transmissions of the connection.
        last_order: when it was last sent.
        sent_at: when it was last sent, in seconds.
    """

    sequence: int
    message: Message
    wire: bytes
    patience: float
    endless: bool
    tries: int = 0
    first_order: int = 0
    last_order: int = 0
    sent_at: float = 0.0

    @property
    def type(self) -> MessageType:
        """The type of its message."""
        return self.message.TYPE

    @property
    def wait(self) -> float:
        """Seconds of silence that are borne now."""
        return self.patience if self.endless else self.patience * 2.0 ** (self.tries - 1)


class Outstanding:
    """The requests of one connection that are unanswered, by number."""

    def __init__(self) -> None:
        self._requests: dict[int, Request] = {}
        self._transmissions = 0
        self._accepted_at = float("-inf")

    def __len__(self) -> int:
        return len(self._requests)

    def sent(self, request: Request, now: float) -> None:
        """Notes that ``request`` was sent, for the first time or again."""
        self._transmissions += 1
        if request.tries == 0:
            request.first_order = self._transmissions
        request.last_order = self._transmissions
        request.tries += 1
        request.sent_at = now
        self._requests[request.sequence] = request

    def accept(self, sequence: int, now: float) -> Request | None:
        """Takes out the request that an answer belongs to, or returns None where there is none (any more)."""
        request = self._requests.pop(sequence, None)
        if request is not None:
            self._accepted_at = now
        return request

    def overtaken_by(self, answered: Request) -> list[Request]:
        """The requests that are known to be lost because ``answered`` was answered, oldest first."""
        return [request for request in self._requests.values() if request.last_order < answered.first_order]

    def due(self, now: float) -> list[Request]:
        """The requests that have met too much silence, oldest first."""
        return [request for request in self._requests.values() if self._due_at(request) <= now]

    def next_due(self) -> float | None:
        """When the first of them will have met too much silence, or None where none waits."""
        return min(map(self._due_at, self._requests.values()), default=None)

    def clear(self) -> None:
        """Forgets them all."""
        self._requests.clear()

    def _due_at(self, request: Request) -> float:
        return max(request.sent_at, self._accepted_at) + request.wait
