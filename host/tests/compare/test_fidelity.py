"""The first verdict against a derivation of its own: one element at a time, in Python's integers."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tinyhil.affine import DType, TensorSpec
from tinyhil.compare.fidelity import SHOWN, Differences, Mismatch, compare

Outputs = tuple[np.ndarray[Any, Any], ...]
FLOATS = st.floats(allow_nan=False, width=32)


def spec_of(dtype: DType, *shape: int) -> TensorSpec:
    return TensorSpec("output", dtype, shape, 0.0 if dtype is DType.FLOAT32 else 0.5, 0)


def rank(value: float) -> int:
    """Which float32 it is, counted from zero: the neighbours of the k-th are the k-1st and the k+1st."""
    bits: int = struct.unpack("<I", struct.pack("<f", abs(value)))[0]
    return -bits if value < 0 else bits


def neighbour(value: np.float32, *, upwards: bool = True) -> np.float32:
    with np.errstate(over="ignore"):  # the neighbour of the largest one is infinite
        return np.float32(np.nextafter(value, np.float32(np.inf if upwards else -np.inf)))


def distance(one: float, other: float, dtype: DType) -> int:
    return rank(one) - rank(other) if dtype is DType.FLOAT32 else int(one) - int(other)


def derive(device: Outputs, reference: Outputs, specs: tuple[TensorSpec, ...], tolerance: int) -> Differences:
    """What the comparison has to find."""
    found = [
        Mismatch(vector, output, element, float(expected), float(actual), distance(actual, expected, spec.dtype))
        for vector in range(len(reference[0]))
        for output, spec in enumerate(specs)
        for element, (actual, expected) in enumerate(
            zip(device[output][vector].ravel().tolist(), reference[output][vector].ravel().tolist(), strict=True)
        )
    ]
    beyond = [mismatch for mismatch in found if abs(mismatch.lsb) > tolerance]
    return Differences(
        vectors=len(reference[0]),
        mismatches=len({mismatch.vector for mismatch in beyond}),
        max_lsb=max(abs(mismatch.lsb) for mismatch in found),
        first=tuple(beyond[:SHOWN]),
    )


@st.composite
def comparisons(draw: st.DrawFn) -> tuple[Outputs, Outputs, tuple[TensorSpec, ...], int]:
    """Device and reference that agree mostly: each differs from the other in a few elements."""
    vectors = draw(st.integers(1, 12))
    device, reference, specs = [], [], []
    for _ in range(draw(st.integers(1, 3))):
        dtype = draw(st.sampled_from(DType))
        shape = draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
        elements = FLOATS if dtype is DType.FLOAT32 else st.integers(*dtype.limits)
        expected = draw(arrays.arrays(dtype.numpy, (vectors, *shape), elements=elements))
        actual = expected.copy()
        places = st.tuples(*(st.integers(0, size - 1) for size in expected.shape))
        for place in draw(st.lists(places, max_size=20)):
            near = [neighbour(actual[place])] if dtype is DType.FLOAT32 else list(dtype.limits)
            actual[place] = draw(elements | st.sampled_from(near))
        device.append(actual)
        reference.append(expected)
        specs.append(spec_of(dtype, *shape))
    return tuple(device), tuple(reference), tuple(specs), draw(st.integers(0, 3) | st.integers(0, 2**33))


@given(comparisons())
def test_against_the_derivation(case: tuple[Outputs, Outputs, tuple[TensorSpec, ...], int]) -> None:
    assert compare(*case) == derive(*case)


@pytest.mark.parametrize("dtype", [DType.INT8, DType.UINT8, DType.INT16, DType.INT32])
def test_the_ends_of_the_range_do_not_wrap(dtype: DType) -> None:
    lowest, highest = dtype.limits
    ends = np.array([[lowest], [highest]], dtype.numpy)
    found = compare((ends,), (ends[::-1],), (spec_of(dtype, 1),), 0)
    assert (found.mismatches, found.max_lsb) == (2, highest - lowest)


@given(FLOATS, st.integers(1, 20), st.booleans())
def test_float_neighbours_are_one_apart(value: float, steps: int, upwards: bool) -> None:
    other = np.float32(value)
    for _ in range(steps):
        other = neighbour(other, upwards=upwards)
    assume(np.isfinite(other))
    one = np.array([[value]], "<f4")
    device = np.array([[other]], "<f4")
    assert compare((device,), (one,), (spec_of(DType.FLOAT32, 1),), 0).max_lsb == steps
    assert compare((device,), (one,), (spec_of(DType.FLOAT32, 1),), steps).mismatches == 0
    assert compare((device,), (one,), (spec_of(DType.FLOAT32, 1),), steps - 1).mismatches == 1


def test_both_zeros_are_one_number() -> None:
    zeros = np.array([[0.0], [-0.0]], "<f4")
    spec = (spec_of(DType.FLOAT32, 1),)
    assert compare((zeros,), (zeros[::-1],), spec, 0).max_lsb == 0
    # The smallest numbers on both sides of zero are one step from it, and two from each other.
    smallest = np.nextafter(np.float32(0), np.float32(1))
    below, above = np.array([[-smallest]], "<f4"), np.array([[smallest]], "<f4")
    assert compare((below,), (zeros[:1],), spec, 0).max_lsb == 1
    assert compare((below,), (zeros[1:],), spec, 0).max_lsb == 1
    assert compare((below,), (above,), spec, 0).max_lsb == 2


def test_not_a_number_is_not_a_number() -> None:
    spec = (spec_of(DType.FLOAT32, 1),)
    nan, one = np.array([[np.nan]], "<f4"), np.array([[1.0]], "<f4")
    assert compare((nan,), (one,), spec, 0).mismatches == 1
    assert compare((nan,), (nan,), spec, 0).mismatches == 0


def test_vectors_are_counted_not_elements() -> None:
    reference = (np.zeros((4, 2, 3), np.int8), np.zeros((4, 1), np.int8))
    device = (reference[0].copy(), reference[1].copy())
    specs = (spec_of(DType.INT8, 2, 3), spec_of(DType.INT8, 1))
    device[0][1] = 5  # six elements of one vector
    device[1][1] = 1  # the same vector in another output
    device[1][3] = -2
    found = compare(device, reference, specs, 0)
    assert (found.vectors, found.mismatches, found.max_lsb) == (4, 2, 5)
    places = [(mismatch.vector, mismatch.output, mismatch.element) for mismatch in found.first]
    assert places == [*((1, 0, element) for element in range(6)), (1, 1, 0), (3, 1, 0)]
    assert compare(device, reference, specs, 2).mismatches == 1
    assert compare(device, reference, specs, 5) == Differences(vectors=4, mismatches=0, max_lsb=5, first=())


def test_only_the_first_are_listed_and_all_are_counted() -> None:
    reference = np.zeros((3 * SHOWN, 1), np.int8)
    found = compare((reference + np.int8(1),), (reference,), (spec_of(DType.INT8, 1),), 0)
    assert found.mismatches == 3 * SHOWN
    assert [mismatch.vector for mismatch in found.first] == list(range(SHOWN))


@pytest.mark.parametrize(
    "device",
    [
        (np.zeros((2, 3), np.int8),),  # shape
        (np.zeros((1, 2), np.int8),),  # fewer vectors
        (np.zeros((2, 2), np.uint8),),  # type
        (),  # outputs
    ],
)
def test_what_cannot_be_compared(device: Outputs) -> None:
    with pytest.raises(ValueError, match=r"against|longer"):
        compare(device, (np.zeros((2, 2), np.int8),), (spec_of(DType.INT8, 2),), 0)
