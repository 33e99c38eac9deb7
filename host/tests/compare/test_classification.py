"""The classification figures against fractions counted one vector at a time, against scikit-learn, and the course's."""

from __future__ import annotations

import operator
import re
import warnings
from collections import Counter
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sklearn.metrics  # type: ignore[import-untyped, unused-ignore]
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tinyhil.compare.classification import (
    UNCLASSIFIED,
    Agreement,
    Average,
    ClassFigures,
    Classification,
    accuracy,
    agreement,
    classification,
    predictions,
    report,
    top1_drop,
    top_k,
)

Labels = np.ndarray[Any, np.dtype[np.int64]]
Scores = np.ndarray[Any, np.dtype[Any]]


def derive(predicted: list[int], truth: list[int], names: list[str]) -> Classification:
    """What has to be found, by counting pairs and in fractions."""
    pairs = Counter(zip(truth, predicted, strict=True))
    n = len(truth)
    columns: list[tuple[Fraction, Fraction, Fraction]] = []
    for c in range(len(names)):
        hits = pairs[c, c]
        precision = Fraction(hits, predicted.count(c)) if c in predicted else Fraction(0)
        recall = Fraction(hits, truth.count(c)) if c in truth else Fraction(0)
        columns.append((precision, recall, 2 * precision * recall / (precision + recall) if hits else Fraction(0)))

    def mean(weights: list[Fraction]) -> Average:
        means = [sum(w * row[k] for w, row in zip(weights, columns, strict=True)) for k in range(3)]
        return Average(*map(float, means))

    return Classification(
        vectors=n,
        unclassified=predicted.count(UNCLASSIFIED),
        accuracy=sum(pairs[c, c] for c in range(len(names))) / n,
        classes=tuple(
            ClassFigures(name, float(p), float(r), float(f), support=truth.count(c), predicted=predicted.count(c))
            for c, (name, (p, r, f)) in enumerate(zip(names, columns, strict=True))
        ),
        macro=mean([Fraction(1, len(names))] * len(names)),
        weighted=mean([Fraction(truth.count(c), n) for c in range(len(names))]),
        confusion=tuple(tuple(pairs[t, p] for p in range(len(names))) for t in range(len(names))),
    )


def assert_equal(found: Classification, expected: Classification) -> None:
    for name in ("vectors", "unclassified", "confusion"):
        assert getattr(found, name) == getattr(expected, name)
    assert found.accuracy == pytest.approx(expected.accuracy, abs=1e-9)
    pairs = [
        (found.macro, expected.macro),
        (found.weighted, expected.weighted),
        *zip(found.classes, expected.classes, strict=True),
    ]
    for one, other in pairs:
        for name, value in vars(other).items():
            if isinstance(value, float):
                assert getattr(one, name) == pytest.approx(value, abs=1e-9), name
            else:
                assert getattr(one, name) == value, name


@st.composite
def cases(draw: st.DrawFn, lowest: int = UNCLASSIFIED) -> tuple[list[int], list[int], list[str]]:
    classes = draw(st.integers(2, 5))
    size = draw(st.integers(1, 60))
    truth = draw(st.lists(st.integers(0, classes - 1), min_size=size, max_size=size))
    predicted = draw(st.lists(st.integers(lowest, classes - 1), min_size=size, max_size=size))
    names = draw(st.lists(st.text("abcxyz /é", max_size=20), min_size=classes, max_size=classes))
    return predicted, truth, names


@given(cases())
def test_against_the_derivation(case: tuple[list[int], list[int], list[str]]) -> None:
    assert_equal(classification(*case), derive(*case))


@given(cases(lowest=0), st.integers(1, 5))
def test_the_text_is_scikit_learns(case: tuple[list[int], list[int], list[str]], digits: int) -> None:
    predicted, truth, names = case
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # few vectors of many classes
        expected = sklearn.metrics.classification_report(
            truth, predicted, labels=range(len(names)), target_names=names, digits=digits, zero_division=0
        )
    if not any(map(operator.eq, predicted, truth)):  # then its counts turn into reals: 4.0, padded to the same width
        expected = re.sub(r"( *\d+)\.0$", r"  \1", expected, flags=re.MULTILINE)
    assert report(classification(predicted, truth, names), digits) == expected


CATS_AND_DOGS = ([1] * 6 + [0] * 2 + [1] * 1 + [0] * 3, [1] * 8 + [0] * 4, ["dog", "cat"])
"""The course's example, cat being positive: TP 6, FN 2, FP 1, TN 3."""


def test_the_cats_and_dogs_of_the_course() -> None:
    found = classification(*CATS_AND_DOGS)
    assert found.confusion == ((3, 1), (2, 6))
    cat = found.classes[1]
    assert (found.accuracy, cat.precision, cat.recall, cat.f1) == pytest.approx((9 / 12, 6 / 7, 6 / 8, 12 / 15))
    assert [f"{x:.2f}" for x in (found.accuracy, cat.precision, cat.recall, cat.f1)] == ["0.75", "0.86", "0.75", "0.80"]


def test_the_classification_report_of_the_course() -> None:
    predicted, truth, names = CATS_AND_DOGS
    text = report(classification(*CATS_AND_DOGS))
    assert text == sklearn.metrics.classification_report(truth, predicted, target_names=names)
    rows = [line.split() for line in text.splitlines()]
    assert ["dog", "0.60", "0.75", "0.67", "4"] in rows
    assert ["cat", "0.86", "0.75", "0.80", "8"] in rows
    assert ["accuracy", "0.75", "12"] in rows


