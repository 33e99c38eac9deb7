"""Requests and their answers over a line that loses some: bytes in, pairs of request and answer out, each once.

It joins the frames (frames.py), the numbers and repetitions (outstanding.py) and the types of the table. It knows no
states and no work: what a pair means is for the :class:`Connection` that holds it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tinyhil.errors import RemoteLinkError
from tinyhil.link.counters import Counters
from tinyhil.link.events import DeviceDescription
from tinyhil.link.fields import Message
from tinyhil.link.frames import REQUEST_TYPES, Frame, FrameDecoder, Rejected, Text
from tinyhil.link.messages import Error
from tinyhil.link.outstanding import Outstanding, Request, Waiting
from tinyhil.link.table import Table, longest_answer


@dataclass(frozen=True)
class Answered:
    """A request and its answer, which is of the type of the request's row, or an ERROR."""

    request: Request
    answer: Message


class Exchange:
    """All requests of one connection, and what has come of them.

    Args:
        first_sequence: number of the first request, 0..2^32-1.
        table: the requests that may be asked, and what answers them.
        resend_after: seconds of silence before a request is repeated the first time.
        max_tries: how often a request is sent, greetings excepted, before the device counts as silent.
        line_rate: bytes per second that the wire carries at most, where they are known.
        adaptive: whether round trips decide when requests are repeated, see outstanding.py.

    Attributes:
        counters: what was sent and received.
    """

    def __init__(
        self,
        first_sequence: int,
        table: Table,
        resend_after: float,
        max_tries: float,
        line_rate: float,
        adaptive: bool,
    ) -> None:
        self.counters = Counters()
        self._table = table
        self._max_tries = max_tries
        self._decoder = FrameDecoder()
        self._outstanding = Outstanding(first_sequence, resend_after, line_rate, self.counters, adaptive)

    def __len__(self) -> int:
        return len(self._outstanding)

    @property
    def next_sequence(self) -> int:
        """Number of the next request."""
        return self._outstanding.next_sequence

    def ask(self, message: Message, ticket: int | None, device: DeviceDescription | None, now: float) -> None:
        """Sends a new request: of the work with that ticket, or of the handshake (None)."""
        row = self._table.of(type(message))
        self._outstanding.ask(row, message, ticket, longest_answer(row, message, device), now)

    @property
    def waiting(self) -> Waiting:
        """The requests that are unanswered, and what the answers before say of them."""
        return self._outstanding.waiting

    @property
    def line_seconds(self) -> float:
        """Seconds that the line needs for the requests on their way and the longest answers to them."""
        return self._outstanding.line_seconds

    def set_line_rate(self, line_rate: float) -> None:
        """From now on the wire carries so many bytes per second at most."""
        self._outstanding.set_line_rate(line_rate)

    def send_anew(self, now: float) -> None:
        """See ``Outstanding.send_anew``."""
        self._outstanding.send_anew(now)

    def data_to_send(self) -> bytes:
        """The bytes to write now, each once."""
        return self._outstanding.data_to_send()

    def handed_over(self, now: float) -> None:
        """The transport has written what ``data_to_send`` returned."""
        self._outstanding.handed_over(now)

    def decode(self, data: bytes) -> Iterator[Frame | Text]:
        """The frames and the text in what was read, cut anywhere."""
        self.counters.bytes_received += len(data)
        for event in self._decoder.feed(data):
            if isinstance(event, Rejected):
                self.counters.rejected[event.reason] += 1
                continue
            if isinstance(event, Frame):
                self.counters.frames_received += 1
            yield event

    def take(self, frame: Frame, now: float) -> Answered | None:
        """The request that a frame answers, and its answer; None where no request waits for it (any more).

        Raises:
            RemoteLinkError: it is a request, the answer to another request, or none within the limits of the protocol.
        """
        if frame.type in REQUEST_TYPES:
            self.counters.requests_received += 1
            raise RemoteLinkError(
                f"the other end sent a request (type 0x{frame.type:02x}), which only the host may do",
                hint="the port may echo what is sent to it, or another host may be at the other end",
                detail=self.counters.describe(),
            )
        request = self._outstanding.accept(frame.sequence, now, len(frame.payload))
        if request is None:
            self.counters.unexpected_answers += 1
            return None
        if frame.type == Error.TYPE:
            return Answered(request, Error.decode(frame.payload))
        if frame.type != request.row.answer.TYPE:
            raise RemoteLinkError(f"the device answered {request.row.name} with type 0x{frame.type:02x}")
        return Answered(request, request.row.answer.decode(frame.payload))

    def repeat_overtaken(self, answered: Answered, now: float) -> None:
        """Repeats what must be lost, because something that was sent later is answered."""
        for request in self._outstanding.overtaken_by(answered.request):
            if request.tries < self._max_tries:
                self._outstanding.repeat(request, now, silence=False)

    def next_due(self) -> float | None:
        """When ``repeat_due`` has something to do, or None while nothing waits."""
        return self._outstanding.next_due()

    def repeat_due(self, now: float) -> None:
        """Repeats what has met too much silence.

        Raises:
            RemoteLinkError: that was tried often enough.
        """
        for request in self._outstanding.due(now):
            if not request.row.endless and request.tries >= self._max_tries:
                raise RemoteLinkError(
                    f"the device left {request.row.name} number {request.sequence} unanswered, "
                    f"which was sent {request.tries} times",
                    hint="look for a crash in what it printed; a slow model needs smaller requests or more patience",
                    detail=self.counters.describe(),
                )
            self._outstanding.repeat(request, now, silence=True)

    def clear(self) -> None:
        """Forgets all requests, sent or not. What still answers them is dropped."""
        self._outstanding.clear()
