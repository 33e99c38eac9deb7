"""How long a port that goes away is waited for, and how often."""

from __future__ import annotations

from tinyhil.deadline import Deadline
from tinyhil.errors import PortLostError
from tinyhil.session.conversation import RESTARTS_IN_VAIN


class Losses:
    """When a port that is lost is given up.

    Attributes:
        back_by: until when it is waited for.
    """

    def __init__(self, patience: float) -> None:
        self.back_by: Deadline | None = None
        self._patience = patience
        self._heard = False
        self._reached = self._furthest = self._in_vain = 0

    def skip(self, requests: int) -> None:
        """So many requests need not be asked again."""
        self._reached += requests

    def step(self) -> None:
        """One more request was answered."""
        self._heard = True
        self._reached += 1

    def count(self, error: PortLostError) -> None:
        """The port was lost.

        Raises:
            PortLostError: the one given: nothing was heard for too long, or the same was asked too often.
        """
        heard, reached = self._heard, self._reached
        self._heard, self._reached = False, 0
        if heard:
            self._in_vain = 0 if reached > self._furthest else self._in_vain + 1
            self._furthest = max(self._furthest, reached)
        if self._in_vain > RESTARTS_IN_VAIN:
            raise error
        if self.back_by is None or heard:
            self.back_by = Deadline.after(self._patience)
        elif self.back_by.expired:
            raise error