def test_what_was_never_predicted_can_be_told_from_what_was_always_wrong() -> None:
    found = classification([0, 0, 1], [0, 2, 0], ["never seen wrong", "always wrong", "never predicted"])
    assert [(one.precision, one.predicted) for one in found.classes[1:]] == [(0.0, 1), (0.0, 0)]
    assert [(one.recall, one.support) for one in found.classes[1:]] == [(0.0, 0), (0.0, 1)]


def test_an_unclassified_vector_is_wrong_and_counted() -> None:
    found = classification([0, UNCLASSIFIED], [0, 1], ["a", "b"])
    assert (found.unclassified, found.accuracy, found.classes[1].recall) == (1, 0.5, 0.0)
    assert sum(map(sum, found.confusion)) == 1


TIED = arrays.arrays(
    np.int8, st.tuples(st.integers(1, 30), st.integers(2, 6)), elements=st.integers(-128, -125) | st.integers(-128, 127)
)


@given(TIED)
def test_the_highest_score_and_of_equal_ones_the_lowest_index(scores: Scores) -> None:
    expected = [row.index(max(row)) for row in scores.tolist()]
    assert predictions(scores).tolist() == expected
    assert predictions(scores * np.float64(0.25)).tolist() == expected


@given(TIED, st.data())
def test_top_k(scores: Scores, data: st.DataObject) -> None:
    vectors, classes = scores.shape
    truth = np.array(data.draw(st.lists(st.integers(0, classes - 1), min_size=vectors, max_size=vectors)))
    found = [top_k(scores, truth, k) for k in range(1, classes + 1)]
    ranked = [sorted(range(classes), key=lambda c: (-row[c], c)) for row in scores.tolist()]
    for k, share in enumerate(found, start=1):
        assert share == sum(t in order[:k] for t, order in zip(truth.tolist(), ranked, strict=True)) / vectors
    assert found[0] == accuracy(predictions(scores), truth)
    assert found[-1] == 1


@given(TIED, st.data())
def test_top_k_is_scikit_learns_with_the_classes_turned_round(scores: Scores, data: st.DataObject) -> None:
    """Of equal scores it takes the highest index first; in the mirror that is our lowest."""
    vectors, classes = scores.shape
    truth = np.array(data.draw(st.lists(st.integers(0, classes - 1), min_size=vectors, max_size=vectors)))
    if classes == 2:  # there it wants one column
        return
    mirrored = scores[:, ::-1].astype(np.float64)
    for k in range(1, classes):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            expected = sklearn.metrics.top_k_accuracy_score(classes - 1 - truth, mirrored, k=k, labels=range(classes))
        assert top_k(scores, truth, k) == pytest.approx(expected, abs=1e-9)


def test_scores_with_nan_have_no_class() -> None:
    scores = np.array([[0.1, 0.9], [np.nan, 0.9], [0.2, np.nan], [np.inf, 0.0]])
    assert predictions(scores).tolist() == [1, UNCLASSIFIED, UNCLASSIFIED, 0]
    assert predictions([[np.nan]]).tolist() == [UNCLASSIFIED]
    assert top_k(scores, [1, 1, 1, 0], 2) == 0.5


def test_a_single_score_is_that_of_class_1() -> None:
    assert predictions([[0.2], [0.5], [0.51]]).tolist() == [0, 0, 1]
    assert predictions([[0.2], [0.5], [0.51]], threshold=0.1).tolist() == [1, 1, 1]


def test_agreement_does_not_ask_who_is_right() -> None:
    float_model, reference, device = [0, 1, 2, 2], [0, 1, 2, 1], [0, 1, 0, 1]
    assert agreement(float_model, reference, device) == Agreement(0.75, 0.5, 0.75)
    assert agreement(None, reference, device) == Agreement(None, None, 0.75)
    # That both have no class is no agreement.
    assert agreement(None, [UNCLASSIFIED, 1], [UNCLASSIFIED, 1]).reference_device == 0.5


def test_top1_drop() -> None:
    truth, float_model, device = [0, 1, 2, 2], [0, 1, 2, 1], [0, 0, 0, 1]
    assert top1_drop(float_model, device, truth) == pytest.approx(0.5)
    assert top1_drop(device, float_model, truth) == pytest.approx(-0.5)


@pytest.mark.parametrize(
    ("predicted", "truth", "message"),
    [
        ([0], [0, 1], "1 and 2 vectors"),
        (np.array([], int), np.array([], int), "nothing"),
        ([0, 2], [0, 1], "not one of the 2"),
        ([0, 1], [0, 2], "not one of the 2"),
        ([0, 1], [0, UNCLASSIFIED], "not one of the 2"),
        ([0, -2], [0, 1], "not one of the 2"),
        ([0.0, 1.0], [0, 1], "integers"),
        ([[0], [1]], [0, 1], "shape"),
    ],
)
def test_what_cannot_be_compared(predicted: Any, truth: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        classification(predicted, truth, ["a", "b"])


@pytest.mark.parametrize(
    ("scores", "truth", "k", "message"),
    [
        ([[1, 2]], [0], 0, "top 0"),
        ([[1, 2]], [0], 3, "top 3"),
        ([[1]], [0], 1, "of 1 classes"),
        ([[1, 2]], [2], 1, "not one of the 2"),
        ([[1, 2]], [-1], 1, "not one of the 2"),
        ([[1, 2]], [0, 1], 1, "1 and 2 vectors"),
        ([1, 2], [0], 1, "shape"),
    ],
)
def test_no_top_k(scores: Any, truth: Any, k: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        top_k(scores, truth, k)
