"""The bounds that the statistics are judged by, against counting."""

from __future__ import annotations

import itertools
from fractions import Fraction
from math import comb

import pytest

from .binomial import interval


@pytest.mark.parametrize(("trials", "p"), [(20, 0.3), (7, 0.5), (300, 0.01), (50, 0.99)])
@pytest.mark.parametrize("outside", [1e-2, 1e-6, 1e-11])
def test_it_cuts_off_what_it_says(trials: int, p: float, outside: float) -> None:
    exact = Fraction(p)
    weight = [comb(trials, k) * exact**k * (1 - exact) ** (trials - k) for k in range(trials + 1)]
    below = list(itertools.accumulate(weight))
    above = list(itertools.accumulate(reversed(weight)))[::-1]
    half = outside / 2
    expected_low = next(k for k in range(trials + 1) if below[k] > half)
    expected_high = next(k for k in range(trials, -1, -1) if above[k] > half)
    assert interval(trials, p, outside) == range(expected_low, expected_high + 1)


def test_certainty() -> None:
    assert interval(10, 0.0) == range(1)
    assert interval(10, 1.0) == range(10, 11)
