"""One conversation: drives one Connection over one Transport, with one clock and one deadline.

The deadline is a promise about silence: it starts anew whenever the device has answered something, so a long run is
fine and a device that stops is given up after ``answer_within`` seconds. A device whose bytes move is not silent: those
of a frame or a text that arrive, and those that it takes where the transport could not hand them over at once. And what
the line needs for the requests on their way comes on top, at the pace that it was seen to keep: a buffer in between
takes bytes that nobody reads, so that those cannot be seen to move. But noise renews nothing, nothing does before the
device has greeted, and all of it together puts the end off to ``MOST`` times ``answer_within`` at most: then an answer
is due.

A restart of the device is the connection's affair, except for a model that keeps state: such a run begins again with
RESET and the first vector, and its vectors go strictly in order. Who asks for one thing at a time (``answer_to``) is
told of a restart and begins again himself.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator

from tinyhil.artifacts.retries import Retries
from tinyhil.deadline import Deadline
from tinyhil.errors import DeviceError, TinyhilError, UnansweredError
from tinyhil.link.connection import Connection
from tinyhil.link.counters import Counters
from tinyhil.link.events import (
    Answered,
    ConnectionEvent,
    DeviceText,
    Failed,
    Greeted,
    Inferred,
    Ready,
    Restarted,
    WorkDone,
)
from tinyhil.link.evidence import Evidence
from tinyhil.link.frames import MAX_PAYLOAD, longest_wire
from tinyhil.link.line_rate import RATE_TRIAL_MS
from tinyhil.link.messages import Goodbye, Welcome
from tinyhil.link.states import State
from tinyhil.progress import Reporter
from tinyhil.session import explained, lengths
from tinyhil.session.identity import Identity
from tinyhil.session.line_rate import LineRate
from tinyhil.session.lines import Line

READ_BYTES = 4096
POLL_SECONDS = 0.25
"""How often a silent wait looks whether the device's program is still alive."""

RESTARTS_IN_VAIN = 5
"""How often a model that keeps state may begin again without coming further than before."""

MOST = 6.0
"""How many times ``answer_within`` a device has for one answer while its bytes move."""

_FAREWELL_S = 1.2 * RATE_TRIAL_MS / 1000
"""What the answer to the last question is waited for: at another rate than the first, long enough to give that up, and
at the first one once more. Without an answer the device goes back by itself, but later."""

LONGEST_PART = longest_wire(MAX_PAYLOAD)
"""Bytes that may belong to a frame which is not whole yet."""

Check = Callable[[], None]
"""Raises DeviceError if the device has died."""


class RestartError(DeviceError):
    """The device has started again, and what was asked one by one has to be asked from the beginning."""


