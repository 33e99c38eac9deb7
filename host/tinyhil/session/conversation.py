"""One conversation: drives one Connection over one Transport, with one clock and one deadline.

The deadline is a promise about silence: it starts anew whenever the device has answered something, so a long run is
fine and a device that stops is given up after ``answer_within`` seconds.

A restart of the device is the connection's affair, except for a model that keeps state: such a run begins again with
RESET and the first vector, and its vectors go strictly in order. Who asks for one thing at a time (``answer_to``) is
told of a restart and begins again himself.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from tinyhil.deadline import Deadline
from tinyhil.errors import DeviceError, UnansweredError
from tinyhil.link.connection import Connection
from tinyhil.link.events import (
    ConnectionEvent,
    DeviceText,
    Failed,
    Inferred,
    Ready,
    Restarted,
    WorkDone,
)
from tinyhil.link.messages import Welcome
from tinyhil.progress import Reporter
from tinyhil.session.identity import Identity
from tinyhil.session.lines import Line
from tinyhil.targets.model import Target

READ_BYTES = 4096
POLL_SECONDS = 0.25
"""How often a silent wait looks whether the device's program is still alive."""

RESTARTS_IN_VAIN = 5
"""How often a model that keeps state may begin again without coming further than before."""

BITS_PER_BYTE = 10
"""On a serial line: a start bit, eight of data, a stop bit."""

Check = Callable[[], None]
"""Raises DeviceError if the device has died."""


class RestartError(DeviceError):
    """The device has started again, and what was asked one by one has to be asked from the beginning."""


class Conversation:
    """A Connection, and the loop that drives it."""

    def __init__(self, line: Line, target: Target, check: Check, reporter: Reporter) -> None:
        self._line_rate = target.link.baud / BITS_PER_BYTE
        self.connection = self._connection(line.first_sequence)
        self._transport = line.transport
        self._now = line.clock
        self._patience = target.link.answer_within
        self._deadline = Deadline.after(self._patience)
        self._check = check
        self._reporter = reporter

    def _connection(self, first_sequence: int) -> Connection:
        # No limit of tries: the deadline judges silence here, for on a noisy line bad luck is no silence.
        return Connection(first_sequence, max_tries=None, line_rate=self._line_rate)

    def begin_again(self) -> None:
        """A new connection on the same line, to be greeted anew: an error of the device has ended the one before."""
        self.connection = self._connection(self.connection.next_sequence)

    def handshake(self, identity: Identity) -> Welcome:
        """Greets the device and holds it against the identity."""
        self._deadline = Deadline.after(self._patience)
        self.connection.hello(self._now())
        while True:
            for event in self._turn("the handshake"):
                if isinstance(event, Ready):
                    identity.check(event.description)
                    return event.description.welcome

    def answers(self, batches: list[bytes], sizes: list[int]) -> Iterator[tuple[int, Inferred]]:
        """Sends every batch and yields batch index and answer, in the order of arrival.

        Every index comes once. Only where a model that keeps state has to begin again do they all come again, from 0
        on, and those from before are void.

        Raises:
            RestartError: the device has started again, and with that has lost the arena that it was to be tried in.
        """
        stateful = self.connection.description.welcome.stateful
        tickets: dict[int, int] = {}
        unsent = answered = furthest = in_vain = 0
        self._deadline = Deadline.after(self._patience)
        if stateful:
            self.connection.reset(self._now())
        while answered < len(batches):
            while unsent < len(batches) and self.connection.can_send:
                tickets[self.connection.infer(batches[unsent], sizes[unsent], self._now())] = unsent
                unsent += 1
            for event in self._turn(f"request {answered + 1} of {len(batches)}"):
                if isinstance(event, Inferred):
                    answered += 1
                    yield tickets.pop(event.ticket), event
                elif isinstance(event, Restarted) and event.arena_lost:
                    raise RestartError(f"the device has restarted at request {answered + 1} of {len(batches)}")
                elif isinstance(event, Restarted) and stateful:
                    in_vain = 0 if answered > furthest else in_vain + 1
                    furthest = max(furthest, answered)
                    self.give_up_after(in_vain, f"request {furthest + 1} of {len(batches)}")
                    tickets.clear()
                    unsent = answered = 0
                    self.connection.reset(self._now())

    def answer_to(self, ask: Callable[[float], int], what: str) -> WorkDone:
        """Asks for one thing, with nothing else on its way, and returns the answer.

        Args:
            ask: a method of the connection that is told the time and returns a ticket.
            what: in words, for the error.

        Raises:
            RestartError: the device has started again meanwhile; nothing is on its way any more.
            UnansweredError: it did not answer.
            LinkError: it reports an error.
        """
        self._deadline = Deadline.after(self._patience)
        ticket = ask(self._now())
        restarted, answer = False, None
        while True:
            for event in self._turn(what):
                restarted = restarted or isinstance(event, Restarted)
                if isinstance(event, WorkDone) and event.ticket == ticket:
                    answer = event
            if restarted and not self.connection.in_flight:
                raise RestartError(f"the device has restarted before it answered {what}")
            if answer is not None and not restarted:
                return answer

    def give_up_after(self, restarts: int, where: str) -> None:
        """Raises DeviceError where a device has restarted too often without getting further than ``where``."""
        if restarts > RESTARTS_IN_VAIN:
            raise DeviceError(
                f"the device has restarted {restarts} times without coming further than {where}",
                hint="all of it has to be asked again each time; look for a crash in what the device printed",
                detail=self.connection.counters.describe(),
            )

    def _turn(self, waiting_for: str) -> list[ConnectionEvent]:
        """One turn of the loop: write what is due, read what there is."""
        deadline = self._deadline
        if deadline.expired:
            counters = self.connection.counters
            raise UnansweredError(
                f"the device did not answer {waiting_for} within {deadline.seconds:g} s",
                hint="is it the right port, and does the device run tinyhil's firmware?",
                detail=counters.describe(),
                rejected={reason.value: count for reason, count in counters.rejected.items()},
                unexpected=counters.unexpected_answers,
            )
        accepted = self.connection.counters.answers_accepted
        self._transport.write(self.connection.data_to_send(), deadline)
        timeout = self.connection.next_timeout(self._now())
        data = self._transport.read(
            READ_BYTES, deadline.within(POLL_SECONDS if timeout is None else min(timeout, POLL_SECONDS))
        )
        now = self._now()
        events = [*self.connection.receive(data, now), *self.connection.on_time(now)]
        if not data:
            self._check()
        if self.connection.counters.answers_accepted > accepted:
            self._deadline = Deadline.after(self._patience)
        for event in events:
            if isinstance(event, DeviceText):
                self._reporter.text(event.text.rstrip("\n"))
            if isinstance(event, Restarted):
                self._reporter.text(f"the device has restarted: boot id {event.new_boot_id:08x}")
            if isinstance(event, Failed):
                raise event.error
        return events


@contextlib.contextmanager
def conversing(
    opening: Callable[[Deadline], Line], target: Target, check: Check, reporter: Reporter
) -> Iterator[Conversation]:
    """A conversation over a line that is opened for it and closed behind it.

    Raises:
        DeviceError: the line cannot be opened; and where the device's program has died, that is the cause told.
    """
    try:
        line = opening(Deadline.after(target.link.answer_within))
        with contextlib.closing(line.transport):
            session = Conversation(line, target, check, reporter)
            yield session
            reporter.text(f"link: {session.connection.counters.describe()}")
    except DeviceError:
        check()  # if the device's program has died, that is the cause to report
        raise
