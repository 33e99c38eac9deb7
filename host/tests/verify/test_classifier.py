"""A classifier's figures, against scikit-learn's of the same answers; and a regression judged by its test set."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics  # type: ignore[import-untyped, unused-ignore]

from tinyhil.affine import DType, TensorSpec
from tinyhil.artifacts.types import Array, QuantizedModel, Reals, Vectors
from tinyhil.compare import classification
from tinyhil.compare.verdict import Accuracy as Judged
from tinyhil.config.recipe import Accuracy, Fidelity
from tinyhil.errors import ConfigError
from tinyhil.verify import verify

from .test_verify import INPUT, NOTHING, capture_of, model_of

CORNERS = 2
"""Vectors that are no samples: they come first, and accuracy does not look at them."""
NAMES = ("ant", "bee", "cat")
SCORES = TensorSpec("scores", DType.INT8, (1, len(NAMES)), 0.25, -5)


def classifier(scores: Array, floats: Reals, targets: Array | None) -> QuantizedModel:
    """A model with ``scores`` (vectors, classes) for reference outputs."""
    count = len(scores)
    vectors = Vectors(
        inputs=(np.zeros((count, 1, 1), np.int8),),
        reference=(scores[:, np.newaxis, :],),
        float_outputs=(floats[:, np.newaxis, :],),
        exhaustive=False,
        data=np.arange(count) >= CORNERS,
        targets=targets,
    )
    return replace(model_of((scores,), None), inputs=(INPUT,), outputs=(SCORES,), vectors=vectors)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Array, Array, Reals, Array]:
    """Device scores, reference scores, float scores, and labels of the samples."""
    count = draw(st.integers(CORNERS + 1, 20))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    # Few values, so that ties are frequent.
    device, reference = (generator.integers(-3, 4, (count, len(NAMES))).astype(np.int8) for _ in range(2))
    floats = generator.integers(-3, 4, (count, len(NAMES))).astype(np.float64)
    return device, reference, floats, generator.integers(0, len(NAMES), count - CORNERS).astype(np.int32)


def judged(case: tuple[Array, Array, Reals, Array], asked: Accuracy, names: tuple[str, ...] = NAMES) -> Judged:
    device, reference, floats, labels = case
    model = classifier(reference, floats, labels)
    found = verify(model, capture_of((device[:, np.newaxis, :],)), NOTHING, (Fidelity(), asked), None, names).accuracy
    assert found is not None
    return found


@given(cases())
@pytest.mark.long
def test_the_figures_are_scikit_learns(case: tuple[Array, Array, Reals, Array]) -> None:
    device, reference, floats, labels = case
    found = judged(case, Accuracy())
    assert found.overall is not None
    assert (found.vectors, found.truth, found.overall.device_vs_truth) == (len(labels), None, None)
    classes = found.classifier
    assert classes is not None
    assert classes.float_model is not None
    for figures, scores in (
        (classes.device, device),
        (classes.reference, reference),
        (classes.float_model, floats),
    ):
        predicted = [row.tolist().index(max(row.tolist())) for row in scores[CORNERS:]]
        text = metrics.classification_report(
            labels, predicted, labels=range(len(NAMES)), target_names=NAMES, zero_division=0, digits=6
        )
        shown = classification.report(figures, digits=6)
        if figures.accuracy > 0:  # else scikit-learn writes the support as reals
            assert shown.split() == text.split()
        assert np.array(figures.confusion).tolist() == (
            metrics.confusion_matrix(labels, predicted, labels=range(len(NAMES))).tolist()
        )
    assert classes.top1_drop == pytest.approx(classes.float_model.accuracy - classes.device.accuracy, abs=1e-12)
    assert [each.k for each in classes.top_k] == [1]
    assert classes.top_k[0].device == classes.device.accuracy
    same = np.mean(device[CORNERS:].argmax(axis=1) == reference[CORNERS:].argmax(axis=1))
    assert classes.agreement.reference_device == pytest.approx(same)


def fixed() -> tuple[Array, Array, Reals, Array]:
    """Ten samples; the float model has all of them right, the device nine."""
    labels = np.array([0, 1, 2, 0, 1, 2, 0, 1, 2, 0], np.int32)
    scores = np.concatenate([np.zeros((CORNERS, 3)), 10 * np.eye(3)[labels]])
    device = scores.astype(np.int8)
    device[-1] = [0, 10, 0]
    return device, scores.astype(np.int8), scores, labels


@pytest.mark.parametrize(("limit", "met"), [(0.1, True), (0.09, False), (0.0, False)])
def test_the_drop_is_bounded_by_the_recipe(limit: float, met: bool) -> None:
    found = judged(fixed(), Accuracy(top1_drop=limit))
    (bound,) = found.bounds
    assert (bound.figure, bound.limit, bound.met, found.passed) == ("top1_drop", limit, met, met)
    assert bound.value == pytest.approx(0.1)


def test_classes_without_names_have_their_numbers() -> None:
    classes = judged(fixed(), Accuracy(), ()).classifier
    assert classes is not None
    assert [each.name for each in classes.device.classes] == ["0", "1", "2"]


def test_names_have_to_fit_the_model() -> None:
    with pytest.raises(ConfigError, match="names of 2 classes, but the model has 3 outputs"):
        judged(fixed(), Accuracy(), ("yes", "no"))


def test_a_bound_on_the_drop_needs_classes() -> None:
    device, reference, floats, labels = fixed()
    for targets in (None, np.asarray(labels, np.float64) + 0.5):
        model = classifier(reference, floats, targets)
        with pytest.raises(ConfigError, match="bounds top1_drop, but its test set has no classes"):
            verify(model, capture_of((device[:, np.newaxis, :],)), NOTHING, (Fidelity(), Accuracy(top1_drop=1.0)), None)


def test_targets_that_are_no_classes_are_the_truth_of_a_regression() -> None:
    """Without a function of the recipe the test set says what is right, for its own samples only."""
    device, reference, floats, _ = fixed()
    targets = np.asarray(floats[CORNERS:], np.float64) + 0.5
    model = classifier(reference, floats, targets)
    found = verify(model, capture_of((device[:, np.newaxis, :],)), NOTHING, (Fidelity(), Accuracy()), None)
    assert found.accuracy is not None
    assert (found.accuracy.truth, found.accuracy.classifier) == ("test set", None)
    assert found.accuracy.overall is not None
    against = found.accuracy.overall.float_vs_truth
    assert against is not None
    assert against.mae == 0.5
    assert found.points.truth is not None
    assert [value is None for value in found.points.truth] == [True] * CORNERS + [False] * 10
