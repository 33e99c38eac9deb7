"""The regression figures against exact fractions, and against the numbers of the course."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn import metrics  # type: ignore[import-untyped, unused-ignore]

from tinyhil.compare.regression import LARGEST, RegressionFigures, by_element, figures, regression

Values = np.ndarray[Any, np.dtype[np.float64]]

UNDEFINED = {"mae", "rmse", "residual_norm", "max_error", "r2", "nse", "cosine"}


def derive(predicted: Sequence[float], truth: Sequence[float]) -> RegressionFigures:
    """The definitions in fractions, which do not round; only the square roots do."""
    p, t = [Fraction(x) for x in predicted], [Fraction(x) for x in truth]
    n = len(t)
    squares = sum((a - b) ** 2 for a, b in zip(p, t, strict=True))
    mean = sum(t) / n
    variation = sum((x - mean) ** 2 for x in t)
    efficiency = float(1 - squares / variation) if variation else None
    lengths = sum(x * x for x in p) * sum(x * x for x in t)
    product = sum(a * b for a, b in zip(p, t, strict=True))
    cosine = math.copysign(math.sqrt(product**2 / lengths), product) if lengths else None
    return RegressionFigures(
        values=n,
        not_finite=0,
        mae=float(sum(abs(a - b) for a, b in zip(p, t, strict=True)) / n),
        rmse=math.sqrt(squares / n),
        residual_norm=math.sqrt(squares),
        max_error=float(max(abs(a - b) for a, b in zip(p, t, strict=True))),
        r2=efficiency,
        nse=efficiency,
        cosine=cosine,
    )


def assert_equal(found: RegressionFigures, expected: RegressionFigures) -> None:
    assert (found.values, found.not_finite) == (expected.values, expected.not_finite)
    for name in UNDEFINED:
        one, other = getattr(found, name), getattr(expected, name)
        assert (one is None) == (other is None), name
        if other is not None:
            assert one == pytest.approx(other, rel=1e-9, abs=1e-9), name


@st.composite
def pairs(draw: st.DrawFn, *, vectors: int | None = None) -> tuple[Values, Values]:
    """Predictions and truth on a common grid, as quantized values are; constants and zeros are frequent."""
    shape = (vectors or draw(st.integers(1, 30)), *draw(st.lists(st.integers(1, 3), max_size=2)))
    grid = st.integers(-300, 300)
    sides = arrays.arrays(np.int64, shape, elements=grid, fill=grid)
    scale = draw(st.floats(1e-3, 1e3))
    return draw(sides) * scale, draw(sides) * scale


@given(pairs())
def test_against_the_derivation(pair: tuple[Values, Values]) -> None:
    predicted, truth = pair
    assert_equal(figures(predicted, truth), derive(predicted.ravel().tolist(), truth.ravel().tolist()))


@given(st.integers(1, 8).flatmap(lambda n: st.lists(pairs(vectors=n), min_size=1, max_size=3)))
def test_every_output_and_all_of_them(outputs: list[tuple[Values, Values]]) -> None:
    found = regression([predicted for predicted, _ in outputs], [truth for _, truth in outputs])
    assert found.outputs == tuple(figures(*pair) for pair in outputs)
    every = [[x for pair in outputs for x in pair[side].ravel().tolist()] for side in (0, 1)]
    assert_equal(found.overall, derive(*every))


@given(pairs())
def test_every_element(pair: tuple[Values, Values]) -> None:
    predicted, truth = pair
    places = list(np.ndindex(truth.shape[1:]))
    found = by_element(predicted, truth)
    assert len(found) == len(places)
    for one, place in zip(found, places, strict=True):
        index = (slice(None), *place)
        assert_equal(one, derive(predicted[index].tolist(), truth[index].tolist()))


X = np.arange(-1.0, 5.0)
"""The course's first lesson: y = 2x - 1 at x = -1, 0, ..., 4."""


@pytest.mark.parametrize(
    ("weight", "bias", "squares"),
    [(3, -1, 31), (2, -2, 6), (2, -1, 0)],
)
def test_the_guesses_of_the_course(weight: float, bias: float, squares: int) -> None:
    found = figures(weight * X + bias, 2 * X - 1)
    assert found.residual_norm == pytest.approx(math.sqrt(squares))
    assert found.rmse == pytest.approx(math.sqrt(squares / 6))


