"""The stage: greets the device, asks it all vectors, and measures it.

The way goes over as many conversations as it takes: a port that goes away is waited for.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from tinyhil.affine import TensorSpec
from tinyhil.artifacts.types import Array, Capture, Vectors
from tinyhil.deadline import Deadline
from tinyhil.errors import BlockedError, PortLostError
from tinyhil.link.messages import Welcome
from tinyhil.progress import Reporter
from tinyhil.session.conversation import Check, Conversation, conversing
from tinyhil.session.grid import Grid
from tinyhil.session.identity import Identity
from tinyhil.session.journal import Answer, Ledger, Memory
from tinyhil.session.lines import Line, Lines, PortLines
from tinyhil.session.measuring import measure
from tinyhil.targets.model import Target

Infer = Callable[[tuple[Array, ...]], tuple[Array, ...]]
"""What the device answers to inputs of one's own: one array per tensor, (vectors, *shape)."""
Explore = Callable[[tuple[Array, ...], Infer], None]
"""What else is asked of a device, given its answers to all vectors; begun again where the port was lost."""


def greet(port: str, identity: Identity, target: Target, check: Check, reporter: Reporter) -> Welcome:
    """Shakes hands with the device on ``port``.

    Returns:
        What the device says of itself.

    Raises:
        DeviceError: it cannot be reached, never answers, or is not the one that is meant (StaleFirmwareError).
        LinkError: it does not speak the protocol, or reports an error.
    """
    with conversing(PortLines(port, target.link.baud).open, target, check, reporter) as session:
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
    explore: Explore | None = None,
) -> Capture:
    """Sends to the device on ``port`` all vectors that the ledger has no answers to, and collects its answers.

    A port that goes away is waited for, and the rest is asked then, as long as the device is not silent for longer than
    the target's ``answer_within``.

    Args:
        lines: how the device is reached, instead of through ``port``.
        ledger: what is answered already; each new answer is added at once.
        explore: called at the end, while the device can still be asked.

    Raises:
        DeviceError: as for ``greet``, or it stopped answering. What it has answered is in the ledger.
        LinkError: as for ``greet``.
    """
    lines = lines or PortLines(port, target.link.baud)
    ledger = ledger or Memory()
    asking = _Asking(identity, vectors, target, ledger, reporter, explore)
    opening: Callable[[Deadline], Line] = lines.open
    back_by: Deadline | None = None
    while True:
        try:
            with conversing(opening, target, check, reporter) as session:
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
        self,
        identity: Identity,
        vectors: Vectors,
        target: Target,
        ledger: Ledger,
        reporter: Reporter,
        explore: Explore | None,
    ) -> None:
        self.heard = False
        self._identity = identity
        self._records = records_of(vectors.inputs)
        self._most = target.link.max_batch
        self._measured = target.measure.unit != "nothing"
        self._ledger = ledger
        self._reporter = reporter
        self._explore = explore
        self._output_bytes = sum(spec.nbytes for spec in identity.outputs)

    def all_of(self, session: Conversation) -> Capture:
        """Asks what is missing, measures where the figures mean something, and puts everything together."""
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
        measurement = measure(session, self._records) if self._measured else None
        answers = [self._ledger.answers[start] for start, _ in grid.requests()]
        outputs = outputs_of(b"".join(answer.outputs for answer in answers), self._identity.outputs)
        if self._explore is not None:
            self._explore(outputs, partial(self._infer, session))
        counters = session.connection.counters
        return Capture(
            outputs=outputs,
            ticks=sum(answer.ticks for answer in answers) if welcome.tick_rate else None,
            tick_hz=welcome.tick_rate,
            engine=welcome.engine,
            arena_bytes=welcome.arena_bytes,
            measurement=measurement,
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

    def _infer(self, session: Conversation, inputs: tuple[Array, ...]) -> tuple[Array, ...]:
        """Answers to other inputs than the vectors, of which nothing is kept."""
        batches = batches_of(records_of(inputs), min(session.connection.capacity, self._most))
        rows, counts = [b"".join(batch) for batch in batches], [len(batch) for batch in batches]
        answered = dict(session.answers(rows, counts))
        self.heard = True
        return outputs_of(b"".join(answered[index].outputs for index in range(len(rows))), self._identity.outputs)

    def tell(self, error: BlockedError) -> None:
        """Adds to an error what is kept of the run that it ends."""
        done = sum(answer.count for answer in self._ledger.answers.values())
        if done and self._ledger.lasting:
            error.message += f"; {done} of {len(self._records)} vectors are answered and in the journal"
            error.args = (error.message,)
            error.hint = "; ".join(filter(None, [error.hint, "go on with the rest: the same command with --resume"]))


def records_of(inputs: tuple[Array, ...]) -> list[bytes]:
    """One record a vector: all input tensors, one after the other, row-major."""
    return [b"".join(part[index].tobytes() for part in inputs) for index in range(len(inputs[0]))]


def batches_of(records: list[bytes], most: int) -> list[list[bytes]]:
    """What goes into each request, of at most so many records."""
    return [records[start : start + most] for start in range(0, len(records), most)]


def outputs_of(data: bytes, specs: tuple[TensorSpec, ...]) -> tuple[Array, ...]:
    """The inverse for the outputs: one array per tensor."""
    record = np.dtype([(f"f{index}", spec.dtype.numpy, spec.shape) for index, spec in enumerate(specs)])
    table = np.frombuffer(data, dtype=record)
    return tuple(np.ascontiguousarray(table[f"f{index}"]) for index in range(len(specs)))
