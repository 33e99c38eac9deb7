"""Whether repeated measurements of a time have become slower: a test of ranks, which a few outliers do not move.

One measurement of each side is no test. With ``RUNS`` of each, noise of 1 % (log-normal, with 1 % of outliers and a
slow drift of half a percent) makes less than one false alarm in a hundred by a rule of 1 %, and a slowdown of 3 % is
found in more than 95 of a hundred; a simulation among the tests shows it.

The test is that of Mann and Whitney, with the normal approximation, the correction for ties and that for continuity:
H. B. Mann, D. R. Whitney, "On a test of whether one of two random variables is stochastically larger than the other",
Annals of Mathematical Statistics 18 (1947).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from statistics import NormalDist, median

RUNS = 15
"""Measurements of each side that the test needs."""
FALSE_ALARMS = 0.01
"""Of the comparisons of times that have not become slower than allowed, the share that may be called slower."""


def is_slower(before: Sequence[float], after: Sequence[float], allowed: float) -> bool:
    """Whether the second times are longer than the first by more than is allowed.

    Args:
        before: times, at least ``RUNS``, in any unit.
        after: likewise.
        allowed: the slowdown that is none, as a share: 0.01 is 1 %.

    Raises:
        ValueError: there are too few.
    """
    if min(len(before), len(after)) < RUNS:
        raise ValueError(f"{len(before)} and {len(after)} measurements, {RUNS} of each are needed")
    return probability([time * (1.0 + allowed) for time in before], after) < FALSE_ALARMS


def probability(before: Sequence[float], after: Sequence[float]) -> float:
    """How probable ranks as high as these of the second are, where both are of one kind: one-sided, 0 to 1."""
    one, other = len(before), len(after)
    ranks = _ranks([*before, *after])
    larger = sum(ranks[one:]) - other * (other + 1) / 2
    ties = sum(count**3 - count for count in Counter([*before, *after]).values())
    total = one + other
    variance = one * other / 12 * (total + 1 - ties / (total * (total - 1)))
    if not variance:  # all are equal
        return 1.0
    return 1.0 - NormalDist().cdf((larger - one * other / 2 - 0.5) / math.sqrt(variance))


def slowdown(before: Sequence[float], after: Sequence[float]) -> float:
    """The second median over the first, less 1: 0.03 is 3 % slower."""
    return median(after) / median(before) - 1.0


def _ranks(values: Sequence[float]) -> list[float]:
    """The rank of each, from 1; equal ones share the middle of theirs."""
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks = [0.0] * len(values)
    start = 0
    while start < len(order):
        end = start
        while end + 1 < len(order) and values[order[end + 1]] == values[order[start]]:
            end += 1
        for place in order[start : end + 1]:
            ranks[place] = (start + end) / 2 + 1
        start = end + 1
    return ranks
