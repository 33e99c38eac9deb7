"""The range in which a binomial count lies, but for a stated probability. Exact, no approximation by a normal."""

from __future__ import annotations

import math

FALSE_ALARM = 1e-11
"""Probability that one count of a right program is called wrong; a hypothesis test asks some hundred times."""


def interval(trials: int, p: float, outside: float = FALSE_ALARM) -> range:
    """The counts of ``trials`` successes of probability ``p``, with ``outside / 2`` cut off at either end."""
    if p in (0.0, 1.0):
        return range(int(trials * p), int(trials * p) + 1)
    spread = 40 + int(40 * math.sqrt(trials * p * (1 - p)))
    lowest, highest = max(0, int(trials * p) - spread), min(trials, int(trials * p) + spread)
    return range(
        _reach(lowest, 1, highest, trials, p, outside / 2), _reach(highest, -1, lowest, trials, p, outside / 2) + 1
    )


def _reach(start: int, step: int, last: int, trials: int, p: float, share: float) -> int:
    """From ``start`` inwards, the first count that the share does not cover."""
    total, count = 0.0, start
    while (total := total + _probability(count, trials, p)) <= share and count != last:
        count += step
    return count


def _probability(count: int, trials: int, p: float) -> float:
    choices = math.lgamma(trials + 1) - math.lgamma(count + 1) - math.lgamma(trials - count + 1)
    return math.exp(choices + count * math.log(p) + (trials - count) * math.log1p(-p))
