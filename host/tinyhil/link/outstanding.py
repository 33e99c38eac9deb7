"""Requests on their way: their numbers and bytes, and when they have to be repeated.

The wire keeps order and the device answers in order. Two signs tell that a request, or its answer, was lost:

- *overtaken*: an answer arrives to a request that was sent later. It is repeated at once.
- *silence*: nothing was accepted for ``patience`` since it was sent. Any accepted answer shows that the device works
  its way through the window, so it starts the wait of all others again. The wait doubles with each repetition: a
  device that is only slow gets more time, not more work. What the wire itself needs for all that is on its way, there
  and back, comes on top, so that a slow line is not taken for a lossy one.

A request that was sent several times may be answered for any of them, so its answer overtakes only what was sent
before its *first* time.
"""

from __future__ import annotations

from dataclasses import dataclass

from tinyhil.link.counters import Counters
from tinyhil.link.fields import Message, MessageType
from tinyhil.link.frames import Frame, encode_frame, longest_wire

HELLO_EVERY = 0.25
"""Seconds between two HELLOs. It is short because a board that boots answers none of them, and a HELLO has 14 bytes."""


@dataclass
class Request:
    """One request on its way.

    Attributes:
        sequence: its number.
        message: what it asks.
        ticket: of the work that it belongs to, None for the handshake.
        wire: its frame, delimiters included.
        exchange_bytes: of its frame and the longest answer to it, on the wire.
        patience: seconds of silence before the first repetition.
        line_seconds: what the wire needed for everything that was on its way, when it was last sent.
        tries: how often it was sent.
        first_order: when it was first sent, in transmissions of the connection.
        last_order: when it was last sent.
        sent_at: when it was last sent, in seconds.
    """

    sequence: int
    message: Message
    ticket: int | None
    wire: bytes
    exchange_bytes: int
    patience: float
    line_seconds: float = 0.0
    tries: int = 0
    first_order: int = 0
    last_order: int = 0
    sent_at: float = 0.0

    @property
    def type(self) -> MessageType:
        """The type of its message."""
        return self.message.TYPE

    @property
    def endless(self) -> bool:
        """Whether it is repeated at the same pace until it is answered, as HELLO is while a board boots."""
        return self.type is MessageType.HELLO

    @property
    def wait(self) -> float:
        """Seconds of silence that are borne now."""
        return self.line_seconds + (self.patience if self.endless else self.patience * 2.0 ** (self.tries - 1))


class Outstanding:
    """The requests of one connection that are unanswered, by number.

    Args:
        first_sequence: number of the first request.
        resend_after: patience of all requests but HELLO.
        line_rate: bytes per second that the wire carries.
        counters: what is sent is counted there.
    """

    def __init__(self, first_sequence: int, resend_after: float, line_rate: float, counters: Counters) -> None:
        self.next_sequence = first_sequence
        self._resend_after = resend_after
        self._line_rate = line_rate
        self._counters = counters
        self._requests: dict[int, Request] = {}
        self._to_send = bytearray()
        self._transmissions = 0
        self._accepted_at = float("-inf")

    def __len__(self) -> int:
        return len(self._requests)

    def ask(self, message: Message, ticket: int | None, answer_bytes: int, now: float) -> None:
        """Sends a new request, whose answer has a payload of at most ``answer_bytes``."""
        sequence = self.next_sequence
        self.next_sequence = (sequence + 1) & 0xFFFFFFFF
        wire = encode_frame(Frame(message.TYPE, sequence, message.encode()))
        patience = HELLO_EVERY if message.TYPE is MessageType.HELLO else self._resend_after
        self._send(Request(sequence, message, ticket, wire, len(wire) + longest_wire(answer_bytes), patience), now)

    def repeat(self, request: Request, now: float) -> None:
        """Sends a request again."""
        if request.endless:
            self._counters.hello_resends += 1
        else:
            self._counters.resends += 1
        self._send(request, now)

    def data_to_send(self) -> bytes:
        """The bytes to write now, each once."""
        data = bytes(self._to_send)
        self._to_send.clear()
        return data

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
        """Forgets them all, sent or not."""
        self._requests.clear()
        self._to_send.clear()

    def _send(self, request: Request, now: float) -> None:
        self._to_send += request.wire
        self._counters.frames_sent += 1
        self._counters.bytes_sent += len(request.wire)
        self._transmissions += 1
        if request.tries == 0:
            request.first_order = self._transmissions
        request.last_order = self._transmissions
        request.tries += 1
        request.sent_at = now
        self._requests[request.sequence] = request
        request.line_seconds = sum(other.exchange_bytes for other in self._requests.values()) / self._line_rate

    def _due_at(self, request: Request) -> float:
        return max(request.sent_at, self._accepted_at) + request.wait
