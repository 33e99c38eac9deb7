"""What goes on below a connection: bytes to answers, answers to events, repetition, restarts and failure.

:class:`Connection` (connection.py) is this and what its caller can ask for; the theory of operation is told there.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from tinyhil.errors import LocalLinkError, RemoteLinkError
from tinyhil.link.counters import Counters
from tinyhil.link.events import (
    ArenaPrepared,
    ConnectionEvent,
    DeviceDescription,
    DeviceReportedError,
    DeviceText,
    Failed,
    Greeted,
    Ready,
    Restarted,
)
from tinyhil.link.fields import Message, MessageType
from tinyhil.link.frames import REQUEST_TYPES, Frame, FrameDecoder, Rejected, Text
from tinyhil.link.handshake import Handshake
from tinyhil.link.inference import Cleared, Data, Infer, Ran, Read, Result, Written
from tinyhil.link.messages import Describe, Error, ErrorCode, Hello, Tensor, Welcome
from tinyhil.link.outstanding import Outstanding, Request
from tinyhil.link.resources import Prepared, Profile, Profiled, Used
from tinyhil.link.states import TRANSITIONS, EventKind, State
from tinyhil.link.work import Work

_ANSWERS: dict[MessageType, type[Message]] = {
    MessageType.HELLO: Welcome,
    MessageType.DESCRIBE: Tensor,
    MessageType.INFER: Result,
    MessageType.RESET: Cleared,
    MessageType.WRITE: Written,
    MessageType.RUN: Ran,
    MessageType.READ: Data,
    MessageType.USAGE: Used,
    MessageType.ARENA: Prepared,
    MessageType.PROFILE: Profiled,
}

_MAY_BE_UNKNOWN = (MessageType.USAGE, MessageType.ARENA, MessageType.PROFILE)
"""Requests that devices of this version of the protocol need not know."""

SHORT_ANSWER = 100
"""Bytes of the largest payload of all answers but RESULT, DATA and PROFILED: that of WELCOME."""


class Exchange:
    """The half of a session that needs no one to ask for anything.

    Args:
        first_sequence: number of the first request, 0..2^32-1. Random, so that answers to an earlier session's
            requests, which may still arrive, belong to no request of this one.
        window: most requests in flight; by default what the device allows, and never more than that.
        resend_after: seconds of silence before a request is repeated the first time; each repetition doubles it. Take
            more than the engine needs for one request. The time on the wire comes on top. Once the round trip of such
            requests is known, it is the most that is waited (outstanding.py).
        max_tries: how often a request is sent before the device counts as silent, HELLO excepted, which is repeated
            without end; None for a caller who judges silence himself.
        max_setbacks: how often a large vector is written that does not arrive, and how often the device may restart
            without getting anything done.
        line_rate: bytes per second that the wire carries at most, where they are known.
        adaptive: whether round trips decide when requests are repeated, see outstanding.py.
    """

    def __init__(
        self,
        first_sequence: int,
        *,
        window: int | None = None,
        resend_after: float = 1.0,
        max_tries: int | None = 5,
        max_setbacks: int = 5,
        line_rate: float = math.inf,
        adaptive: bool = True,
    ) -> None:
        if not 0 <= first_sequence <= 0xFFFFFFFF:
            raise LocalLinkError(f"the first sequence {first_sequence} does not fit in 32 bits")
        if window is not None and window < 1:
            raise LocalLinkError(f"a window of {window} lets nothing through")
        self.counters = Counters()
        self._state = State.IDLE
        self._wanted_window = window
        self._window = 1
        self._max_tries = math.inf if max_tries is None else max_tries
        self._max_setbacks = max_setbacks
        self._decoder = FrameDecoder()
        self._outstanding = Outstanding(first_sequence, resend_after, line_rate, self.counters, adaptive)
        self._works: dict[int, Work] = {}
        self._reset_due = False
        self._arena_set = False
        self._unprepared = False
        self._restarts_in_vain = 0
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
    def next_sequence(self) -> int:
        """Number of the next request: a connection that follows this one on the same line starts there."""
        return self._outstanding.next_sequence

    @property
    def capacity(self) -> int:
        """Most vectors that one ``infer`` takes for this model and device, at least 1.

        Raises:
            LocalLinkError: the handshake is not complete.
            RemoteLinkError: the tensors are too large for the link.
        """
        return self.description.capacity

    @property
    def window(self) -> int:
        """Most works in flight: as agreed with the device, but 1 where a vector takes many requests or keeps state."""
        alone = self._description is not None and (self._description.large or self._description.welcome.stateful)
        return 1 if alone else self._window

    @property
    def in_flight(self) -> int:
        """Works, that is calls of ``infer``, ``reset`` and the like, that are unanswered."""
        return len(self._works)

    @property
    def line_seconds(self) -> float:
        """Seconds that the line needs for the requests on their way and the longest answers to them."""
        return self._outstanding.line_seconds

    def data_to_send(self) -> bytes:
        """The bytes that the transport has to write now, each once."""
        return self._outstanding.data_to_send()

    def handed_over(self, now: float) -> None:
        """The transport has written what ``data_to_send`` returned. To be called where that may have taken a while."""
        self._outstanding.handed_over(now)

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
            self._outstanding.repeat(request, now, silence=True)
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
        request = self._outstanding.accept(frame.sequence, now, len(frame.payload))
        if request is None:
            self.counters.unexpected_answers += 1
            return
        try:
            self._answer(request, frame, now, events)
        except DeviceReportedError as error:
            self._fail(EventKind.ERROR, error, events)
            return
        except RemoteLinkError as error:
            self._fail(EventKind.BROKEN_PROTOCOL, error, events)
            return
        for lost in self._outstanding.overtaken_by(request):
            if lost.tries < self._max_tries:
                self._outstanding.repeat(lost, now, silence=False)
        self._ask(now)

    def _answer(self, request: Request, frame: Frame, now: float, events: list[ConnectionEvent]) -> None:
        if frame.type == MessageType.ERROR:
            error = Error.decode(frame.payload)
            if error.code is ErrorCode.NOT_READY and (self._state, EventKind.RESTART) in TRANSITIONS:
                self._restart(now)
            elif error.code is ErrorCode.INPUTS_DIFFER and request.type is MessageType.RUN:
                self._worked(EventKind.INPUTS_DIFFER, request, error, events)
            elif error.code is ErrorCode.UNKNOWN_TYPE and request.type in _MAY_BE_UNKNOWN:
                self._worked(EventKind.UNKNOWN_TYPE, request, error, events)
            else:
                raise DeviceReportedError(request.type, error)
            return
        kind = _ANSWERS[request.type]
        if frame.type != kind.TYPE:
            raise RemoteLinkError(f"the device answered {request.type.name} with type 0x{frame.type:02x}")
        match request.message, kind.decode(frame.payload):
            case Hello(), Welcome() as welcome:
                self._welcomed(welcome, events)
            case Describe() as asked, Tensor() as tensor:
                self._described(asked, tensor, events)
            case _, answer:
                self._worked(EventKind[answer.TYPE.name], request, answer, events)

    def _welcomed(self, welcome: Welcome, events: list[ConnectionEvent]) -> None:
        self._move(EventKind.WELCOME)
        self._handshake = Handshake(welcome, self._handshake)
        self._window = min(welcome.window, self._wanted_window or welcome.window)
        events.append(Greeted(welcome))

    def _described(self, asked: Describe, tensor: Tensor, events: list[ConnectionEvent]) -> None:
        if self._handshake is None:
            raise LocalLinkError("a tensor was asked for before the greeting")
        description = self._handshake.take(asked, tensor)
        self._move(EventKind.LAST_TENSOR if description else EventKind.TENSOR)
        if description is None:
            return
        before, self._description = self._description, description
        self._reset_due = description.welcome.stateful
        if before is None:
            events.append(Ready(description))
            return
        events.append(Restarted(before.welcome.boot_id, description.welcome.boot_id, self._arena_set))
        if description.welcome.stateful or self._arena_set:
            self._works.clear()
        self._arena_set = self._unprepared = False
        for work in self._works.values():
            work.begin()

    def _worked(self, kind: EventKind, request: Request, answer: Message, events: list[ConnectionEvent]) -> None:
        if request.ticket is None:
            raise LocalLinkError(f"{request.type.name} was sent without a work")
        self._move(kind)
        done = self._works[request.ticket].take(request.message, answer)
        if done is not None:
            del self._works[request.ticket]
            self._restarts_in_vain = 0
            if request.type is MessageType.ARENA:
                self._arena_set = isinstance(done, ArenaPrepared)
                self._unprepared = isinstance(done, ArenaPrepared) and done.status != 0
            events.append(done)

    def _restart(self, now: float) -> None:
        """Greets a device anew that has started again. What is still on its way answers to nothing any more."""
        self._move(EventKind.RESTART)
        self.counters.restarts += 1
        self._restarts_in_vain += 1
        if self._restarts_in_vain > self._max_setbacks:
            raise RemoteLinkError(
                f"the device has restarted {self._restarts_in_vain} times without getting anything done",
                hint="look for a crash or a brown-out in what it printed",
                detail=self.counters.describe(),
            )
        self._outstanding.clear()
        self._outstanding.ask(Hello(), None, SHORT_ANSWER, now)

    def _ask(self, now: float) -> None:
        """Sends what is to be asked next, as far as the window allows."""
        for ticket, message in self._questions():
            self._outstanding.ask(message, ticket, self._answer_bytes(message), now)

    def _questions(self) -> Iterator[tuple[int | None, Message]]:
        if self._state is State.DESCRIBING and self._handshake is not None:
            while self._handshake.unasked and self._room:
                yield None, self._handshake.unasked.popleft()
        if self._state is State.READY:
            for ticket, work in self._works.items():
                while self._room and (message := work.next_request()) is not None:
                    self._move(EventKind[message.TYPE.name])
                    yield ticket, message

    @property
    def _room(self) -> bool:
        return len(self._outstanding) < self._window

    def _answer_bytes(self, asked: Message) -> int:
        """The longest payload that a sound answer has."""
        match asked:
            case Infer():
                return Result.HEADER_BYTES + asked.count * self.description.output_bytes
            case Read():
                return asked.length
            case Profile():
                return self.description.welcome.max_payload
            case _:
                return SHORT_ANSWER

    def _move(self, kind: EventKind) -> None:
        try:
            self._state = TRANSITIONS[self._state, kind]
        except KeyError:
            raise self._impossible(kind) from None

    def _impossible(self, kind: EventKind) -> LocalLinkError:
        return LocalLinkError(f"{kind.value} is not possible while the connection is {self._state.value}")

    def _fail(self, kind: EventKind, error: RemoteLinkError, events: list[ConnectionEvent]) -> None:
        self._move(kind)
        self._error = error
        self._outstanding.clear()
        self._works.clear()
        events.append(Failed(error))
