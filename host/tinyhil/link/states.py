"""The states of the host's session, and the only table of the ways between them.

They are those of docs/protocol.md, "The host's states", whose diagram is made from the table (``make diagram``). A pair
of state and event that has no row is refused.
"""

from __future__ import annotations

from enum import Enum


class State(Enum):
    """Where a session stands."""

    IDLE = "idle"
    GREETING = "greeting"
    DESCRIBING = "describing"
    READY = "ready"
    FAILED = "failed"


class EventKind(Enum):
    """What moves a session from state to state. A message's kind is called like the message's type."""

    HELLO = "hello"
    WELCOME = "WELCOME"
    TENSOR = "TENSOR"
    LAST_TENSOR = "last TENSOR"
    INFER = "INFER"
    RESULT = "RESULT"
    RESET = "RESET"
    CLEARED = "CLEARED"
    WRITE = "WRITE"
    WRITTEN = "WRITTEN"
    RUN = "RUN"
    RAN = "RAN"
    INPUTS_DIFFER = "inputs differ"
    READ = "READ"
    DATA = "DATA"
    USAGE = "USAGE"
    USED = "USED"
    ARENA = "ARENA"
    PREPARED = "PREPARED"
    PROFILE = "PROFILE"
    PROFILED = "PROFILED"
    UNKNOWN_TYPE = "unknown type"
    RESTART = "restart"
    ERROR = "ERROR"
    BROKEN_PROTOCOL = "broken protocol"
    SILENCE = "silence"


TRANSITIONS: dict[tuple[State, EventKind], State] = {
    (State.IDLE, EventKind.HELLO): State.GREETING,
    (State.GREETING, EventKind.WELCOME): State.DESCRIBING,
    (State.GREETING, EventKind.ERROR): State.FAILED,
    (State.GREETING, EventKind.BROKEN_PROTOCOL): State.FAILED,
    (State.DESCRIBING, EventKind.TENSOR): State.DESCRIBING,
    (State.DESCRIBING, EventKind.LAST_TENSOR): State.READY,
    (State.DESCRIBING, EventKind.RESTART): State.GREETING,
    (State.DESCRIBING, EventKind.ERROR): State.FAILED,
    (State.DESCRIBING, EventKind.BROKEN_PROTOCOL): State.FAILED,
    (State.DESCRIBING, EventKind.SILENCE): State.FAILED,
    (State.READY, EventKind.INFER): State.READY,
    (State.READY, EventKind.RESULT): State.READY,
    (State.READY, EventKind.RESET): State.READY,
    (State.READY, EventKind.CLEARED): State.READY,
    (State.READY, EventKind.WRITE): State.READY,
    (State.READY, EventKind.WRITTEN): State.READY,
    (State.READY, EventKind.RUN): State.READY,
    (State.READY, EventKind.RAN): State.READY,
    (State.READY, EventKind.INPUTS_DIFFER): State.READY,
    (State.READY, EventKind.READ): State.READY,
    (State.READY, EventKind.DATA): State.READY,
    (State.READY, EventKind.USAGE): State.READY,
    (State.READY, EventKind.USED): State.READY,
    (State.READY, EventKind.ARENA): State.READY,
    (State.READY, EventKind.PREPARED): State.READY,
    (State.READY, EventKind.PROFILE): State.READY,
    (State.READY, EventKind.PROFILED): State.READY,
    (State.READY, EventKind.UNKNOWN_TYPE): State.READY,
    (State.READY, EventKind.RESTART): State.GREETING,
    (State.READY, EventKind.ERROR): State.FAILED,
    (State.READY, EventKind.BROKEN_PROTOCOL): State.FAILED,
    (State.READY, EventKind.SILENCE): State.FAILED,
}


def diagram() -> str:
    """The table as the Mermaid diagram that stands in docs/protocol.md: one arrow for each pair of states."""
    events: dict[tuple[State, State], list[str]] = {}
    for (source, kind), target in TRANSITIONS.items():
        events.setdefault((source, target), []).append(kind.value)
    arrows = [f"    {a.name} --> {b.name}: {', '.join(kinds)}\n" for (a, b), kinds in events.items()]
    return "".join(["stateDiagram-v2\n", f"    [*] --> {State.IDLE.name}\n", *arrows])
