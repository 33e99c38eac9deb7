"""What host and device make of raw samples, against one another."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tinyhil.affine import DType, TensorSpec
from tinyhil.compare.preprocessing import Allowed, Preprocessing, Sides, judge

INPUT = TensorSpec("x", DType.INT8, (1, 3), 0.5, 0)
OUTPUT = TensorSpec("y", DType.INT16, (1, 2), 0.25, 0)
HOST = (np.arange(12, dtype=np.int8).reshape(4, 1, 3),)
REFERENCE = (np.arange(8, dtype=np.int16).reshape(4, 1, 2),)
SAME = Sides(HOST, HOST, REFERENCE, REFERENCE, REFERENCE)


def changed(arrays: tuple[np.ndarray, ...], sample: int, by: int) -> tuple[np.ndarray, ...]:
    """A copy whose last element of a sample is another one."""
    copy = arrays[0].copy()
    copy[sample, 0, -1] += by
    return (copy,)


def judged(sides: Sides, features: int = 0, outputs: int = 0) -> Preprocessing:
    return judge(sides, ((INPUT,), (OUTPUT,)), Allowed(features, outputs), "x in raw.npz", 7.0)


def test_the_same_passes() -> None:
    found = judged(SAME)
    assert found.passed
    assert (found.samples, found.unit, found.host, found.cost) == (4, "LSB", "x in raw.npz", 7.0)
    assert {part.mismatches + part.max_lsb for part in (found.features, found.model, found.end_to_end)} == {0}


@pytest.mark.parametrize(("by", "allowed"), [(1, 0), (-3, 2), (3, 3), (-3, 4)])
def test_features_are_compared_in_lsb_of_the_input(by: int, allowed: int) -> None:
    found = judged(replace(SAME, device=changed(HOST, 2, by)), features=allowed)
    wrong = abs(by) > allowed
    assert found.passed == (not wrong)
    assert (found.features.mismatches, found.features.max_lsb) == (int(wrong), abs(by))
    assert [(each.vector, each.output, each.element, each.lsb) for each in found.first_mismatches] == (
        [(2, 0, 2, by)] if wrong else []
    )
    assert (found.model.mismatches, found.end_to_end.mismatches) == (0, 0)


@pytest.mark.parametrize(("by", "allowed"), [(1, 0), (2, 2)])
def test_the_model_is_judged_on_the_host_s_features(by: int, allowed: int) -> None:
    found = judged(replace(SAME, model=changed(REFERENCE, 1, by)), outputs=allowed)
    assert found.passed == (by <= allowed)
    assert (found.features.mismatches, found.model.max_lsb) == (0, by)


def test_end_to_end_is_told_and_not_judged() -> None:
    found = judged(replace(SAME, end_to_end=changed(REFERENCE, 0, 9)))
    assert found.passed
    assert (found.end_to_end.mismatches, found.end_to_end.max_lsb) == (1, 9)


def test_floats_are_compared_in_units_in_the_last_place() -> None:
    spec = TensorSpec("x", DType.FLOAT32, (1, 1), 0.0, 0)
    host = (np.ones((2, 1, 1), np.float32),)
    device = (np.nextafter(host[0], np.float32(2)),)
    sides = replace(SAME, host=host, device=device, reference=host, model=host, end_to_end=host)
    found = judge(sides, ((spec,), (spec,)), Allowed(1, 0), "", None)
    assert (found.passed, found.unit, found.features.max_lsb) == (True, "ULP", 1)
