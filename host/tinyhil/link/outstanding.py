"""Requests on their way: their numbers and bytes, and when they have to be repeated.

The wire keeps order and the device answers in order. Two signs tell that a request, or its answer, was lost:

- *overtaken*: an answer arrives to a request that was sent later. It is repeated at once.
- *silence*: nothing was accepted for ``patience`` since it was sent. Any accepted answer shows that the device works
  its way through the window, so it starts the wait of all others again. What the wire itself needs for all that is on
  its way, there and back, comes on top, so that a slow line is not taken for a lossy one. While nothing else is known
  the line is taken to be as fast as it was seen to be, and no faster than it is said to be. Where requests had to be
  repeated, the device may have to work through all copies before it comes to the next one; only an answer to what was
  sent once shows that it has.

Repeats must not make a slow device slower, which reads each of them from the queue before it comes to what follows. So
silence repeats one request, that which was sent the longest ago, and the wait of all begins again; and each time in a
row it is borne twice as long. As in TCP (Karn's algorithm), the row ends only with an answer to a request that was sent
once: any other may have been on its way before the repetition, and says nothing of the pace.

How long silence is borne at first depends on what is known. At first it is the caller's guess. Once requests of a type
and size have been answered at the first try, their round trip is known, and silence means loss: a few round trips are
enough then, and the wait still doubles, but only up to the guess, or to two round trips where that is more, until five
in a row were in vain. Repetitions of what was overtaken double nothing: the device was heard.

Silence begins when a request has left this side, which a transport that cannot hand it over may hold up.

A request that was sent several times may be answered for any of them, so its answer overtakes only what was sent
before its *first* time.
"""

from __future__ import annotations

import math
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

IN_VAIN = 3
"""Silences in a row after which requests count as lost for their length, if none as long was ever answered."""

_MOST_DOUBLINGS = 30

_MOST_GUESSED = 3.0
"""Times ``resend_after`` that a line is given for what is on its way while its pace is only guessed."""

