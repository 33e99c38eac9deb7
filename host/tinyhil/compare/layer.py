"""What a layer put out on a device, against what it should have: how many vectors differ, and the first one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinyhil.affine import TensorSpec
from tinyhil.artifacts.types import Array
from tinyhil.compare import fidelity
from tinyhil.compare.fidelity import Mismatch


@dataclass(frozen=True)
class LayerDifference:
    """One layer's outputs on two sides.

    Attributes:
        vectors: how many were compared.
        mismatches: how many have at least one element beyond the tolerance.
        max_lsb: the largest difference of an integer in LSB; of a float in units in the last place.
        elements: of the layer's output.
        wrong_elements: how many of them are beyond the tolerance in the first vector that has any.
        first: the first of these, with its vector; None where all is exact.
    """

    vectors: int
    mismatches: int
    max_lsb: int
    elements: int
    wrong_elements: int
    first: Mismatch | None

    @property
    def differs(self) -> bool:
        """Whether anything is beyond the tolerance."""
        return self.mismatches > 0


def differing(actual: Sequence[Array], expected: Sequence[Array], tolerance_lsb: int) -> npt.NDArray[np.bool_]:
    """Which vectors have an element beyond the tolerance, (vectors,).

    Args:
        actual: one array per output tensor, (vectors, *shape).
        expected: the same.
        tolerance_lsb: differences up to this many LSB are none.
    """
    return np.asarray((fidelity.distances(actual, expected) > tolerance_lsb).any(axis=1))


def difference(
    actual: Sequence[Array], expected: Sequence[Array], specs: Sequence[TensorSpec], tolerance_lsb: int
) -> LayerDifference:
    """Compares all outputs of all vectors.

    Args, Raises: as :func:`tinyhil.compare.fidelity.compare`.
    """
    found = fidelity.compare(actual, expected, specs, tolerance_lsb)
    first = found.first[0] if found.first else None
    beyond = fidelity.distances(actual, expected) > tolerance_lsb
    return LayerDifference(
        vectors=found.vectors,
        mismatches=found.mismatches,
        max_lsb=found.max_lsb,
        elements=beyond.shape[1],
        wrong_elements=0 if first is None else int(beyond[first.vector].sum()),
        first=first,
    )
