"""A single-shot trigger, as an oscilloscope has it: waits for a value, and keeps what was around it."""

from __future__ import annotations

from collections import deque
from enum import Enum

import numpy as np

from tinyhil.errors import ConfigError
from tinyhil.stream.series import Curve


class Condition(Enum):
    """What a trigger waits for."""

    RISING = "rising"
    """A value at or above the level after one below it."""
    FALLING = "falling"
    """A value at or below the level after one above it."""
    EDGE = "edge"
    """Either."""
    ABOVE = "above"
    """A value at or above the level, also the first one."""
    BELOW = "below"
    """A value at or below it."""


class Trigger:
    """Watches one series.

    Args:
        name: of the series.
        condition: likewise.
        level: likewise.
        before: how many values before the one that fires it are kept.
        after: how many behind it.

    Raises:
        ConfigError: a number of values is negative, or the level is NaN.
    """

    def __init__(self, name: str, condition: Condition, level: float, *, before: int = 200, after: int = 200) -> None:
        if before < 0 or after < 0 or level != level:
            raise ConfigError(
                f"a trigger at {level} with {before} values before and {after} after it cannot fire",
                hint="give a number as the level, and 0 values or more on each side",
            )
        self.name = name
        self.condition = condition
        self.level = level
        self._after = after
        self._points: deque[tuple[float, float]] = deque(maxlen=before + 1)
        self._shot: list[tuple[float, float]] = []
        self._left = -1
        self._before: float | None = None

    @property
    def fired(self) -> bool:
        """Whether it has seen what it waits for."""
        return self._left >= 0

    @property
    def done(self) -> bool:
        """Whether everything that it keeps is there."""
        return self._left == 0

    @property
    def fired_at(self) -> float | None:
        """Time of the value that has fired it, None before."""
        return self._points[-1][0] if self.fired else None

    @property
    def curve(self) -> Curve:
        """What it has kept so far: times in seconds and values; empty before it fires."""
        points = [*self._points, *self._shot] if self.fired else []
        table = np.array(points, np.float64).reshape(len(points), 2)
        return Curve(table[:, 0], table[:, 1])

    def take(self, value: float, at: float) -> bool:
        """Looks at the next value; whether it is the one that fires the trigger. NaN never is."""
        if self.fired:
            if self._left:
                self._shot.append((at, value))
                self._left -= 1
            return False
        self._points.append((at, value))
        if not self._fires(value):
            return False
        self._left = self._after
        return True

    def arm(self) -> None:
        """Waits again, from now on."""
        self._points.clear()
        self._shot.clear()
        self._left, self._before = -1, None

    def _fires(self, value: float) -> bool:
        if value != value:
            return False
        before, self._before = self._before, value
        if self.condition is Condition.ABOVE:
            return value >= self.level
        if self.condition is Condition.BELOW:
            return value <= self.level
        if before is None:
            return False
        rises, falls = before < self.level <= value, before > self.level >= value
        if self.condition is Condition.EDGE:
            return rises or falls
        return rises if self.condition is Condition.RISING else falls
