"""The host's role on the link, as a pure state machine: bytes and the time in, events and bytes out.

Theory of operation. The host asks, the device answers. A connection greets the device (HELLO, repeated until it has
booted), asks for every tensor (DESCRIBE), and is then ready for INFER. Requests are numbered from a random start, and
an answer carries its request's number, so several requests can be in flight: as many as both sides' windows allow. A
request that seems lost is repeated under its old number with the same bytes (outstanding.py says when), and each
number is accepted once; what answers no outstanding number is counted and dropped. Every transition between states
is a row of ``states.TRANSITIONS``; whatever has no row is refused.

The caller owns the transport, the clock and the deadline. Its loop::

    connection.hello(now)
    while not done:
        transport.write(connection.data_to_send(), deadline)
        timeout = connection.next_timeout(now)  # None: nothing is waited for; 0.0: on_time is due
        events = connection.receive(transport.read(size, timeout), now) + connection.on_time(now)

``now`` is in seconds of any monotonic clock. Nothing is raised for the device's faults: they end in one ``Failed``
event, whose error is to be raised by whoever owns the session. LocalLinkError is raised for wrong use.
"""

from __future__ import annotations

from tinyhil.errors import LocalLinkError, RemoteLinkError
from tinyhil.link.counters import Counters
from tinyhil.link.events import (
    ConnectionEvent,
    DeviceDescription,
    DeviceReportedError,
    DeviceText,
    Failed,
    Greeted,
    Inferred,
    Ready,
)
from tinyhil.link.fields import Message, MessageType
from tinyhil.link.frames import REQUEST_TYPES, Frame, FrameDecoder, Rejected, Text, encode_frame
from tinyhil.link.handshake import Handshake
from tinyhil.link.messages import Describe, Error, Hello, Infer, Result, Tensor, Welcome
from tinyhil.link.outstanding import Outstanding, Request
from tinyhil.link.states import TRANSITIONS, EventKind, State

HELLO_EVERY = 0.25
"""Seconds between two HELLOs. It is short because a board that boots answers none of them, and a HELLO has 14 bytes."""


_INFER_HEADER = 2
_RESULT_HEADER = 6
"""Bytes before the vectors of INFER (count) and of RESULT (count, ticks)."""

_ANSWERS = {
    MessageType.HELLO: MessageType.WELCOME,
    MessageType.DESCRIBE: MessageType.TENSOR,
    MessageType.INFER: MessageType.RESULT,
}


