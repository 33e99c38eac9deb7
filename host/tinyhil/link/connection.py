"""The host's role on the link, as a pure state machine: bytes and the time in, events and bytes out.

A connection greets the device (HELLO, repeated until it has booted), asks for every tensor (DESCRIBE), and is then
ready for work (work.py): inferences, of which small ones are one request and large ones many, and whatever else has a
row in the table of exchanges (table.py has the theory of operation). Several requests can be in flight: as many as both
sides' windows allow.

The caller owns the transport, the clock and the deadline. Its loop::

    connection.hello(now)
    while not done:
        transport.write(connection.data_to_send(), deadline)
        connection.handed_over(now)
        timeout = connection.next_timeout(now)  # None: nothing is waited for; 0.0: on_time is due
        events = connection.receive(transport.read(size, timeout), now) + connection.on_time(now)

``now`` is in seconds of any monotonic clock. Nothing is raised for the device's faults: they end in one ``Failed``
event, whose error is to be raised by whoever owns the session. LocalLinkError is raised for wrong use.
"""

from __future__ import annotations

import math
from typing import Any

from tinyhil.errors import LocalLinkError, RemoteLinkError
from tinyhil.link.counters import Counters
from tinyhil.link.engine_state import EngineState
from tinyhil.link.events import (
    ConnectionEvent,
    DeviceDescription,
    DeviceReportedError,
    DeviceText,
    Failed,
    Greeted,
    Ready,
    Restarted,
)
from tinyhil.link.exchange import Answered, Exchange
from tinyhil.link.fields import Message
from tinyhil.link.frames import MAX_PAYLOAD, Frame
from tinyhil.link.handlers import inferred
from tinyhil.link.handshake import Handshake
from tinyhil.link.inference import Infer, Reset, Write
from tinyhil.link.large import LargeInference, Preprocessing
from tinyhil.link.messages import Describe, Error, ErrorCode, Hello, Tensor, Welcome
from tinyhil.link.outstanding import Waiting
from tinyhil.link.preprocessing import Preprocess
from tinyhil.link.resources import Arena, Profile, Usage
from tinyhil.link.states import EventKind, State, StateMachine
from tinyhil.link.table import EXCHANGES, Needs, Row, Table, label, last
from tinyhil.link.work import OneRequest, Profiling, Work, Works


