"""The host's role on the link, as a pure state machine: bytes and the time in, events and bytes out.

Theory of operation. The host asks, the device answers. A connection greets the device (HELLO, repeated until it has
booted), asks for every tensor (DESCRIBE), and is then ready for work (work.py): inferences, of which small ones are
one request and large ones many, and resets. Requests are numbered from a random start, and an answer carries its
request's number, so several can be in flight: as many as both sides' windows allow. A request that seems lost is
repeated under its old number with the same bytes (outstanding.py says when), and each number is accepted once; what
answers no outstanding number is counted and dropped. Every transition between states is a row of
``states.TRANSITIONS``; whatever has no row is refused.

A device that has started again says so to the first request that it gets. All requests on their way are then
forgotten, so that whatever still answers them is dropped, and after a new handshake the unanswered work begins again
under new numbers and its old tickets. Only the caller can do that for a model that keeps state, or where an arena of
another size was asked for, which the device has lost: it is told to.

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

from tinyhil.errors import LocalLinkError
from tinyhil.link.exchange import SHORT_ANSWER, Exchange
from tinyhil.link.inference import Infer
from tinyhil.link.large import LargeInference
from tinyhil.link.messages import Hello
from tinyhil.link.states import TRANSITIONS, EventKind, State
from tinyhil.link.work import Asking, Clearing, Inference, Preparing, Profiling, Work


class Connection(Exchange):
    """One session with one device. Its arguments are those of :class:`Exchange`."""

    @property
    def can_send(self) -> bool:
        """Whether ``infer`` or ``reset`` may be called now."""
        alone = any(work.alone for work in self._works.values())
        return self._state is State.READY and len(self._works) < self.window and not alone

    def hello(self, now: float) -> None:
        """Opens the session.

        Raises:
            LocalLinkError: it was opened before.
        """
        self._move(EventKind.HELLO)
        self._outstanding.ask(Hello(), None, SHORT_ANSWER, now)

    def infer(self, vectors: bytes, count: int, now: float) -> int:
        """Asks for ``count`` inferences (1..capacity) of ``vectors``, ``count * input_bytes`` bytes.

        Returns:
            The ticket that the answer's ``Inferred`` will carry.

        Raises:
            LocalLinkError: not ready, the window is full, the sizes do not match, ``reset`` is due, or the last arena
                was too small.
            RemoteLinkError: the session has failed, or the tensors are too large for the link.
        """
        self._admit(EventKind.INFER)
        if self._reset_due:
            raise LocalLinkError("the model keeps state, which is unknown before a reset")
        if self._unprepared:
            raise LocalLinkError("the engine is not prepared: the arena was too small for it")
        if not 1 <= count <= self.capacity:
            raise LocalLinkError(f"{count} vectors in one request, where 1 to {self.capacity} are possible")
        expected = count * self.description.input_bytes
        if len(vectors) != expected:
            raise LocalLinkError(f"{count} vectors of this model are {expected} bytes, not {len(vectors)}")
        ticket = self._outstanding.next_sequence
        if self.description.large:
            work: Work = LargeInference(ticket, vectors, self.description, self._max_setbacks)
        else:
            work = Inference(ticket, Infer(count, vectors), self.description.output_bytes)
        return self._start(ticket, work, now)

    def reset(self, now: float) -> int:
        """Puts a model that keeps state back to its state after start. It has to, before the first inference.

        Returns:
            The ticket that the answer's ``StateCleared`` will carry.

        Raises:
            LocalLinkError: not ready, or the window is full.
            RemoteLinkError: the session has failed.
        """
        self._admit(EventKind.RESET)
        self._reset_due = False
        ticket = self._outstanding.next_sequence
        return self._start(ticket, Clearing(ticket), now)

    def usage(self, now: float) -> int:
        """Asks for the memory that the device uses.

        Returns:
            The ticket that the answer's ``UsageTold`` or ``NotKnown`` will carry.

        Raises:
            LocalLinkError: not ready, or something else is unanswered.
            RemoteLinkError: the session has failed.
        """
        self._admit_alone(EventKind.USAGE)
        ticket = self._outstanding.next_sequence
        return self._start(ticket, Asking(ticket), now)

    def prepare(self, size: int, now: float) -> int:
        """Prepares the engine anew in an arena of ``size`` bytes, 1..``Used.arena_capacity``.

        The state of a model that keeps state is that after start. A restart of the device takes the arena away;
        ``Restarted.arena_lost`` tells.

        Returns:
            The ticket that the answer's ``ArenaPrepared`` or ``NotKnown`` will carry.

        Raises:
            LocalLinkError: not ready, or something else is unanswered.
            RemoteLinkError: the session has failed.
        """
        self._admit_alone(EventKind.ARENA)
        self._arena_set = True
        self._reset_due = self._description is not None and self._description.welcome.stateful
        ticket = self._outstanding.next_sequence
        return self._start(ticket, Preparing(ticket, size), now)

    def profile(self, now: float) -> int:
        """Times each operator in one inference on the inputs as they stand, which is that of the last ``infer``.

        Returns:
            The ticket that the answer's ``OperatorsTimed`` or ``NotKnown`` will carry.

        Raises:
            LocalLinkError: not ready, or something else is unanswered, or the last arena was too small.
            RemoteLinkError: the session has failed.
        """
        self._admit_alone(EventKind.PROFILE)
        if self._unprepared:
            raise LocalLinkError("the engine is not prepared: the arena was too small for it")
        ticket = self._outstanding.next_sequence
        return self._start(ticket, Profiling(ticket), now)

    def _admit(self, kind: EventKind) -> None:
        """Refuses work that cannot be begun now."""
        if self._error is not None:
            raise self._error
        if (self._state, kind) not in TRANSITIONS:
            raise self._impossible(kind)
        if not self.can_send:
            raise LocalLinkError(f"{self.in_flight} requests are unanswered, as many as the window allows")

    def _admit_alone(self, kind: EventKind) -> None:
        """Refuses work that cannot be begun now, or not beside other work."""
        self._admit(kind)
        if self._works:
            raise LocalLinkError(f"{kind.value} has to wait until everything else is answered")

    def _start(self, ticket: int, work: Work, now: float) -> int:
        self._works[ticket] = work
        self._ask(now)
        return ticket
