"""The search against computations whose differences are known."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from tinyhil.affine import DType, TensorSpec
from tinyhil.compare import climb
from tinyhil.compare.climb import Apart, Inputs

WIDE = TensorSpec("in", DType.INT8, (1, 40), 0.5, -7)
SMALL = TensorSpec("more", DType.INT16, (1, 2, 3), 0.25, 11)


def drawn(specs: tuple[TensorSpec, ...], count: int = 20) -> Inputs:
    """Inputs near the zero point."""
    generator = np.random.default_rng(5)
    return tuple(
        (spec.zero_point + generator.integers(-3, 4, (count, *spec.shape))).astype(spec.dtype.numpy) for spec in specs
    )


def sum_of_two(inputs: Inputs) -> Apart:
    """Differs only where element 3 is high and element 30 is low, the more the further they are."""
    flat = inputs[0].reshape(len(inputs[0]), -1).astype(np.int64)
    high, low = np.maximum(flat[:, 3] - 60, 0), np.maximum(-60 - flat[:, 30], 0)
    both: npt.NDArray[np.int64] = np.where((high > 0) & (low > 0), high + low, 0)
    return both


def hill(inputs: Inputs) -> Apart:
    """Grows with every element."""
    heights: Apart = np.maximum(inputs[0].reshape(len(inputs[0]), -1).astype(np.int64).sum(axis=1), 0)
    return heights


def test_it_climbs() -> None:
    start = drawn((WIDE,))
    count = 40 * climb.ROUND + 3
    found = climb.climb(hill, (WIDE,), start, hill(start), count, 1)
    assert found.tried == count
    assert found.lsb == hill(found.worst)[0]
    highest = 127 * WIDE.elements
    assert int(hill(start).max()) < 0.01 * highest
    assert found.lsb > 0.9 * highest


@pytest.mark.parametrize("seed", range(4))
def test_a_difference_of_two_elements_is_found_and_reduced_to_them(seed: int) -> None:
    start = drawn((WIDE,))
    assert not sum_of_two(start).any()
    found = climb.climb(sum_of_two, (WIDE,), start, sum_of_two(start), 60 * climb.ROUND, seed)
    assert found.lsb > 0
    for tolerance in (0, 5):
        smallest = climb.reduce(sum_of_two, (WIDE,), found.worst, tolerance)
        left = np.flatnonzero(smallest.inputs[0].reshape(-1) != WIDE.zero_point)
        assert left.tolist() == [3, 30]
        assert smallest.elements == 2
        (apart,) = sum_of_two(smallest.inputs)
        assert tolerance < apart <= max(found.lsb, tolerance + 1)
        # Brought halfway to the zero point, neither would differ any more.
        for place in left:
            nearer = smallest.inputs[0].astype(np.int64).reshape(1, -1).copy()
            nearer[0, place] = WIDE.zero_point + (nearer[0, place] - WIDE.zero_point) // 2
            assert sum_of_two((nearer.reshape(1, *WIDE.shape).astype(np.int8),))[0] <= tolerance


def test_the_same_seed_asks_the_same() -> None:
    asked: list[list[bytes]] = []

    def remember(inputs: Inputs) -> Apart:
        asked[-1].append(b"".join(part.tobytes() for part in inputs))
        return hill(inputs)

    specs = (WIDE, SMALL)
    start = drawn(specs)
    for seed in (1, 1, 2):
        asked.append([])
        climb.climb(remember, specs, start, hill(start), 2 * climb.ROUND, seed)
    assert asked[0] == asked[1] != asked[2]


def test_what_is_asked_keeps_to_the_tensors() -> None:
    specs = (WIDE, SMALL)

    def check(inputs: Inputs) -> Apart:
        for spec, part in zip(specs, inputs, strict=True):
            assert part.shape == (5, *spec.shape)
            assert part.dtype == spec.dtype.numpy
        return np.zeros(5, np.int64)

    start = drawn(specs)
    found = climb.climb(check, specs, start, np.zeros(20, np.int64), 5, 1)
    assert (found.tried, found.lsb) == (5, 0)
    assert [part.shape for part in found.worst] == [(1, *spec.shape) for spec in specs]


def test_where_everything_differs_the_zero_point_is_enough() -> None:
    smallest = climb.reduce(lambda inputs: np.full(len(inputs[0]), 9), (WIDE, SMALL), drawn((WIDE, SMALL), 1), 0)
    assert smallest.elements == 0
    assert (smallest.inputs[1] == SMALL.zero_point).all()


def test_a_reduction_comes_to_an_end() -> None:
    """Where every element is needed, it stops asking before it has halved all of them."""
    times = 0

    def all_of_them(inputs: Inputs) -> Apart:
        nonlocal times
        times += 1
        flat = inputs[0].reshape(len(inputs[0]), -1)
        differ: Apart = (flat != WIDE.zero_point).all(axis=1).astype(np.int64)
        return differ

    start = (np.full((1, *WIDE.shape), 100, np.int8),)
    smallest = climb.reduce(all_of_them, (WIDE,), start, 0)
    assert smallest.elements == WIDE.elements
    assert times == climb.REDUCTIONS
    times = 0
    assert climb.reduce(all_of_them, (WIDE,), start, 0, 100).tried == 100