class Conversation:
    """A Connection, and the loop that drives it.

    Args:
        line: the open line; it is closed by ``close``.
        baud: line rate in bit/s, that of the device's start.
        answer_within: seconds of silence after which the device is given up.
        check: raises DeviceError if the device's program has died.
        reporter: told what the device prints.
        evidence: takes what the line brings, for errors; one of its own by default.
        longest_payload: bytes of a payload at most, where the line carries no more; by default as the device says.

    Attributes:
        connection: what is driven.
    """

    def __init__(
        self,
        line: Line,
        baud: int,
        answer_within: float,
        check: Check,
        reporter: Reporter,
        evidence: Evidence | None = None,
        longest_payload: int = MAX_PAYLOAD,
    ) -> None:
        self._evidence = Evidence() if evidence is None else evidence
        self._longest_payload = longest_payload
        self._rate = LineRate(line.transport, baud, line.max_baud, answer_within, reporter)
        self._adaptive = line.adaptive
        self._tally = line.tally
        self.connection = self._connection(line.first_sequence)
        self._before = Counters()
        """Of the connections before this one."""
        self._stays = line.stays
        self._transport = line.transport
        self._now = line.clock
        self._patience = answer_within
        self._greeted = False
        self._unjudged = math.inf
        """Bytes that have arrived since the last frame or text; infinite where the last was neither."""
        self._deadline = self._fresh()
        self._check = check
        self._reporter = reporter

    def _connection(self, first_sequence: int) -> Connection:
        # No limit of tries: the deadline judges silence here, for on a noisy line bad luck is no silence.
        return Connection(
            first_sequence,
            window=None if self._longest_payload == MAX_PAYLOAD else 1,  # what is lost may count from burst to burst
            max_tries=None,
            line_rate=self._rate.bytes_per_second,
            adaptive=self._adaptive,
            longest_payload=self._longest_payload,
        )

    @property
    def line_rate(self) -> int:
        """Rate of the line in bit/s."""
        return self._rate.rate

    @property
    def counters(self) -> Counters:
        """Figures of the link since the line was opened, however often the device was greeted."""
        return self._before + self.connection.counters

    def begin_again(self, longest_payload: int | None = None) -> None:
        """A new connection on the same line, to be greeted anew: an error of the device has ended the one before.

        Args:
            longest_payload: bytes of a payload at most from now on; None to leave it.
        """
        if longest_payload is not None:
            self._longest_payload = longest_payload
        self._count()
        self._tally.add(Retries(greeted_again=1))
        self._before = self.counters
        self.connection = self._connection(self.connection.next_sequence)
        self._rate.begin_again()

    def greeting(self) -> Welcome:
        """Greets the device, whoever it is."""
        self._begin_handshake()
        while True:
            for event in self._turn("the greeting"):
                if isinstance(event, Greeted):
                    return event.welcome

    def handshake(self, identity: Identity, within: float | None = None) -> Welcome:
        """Greets the device and holds it against the identity.

        Args:
            within: seconds for its first answer, by default as for every other.
        """
        self._begin_handshake(within)
        while True:
            for event in self._turn("the handshake"):
                if isinstance(event, Ready):
                    identity.check(event.description)
                    self._rate.want()
                    return event.description.welcome

    def close(self, *, parting: bool = False) -> None:
        """Gives the line up, at its first rate if the device is there to be told.

        Args:
            parting: what was to be asked has been answered, and a device that stays is told goodbye. Whether it hears
                it is nobody's concern: without, it goes back to what it does alone a while later.
        """
        self._count()  # before the farewell, whose loss is nobody's concern
        with contextlib.suppress(TinyhilError):
            self._patience = _FAREWELL_S
            parted = parting and self._stays and self._part()
            if not parted and self._rate.give_back(self.connection, self._now()):
                self._deadline = self._fresh()
                while self.connection.in_flight:
                    self._turn("the last question")
        self._transport.close()

    def _part(self) -> bool:
        """Says goodbye; whether the device knows what that is."""
        connection = self.connection
        if connection.state not in (State.DESCRIBING, State.READY):
            return False
        self._deadline = self._fresh()
        while connection.state is not State.READY or connection.in_flight:
            self._turn("the end of the handshake")
        ticket = connection.ask(Goodbye(), self._now())
        self._rate.leave(self._now())
        while True:
            for event in self._turn("the goodbye"):
                if isinstance(event, WorkDone) and event.ticket == ticket:
                    return isinstance(event, Answered)

    def _count(self) -> None:
        """Adds what the connection did again; once for each."""
        counters = self.connection.counters
        self._tally.add(Retries(resends=counters.resends, restarts=counters.restarts))

    def _begin_handshake(self, within: float | None = None) -> None:
        self._greeted = False
        self._evidence.waits()
        self._deadline = self._fresh() if within is None else Deadline.after(within)
        self.connection.hello(self._now())

    def answers(self, batches: list[bytes], sizes: list[int]) -> Iterator[tuple[int, Inferred]]:
        """Sends every batch and yields batch index and answer, in the order of arrival.

        Every index comes once. Only where a model that keeps state has to begin again do they all come again, from 0
        on, and those from before are void.

        Raises:
            RestartError: the device has started again, and with that has lost the arena that it was to be tried in.
            LongLostError: the batches seem to be too long for the line.
        """
        stateful = self.connection.description.welcome.stateful
        tickets: dict[int, int] = {}
        unsent = answered = furthest = in_vain = 0
        if any(restarted.arena_lost for restarted in self._settle()):
            raise RestartError("the device has restarted before the first request")
        self._deadline = self._fresh()
        if stateful:
            self.connection.reset(self._now())
        while answered < len(batches):
            while unsent < len(batches) and self.connection.can_send and not self._rate.busy:
                tickets[self.connection.infer(batches[unsent], sizes[unsent], self._now())] = unsent
                unsent += 1
            where = f"request {answered + 1} of {len(batches)}"
            if self._seem_too_long():
                raise explained.lost(self._what(where), self._evidence, self.connection)
            for event in self._turn(where):
                if isinstance(event, Inferred):
                    answered += 1
                    yield tickets.pop(event.ticket), event
                elif isinstance(event, Restarted) and event.arena_lost:
                    raise RestartError(f"the device has restarted at {where}")
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
        if self._settle():
            raise RestartError(f"the device has restarted before it was asked {what}")
        self._deadline = self._fresh()
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

    def _settle(self) -> list[Restarted]:
        """Lets the line find its rate, with nothing else on its way. Returns the restarts that this has met."""
        self._deadline = self._fresh()
        self._rate.renew(self.connection, self._now())
        restarts: list[Restarted] = []
        while self._rate.busy or self.connection.in_flight:
            restarts += [event for event in self._turn("a change of the line's rate") if isinstance(event, Restarted)]
        return restarts

    def _turn(self, waiting_for: str) -> list[ConnectionEvent]:
        """One turn of the loop: write what is due, read what there is."""
        connection = self.connection
        if self._rate.step(connection, self._now()):
            self._deadline = self._fresh()  # the device is at its first rate by now, and can be heard again
        deadline = self._deadline
        if not deadline.remaining_with(connection.line_seconds):
            raise self._unanswered(waiting_for)
        accepted = connection.counters.answers_accepted
        rejected = sum(connection.counters.rejected.values())
        self._transport.write(connection.data_to_send(), deadline)
        connection.handed_over(self._now())
        timeout = connection.next_timeout(self._now())
        patience = min(deadline.remaining_with(connection.line_seconds), POLL_SECONDS)
        data = self._transport.read(READ_BYTES, patience if timeout is None else min(timeout, patience))
        now = self._now()
        received = connection.receive(data, now)
        answers = connection.counters.answers_accepted - accepted
        self._evidence.received(data, received, answers)
        events = [*received, *connection.on_time(now)]
        if not data:
            self._check()
        if answers:
            self._greeted, self._unjudged = True, 0
            self._rate.heard(now)
            self._deadline = self._fresh()
        elif sum(connection.counters.rejected.values()) > rejected:
            self._unjudged = math.inf
        elif data:
            words = any(
                isinstance(event, DeviceText) and "\N{REPLACEMENT CHARACTER}" not in event.text for event in received
            )
            self._unjudged = 0 if words else self._unjudged + len(data)
            if self._unjudged <= LONGEST_PART:
                deadline.renew()
        for event in events:
            if isinstance(event, DeviceText):
                self._reporter.text(event.text.rstrip("\n"))
            if isinstance(event, Restarted):
                self._reporter.text(f"the device has restarted: boot id {event.new_boot_id:08x}")
            if isinstance(event, Failed):
                raise event.error
        return [event for event in events if not self._rate.take(event, connection, now)]

    def _fresh(self) -> Deadline:
        """The deadline of a wait that begins now. It can be put off once there is a device that speaks the link."""
        return Deadline.after(self._patience, MOST if self._greeted else 1.0)

    def _seem_too_long(self) -> bool:
        """Whether requests seem to be lost for their length. A device that prints meanwhile works on them."""
        waiting = self.connection.waiting
        if not self._adaptive or not waiting.lost_for_length or self._evidence.recent_lines:
            return False
        return lengths.shorter(waiting.longest_frame) is not None or self._longest_payload < MAX_PAYLOAD

    def _what(self, waiting_for: str) -> str:
        """What was not answered, and within which time."""
        deadline = self._deadline
        if deadline.renewed:
            return f"{waiting_for} within {deadline.waited:.1f} s, although its bytes moved"
        return f"{waiting_for} within {min(deadline.seconds, deadline.waited):.3g} s"

    def _unanswered(self, waiting_for: str) -> UnansweredError:
        return explained.unanswered(self._what(waiting_for), self._evidence, self.connection, greeted=self._greeted)