class Connection:
    """One session with one device.

    Args:
        first_sequence: number of the first request, 0..2^32-1. Random, so that answers to an earlier session's
            requests, which may still arrive, belong to no request of this one.
        window: most requests in flight; by default what the device allows, and never more than that.
        resend_after: seconds of silence before a request is repeated the first time; each repetition doubles it. Take
            more than a full window needs on the wire and in the engine.
        max_tries: how often a request is sent before the device counts as silent. HELLO is repeated without end.
    """

    def __init__(
        self, first_sequence: int, *, window: int | None = None, resend_after: float = 1.0, max_tries: int = 5
    ) -> None:
        if not 0 <= first_sequence <= 0xFFFFFFFF:
            raise LocalLinkError(f"the first sequence {first_sequence} does not fit in 32 bits")
        if window is not None and window < 1:
            raise LocalLinkError(f"a window of {window} lets nothing through")
        self.counters = Counters()
        self._state = State.IDLE
        self._next_sequence = first_sequence
        self._wanted_window = window
        self._window = 1
        self._resend_after = resend_after
        self._max_tries = max_tries
        self._decoder = FrameDecoder()
        self._outstanding = Outstanding()
        self._to_send = bytearray()
        self._error: RemoteLinkError | None = None
        self._handshake: Handshake | None = None
        self._description: DeviceDescription | None = None

    @property
    def state(self) -> State:
        """Where the session stands."""
        return self._state

    @property
    def description(self) -> DeviceDescription:
        """What the handshake said.

        Raises:
            LocalLinkError: the handshake is not complete.
        """
        if self._description is None:
            raise LocalLinkError(f"the device is not described yet: the connection is {self._state.value}")
        return self._description

    @property
    def capacity(self) -> int:
        """Most vectors that one INFER and its RESULT can carry for this model and device, at least 1.

        Raises:
            LocalLinkError: the handshake is not complete.
            RemoteLinkError: not even one vector fits.
        """
        limit = self.description.welcome.max_payload
        inputs, outputs = self.description.input_bytes, self.description.output_bytes
        count = min((limit - _INFER_HEADER) // inputs, (limit - _RESULT_HEADER) // outputs, 0xFFFF)
        if count < 1:
            raise RemoteLinkError(
                f"the device takes payloads of up to {limit} bytes, but one vector needs "
                f"{_INFER_HEADER + inputs} in INFER ({inputs} of input) and "
                f"{_RESULT_HEADER + outputs} in RESULT ({outputs} of output)",
                hint="build the firmware with a larger max_payload (at most 4096)",
            )
        return count

    @property
    def window(self) -> int:
        """Most requests in flight, as agreed with the device; 1 before that."""
        return self._window

    @property
    def in_flight(self) -> int:
        """Requests that are unanswered."""
        return len(self._outstanding)

    @property
    def can_send(self) -> bool:
        """Whether ``infer`` may be called now."""
        return self._state is State.READY and len(self._outstanding) < self._window

    def hello(self, now: float) -> None:
        """Opens the session.

        Raises:
            LocalLinkError: it was opened before.
        """
        self._move(EventKind.HELLO)
        self._request(Hello(), now)

    def infer(self, vectors: bytes, count: int, now: float) -> int:
        """Asks for ``count`` inferences (1..capacity) of ``vectors``, ``count * input_bytes`` bytes.

        Returns:
            The ticket that the answer's ``Inferred`` will carry.

        Raises:
            LocalLinkError: not ready, the window is full, or the sizes do not match.
            RemoteLinkError: the session has failed, or not even one vector fits.
        """
        if self._error is not None:
            raise self._error
        self._move(EventKind.INFER)
        if not self.can_send:
            raise LocalLinkError(f"{self.in_flight} requests are unanswered, as many as the window allows")
        if not 1 <= count <= self.capacity:
            raise LocalLinkError(f"{count} vectors in one request, where 1 to {self.capacity} are possible")
        expected = count * self.description.input_bytes
        if len(vectors) != expected:
            raise LocalLinkError(f"{count} vectors of this model are {expected} bytes, not {len(vectors)}")
        return self._request(Infer(count, vectors), now)

    def data_to_send(self) -> bytes:
        """The bytes that the transport has to write now, each once."""
        data = bytes(self._to_send)
        self._to_send.clear()
        return data

    def receive(self, data: bytes, now: float) -> list[ConnectionEvent]:
        """Takes what the transport has read, cut anywhere, and returns what it means."""
        self.counters.bytes_received += len(data)
        events: list[ConnectionEvent] = []
        for event in self._decoder.feed(data):
            match event:
                case Text():
                    events.append(DeviceText(event.text))
                case Rejected(reason):
                    self.counters.rejected[reason] += 1
                case Frame():
                    self.counters.frames_received += 1
                    self._take(event, now, events)
        return events

    def next_timeout(self, now: float) -> float | None:
        """Seconds until ``on_time`` has something to do, or None while it has not."""
        due = self._outstanding.next_due()
        return None if due is None else max(0.0, due - now)

    def on_time(self, now: float) -> list[ConnectionEvent]:
        """Repeats what has met too much silence, and fails when that was tried often enough."""
        events: list[ConnectionEvent] = []
        for request in self._outstanding.due(now):
            if not request.endless and request.tries >= self._max_tries:
                error = RemoteLinkError(
                    f"the device left {request.type.name} number {request.sequence} unanswered, "
                    f"which was sent {request.tries} times",
                    hint="look for a crash in what it printed; a slow model needs smaller requests or more patience",
                    detail=self.counters.describe(),
                )
                self._fail(EventKind.SILENCE, error, events)
                break
            self._resend(request, now)
        return events

    def _take(self, frame: Frame, now: float, events: list[ConnectionEvent]) -> None:
        if frame.type in REQUEST_TYPES:
            self.counters.requests_received += 1
            if self._state in (State.GREETING, State.DESCRIBING, State.READY):
                error = RemoteLinkError(
                    f"the other end sent a request (type 0x{frame.type:02x}), which only the host may do",
                    hint="the port may echo what is sent to it, or another host may be at the other end",
                    detail=self.counters.describe(),
                )
                self._fail(EventKind.BROKEN_PROTOCOL, error, events)
            return
        request = self._outstanding.accept(frame.sequence, now)
        if request is None:
            self.counters.unexpected_answers += 1
            return
        try:
            self._answer(request, frame, events)
        except DeviceReportedError as error:
            self._fail(EventKind.ERROR, error, events)
            return
        except RemoteLinkError as error:
            self._fail(EventKind.BROKEN_PROTOCOL, error, events)
            return
        for lost in self._outstanding.overtaken_by(request):
            if lost.tries < self._max_tries:
                self._resend(lost, now)
        self._ask_for_tensors(now)

    def _answer(self, request: Request, frame: Frame, events: list[ConnectionEvent]) -> None:
        if frame.type == MessageType.ERROR:
            raise DeviceReportedError(request.type, Error.decode(frame.payload))
        if frame.type != _ANSWERS[request.type]:
            raise RemoteLinkError(f"the device answered {request.type.name} with type 0x{frame.type:02x}")
        match request.message:
            case Hello():
                self._welcomed(Welcome.decode(frame.payload), events)
            case Describe() as asked:
                self._described(asked, Tensor.decode(frame.payload), events)
            case Infer() as asked:
                self._inferred(request.sequence, asked, Result.decode(frame.payload), events)

    def _welcomed(self, welcome: Welcome, events: list[ConnectionEvent]) -> None:
        self._move(EventKind.WELCOME)
        self._handshake = Handshake(welcome)
        self._window = min(welcome.window, self._wanted_window or welcome.window)
        events.append(Greeted(welcome))

    def _described(self, asked: Describe, tensor: Tensor, events: list[ConnectionEvent]) -> None:
        if self._handshake is None:
            raise LocalLinkError("a tensor was asked for before the greeting")
        self._description = self._handshake.take(asked, tensor)
        self._move(EventKind.LAST_TENSOR if self._description else EventKind.TENSOR)
        if self._description:
            events.append(Ready(self._description))

    def _inferred(self, ticket: int, asked: Infer, result: Result, events: list[ConnectionEvent]) -> None:
        expected = asked.count * self.description.output_bytes
        if result.count != asked.count or len(result.outputs) != expected:
            raise RemoteLinkError(
                f"asked for {asked.count} vectors, which are {expected} bytes of output, "
                f"the device answered {result.count} in {len(result.outputs)} bytes"
            )
        self._move(EventKind.RESULT)
        events.append(Inferred(ticket, result.count, result.ticks, result.outputs))

    def _ask_for_tensors(self, now: float) -> None:
        if self._handshake is None:
            return
        while self._handshake.unasked and len(self._outstanding) < self._window:
            self._request(self._handshake.unasked.popleft(), now)

    def _request(self, message: Message, now: float) -> int:
        sequence = self._next_sequence
        self._next_sequence = (sequence + 1) & 0xFFFFFFFF
        endless = message.TYPE is MessageType.HELLO
        patience = HELLO_EVERY if endless else self._resend_after
        wire = encode_frame(Frame(message.TYPE, sequence, message.encode()))
        self._send(Request(sequence, message, wire, patience, endless), now)
        return sequence

    def _resend(self, request: Request, now: float) -> None:
        if request.endless:
            self.counters.hello_resends += 1
        else:
            self.counters.resends += 1
        self._send(request, now)

    def _send(self, request: Request, now: float) -> None:
        self._to_send += request.wire
        self.counters.frames_sent += 1
        self.counters.bytes_sent += len(request.wire)
        self._outstanding.sent(request, now)

    def _move(self, kind: EventKind) -> None:
        try:
            self._state = TRANSITIONS[self._state, kind]
        except KeyError:
            raise LocalLinkError(f"{kind.value} is not possible while the connection is {self._state.value}") from None

    def _fail(self, kind: EventKind, error: RemoteLinkError, events: list[ConnectionEvent]) -> None:
        self._move(kind)
        self._error = error
        self._outstanding.clear()
        self._to_send.clear()
        events.append(Failed(error))
