"""What one inference takes, and what memory: asked of the device when all its answers are there.

After some inferences that do not count, so that caches and the like are as they will be, single inferences are timed
one by one, each a request of its own; then the memory in use is asked for, and the time of each operator. A device that
has no clock, or is older than the requests for the rest, leaves those figures out.

Everything is asked in the same order in every run, and all of it again after a restart, so that an emulator which
counts instructions gives the same figures each time.
"""

from __future__ import annotations

from tinyhil.artifacts.types import Array, Measurement, OperatorTicks
from tinyhil.link.connection import Connection
from tinyhil.link.events import Inferred
from tinyhil.session.session import Session
from tinyhil.session.tensors import records_of

WARM_UP = 4
"""Inferences that do not count."""

COUNT = 32
"""Inferences that do."""


def measure(session: Session, inputs: tuple[Array, ...]) -> Measurement:
    """Measures a device that is ready.

    Args:
        inputs: of the test vectors, at least one vector; they are taken by turns.

    Raises:
        DeviceError: it stopped answering, or restarts again and again.
        LinkError: it reports an error.
    """
    records = records_of(tuple(part[:COUNT] for part in inputs))
    return session.in_one_go(lambda: _measure_once(session, records), "the measurement")


def _measure_once(session: Session, records: list[bytes]) -> Measurement:
    if session.welcome.stateful:
        session.reset()
    ticks = [_ticks(session, records[turn % len(records)]) for turn in [*range(WARM_UP), *range(COUNT)]]
    resources = session.usage()
    operators: tuple[OperatorTicks, ...] = ()
    if resources is not None:
        operators = session.profile() or ()
    has_clock = bool(session.welcome.tick_rate)
    return Measurement(
        ticks=tuple(ticks[WARM_UP:]) if has_clock else (),
        resources=resources,
        operators=operators if has_clock else (),
    )


def _ticks(session: Session, record: bytes) -> int:
    def ask(connection: Connection, now: float) -> int:
        return connection.infer(record, 1, now)

    answer = session.answer_to(ask, "a single inference")
    assert isinstance(answer, Inferred)
    return answer.ticks
