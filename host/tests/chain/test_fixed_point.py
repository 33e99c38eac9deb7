"""The shared fixed point arithmetic of the kernels against integers without limits."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from .comparing import Differs
from .conftest import Amount
from .one_operator import library

DRIVER = b"""
#include "fixed_point.h"
using namespace tinyhil::kernels;
extern "C" {
int32_t doubling(int32_t a, int32_t b) { return saturating_rounding_doubling_high_mul(a, b); }
int32_t high(int32_t a, int32_t b) { return rounding_high_mul(a, b); }
int32_t rounding(int32_t a, int32_t b) { return rounding_divide_by_pot(a, b & 31); }
int32_t small(int32_t a, int32_t b) { return divide_by_pot(a / 2, (b & 31) % 31); }
int32_t multiplied(int32_t a, int32_t b) { return multiply_by_quantized_multiplier(a, b & 0x7FFFFFFF, -(b & 31)); }
int32_t wide(int32_t a, int32_t b) {
  return multiply_by_quantized_multiplier(static_cast<int64_t>(a) * 256, b & 0x7FFFFFFF, -(b & 31) / 2 - 8);
}
}
"""


def half_up(number: int, exponent: int) -> int:
    return (number + (1 << exponent >> 1)) >> exponent


def half_away(number: int, exponent: int) -> int:
    return half_up(number, exponent) if number >= 0 else -half_up(-number, exponent)


def doubling(a: int, b: int) -> int:
    return min(half_up(a * b, 31), 2**31 - 1)


def halved(a: int) -> int:
    """Towards zero, as C++ divides."""
    return (abs(a) // 2) * (1 if a >= 0 else -1)


def wide(a: int, b: int) -> int:
    multiplier = b & 0x7FFFFFFF
    reduced = (multiplier + (1 << 15)) >> 16 if multiplier < 0x7FFF0000 else 0x7FFF
    return half_up(a * 256 * reduced, 15 + (b & 31) // 2 + 8)


EXPECTED: dict[str, Callable[[int, int], int]] = {
    "doubling": doubling,
    "high": lambda a, b: half_up(a * b, 32),
    "rounding": lambda a, b: half_away(a, b & 31),
    "small": lambda a, b: half_away(halved(a), (b & 31) % 31),
    "multiplied": lambda a, b: half_away(half_up(a * (b & 0x7FFFFFFF), 31), b & 31),
    "wide": wide,
}


@pytest.mark.parametrize("name", EXPECTED)
def test_equals_exact_integers(name: str, chain_folder: Path, amount: Amount) -> None:
    rng = np.random.default_rng(3)
    count = amount(5_000, 50_000)
    raw = rng.integers(-(2**31), 2**31, (count, 2)) >> rng.integers(0, 32, (count, 2))
    ends = np.array([-(2**31), -(2**31) + 1, -(2**30), -1, 0, 1, 2**30, 2**31 - 1])
    raw[: count * 2 // 5, 0] = rng.choice(ends, count * 2 // 5)
    raw[count // 5 : count * 3 // 5, 1] = rng.choice(ends, count * 2 // 5)
    function, expected = ctypes.CDLL(str(library({"driver.cpp": DRIVER}, (), chain_folder)))[name], EXPECTED[name]
    for a, b in raw.tolist():
        if function(a, b) != expected(a, b):
            raise Differs(f"{name} of {a} and {b}: {function(a, b)} instead of {expected(a, b)}")
