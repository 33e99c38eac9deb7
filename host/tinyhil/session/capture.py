"""The stage: has the device answer all vectors, measures it, and puts together what a verdict needs."""

from __future__ import annotations

from collections.abc import Callable

from tinyhil.artifacts.types import Array, Capture, Vectors
from tinyhil.session.measuring import measure
from tinyhil.session.session import Session

Infer = Callable[[tuple[Array, ...]], tuple[Array, ...]]
"""What the device answers to inputs of one's own: one array per tensor, (vectors, *shape)."""
Explore = Callable[[tuple[Array, ...], Infer], None]
"""What else is asked of a device, given its answers to all vectors; begun again where the port was lost."""

Further = Callable[[Session], None]
"""Something else that is asked in the session; begun again likewise."""


def capture(
    session: Session, vectors: Vectors, explore: Explore | None = None, further: Further | None = None
) -> Capture:
    """Has a device answer all vectors that the session's ledger has no answers to, and measures it.

    Args:
        session: the device, just greeted.
        vectors: what it is asked.
        explore: called at the end, while the device can still be asked.
        further: called after that.

    Raises:
        DeviceError: it stopped answering. What it has answered is in the ledger.
        LinkError: it does not speak the protocol, or reports an error.
    """
    return session.over_losses(lambda: _capture(session, vectors, explore, further))


def _capture(session: Session, vectors: Vectors, explore: Explore | None, further: Further | None) -> Capture:
    answers = session.answers_to(
        vectors.inputs, session.ledger, lambda done: session.reporter.progress(done, vectors.count, "vectors")
    )
    measured = session.target.measure.unit != "nothing"
    measurement = measure(session, vectors.inputs) if measured else None
    if explore is not None:
        explore(answers.outputs, lambda inputs: session.infer(*inputs).outputs)
    if further is not None:
        further(session)
    counters = session.link_counters
    return Capture(
        outputs=answers.outputs,
        ticks=answers.ticks,
        tick_hz=session.welcome.tick_rate,
        engine=session.welcome.engine,
        arena_bytes=session.welcome.arena_bytes,
        measurement=measurement,
        work={
            "vectors": answers.count,
            "requests": answers.requests,
            "input_bytes": sum(part.nbytes for part in answers.inputs),
            "output_bytes": sum(part.nbytes for part in answers.outputs),
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
