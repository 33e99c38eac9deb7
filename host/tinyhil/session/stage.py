"""The stage: drives one Connection over one Transport, with one clock and one deadline.

The deadline is a promise about silence: it starts anew whenever the device has answered something, so a long run is
fine and a device that stops is given up after ``answer_within`` seconds, and what the wire itself needs.

A restart of the device is the connection's affair, except for a model that keeps state: such a run begins again with
RESET and the first vector, and its vectors go strictly in order.
"""

from __future__ import annotations

import contextlib
import math
import secrets
import time
from collections.abc import Callable, Iterator

import numpy as np

from tinyhil.affine import TensorSpec
from tinyhil.artifacts.types import Array, Capture, Vectors
from tinyhil.deadline import Deadline
from tinyhil.errors import DeviceError
from tinyhil.link.connection import Connection
from tinyhil.link.events import ConnectionEvent, DeviceText, Failed, Inferred, Ready, Restarted
from tinyhil.link.frames import longest_wire
from tinyhil.link.messages import Welcome
from tinyhil.progress import Reporter
from tinyhil.session.identity import Identity
from tinyhil.targets.model import Target
from tinyhil.transport import Transport, open_transport

READ_BYTES = 4096
POLL_SECONDS = 0.25
"""How often a silent wait looks whether the device's program is still alive."""

RESTARTS_IN_VAIN = 5
"""How often a model that keeps state may begin again without coming further than before."""

Check = Callable[[], None]
"""Raises DeviceError if the device has died."""


class _Session:
    """A Connection, and the loop that drives it."""

    def __init__(self, transport: Transport, target: Target, check: Check, reporter: Reporter) -> None:
        rate = line_rate(target)
        # A request, its answer, and both once more if one of them is lost.
        exchange = 2 * longest_wire(target.link.max_payload) / rate
        self.connection = Connection(secrets.randbits(32), line_rate=rate)
        self._transport = transport
        self._patience = target.link.answer_within + 2 * exchange
        self._deadline = Deadline.after(self._patience)
        self._check = check
        self._reporter = reporter

    def handshake(self, identity: Identity) -> Welcome:
        """Greets the device and holds it against the identity."""
        self._deadline = Deadline.after(self._patience)
        self.connection.hello(time.monotonic())
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
            self.connection.reset(time.monotonic())
        while answered < len(batches):
            while unsent < len(batches) and self.connection.can_send:
                tickets[self.connection.infer(batches[unsent], sizes[unsent], time.monotonic())] = unsent
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
                    self.connection.reset(time.monotonic())

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
        timeout = self.connection.next_timeout(time.monotonic())
        data = self._transport.read(
            READ_BYTES, deadline.within(POLL_SECONDS if timeout is None else min(timeout, POLL_SECONDS))
        )
        now = time.monotonic()
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


def line_rate(target: Target) -> float:
    """Bytes per second of the wire, 8N1. That of an emulator is as fast as the emulator."""
    return math.inf if target.emulator else target.link.baud / 10


@contextlib.contextmanager
def _open(port: str, target: Target, check: Check, reporter: Reporter) -> Iterator[_Session]:
    deadline = Deadline.after(target.link.answer_within)
    transport = open_transport(port, baud=target.link.baud, deadline=deadline)
    try:
        yield _Session(transport, target, check, reporter)
    except DeviceError:
        check()  # if the device's program has died, that is the cause to report
        raise
    finally:
        transport.close()


def greet(port: str, identity: Identity, target: Target, check: Check, reporter: Reporter) -> Welcome:
    """Shakes hands with the device on ``port``.

    Returns:
        What the device says of itself.

    Raises:
        DeviceError: it cannot be reached, never answers, or is not the one that is meant (StaleFirmwareError).
        LinkError: it does not speak the protocol, or reports an error.
    """
    with _open(port, target, check, reporter) as session:
        return session.handshake(identity)


def capture(
    port: str, identity: Identity, vectors: Vectors, target: Target, check: Check, reporter: Reporter
) -> Capture:
    """Sends all vectors to the device on ``port`` and collects its answers.

    Raises:
        DeviceError: as for ``greet``, or it stopped answering.
        LinkError: as for ``greet``.
    """
    with _open(port, target, check, reporter) as session:
        welcome = session.handshake(identity)
        records = _records(vectors.inputs)
        size = session.connection.capacity
        starts = range(0, len(records), size)
        batches = [b"".join(records[start : start + size]) for start in starts]
        sizes = [len(records[start : start + size]) for start in starts]
        answers: dict[int, Inferred] = {}
        done = 0
        for index, answer in session.answers(batches, sizes):
            done += answer.count if index not in answers else 0
            answers[index] = answer
            reporter.progress(done, len(records), "vectors")
        counters = session.connection.counters
    return Capture(
        outputs=_outputs(b"".join(answers[index].outputs for index in range(len(batches))), identity.outputs),
        ticks=sum(answer.ticks for answer in answers.values()) if welcome.tick_rate else None,
        tick_hz=welcome.tick_rate,
        engine=welcome.engine,
        arena_bytes=welcome.arena_bytes,
        counters={
            "frames_sent": counters.frames_sent,
            "frames_received": counters.frames_received,
            "resends": counters.resends,
            "restarts": counters.restarts,
            "rejected_chunks": sum(counters.rejected.values()),
            "unexpected_answers": counters.unexpected_answers,
            "bytes_sent": counters.bytes_sent,
            "bytes_received": counters.bytes_received,
        },
    )


def _records(inputs: tuple[Array, ...]) -> list[bytes]:
    """One record a vector: all input tensors, one after the other, row-major."""
    return [b"".join(part[index].tobytes() for part in inputs) for index in range(len(inputs[0]))]


def _outputs(data: bytes, specs: tuple[TensorSpec, ...]) -> tuple[Array, ...]:
    """The inverse for the outputs: one array per tensor."""
    record = np.dtype([(f"f{index}", spec.dtype.numpy, spec.shape) for index, spec in enumerate(specs)])
    table = np.frombuffer(data, dtype=record)
    return tuple(np.ascontiguousarray(table[f"f{index}"]) for index in range(len(specs)))
