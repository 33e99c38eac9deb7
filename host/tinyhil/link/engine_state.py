"""What the host knows of the state that the device's engine is in, between one request and the next."""

from __future__ import annotations

from tinyhil.link.events import Answered, WorkDone
from tinyhil.link.fields import Message
from tinyhil.link.inference import Reset
from tinyhil.link.resources import Arena, Prepared


class EngineState:
    """The engine of the device of one connection.

    Attributes:
        reset_due: the model keeps state, which is not known before a RESET.
        arena_set: an ARENA was sent since the device was greeted, so that a restart loses it.
        unprepared: the last ARENA was too small for the engine.
    """

    def __init__(self) -> None:
        self._stateful = False
        self.reset_due = False
        self.arena_set = False
        self.unprepared = False

    def start(self, stateful: bool) -> None:
        """The device was greeted: its engine is prepared in its whole arena."""
        self._stateful = self.reset_due = stateful
        self.arena_set = self.unprepared = False

    def send(self, request: Message) -> None:
        """A request is about to be sent."""
        if isinstance(request, Reset):
            self.reset_due = False
        elif isinstance(request, Arena):
            self.arena_set = True
            self.reset_due = self._stateful

    def take(self, request: Message, done: WorkDone) -> None:
        """A work is done, by the answer to ``request``."""
        if isinstance(request, Arena):
            prepared = done.answer if isinstance(done, Answered) else None
            self.arena_set = prepared is not None
            self.unprepared = isinstance(prepared, Prepared) and prepared.status != 0
