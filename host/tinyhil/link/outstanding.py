"""Requests on their way: their numbers and bytes, and when they have to be repeated.

The wire keeps order and the device answers in order. Two signs tell that a request, or its answer, was lost:

- *overtaken*: an answer arrives to a request that was sent later. It is repeated at once.
- *silence*: nothing was accepted for ``patience`` since it was sent. Any accepted answer shows that the device works
  its way through the window, so it starts the wait of all others again. What the wire itself needs for all that is on
  its way, there and back, comes on top, so that a slow line is not taken for a lossy one.

How long silence is borne depends on what is known. At first it is the caller's guess, and doubles with each repetition
out of silence: a device that is only slow gets more time, not more work. Once requests of a type and size have been
answered at the first try, their round trip is known, and silence means loss: a few round trips are enough then, and the
wait still doubles, but only up to the guess. Repetitions of what was overtaken double nothing: the device was heard.

A request that was sent several times may be answered for any of them, so its answer overtakes only what was sent
before its *first* time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tinyhil.errors import LocalLinkError
from tinyhil.link.counters import Counters
from tinyhil.link.fields import Message
from tinyhil.link.frames import Frame, encode_frame, longest_wire
from tinyhil.link.table import Row

HELLO_EVERY = 0.25
"""Seconds between two HELLOs. It is short because a board that boots answers none of them, and a HELLO has 14 bytes."""

SOONEST = 0.2
"""Seconds of silence that are borne at least (but for a shorter guess): a computer that is busy may pause for so long.
It is what TCP commonly takes."""

ROUND_TRIPS = 4.0
"""Of the longest round trip, how many are waited for."""

_MOST_DOUBLINGS = 30


@dataclass
class Request:
    """One request on its way.

    Attributes:
        sequence: its number.
        row: its row in the table.
        message: what it asks.
        ticket: of the work that it belongs to, None for the handshake.
        wire: its frame, delimiters included.
        exchange_bytes: of its frame and the longest answer to it, on the wire.
        line_seconds: what the wire needed for everything that was on its way, when it was last sent.
        tries: how often it was sent.
        silences: how often it was repeated out of silence.
        first_order: when it was first sent, in transmissions of the connection.
        last_order: when it was last sent.
        sent_at: when it was last sent, in seconds.
    """

    sequence: int
    row: Row[Any, Any]
    message: Message
    ticket: int | None
    wire: bytes
    exchange_bytes: int
    line_seconds: float = 0.0
    tries: int = 0
    silences: int = 0
    first_order: int = 0
    last_order: int = 0
    sent_at: float = 0.0


class Outstanding:
    """The requests of one connection that are unanswered, by number.

    Args:
        first_sequence: number of the first request.
        resend_after: seconds of silence before a request other than a greeting is repeated, while its round trip is
            unknown.
        line_rate: bytes per second that the wire carries.
        counters: what is sent is counted there.

    Raises:
        LocalLinkError: the first sequence does not fit in 32 bits.
    """

    def __init__(self, first_sequence: int, resend_after: float, line_rate: float, counters: Counters) -> None:
        if not 0 <= first_sequence <= 0xFFFFFFFF:
            raise LocalLinkError(f"the first sequence {first_sequence} does not fit in 32 bits")
        self.next_sequence = first_sequence
        self._resend_after = resend_after
        self._line_rate = line_rate
        self._counters = counters
        self._requests: dict[int, Request] = {}
        self._to_send = bytearray()
        self._transmissions = 0
        self._accepted_at = float("-inf")
        self._round_trips: dict[type[Message], _RoundTrips] = {}

    def __len__(self) -> int:
        return len(self._requests)

    def ask(self, row: Row[Any, Any], message: Message, ticket: int | None, answer_bytes: int, now: float) -> None:
        """Sends a new request of a row, whose answer has a payload of at most ``answer_bytes``."""
        sequence = self.next_sequence
        self.next_sequence = (sequence + 1) & 0xFFFFFFFF
        wire = encode_frame(Frame(message.TYPE, sequence, message.encode()))
        self._send(Request(sequence, row, message, ticket, wire, len(wire) + longest_wire(answer_bytes)), now)

    def repeat(self, request: Request, now: float, *, silence: bool) -> None:
        """Sends a request again, out of silence or because it was overtaken."""
        request.silences += silence
        if request.row.endless:
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
            # An answer to one that was sent more than once does not tell which copy it answers (Karn's rule).
            if request.tries == 1:
                round_trips = self._round_trips.setdefault(request.row.request, _RoundTrips())
                round_trips.add(now - request.sent_at, request.exchange_bytes)
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
        return max(request.sent_at, self._accepted_at) + request.line_seconds + self._patience(request)

    def _patience(self, request: Request) -> float:
        """Seconds of silence that are borne now."""
        if request.row.endless:
            return HELLO_EVERY
        factor = 2.0 ** min(request.silences, _MOST_DOUBLINGS)
        round_trips = self._round_trips.get(request.row.request)
        if round_trips is None or request.exchange_bytes > round_trips.exchange_bytes:
            return self._resend_after * factor
        return min(self._resend_after, max(SOONEST, ROUND_TRIPS * round_trips.longest) * factor)


@dataclass
class _RoundTrips:
    """What is known of the requests of one type: the longest round trip in seconds, and the largest exchange."""

    longest: float = 0.0
    exchange_bytes: int = 0

    def add(self, seconds: float, exchange_bytes: int) -> None:
        self.longest = max(self.longest, seconds)
        self.exchange_bytes = max(self.exchange_bytes, exchange_bytes)
