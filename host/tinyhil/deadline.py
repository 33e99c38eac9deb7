"""One monotonic deadline that is passed down instead of nested timeouts."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Self


@dataclass
class Deadline:
    """A point on the monotonic clock. Who sees a sign of life may put it off, as far as whoever set it has allowed.

    Attributes:
        at: seconds on :func:`time.monotonic`.
        seconds: how long it was from the start, for messages.
        most: how long it can become from the start; ``seconds`` by default, so that it cannot be put off.
        renewed: whether it was put off.
    """

    at: float
    seconds: float
    most: float = 0.0
    renewed: bool = False

    def __post_init__(self) -> None:
        """Notes the start."""
        self.most = max(self.most, self.seconds)
        self._began = self.at - self.seconds

    @classmethod
    def after(cls, seconds: float, times: float = 1.0) -> Self:
        """The deadline ``seconds`` from now, which can be put off to ``times`` as many seconds from now."""
        return cls(time.monotonic() + seconds, seconds, times * seconds)

    @property
    def remaining(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self.at - time.monotonic())

    @property
    def expired(self) -> bool:
        """Whether nothing is left."""
        return self.remaining == 0.0

    def remaining_with(self, seconds: float) -> float:
        """Seconds left if it comes so much later, but no later than it can be put off to."""
        return max(0.0, max(self.at, min(self.at + seconds, self._began + self.most)) - time.monotonic())

    @property
    def waited(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._began

    def within(self, seconds: float) -> float:
        """The shorter of ``seconds`` and what is left, for one step of a wait."""
        return min(seconds, self.remaining)

    def renew(self) -> None:
        """Begins the wait again, as far as that is allowed."""
        put_off = min(time.monotonic() + self.seconds, self._began + self.most)
        if put_off > self.at:
            self.at, self.renewed = put_off, True
