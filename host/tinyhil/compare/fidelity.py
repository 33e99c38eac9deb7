"""Device against integer reference, element by element, in LSB."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinyhil.affine import TensorSpec
from tinyhil.artifacts.types import Array
from tinyhil.errors import ConfigError

_Integers = npt.NDArray[np.int64]

CONFIDENCE = 0.95
"""The probability with which a sample would have shown a fault that is said to be excluded."""
SHOWN = 10
"""How many mismatches are listed; the count is always of all."""


@dataclass(frozen=True)
class Mismatch:
    """One output element that differs by more than the tolerance.

    Attributes:
        vector: index of the vector, from 0.
        output: index of the output tensor.
        element: flat index in the tensor.
        expected: the reference's value.
        actual: the device's value.
        lsb: actual minus expected in LSB; of floats in units in the last place.
    """

    vector: int
    output: int
    element: int
    expected: float
    actual: float
    lsb: int


@dataclass(frozen=True)
class Differences:
    """What the comparison found.

    Attributes:
        vectors: how many vectors were compared.
        mismatches: how many vectors have at least one element beyond the tolerance.
        max_lsb: the largest difference of an integer element in LSB; of a float element in units in the last place.
        first: the first mismatching elements, at most ``SHOWN``.
    """

    vectors: int
    mismatches: int
    max_lsb: int
    first: tuple[Mismatch, ...]


OF_OUTPUTS = "allow fewer: with --max-lsb, or as max_lsb in the recipe's [fidelity]"
"""What to do about a tolerance of outputs that none can miss."""


def require_bound(
    specs: Sequence[TensorSpec], tolerance_lsb: int, what: str = "output", hint: str = OF_OUTPUTS
) -> None:
    """Refuses a tolerance that no tensor can miss: whatever the device answered, it would pass.

    Args:
        specs: the tensors that are compared.
        tolerance_lsb: differences that are allowed.
        what: the tensors are, for the message.
        hint: where they are allowed.

    Raises:
        ConfigError: it allows as much as all integers of a tensor are apart.
    """
    for spec in specs:
        if spec.dtype.numpy.kind == "f":
            continue
        lowest, highest = spec.dtype.limits
        if tolerance_lsb >= highest - lowest:
            raise ConfigError(
                f"differences of {tolerance_lsb:,} LSB are allowed, and {what} {spec.name!r} of type "
                f"{spec.dtype.name.lower()} cannot have larger ones than {highest - lowest:,}",
                hint=hint,
            )


def detectable(vectors: int) -> float:
    """The least share of the inputs that a fault has to hit so that a sample of them shows it with ``CONFIDENCE``.

    n inputs, drawn independently, all miss a share p with a probability of (1 - p)^n, so p = 1 - (1 - 0.95)^(1/n). For
    large n that is the rule of three, 3/n (Hanley and Lippman-Hand, "If Nothing Goes Wrong, Is Everything All Right?",
    JAMA 249, 1983).

    Args:
        vectors: how many inputs were tried, at least 1.
    """
    share: float = 1.0 - (1.0 - CONFIDENCE) ** (1.0 / vectors)
    return share


def compare(
    device: Sequence[Array], reference: Sequence[Array], specs: Sequence[TensorSpec], tolerance_lsb: int
) -> Differences:
    """Compares all outputs of all vectors.

    Args:
        device: one array per output tensor, (vectors, *shape).
        reference: the same.
        specs: the output tensors.
        tolerance_lsb: differences up to this many LSB are not mismatches.

    Raises:
        ValueError: the two do not have the same number of vectors, or other shapes.
    """
    vectors = len(reference[0])
    wrong = np.zeros(vectors, dtype=bool)
    largest = 0
    first: list[Mismatch] = []
    for index, (actual, expected, spec) in enumerate(zip(device, reference, specs, strict=True)):
        if actual.shape != expected.shape or actual.dtype != expected.dtype:
            raise ValueError(
                f"output {spec.name!r}: {actual.shape} {actual.dtype} against {expected.shape} {expected.dtype}"
            )
        difference = differences(actual, expected).reshape(vectors, -1)
        distance = np.abs(difference)
        beyond = distance > tolerance_lsb
        wrong |= beyond.any(axis=1)
        largest = max(largest, int(distance.max()))
        flat_actual, flat_expected = actual.reshape(vectors, -1), expected.reshape(vectors, -1)
        for vector, element in np.argwhere(beyond)[:SHOWN]:
            first.append(
                Mismatch(
                    vector=int(vector),
                    output=index,
                    element=int(element),
                    expected=float(flat_expected[vector, element]),
                    actual=float(flat_actual[vector, element]),
                    lsb=int(difference[vector, element]),
                )
            )
    first.sort(key=lambda mismatch: (mismatch.vector, mismatch.output, mismatch.element))
    return Differences(vectors=vectors, mismatches=int(wrong.sum()), max_lsb=largest, first=tuple(first[:SHOWN]))


def differences(actual: Array, expected: Array) -> _Integers:
    """``actual - expected`` in LSB, element by element.

    For float32, how many representable values lie between the two (their order as sign-magnitude integers).
    """
    difference: _Integers = _ordered(actual) - _ordered(expected)
    return difference


def distances(actual: Sequence[Array], expected: Sequence[Array]) -> _Integers:
    """How far all outputs are apart, in LSB without a sign: (vectors, elements of all outputs).

    Args:
        actual: one array per output tensor, (vectors, *shape).
        expected: the same.
    """
    parts = [np.abs(differences(one, other)).reshape(len(one), -1) for one, other in zip(actual, expected, strict=True)]
    return np.concatenate(parts, axis=1)


def _ordered(values: Array) -> _Integers:
    if values.dtype.kind != "f":
        return values.astype(np.int64)
    bits = values.astype("<f4").view("<i4").astype(np.int64)
    ordered: _Integers = np.where(bits < 0, -(bits & 0x7FFFFFFF), bits)
    return ordered
