"""The states of the host's session, and the events that move it which are no messages.

The ways between the states follow from the table of exchanges (table.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, StrEnum

from tinyhil.errors import LocalLinkError


class State(Enum):
    """Where a session stands."""

    IDLE = "idle"
    GREETING = "greeting"
    DESCRIBING = "describing"
    READY = "ready"
    FAILED = "failed"


class EventKind(StrEnum):
    """What moves a session from state to state, messages aside: the kind of a message is its type's name."""

    HELLO = "hello"
    RESTART = "restart"
    ERROR = "ERROR"
    BROKEN_PROTOCOL = "broken protocol"
    SILENCE = "silence"


class StateMachine:
    """Where one session stands, and where it may go.

    Args:
        transitions: the state after each event that is possible in a state.

    Attributes:
        state: at the moment.
    """

    def __init__(self, transitions: Mapping[tuple[State, str], State]) -> None:
        self.state = State.IDLE
        self._transitions = transitions

    def can(self, kind: str) -> bool:
        """Whether an event is possible now."""
        return (self.state, kind) in self._transitions

    def require(self, kind: str) -> None:
        """Refuses an event that is not possible now.

        Raises:
            LocalLinkError: it is not.
        """
        if not self.can(kind):
            raise self._refusal(kind)

    def move(self, kind: str) -> None:
        """Goes where an event leads.

        Raises:
            LocalLinkError: it is not possible now.
        """
        state = self._transitions.get((self.state, kind))
        if state is None:
            raise self._refusal(kind)
        self.state = state

    def _refusal(self, kind: str) -> LocalLinkError:
        return LocalLinkError(f"{kind} is not possible while the connection is {self.state.value}")