_UP_TO_THE_GUESS = 5
"""Silences in a row after which the wait grows beyond the guess."""


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
        way_bytes: the same of everything that was on its way when it was last sent.
        tries: how often it was sent.
        silences: how often it was repeated out of silence.
        first_order: when it was first sent, in transmissions of the connection.
        last_order: when it was last sent.
        sent_at: when it was last sent, in seconds.
        first_at: when it was first sent.
        queued_bytes: of exchanges that the device may have had to do before, for requests that were repeated.
    """

    sequence: int
    row: Row[Any, Any]
    message: Message
    ticket: int | None
    wire: bytes
    exchange_bytes: int
    way_bytes: int = 0
    tries: int = 0
    silences: int = 0
    first_order: int = 0
    last_order: int = 0
    sent_at: float = 0.0
    first_at: float = 0.0
    queued_bytes: int = 0


@dataclass(frozen=True)
class Waiting:
    """What is on its way.

    Attributes:
        numbers: of the requests, oldest first.
        shortest: bytes of the shortest of them on the wire; 0 where there is none.
        longest_answered: bytes of the longest request that was answered; 0 where none was.
        longest_frame: bytes of the longest of the requests and of the answers that they may get; 0 where there is none.
        lost_for_length: whether ``IN_VAIN`` silences in a row were met by nothing but requests of a length of which
            none was ever answered.
    """

    numbers: tuple[int, ...]
    shortest: int
    longest_answered: int
    longest_frame: int
    lost_for_length: bool


class Outstanding:
    """The requests of one connection that are unanswered, by number.

    Args:
        first_sequence: number of the first request.
        resend_after: seconds of silence before a request other than a greeting is repeated, while its round trip is
            unknown.
        line_rate: bytes per second that the wire carries at most.
        counters: what is sent is counted there.
        adaptive: False for the times at which requests were repeated in recordings of format 1: each request after its
            own silence, by the line rate alone.

    Raises:
        LocalLinkError: the first sequence does not fit in 32 bits.
    """

    def __init__(
        self, first_sequence: int, resend_after: float, line_rate: float, counters: Counters, adaptive: bool = True
    ) -> None:
        if not 0 <= first_sequence <= 0xFFFFFFFF:
            raise LocalLinkError(f"the first sequence {first_sequence} does not fit in 32 bits")
        self.next_sequence = first_sequence
        self._resend_after = resend_after
        self._line_rate = line_rate
        self._counters = counters
        self._requests: dict[int, Request] = {}
        self._to_send = bytearray()
        self._transmissions = 0
        self._adaptive = adaptive
        self._in_a_row = 0
        self._unsent: list[Request] = []
        self._leaving: list[Request] = []
        self._accepted_at = self._silent_since = float("-inf")
        self._seen_rate = self._guessed_rate = 0.0
        self._queued_bytes = 0
        self._known: dict[type[Message], _RoundTrips] = {}
        self._longest_answered = 0

    def __len__(self) -> int:
        return len(self._requests)

    @property
    def line_seconds(self) -> float:
        """What the wire needs for all that is on its way and for the longest answers to it."""
        return self._seconds(self._way_bytes)

    @property
    def waiting(self) -> Waiting:
        """What is on its way."""
        requests = self._requests.values()
        shortest = min((len(request.wire) for request in requests), default=0)
        lost = bool(requests) and self._in_a_row >= IN_VAIN and all(map(self._is_unproven, requests))
        both = [max(len(each.wire), each.exchange_bytes - len(each.wire)) for each in requests]
        return Waiting(tuple(self._requests), shortest, self._longest_answered, max(both, default=0), lost)

    def set_line_rate(self, line_rate: float) -> None:
        """From now on the wire carries so many bytes per second at most; what it was seen to do says nothing."""
        self._line_rate = line_rate
        self._seen_rate = self._guessed_rate = 0.0
        self._in_a_row = self._queued_bytes = 0

    def send_anew(self, now: float) -> None:
        """Sends all that is unanswered again, as if for the first time: what was sent of it is known to be lost."""
        for request in self._requests.values():
            request.tries = request.silences = 0
            self.repeat(request, now, silence=False)

    def ask(self, row: Row[Any, Any], message: Message, ticket: int | None, answer_bytes: int, now: float) -> None:
        """Sends a new request of a row, whose answer has a payload of at most ``answer_bytes``."""
        sequence = self.next_sequence
        self.next_sequence = (sequence + 1) & 0xFFFFFFFF
        wire = encode_frame(Frame(message.TYPE, sequence, message.encode()))
        self._send(Request(sequence, row, message, ticket, wire, len(wire) + longest_wire(answer_bytes)), now)

    def repeat(self, request: Request, now: float, *, silence: bool) -> None:
        """Sends a request again, out of silence or because it was overtaken."""
        request.silences += silence
        if silence and not request.row.endless:
            self._in_a_row += 1
            self._silent_since = now
        if request.row.endless:
            self._counters.hello_resends += 1
        else:
            self._counters.resends += 1
        self._send(request, now)

    def data_to_send(self) -> bytes:
        """The bytes to write now, each once."""
        data = bytes(self._to_send)
        self._to_send.clear()
        self._unsent, self._leaving = [], self._unsent
        return data

    def handed_over(self, now: float) -> None:
        """What ``data_to_send`` returned has left this side: the wait for its answers begins."""
        if self._adaptive:
            for request in self._leaving:
                request.sent_at = now
        self._leaving.clear()

    def accept(self, sequence: int, now: float, answer_bytes: int) -> Request | None:
        """Takes out the request that an answer belongs to, or returns None where there is none (any more).

        Args:
            sequence: the answer's number.
            now: when it arrived.
            answer_bytes: of its payload.
        """
        request = self._requests.pop(sequence, None)
        if request is not None:
            self._accepted_at = now
            self._longest_answered = max(self._longest_answered, len(request.wire))
            # An answer to one that was sent more than once does not tell which copy it answers (Karn's rule).
            moved = len(request.wire) + longest_wire(answer_bytes)
            if request.tries > 1:
                self._queued_bytes += (request.tries - 1) * moved
                self._guessed_rate = _rate(moved, now - request.first_at)
            else:
                self._in_a_row = 0
                rate = _rate(moved + request.queued_bytes, now - request.sent_at)
                self._seen_rate = max(self._seen_rate, rate)
                self._queued_bytes = 0
                round_trips = self._known.setdefault(request.row.request, _RoundTrips())
                round_trips.add(now - request.sent_at, request.exchange_bytes)
        return request

    def overtaken_by(self, answered: Request) -> list[Request]:
        """The requests that are known to be lost because ``answered`` was answered, oldest first."""
        return [request for request in self._requests.values() if request.last_order < answered.first_order]

    def due(self, now: float) -> list[Request]:
        """The requests that have met too much silence and are to be repeated."""
        requests = [request for request in self._requests.values() if self._due_at(request) <= now]
        if not self._adaptive:
            return requests
        return sorted(requests, key=lambda request: request.last_order)[:1]

    def next_due(self) -> float | None:
        """When the first of them will have met too much silence, or None where none waits."""
        return min(map(self._due_at, self._requests.values()), default=None)

    def clear(self) -> None:
        """Forgets them all, sent or not."""
        self._requests.clear()
        self._to_send.clear()
        self._unsent.clear()

    def _send(self, request: Request, now: float) -> None:
        self._to_send += request.wire
        self._counters.frames_sent += 1
        self._counters.bytes_sent += len(request.wire)
        self._transmissions += 1
        if request.tries == 0:
            request.first_order = self._transmissions
            request.first_at = now
        request.last_order = self._transmissions
        request.tries += 1
        request.sent_at = now
        self._requests[request.sequence] = request
        self._unsent.append(request)
        request.queued_bytes = self._queued_bytes
        request.way_bytes = self._way_bytes + (self._queued_bytes if self._adaptive else 0)

    @property
    def _way_bytes(self) -> int:
        return sum(request.exchange_bytes for request in self._requests.values())

    def _seconds(self, way_bytes: int) -> float:
        """What the line needs for so many bytes, by what was seen of it."""
        told = way_bytes / self._line_rate
        if not self._adaptive:
            return told
        if self._seen_rate:
            return max(told, way_bytes / self._seen_rate)
        if self._guessed_rate:
            return max(told, min(way_bytes / self._guessed_rate, _MOST_GUESSED * self._resend_after))
        return told

    def _due_at(self, request: Request) -> float:
        since = max(request.sent_at, self._accepted_at)
        if self._adaptive and not request.row.endless:
            since = max(since, self._silent_since)
        known = self._round_trips(request)
        as_told = known is not None or request.row.endless
        seconds = request.way_bytes / self._line_rate if as_told else self._seconds(request.way_bytes)
        return since + seconds + self._patience(request, known)

    def _round_trips(self, request: Request) -> _RoundTrips | None:
        """What is known of requests like this one."""
        known = self._known.get(request.row.request)
        return None if known is None or request.exchange_bytes > known.exchange_bytes else known

    def _is_unproven(self, request: Request) -> bool:
        """Whether none like it, of its length or longer, was answered at the first try."""
        return self._round_trips(request) is None

    def _patience(self, request: Request, known: _RoundTrips | None) -> float:
        """Seconds of silence that are borne now."""
        if request.row.endless:
            return HELLO_EVERY
        silences = self._in_a_row if self._adaptive else request.silences
        doubled = 2.0 ** min(silences, _MOST_DOUBLINGS)
        if known is None:
            return self._resend_after * doubled
        most = self._resend_after
        if self._adaptive:
            beyond = min(max(0, silences - _UP_TO_THE_GUESS), _MOST_DOUBLINGS)
            most = max(most, 2.0 * known.longest) * 2.0**beyond
        return min(most, max(SOONEST, ROUND_TRIPS * known.longest) * doubled)


def _rate(moved_bytes: int, seconds: float) -> float:
    return moved_bytes / seconds if seconds > 0.0 else math.inf


@dataclass
class _RoundTrips:
    """What is known of the requests of one type: the longest round trip in seconds, and the largest exchange."""

    longest: float = 0.0
    exchange_bytes: int = 0

    def add(self, seconds: float, exchange_bytes: int) -> None:
        self.longest = max(self.longest, seconds)
        self.exchange_bytes = max(self.exchange_bytes, exchange_bytes)
