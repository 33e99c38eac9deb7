"""How much a run may ask of a device: from facts, and never from a clock, so that every run asks the same.

The facts are the bytes and the multiply-accumulates (MACs) of an inference, and what the target's file reckons with. A
device computes one request while the next is on its way, so an inference takes the longer of the two times.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from tinyhil.errors import ConfigError
from tinyhil.targets.model import Pace

ALL = "all"
LEAST_VECTORS = 32
"""Fewer say little of a model, however long they take."""
SEARCH_SHARE = 1 / 3
"""Of the budget, what is the search's where the vectors would take all of it."""
_DURATION = re.compile(r"(\d+(?:\.\d+)?) ?(s|min|m|h|)")
_UNITS = {"": 1, "s": 1, "m": 60, "min": 60, "h": 3600}


@dataclass(frozen=True)
class Inference:
    """What one inference takes.

    Attributes:
        nbytes: of its inputs and outputs.
        macs: multiply-accumulates.
    """

    nbytes: int
    macs: int


@dataclass(frozen=True)
class Allowance:
    """How much a run may ask.

    Attributes:
        pace: of the target.
        budget: seconds that vectors and search may take.
        most: vectors that are sent whatever they take, ``math.inf`` for all; None to go by the budget.
        measured: inferences that are asked besides, in order to measure them.
    """

    pace: Pace
    budget: float
    most: float | None = None
    measured: int = 0

    def seconds(self, one: Inference, count: int) -> float:
        """What ``count`` inferences are reckoned to take."""
        return count * max(one.nbytes / self.pace.bytes_per_second, one.macs / self.pace.macs_per_second)

    def vectors(self, one: Inference, available: int) -> int:
        """How many of the available vectors are sent: all where the budget is enough for them.

        Otherwise as many as it allows when the search has its share, and 32 at least.
        """
        if self.most is not None:
            return int(min(self.most, available))
        if self.seconds(one, available + self.measured) <= self.budget:
            return available
        fitting = self._within((1 - SEARCH_SHARE) * self.budget, one) - self.measured
        return min(available, max(LEAST_VECTORS, fitting))

    def searched(self, one: Inference, vectors: int) -> int:
        """How many inputs a search may try: in what the vectors leave of the budget, which is its share at least."""
        left = self.budget - self.seconds(one, vectors + self.measured)
        return self._within(max(left, SEARCH_SHARE * self.budget), one)

    def _within(self, seconds: float, one: Inference) -> int:
        each = self.seconds(one, 1)
        return int(seconds / each) if each else 1 << 31


def allowance(pace: Pace, budget: str, vectors: str | None, measured: int = 0) -> Allowance:
    """What the options say.

    Args:
        budget: a duration: ``60s``, ``90``, ``1.5min``.
        vectors: a number, or ``all``; None to go by the budget.
        measured: inferences that are asked besides.

    Raises:
        ConfigError: it is none of these.
    """
    return Allowance(pace, duration("--budget", budget), None if vectors is None else _most(vectors), measured)


def duration(option: str, text: str) -> float:
    """Seconds of a duration that an option has: ``60s``, ``90``, ``1.5min``.

    Raises:
        ConfigError: it is none, or no time at all.
    """
    found = _DURATION.fullmatch(text.strip())
    if found is None or float(found[1]) == 0:
        raise ConfigError(f"{option} {text!r} is no duration", hint="give seconds or minutes: 90s, 5min")
    return float(found[1]) * _UNITS[found[2]]


def _most(text: str) -> float:
    if text == ALL:
        return math.inf
    if not re.fullmatch("[0-9]{1,9}", text) or int(text) == 0:
        raise ConfigError(f"--vectors {text!r} is no number of vectors", hint="give a number, or all")
    return int(text)
