"""The test of times: against SciPy's, and in a simulation of noise, with the sample size that it states."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats  # type: ignore[import-untyped]

from tinyhil.compare import medians

TRIALS = 2000
NOISE, OUTLIERS, LONGER, DRIFT = 0.01, 0.01, 1.5, 0.005
"""Log-normal variation; the share of outliers, and how much longer they are; a drift from the first run to the last."""
ALLOWED, SLOWER = 0.01, 0.03


def measured(generator: np.random.Generator, slowdown: float, drift: float) -> tuple[list[float], list[float]]:
    """Times of both sides, the first one's before the second one's, with a drift over all of them."""
    count = 2 * medians.RUNS
    times = 1000.0 * np.exp(generator.normal(0.0, NOISE, count))
    times *= np.where(generator.random(count) < OUTLIERS, LONGER, 1.0)
    times *= 1.0 + drift * np.arange(count) / (count - 1)
    times[medians.RUNS :] *= 1.0 + slowdown
    return times[: medians.RUNS].tolist(), times[medians.RUNS :].tolist()


def alarms(slowdown: float, drift: float) -> float:
    """The share of trials in which the second side is called slower."""
    generator = np.random.default_rng(17)
    found = (medians.is_slower(*measured(generator, slowdown, drift), ALLOWED) for _ in range(TRIALS))
    return sum(found) / TRIALS


@pytest.mark.parametrize("drift", [DRIFT, 0.0, -DRIFT])
def test_it_raises_less_than_one_false_alarm_in_a_hundred(drift: float) -> None:
    assert alarms(0.0, drift) <= 0.01
    assert alarms(ALLOWED, 0.0) <= 0.015  # at the very edge of what is allowed: as often as the test says


@pytest.mark.parametrize("drift", [DRIFT, 0.0, -DRIFT])
def test_it_finds_a_slowdown_of_3_percent(drift: float) -> None:
    assert alarms(SLOWER, drift) >= 0.95


TIMES = st.lists(st.integers(1, 30).map(float), min_size=medians.RUNS, max_size=40)


@given(TIMES, TIMES)
def test_the_probability_is_that_of_scipy(before: list[float], after: list[float]) -> None:
    if len({*before, *after}) > 1:
        expected = stats.mannwhitneyu(after, before, alternative="greater", method="asymptotic").pvalue
        assert medians.probability(before, after) == pytest.approx(expected, abs=1e-9)


def test_equal_times_are_not_slower() -> None:
    same = [5.0] * medians.RUNS
    assert medians.probability(same, same) == 1.0
    assert not medians.is_slower(same, same, 0.0)
    assert medians.slowdown(same, [6.0] * medians.RUNS) == pytest.approx(0.2)


def test_too_few_measurements_are_refused() -> None:
    enough = [1.0] * medians.RUNS
    with pytest.raises(ValueError, match="15 of each"):
        medians.is_slower(enough, enough[1:], 0.01)
