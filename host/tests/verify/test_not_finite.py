"""What is no number is no pass, and what a sample of vectors can exclude is said."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tinyhil.affine import DType, TensorSpec
from tinyhil.config.recipe import Accuracy, Fidelity
from tinyhil.verify import verify

from .test_verify import ASKS_NOTHING, NOTHING, capture_of, model_of, small

NOT_FINITE = [float("nan"), float("inf"), float("-inf")]


def of_floats(device: Any, floats: Any, **asked: Any) -> Any:
    """What is judged of a model with an output of floats that the device computes as the reference does."""
    outputs = (np.asarray(device, np.float32).reshape(-1, 1, 2),)
    model = replace(
        model_of(outputs, (np.asarray(floats, np.float64).reshape(-1, 1, 2),)),
        outputs=(TensorSpec("one", DType.FLOAT32, (1, 2), 0.0, 0),),
        **asked.pop("model", {}),
    )
    return verify(model, capture_of(outputs), NOTHING, (Fidelity(), Accuracy(**asked)), None)


@pytest.mark.parametrize("value", NOT_FINITE)
def test_an_output_of_the_device_that_is_no_number_is_no_pass(value: float) -> None:
    right, wrong = [1.0, 2.0, 3.0, 4.0], [1.0, 2.0, value, 4.0]
    assert of_floats(right, right).passed
    found = of_floats(wrong, right)
    assert (found.fidelity.mismatches, found.fidelity.not_finite) == (0, 1)
    assert not found.fidelity.passed
    assert not found.passed


@pytest.mark.parametrize("value", NOT_FINITE)
def test_an_output_of_the_float_model_that_is_no_number_is_no_pass(value: float) -> None:
    """Whether or not a bound is asked."""
    right, wrong = [1.0, 2.0, 3.0, 4.0], [1.0, 2.0, value, 4.0]
    found = of_floats(right, wrong)
    assert found.fidelity.passed
    assert found.accuracy is not None
    assert not found.accuracy.passed
    assert not found.passed
    asked = of_floats(right, wrong, device_vs_float_mae=1e9)
    assert [(bound.value, bound.met) for bound in asked.accuracy.bounds] == [(None, False)]
    assert not asked.passed


def test_a_bound_is_not_met_where_no_vector_can_be_judged() -> None:
    model, capture = small()
    none = replace(model, vectors=replace(model.vectors, data=np.zeros(2, np.bool_)))
    assert verify(none, capture, NOTHING, (Fidelity(max_lsb=1), Accuracy()), None).passed
    for asked in ({"device_vs_float_mae": 1e9}, {"device_vs_truth_mae": 1e9}, {"top1_drop": 1.0}):
        found = verify(none, capture, NOTHING, (Fidelity(max_lsb=1), Accuracy(**asked)), None)
        assert found.accuracy is not None
        assert [(bound.value, bound.met) for bound in found.accuracy.bounds] == [(None, False)]
        assert not found.passed


@pytest.mark.parametrize(("count", "percent"), [(818, 0.37), (1, 95.0), (256, 1.16)])
def test_what_a_sample_can_exclude(count: int, percent: float) -> None:
    """Of ``count`` vectors none hits a fault of the share p with the probability (1 - p)^count."""
    reference = (np.zeros((count, 1, 2), np.int8),)
    found = verify(model_of(reference, None), capture_of(reference), NOTHING, ASKS_NOTHING, None)
    share = found.fidelity.detectable
    assert share is not None
    assert (1 - share) ** count == pytest.approx(0.05)
    assert 100 * share == pytest.approx(percent, abs=0.005)
    vectors = replace(model_of(reference, None).vectors, exhaustive=True)
    whole = replace(model_of(reference, None), vectors=vectors)
    assert verify(whole, capture_of(reference), NOTHING, ASKS_NOTHING, None).fidelity.detectable is None
    other = capture_of((np.ones((count, 1, 2), np.int8),))
    assert verify(model_of(reference, None), other, NOTHING, ASKS_NOTHING, None).fidelity.detectable is None
