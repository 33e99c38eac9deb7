"""One monotonic deadline that is passed down instead of nested timeouts."""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Deadline:
    """A point on the monotonic clock.

    Attributes:
        at: seconds on :func:`time.monotonic`.
        seconds: how long it was from the start, for messages.
    """

    at: float
    seconds: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """The deadline ``seconds`` from now."""
        return cls(time.monotonic() + seconds, seconds)

    @property
    def remaining(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self.at - time.monotonic())

    @property
    def expired(self) -> bool:
        """Whether nothing is left."""
        return self.remaining == 0.0

    def within(self, seconds: float) -> float:
        """The shorter of ``seconds`` and what is left, for one step of a wait."""
        return min(seconds, self.remaining)