class Connection:
    """One session with one device.

    Args:
        first_sequence: number of the first request, 0..2^32-1. Random, so that answers to an earlier session's
            requests, which may still arrive, belong to no request of this one.
        window: most requests in flight; by default what the device allows, and never more than that.
        resend_after: seconds of silence before a request is repeated the first time, beside the time on the wire. Take
            more than the engine needs for one request; outstanding.py has what follows.
        max_tries: how often a request other than HELLO is sent before the device counts as silent; None for a caller
            who judges silence himself.
        max_setbacks: how often a large vector is written that does not arrive, and how often the device may restart
            without getting anything done.
        line_rate: bytes per second that the wire carries at most, where they are known.
        adaptive: whether round trips decide when requests are repeated.
        longest_payload: bytes of a payload at most, sent or asked for; a line may carry less than the device takes.
        table: the exchanges that it knows.
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
        longest_payload: int = MAX_PAYLOAD,
        table: Table = EXCHANGES,
    ) -> None:
        if window is not None and window < 1:
            raise LocalLinkError(f"a window of {window} lets nothing through")
        tries = math.inf if max_tries is None else max_tries
        self._table = table
        self._exchange = Exchange(first_sequence, table, resend_after, tries, line_rate, adaptive)
        self._machine = StateMachine(table.transitions)
        self._own_window = window
        self._window = 1
        self._longest_payload = longest_payload
        self._max_setbacks = max_setbacks
        self._works = Works()
        self._engine = EngineState()
        self._restarts_in_vain = 0
        self._error: RemoteLinkError | None = None
        self._handshake: Handshake | None = None
        self._description: DeviceDescription | None = None

    @property
    def counters(self) -> Counters:
        """What was sent and received."""
        return self._exchange.counters

    @property
    def state(self) -> State:
        """Where the session stands."""
        return self._machine.state

    @property
    def description(self) -> DeviceDescription:
        """What the handshake said.

        Raises:
            LocalLinkError: the handshake is not complete.
        """
        if self._description is None:
            raise LocalLinkError(f"the device is not described yet: the connection is {self.state.value}")
        return self._description

    @property
    def next_sequence(self) -> int:
        """Number of the next request: a connection that follows this one on the same line starts there."""
        return self._exchange.next_sequence

    @property
    def capacity(self) -> int:
        """Most vectors that one ``infer`` takes, at least 1; raises as ``description`` and its ``capacity``."""
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
    def waiting(self) -> Waiting:
        """The requests on their way, and what the answers before say of them."""
        return self._exchange.waiting

    @property
    def line_seconds(self) -> float:
        """Seconds that the line needs for the requests on their way and the longest answers to them."""
        return self._exchange.line_seconds

    @property
    def can_send(self) -> bool:
        """Whether ``infer`` or ``reset`` may be called now."""
        return self.state is State.READY and len(self._works) < self.window and not self._works.alone

    def set_line_rate(self, line_rate: float) -> None:
        """From now on the wire carries so many bytes per second at most."""
        self._exchange.set_line_rate(line_rate)

    def send_anew(self, now: float) -> None:
        """Sends all that is unanswered again: what was sent of it is known to be lost."""
        self._exchange.send_anew(now)

    def hello(self, now: float) -> None:
        """Opens the session.

        Raises:
            LocalLinkError: it was opened before.
        """
        self._machine.move(EventKind.HELLO)
        self._exchange.ask(Hello(), None, None, now)

    def infer(self, vectors: bytes, count: int, now: float) -> int:
        """Asks for ``count`` inferences (1..capacity) of ``vectors``, ``count * input_bytes`` bytes.

        Returns:
            The ticket that the answer's ``Inferred`` will carry.

        Raises:
            LocalLinkError: not ready, the window is full, the sizes do not match, ``reset`` is due, or the last arena
                was too small.
            RemoteLinkError: the session has failed, or the tensors are too large for the link.
        """
        row = self._admitted(Infer)
        if self._engine.reset_due:
            raise LocalLinkError("the model keeps state, which is unknown before a reset")
        self.description.refuse(vectors, count)
        if self.description.large:
            large = LargeInference(self.next_sequence, vectors, self.description, self._max_setbacks)
            return self._start(self._table.of(Write), large, now)
        infer = OneRequest(self.next_sequence, inferred, Infer(count, vectors), self.description)
        return self._start(row, infer, now)

    def reset(self, now: float) -> int:
        """As ``ask``: puts a model that keeps state back to its first state; due before the first inference."""
        return self.ask(Reset(), now)

    def usage(self, now: float) -> int:
        """As ``ask``: asks for the memory that the device uses."""
        return self.ask(Usage(), now)

    def prepare(self, size: int, now: float) -> int:
        """As ``ask``: prepares the engine anew in an arena of ``size`` bytes, 1..``Used.arena_capacity``.

        The state of a model that keeps state is that after start. A restart of the device takes the arena away;
        ``Restarted.arena_lost`` tells.
        """
        return self.ask(Arena(size), now)

    def profile(self, now: float) -> int:
        """Times each operator in one inference on the inputs of the last ``infer``; raises as ``ask``.

        Returns:
            The ticket that the answer's ``OperatorsTimed`` or ``NotKnown`` will carry.
        """
        return self._start(self._admitted(Profile), Profiling(self.next_sequence), now)

    def preprocess(self, raw: bytes, now: float) -> int:
        """Has one raw sample, as large as the device's ``Preprocessed`` says, preprocessed; raises as ``ask``.

        Returns:
            The ticket that the answer's ``SamplePreprocessed`` will carry.
        """
        row = self._admitted(Preprocess)
        work = Preprocessing(self.next_sequence, raw, self.description, self._max_setbacks)
        return self._start(row, work, now)

    def ask(self, request: Message, now: float) -> int:
        """Asks for any exchange of the table that has a handler.

        Returns:
            The ticket that the handler's event, or ``NotKnown``, will carry.

        Raises:
            LocalLinkError: not ready, the request has to wait, is no work of its own, or has a field outside its
                limits.
            RemoteLinkError: the session has failed.
        """
        row = self._admitted(type(request))
        if row.handler is None:
            raise LocalLinkError(f"{row.name} is not asked for by itself: there is a method for what it is a part of")
        request.encode()  # before anything is changed that a refusal would leave behind
        self._engine.send(request)
        return self._start(row, OneRequest(self.next_sequence, row.handler, request, self.description), now)

    def data_to_send(self) -> bytes:
        """The bytes that the transport has to write now, each once."""
        return self._exchange.data_to_send()

    def handed_over(self, now: float) -> None:
        """The transport has written what ``data_to_send`` returned. To be called where that may have taken a while."""
        self._exchange.handed_over(now)

    def receive(self, data: bytes, now: float) -> list[ConnectionEvent]:
        """Takes what the transport has read, cut anywhere, and returns what it means."""
        events: list[ConnectionEvent] = []
        for event in self._exchange.decode(data):
            if isinstance(event, Frame):
                self._take(event, now, events)
            else:
                events.append(DeviceText(event.text))
        return events

    def next_timeout(self, now: float) -> float | None:
        """Seconds until ``on_time`` has something to do, or None while it has not."""
        due = self._exchange.next_due()
        return None if due is None else max(0.0, due - now)

    def on_time(self, now: float) -> list[ConnectionEvent]:
        """Repeats what has met too much silence, and fails when that was tried often enough."""
        events: list[ConnectionEvent] = []
        try:
            self._exchange.repeat_due(now)
        except RemoteLinkError as error:
            self._fail(EventKind.SILENCE, error, events)
        return events

    def _admitted(self, request: type[Message]) -> Row[Any, Any]:
        """The row of a request whose work can be begun now."""
        row = self._table.of(request)
        if self._error is not None:
            raise self._error
        self._machine.require(row.name)
        if not self.can_send:
            raise LocalLinkError(f"{self.in_flight} requests are unanswered, as many as the window allows")
        if row.alone and self._works:
            raise LocalLinkError(f"{row.name} has to wait until everything else is answered")
        if row.needs is Needs.MODEL and self._engine.unprepared:
            raise LocalLinkError("the engine is not prepared: the arena was too small for it")
        return row

    def _start(self, row: Row[Any, Any], work: Work, now: float) -> int:
        """Begins a work, whose first request has that row and whose ticket is the number of that request."""
        ticket = self.next_sequence
        self._works.start(ticket, work, alone=row.alone)
        self._send_next(now)
        return ticket

    def _take(self, frame: Frame, now: float, events: list[ConnectionEvent]) -> None:
        try:
            answered = self._exchange.take(frame, now)
            if answered is None:
                return
            self._answer(answered, now, events)
        except DeviceReportedError as error:
            self._fail(EventKind.ERROR, error, events)
            return
        except RemoteLinkError as error:
            if self._machine.can(EventKind.BROKEN_PROTOCOL):
                self._fail(EventKind.BROKEN_PROTOCOL, error, events)
            return
        self._exchange.repeat_overtaken(answered, now)
        self._send_next(now)

    def _answer(self, answered: Answered, now: float, events: list[ConnectionEvent]) -> None:
        request = answered.request
        match request.message, answered.answer:
            case _, Error() as error:
                if error.code is ErrorCode.NOT_READY and self._machine.can(EventKind.RESTART):
                    self._restart(now)
                elif request.row.is_answer(error):
                    self._worked(label(error.code), answered, events)
                else:
                    raise DeviceReportedError(request.row.request.TYPE, error)
            case Hello(), Welcome() as welcome:
                self._welcomed(welcome, events)
            case Describe() as describe, Tensor() as tensor:
                self._described(describe, tensor, events)
            case _, answer:
                self._worked(answer.TYPE.name, answered, events)

    def _welcomed(self, welcome: Welcome, events: list[ConnectionEvent]) -> None:
        self._machine.move(Welcome.TYPE.name)
        self._handshake = Handshake(welcome, self._handshake, self._longest_payload)
        self._window = min(welcome.window, self._own_window or welcome.window)
        events.append(Greeted(welcome))

    def _described(self, describe: Describe, tensor: Tensor, events: list[ConnectionEvent]) -> None:
        assert self._handshake is not None, "nothing is described before the greeting"
        description = self._handshake.take(describe, tensor)
        self._machine.move(last(self._table.of(Describe)) if description else Tensor.TYPE.name)
        if description is None:
            return
        before, self._description = self._description, description
        arena_lost = self._engine.arena_set
        self._engine.start(description.welcome.stateful)
        if before is None:
            events.append(Ready(description))
            return
        events.append(Restarted(before.welcome.boot_id, description.welcome.boot_id, arena_lost))
        if description.welcome.stateful or arena_lost:
            self._works.clear()
        self._works.begin_again()

    def _worked(self, kind: str, answered: Answered, events: list[ConnectionEvent]) -> None:
        request = answered.request
        assert request.ticket is not None, "only the handshake sends requests without a work"
        self._machine.move(kind)
        done = self._works.take(request.ticket, request.message, answered.answer)
        if done is not None:
            self._restarts_in_vain = 0
            self._engine.take(request.message, done)
            events.append(done)

    def _restart(self, now: float) -> None:
        """Greets a device anew that has started again. What is still on its way answers to nothing any more."""
        self._machine.move(EventKind.RESTART)
        self.counters.restarts += 1
        self._restarts_in_vain += 1
        if self._restarts_in_vain > self._max_setbacks:
            raise RemoteLinkError(
                f"the device has restarted {self._restarts_in_vain} times without getting anything done",
                hint="look for a crash or a brown-out in what it printed",
                detail=self.counters.describe(),
            )
        self._exchange.clear()
        self._exchange.ask(Hello(), None, None, now)

    def _send_next(self, now: float) -> None:
        """Sends what is to be asked next, as far as the window allows."""
        if self.state is State.DESCRIBING and self._handshake is not None:
            while self._handshake.unsent and len(self._exchange) < self._window:
                self._exchange.ask(self._handshake.unsent.popleft(), None, self._description, now)
        if self.state is State.READY:
            while len(self._exchange) < self._window and (request := self._works.next_request()):
                ticket, message = request
                self._machine.move(message.TYPE.name)
                self._exchange.ask(message, ticket, self._description, now)

    def _fail(self, kind: EventKind, error: RemoteLinkError, events: list[ConnectionEvent]) -> None:
        self._machine.move(kind)
        self._error = error
        self._exchange.clear()
        self._works.clear()
        events.append(Failed(error))
