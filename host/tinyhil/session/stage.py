"""The stage: drives one Connection over one Transport, with one clock and one deadline.

The deadline is a promise about silence: it starts anew whenever the device has answered something, so a long run is
fine and a device that stops is given up after ``answer_within`` seconds.
"""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Callable, Iterator

import numpy as np

from tinyhil.affine import TensorSpec
from tinyhil.artifacts.types import Array, Capture, Vectors
from tinyhil.deadline import Deadline
from tinyhil.errors import DeviceError
from tinyhil.link.connection import Connection
from tinyhil.link.events import ConnectionEvent, DeviceText, Failed, Inferred, Ready
from tinyhil.link.messages import Welcome
from tinyhil.progress import Reporter
from tinyhil.session.identity import Identity
from tinyhil.targets.model import Target
from tinyhil.transport import Transport, open_transport

READ_BYTES = 4096
POLL_SECONDS = 0.25
"""How often a silent wait looks whether the device's program is still alive."""

Check = Callable[[], None]
"""Raises DeviceError if the device has died."""


class _Session:
    """A Connection, and the loop that drives it."""

    def __init__(self, transport: Transport, patience: float, check: Check, reporter: Reporter) -> None:
        self.connection = Connection(secrets.randbits(32))
        self._transport = transport
        self._patience = patience
        self._check = check
        self._reporter = reporter

    def handshake(self, identity: Identity) -> Welcome:
        """Greets the device and holds it against the identity."""
        deadline = Deadline.after(self._patience)
        self.connection.hello(time.monotonic())
        while True:
            for event in self._turn(deadline, "the handshake"):
                if isinstance(event, Ready):
                    identity.check(event.description)
                    if event.description.welcome.stateful:
                        # A request that seems lost is repeated, which would advance such a model twice.
                        raise DeviceError("the device's model keeps state, which this version of tinyhil cannot run")
                    return event.description.welcome

    def answers(self, batches: list[bytes], sizes: list[int]) -> Iterator[tuple[int, Inferred]]:
        """Sends every batch and yields batch index and answer, in the order of arrival."""
        tickets: dict[int, int] = {}
        unsent = iter(range(len(batches)))
        index = next(unsent, None)
        missing = len(batches)
        deadline = Deadline.after(self._patience)
        while missing:
            while index is not None and self.connection.can_send:
                tickets[self.connection.infer(batches[index], sizes[index], time.monotonic())] = index
                index = next(unsent, None)
            for event in self._turn(deadline, f"request {len(batches) - missing + 1} of {len(batches)}"):
                if isinstance(event, Inferred):
                    missing -= 1
                    deadline = Deadline.after(self._patience)
                    yield tickets.pop(event.ticket), event

    def _turn(self, deadline: Deadline, waiting_for: str) -> list[ConnectionEvent]:
        """One turn of the loop: write what is due, read what there is."""
        if deadline.expired:
            raise DeviceError(
                f"the device did not answer {waiting_for} within {deadline.seconds:g} s",
                hint="is it the right port, and does the device run tinyhil's firmware?",
                detail=self.connection.counters.describe(),
            )
        self._transport.write(self.connection.data_to_send(), deadline)
        timeout = self.connection.next_timeout(time.monotonic())
        data = self._transport.read(
            READ_BYTES, deadline.within(POLL_SECONDS if timeout is None else min(timeout, POLL_SECONDS))
        )
        now = time.monotonic()
        events = [*self.connection.receive(data, now), *self.connection.on_time(now)]
        if not data:
            self._check()
        for event in events:
            if isinstance(event, DeviceText):
                self._reporter.text(event.text.rstrip("\n"))
            if isinstance(event, Failed):
                raise event.error
        return events


@contextlib.contextmanager
def _open(port: str, target: Target, check: Check, reporter: Reporter) -> Iterator[_Session]:
    deadline = Deadline.after(target.link.answer_within)
    transport = open_transport(port, baud=target.link.baud, deadline=deadline)
    try:
        yield _Session(transport, target.link.answer_within, check, reporter)
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
        answers: dict[int, bytes] = {}
        ticks = done = 0
        for index, answer in session.answers(batches, sizes):
            answers[index] = answer.outputs
            ticks += answer.ticks
            done += answer.count
            reporter.progress(done, len(records), "vectors")
        counters = session.connection.counters
    return Capture(
        outputs=_outputs(b"".join(answers[index] for index in range(len(batches))), identity.outputs),
        ticks=ticks if welcome.tick_rate else None,
        tick_hz=welcome.tick_rate,
        engine=welcome.engine,
        arena_bytes=welcome.arena_bytes,
        counters={
            "frames_sent": counters.frames_sent,
            "frames_received": counters.frames_received,
            "resends": counters.resends,
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