def test_the_rmsd_of_the_course_is_not_divided_by_the_number_of_values() -> None:
    found = figures(3 * X - 1, 2 * X - 1)
    assert found.residual_norm is not None
    assert found.rmse is not None
    assert round(found.residual_norm, 2) == 5.57
    assert round(found.rmse, 2) == 2.27


@pytest.mark.parametrize("value", [0.1, 3.0, -1e-3])
@pytest.mark.parametrize("count", [1, 3, 10])
def test_a_constant_truth_has_no_variation_to_explain(value: float, count: int) -> None:
    """The mean of ten times 0.1 is not 0.1: it would look like a truth that varies by a rounding."""
    found = figures(np.full(count, value + 1), np.full(count, value))
    assert (found.r2, found.nse) == (None, None)
    assert found.mae == pytest.approx(1)
    assert found.cosine is not None


def test_a_truth_that_varies_by_less_than_can_be_squared() -> None:
    found = figures([0.0, 0.0], [0.0, 1e-200])
    assert (found.r2, found.nse, found.cosine) == (None, None, None)
    assert found.max_error == 1e-200


@pytest.mark.parametrize(("predicted", "truth"), [([0, 0], [1, 2]), ([1, 2], [0, 0]), ([0], [0])])
def test_a_zero_vector_has_no_direction(predicted: list[float], truth: list[float]) -> None:
    assert figures(predicted, truth).cosine is None


@given(st.lists(st.floats(-1e3, 1e3).filter(lambda x: abs(x) > 1e-3), min_size=1, max_size=20))
def test_a_cosine_stays_in_its_range(values: list[float]) -> None:
    same, opposite = figures(values, values).cosine, figures(np.negative(values), values).cosine
    assert same is not None
    assert opposite is not None
    assert 1 - 1e-12 < same <= 1
    assert -1 <= opposite < -1 + 1e-12


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf, 2 * LARGEST])
def test_a_prediction_that_is_no_number_leaves_nothing_defined(wrong: float) -> None:
    found = figures([1.0, wrong, 2.0, wrong], [1.0, 2.0, 2.0, 4.0])
    assert (found.values, found.not_finite) == (4, 2)
    assert {name for name in UNDEFINED if getattr(found, name) is None} == UNDEFINED


def test_the_largest_numbers_do_not_overflow() -> None:
    found = figures([LARGEST, -LARGEST], [-LARGEST, LARGEST])
    assert found.rmse == pytest.approx(2 * LARGEST)
    assert found.nse == pytest.approx(-3)
    assert found.cosine == pytest.approx(-1)


@pytest.mark.parametrize(
    ("predicted", "truth", "message"),
    [
        ([1.0], [1.0, 2.0], "shapes"),
        ([], [], "nothing"),
        ([1.0], [np.nan], "truth"),
        ([1.0], [np.inf], "truth"),
    ],
)
def test_what_cannot_be_compared(predicted: list[float], truth: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        figures(predicted, truth)


def test_outputs_that_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="2 outputs"):
        regression([[1.0], [2.0]], [[1.0]])
    with pytest.raises(ValueError, match="nothing"):
        regression([], [])


@given(pairs())
def test_what_scikit_learn_has_is_equal(pair: tuple[Values, Values]) -> None:
    predicted, truth = (side.ravel() for side in pair)
    found = figures(predicted, truth)
    assert found.mae == pytest.approx(metrics.mean_absolute_error(truth, predicted), rel=1e-9)
    assert found.rmse == pytest.approx(metrics.root_mean_squared_error(truth, predicted), rel=1e-9)
    assert found.max_error == pytest.approx(metrics.max_error(truth, predicted), rel=1e-9)
    if found.r2 is not None and len(truth) > 1:  # scikit-learn has none for a single sample
        assert found.r2 == pytest.approx(metrics.r2_score(truth, predicted), rel=1e-9, abs=1e-9)
    if found.cosine is not None:
        assert found.cosine == pytest.approx(
            metrics.pairwise.cosine_similarity([predicted], [truth])[0, 0], rel=1e-9, abs=1e-9
        )
