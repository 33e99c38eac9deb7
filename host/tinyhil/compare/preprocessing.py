"""A third part of the verdict: does the firmware's preprocessing make of raw samples what the host's makes?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinyhil.affine import TensorSpec, unit_of_difference
from tinyhil.artifacts.types import Array
from tinyhil.compare import fidelity
from tinyhil.compare.fidelity import Mismatch


@dataclass(frozen=True)
class Apart:
    """How far two computations are apart.

    Attributes:
        mismatches: samples with an element that differs by more than the tolerance.
        max_lsb: the largest difference in LSB; of floats in units in the last place.
    """

    mismatches: int
    max_lsb: int


@dataclass(frozen=True)
class Preprocessing:
    """Device against host, from the raw sample on.

    Attributes:
        passed: no mismatch, neither of features nor of the model on the host's features.
        samples: raw samples that were sent.
        tolerance_lsb: differences of features that are allowed, in ``unit``.
        unit: what differences of features are counted in: "LSB" of the input; "ULP" where inputs are floats.
        host: where the host's features are from.
        features: the device's against the host's.
        model: the device's outputs for the host's features, against the integer reference; the tolerance is that of the
            fidelity.
        end_to_end: the device's outputs for its own features, against the reference for the host's, likewise. It is no
            part of the verdict.
        first_mismatches: the first features that differ; ``vector`` is the sample, ``output`` the model's input.
        cost: of preprocessing one sample, on average, in the unit of ``Speed``; None where the target measures nothing.
    """

    passed: bool
    samples: int
    tolerance_lsb: int
    unit: str
    host: str
    features: Apart
    model: Apart
    end_to_end: Apart
    first_mismatches: tuple[Mismatch, ...]
    cost: float | None


@dataclass(frozen=True)
class RawFiles:
    """The files that raw samples and the host's features are from, by their content; None for none.

    Attributes:
        raw_sha256: of the file of raw samples.
        prepare_sha256: of the code that makes features of them.
    """

    raw_sha256: str | None = None
    prepare_sha256: str | None = None


@dataclass(frozen=True)
class Sides:
    """What host and device have made of the same raw samples: one array per tensor each, (samples, *shape).

    Attributes:
        host: the host's features.
        device: the device's features.
        reference: outputs of the integer reference for the host's features.
        model: outputs of the device for the host's features.
        end_to_end: outputs of the device for its own features.
    """

    host: Sequence[Array]
    device: Sequence[Array]
    reference: Sequence[Array]
    model: Sequence[Array]
    end_to_end: Sequence[Array]


@dataclass(frozen=True)
class Allowed:
    """Differences that are allowed, in LSB, and in ULP of floats: of features, and of the model's outputs."""

    features: int
    outputs: int


def judge(
    sides: Sides,
    tensors: tuple[Sequence[TensorSpec], Sequence[TensorSpec]],
    allowed: Allowed,
    host: str,
    cost: float | None,
) -> Preprocessing:
    """Compares them.

    Args:
        sides: what is compared.
        tensors: the model's inputs and outputs.
        allowed: the tolerances.
        host: where the host's features are from.
        cost: as in ``Preprocessing``.
    """
    inputs, outputs = tensors
    found = fidelity.compare(sides.device, sides.host, inputs, allowed.features)
    model, end_to_end = (
        fidelity.compare(side, sides.reference, outputs, allowed.outputs) for side in (sides.model, sides.end_to_end)
    )
    return Preprocessing(
        passed=not found.mismatches and not model.mismatches,
        samples=found.vectors,
        tolerance_lsb=allowed.features,
        unit=unit_of_difference(spec.dtype for spec in inputs),
        host=host,
        features=Apart(found.mismatches, found.max_lsb),
        model=Apart(model.mismatches, model.max_lsb),
        end_to_end=Apart(end_to_end.mismatches, end_to_end.max_lsb),
        first_mismatches=found.first,
        cost=cost,
    )
