"""Error figures against their definitions, summed exactly."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyhil.compare.metrics import figures

REALS = st.floats(-1e6, 1e6, width=32)


@given(st.lists(st.tuples(REALS, REALS), min_size=1, max_size=30))
def test_against_the_definitions(pairs: list[tuple[float, float]]) -> None:
    errors = [abs(Fraction(actual) - Fraction(expected)) for actual, expected in pairs]
    found = figures([actual for actual, _ in pairs], [expected for _, expected in pairs])
    # Differences of two float32 of this size are nearly exact in float64; the sums of up to 30 of them lose a few bits.
    assert found.mae == pytest.approx(float(sum(errors) / len(errors)), rel=1e-13, abs=1e-300)
    assert found.rmse == pytest.approx(
        math.sqrt(sum(error**2 for error in errors) / len(errors)), rel=1e-13, abs=1e-150
    )
    assert found.max == pytest.approx(float(max(errors)), rel=1e-15)


@given(st.lists(REALS, min_size=1, max_size=30))
def test_nothing_differs_from_itself(reals: list[float]) -> None:
    found = figures(reals, reals)
    assert (found.mae, found.rmse, found.max) == (0.0, 0.0, 0.0)


def test_the_figures_differ_where_errors_do() -> None:
    found = figures([[0.0, 3.0]], [[4.0, 3.0]])
    assert (found.mae, found.rmse, found.max) == (2.0, math.sqrt(8.0), 4.0)
    assert figures([[4.0, 3.0]], [[0.0, 3.0]]) == found


def test_what_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match=r"shapes \(2,\) and \(2, 1\)"):
        figures([1.0, 2.0], [[1.0], [2.0]])
    with pytest.raises(ValueError, match="nothing to compare"):
        figures(np.empty((0, 2)), np.empty((0, 2)))
