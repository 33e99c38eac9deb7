"""The stage: drives one Connection over one Transport, with one clock and one deadline.

The deadline is a promise about silence: it starts anew whenever the device has answered something, so a long run is
fine and a device that stops is given up after ``answer_within`` seconds.

A restart of the device is the connection's affair, except for a model that keeps state: such a run begins again with
RESET and the first vector, and its vectors go strictly in order.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import numpy as np

from tinyhil.affine import TensorSpec
from tinyhil.artifacts.types import Array, Capture, Vectors
from tinyhil.deadline import Deadline
from tinyhil.errors import BlockedError, DeviceError, PortLostError
from tinyhil.link.connection import Connection
from tinyhil.link.events import ConnectionEvent, DeviceText, Failed, Inferred, Ready, Restarted
from tinyhil.link.messages import Welcome
from tinyhil.progress import Reporter
from tinyhil.session.grid import Grid
from tinyhil.session.identity import Identity
from tinyhil.session.journal import Answer, Ledger, Memory
from tinyhil.session.lines import Line, Lines, PortLines
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


class _Session:
    """A Connection, and the loop that drives it."""

    def __init__(self, line: Line, target: Target, check: Check, reporter: Reporter) -> None:
        line_rate = target.link.baud / BITS_PER_BYTE
        # No limit of tries: the deadline judges silence here, for on a noisy line bad luck is no silence.
        self.connection = Connection(line.first_sequence, max_tries=None, line_rate=line_rate)
        self._transport = line.transport
        self._now = line.clock
        self._patience = target.link.answer_within
        self._deadline = Deadline.after(self._patience)
        self._check = check
        self._reporter = reporter

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
                elif isinstance(event, Restarted) and stateful:
                    in_vain = 0 if answered > furthest else in_vain + 1
                    furthest = max(furthest, answered)
                    self._give_up_after(in_vain, f"request {furthest + 1} of {len(batches)}")
                    tickets.clear()
                    unsent = answered = 0
                    self.connection.reset(self._now())

    def _give_up_after(self, restarts: int, where: str) -> None:
        if restarts > RESTARTS_IN_VAIN:
            raise DeviceError(
                f"the device has restarted {restarts} times without coming further than {where}",
                hint="a model that keeps state begins again each time; look for a crash in what the device printed",
                detail=self.connection.counters.describe(),
            )

    def _turn(self, waiting_for: str) -> list[ConnectionEvent]:
        """One turn of the loop: write what is due, read what there is."""
        deadline = self._deadline
        if deadline.expired:
            raise DeviceError(
                f"the device did not answer {waiting_for} within {deadline.seconds:g} s",
                hint="is it the right port, and does the device run tinyhil's firmware?",
                detail=self.connection.counters.describe(),
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
def _open(opening: Callable[[Deadline], Line], target: Target, check: Check, reporter: Reporter) -> Iterator[_Session]:
    line = opening(Deadline.after(target.link.answer_within))
    try:
        session = _Session(line, target, check, reporter)
        yield session
        reporter.text(f"link: {session.connection.counters.describe()}")
    except DeviceError:
        check()  # if the device's program has died, that is the cause to report
        raise
    finally:
        line.transport.close()


def greet(port: str, identity: Identity, target: Target, check: Check, reporter: Reporter) -> Welcome:
    """Shakes hands with the device on ``port``.

    Returns:
        What the device says of itself.

    Raises:
        DeviceError: it cannot be reached, never answers, or is not the one that is meant (StaleFirmwareError).
        LinkError: it does not speak the protocol, or reports an error.
    """
    with _open(PortLines(port, target.link.baud).open, target, check, reporter) as session:
        return session.handshake(identity)


def capture(
    port: str,
    identity: Identity,
    vectors: Vectors,
    target: Target,
    check: Check,
    reporter: Reporter,
    *,
    lines: Lines | None = None,
    ledger: Ledger | None = None,
) -> Capture:
    """Sends to the device on ``port`` all vectors that the ledger has no answers to, and collects its answers.

    A port that goes away is waited for, and the rest is asked then, as long as the device is not silent for longer than
    the target's ``answer_within``.

    Args:
        lines: how the device is reached, instead of through ``port``.
        ledger: what is answered already; each new answer is added at once.

    Raises:
        DeviceError: as for ``greet``, or it stopped answering. What it has answered is in the ledger.
        LinkError: as for ``greet``.
    """
    lines = lines or PortLines(port, target.link.baud)
    ledger = ledger or Memory()
    asking = _Asking(identity, vectors, target, ledger, reporter)
    opening: Callable[[Deadline], Line] = lines.open
    back_by: Deadline | None = None
    while True:
        try:
            with _open(opening, target, check, reporter) as session:
                return asking.all_of(session)
        except PortLostError as error:
            if back_by is None or asking.heard:
                back_by = Deadline.after(target.link.answer_within)
            elif back_by.expired:
                asking.tell(error)
                raise
            asking.heard = False
            reporter.text(f"{error.message}; waiting for the port to come back")
            opening = _reopening(lines, back_by, check)
        except BlockedError as error:
            asking.tell(error)
            raise


def _reopening(lines: Lines, back_by: Deadline, check: Check) -> Callable[[Deadline], Line]:
    return lambda _: lines.reopen(back_by, check)


class _Asking:
    """What is asked of the device, over as many sessions as it takes."""

    def __init__(
        self, identity: Identity, vectors: Vectors, target: Target, ledger: Ledger, reporter: Reporter
    ) -> None:
        self.heard = False
        self._identity = identity
        self._records = _records(vectors.inputs)
        self._most = target.link.max_batch
        self._ledger = ledger
        self._reporter = reporter
        self._output_bytes = sum(spec.nbytes for spec in identity.outputs)

    def all_of(self, session: _Session) -> Capture:
        """Asks what is missing, and puts everything together."""
        welcome = session.handshake(self._identity)
        grid = Grid(len(self._records), min(session.connection.capacity, self._most), self._output_bytes)
        # What a model with state answers depends on all that it was asked before.
        missing = grid.missing({} if welcome.stateful else self._ledger.answers)
        answered: set[int] = set()
        done = len(self._records) - sum(count for _, count in missing)
        batches = [b"".join(self._records[start : start + count]) for start, count in missing]
        for index, answer in session.answers(batches, [count for _, count in missing]):
            self._ledger.add(Answer(missing[index][0], answer.count, answer.ticks, answer.outputs))
            self.heard = True
            if index not in answered:
                answered.add(index)
                done += answer.count
            self._reporter.progress(done, len(self._records), "vectors")
        answers = [self._ledger.answers[start] for start, _ in grid.requests()]
        counters = session.connection.counters
        return Capture(
            outputs=_outputs(b"".join(answer.outputs for answer in answers), self._identity.outputs),
            ticks=sum(answer.ticks for answer in answers) if welcome.tick_rate else None,
            tick_hz=welcome.tick_rate,
            engine=welcome.engine,
            arena_bytes=welcome.arena_bytes,
            work={
                "vectors": len(self._records),
                "requests": len(answers),
                "input_bytes": sum(map(len, self._records)),
                "output_bytes": sum(len(answer.outputs) for answer in answers),
            },
            counters={
                "frames_sent": counters.frames_sent,
                "frames_received": counters.frames_received,
                "resends": counters.resends,
                "restarts": counters.restarts,
                "rejected_chunks": sum(counters.rejected.values()),
                **{f"rejected_{reason.value}": count for reason, count in counters.rejected.items()},
                "unexpected_answers": counters.unexpected_answers,
                "bytes_sent": counters.bytes_sent,
                "bytes_received": counters.bytes_received,
            },
        )

    def tell(self, error: BlockedError) -> None:
        """Adds to an error what is kept of the run that it ends."""
        done = sum(answer.count for answer in self._ledger.answers.values())
        if done and self._ledger.lasting:
            error.message += f"; {done} of {len(self._records)} vectors are answered and in the journal"
            error.args = (error.message,)
            error.hint = "; ".join(filter(None, [error.hint, "go on with the rest: the same command with --resume"]))


def _records(inputs: tuple[Array, ...]) -> list[bytes]:
    """One record a vector: all input tensors, one after the other, row-major."""
    return [b"".join(part[index].tobytes() for part in inputs) for index in range(len(inputs[0]))]


def _outputs(data: bytes, specs: tuple[TensorSpec, ...]) -> tuple[Array, ...]:
    """The inverse for the outputs: one array per tensor."""
    record = np.dtype([(f"f{index}", spec.dtype.numpy, spec.shape) for index, spec in enumerate(specs)])
    table = np.frombuffer(data, dtype=record)
    return tuple(np.ascontiguousarray(table[f"f{index}"]) for index in range(len(specs)))
