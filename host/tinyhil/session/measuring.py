"""What one inference takes, and what memory: asked of the device when all its answers are there.

After some inferences that do not count, so that caches and the like are as they will be, single inferences are timed
one by one, each a request of its own; then the memory in use is asked for, and the time of each operator. A device that
has no clock, or is older than the requests for the rest, leaves those figures out.

Everything is asked in the same order in every run, and all of it again after a restart, so that an emulator which
counts instructions gives the same figures each time.
"""

from __future__ import annotations

from functools import partial

from tinyhil.artifacts.types import Measurement, OperatorTicks, Resources
from tinyhil.link.events import Inferred, OperatorsTimed, UsageTold
from tinyhil.link.resources import Used
from tinyhil.session.conversation import Conversation, RestartError

WARM_UP = 4
"""Inferences that do not count."""

COUNT = 32
"""Inferences that do."""


def measure(talk: Conversation, records: list[bytes]) -> Measurement:
    """Measures a device that is ready.

    Args:
        records: the test vectors, all input tensors of each, at least one vector; they are taken by turns.

    Raises:
        DeviceError: it stopped answering, or restarts again and again.
        LinkError: it reports an error.
    """
    restarts = 0
    while True:
        try:
            return _measure_once(talk, records)
        except RestartError:
            restarts += 1
            talk.give_up_after(restarts, "the measurement")


def _measure_once(talk: Conversation, records: list[bytes]) -> Measurement:
    connection = talk.connection
    welcome = connection.description.welcome
    if welcome.stateful:
        talk.answer_to(connection.reset, "the reset before the measurement")
    ticks = []
    for turn in [*range(WARM_UP), *range(COUNT)]:
        answer = talk.answer_to(partial(connection.infer, records[turn % len(records)], 1), "a single inference")
        assert isinstance(answer, Inferred)
        ticks.append(answer.ticks)
    told = talk.answer_to(connection.usage, "the question for its memory")
    resources: Resources | None = None
    operators: tuple[OperatorTicks, ...] = ()
    if isinstance(told, UsageTold):
        resources = resources_of(told.used)
        timed = talk.answer_to(connection.profile, "a profile")
        if isinstance(timed, OperatorsTimed):
            operators = timed.operators
    return Measurement(
        ticks=tuple(ticks[WARM_UP:]) if welcome.tick_rate else (),
        resources=resources,
        operators=operators if welcome.tick_rate else (),
    )


def resources_of(used: Used) -> Resources:
    """What the device tells, where 0 stands for what it cannot."""
    return Resources(
        arena_capacity=used.arena_capacity or None,
        arena_bytes=used.arena_bytes,
        arena_used=used.arena_used or None,
        arena_overrun=used.arena_overrun,
        stack_bytes=used.stack_bytes or None,
        stack_used=used.stack_used or None,
    )
