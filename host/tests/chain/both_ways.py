"""Runs a model of one operator in TFLM and in the chain, and compares every output value."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .one_operator import Array, Chain, Reference


def compare(model: bytes, folder: Path, inferences: Iterable[Sequence[Array]]) -> int:
    """Runs ``inferences`` one after the other and asserts that all outputs are equal, bit for bit.

    Returns:
        How many output values were compared.
    """
    chain, reference = Chain(model, folder), Reference(model)
    compared = 0
    for number, inputs in enumerate(inferences):
        for ours, theirs in zip(chain.run(*inputs), reference.run(*inputs), strict=True):
            np.testing.assert_array_equal(ours.reshape(-1), theirs.reshape(-1), f"inference {number}")
            compared += ours.size
    return compared


def values(random: np.random.Generator, dtype: str, shape: Sequence[int]) -> npt.NDArray[Any]:
    """Random values of an integer type: of its whole range, of its ends only, or all the same, by chance.

    Of float32 and bool they are just random.
    """
    if dtype == "float32":
        return random.normal(0, 3, tuple(shape)).astype(np.float32)
    if dtype == "bool":
        return random.integers(0, 2, tuple(shape)).astype(np.bool_)
    limits = np.iinfo(dtype)
    kind = random.integers(8)
    if kind == 0:
        return random.choice(np.array([limits.min, limits.max], dtype), size=tuple(shape))
    if kind == 1:
        return np.full(tuple(shape), random.choice([limits.min, -1, 0, 1, limits.max]), dtype)
    return random.integers(limits.min, limits.max, size=tuple(shape), dtype=dtype, endpoint=True)


def weights(random: np.random.Generator, shape: Sequence[int], lowest: int = -128) -> npt.NDArray[np.int8]:
    """Random weights of int8, by chance with many at the ends."""
    found: npt.NDArray[np.int8] = random.integers(lowest, 127, size=tuple(shape), dtype=np.int8, endpoint=True)
    if random.integers(3) == 0:
        ends = random.random(tuple(shape)) < 0.3
        found[ends] = random.choice(np.array([lowest, 127], np.int8), size=int(ends.sum()))
    return found
