"""What is wrong, or looks wrong, with what was given: findings that make no verdict, and that everybody has to see.

Each finding is computed from facts that are in the artifacts, so a run and the replay of its recording have the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tinyhil.artifacts.types import QuantizedModel

SATURATED_SHARE = 0.01
"""Of the values of the samples, how many may be outside of what an input can take without a word."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        kind: for programs: ``saturated-samples``, ``targets-not-judged``.
        cause: one sentence.
        hint: the next step.
    """

    kind: str
    cause: str
    hint: str


def findings(model: QuantizedModel) -> tuple[Finding, ...]:
    """Everything that there is to say of a model and its samples."""
    return (*_saturated(model), *_not_judged(model))


def _saturated(model: QuantizedModel) -> Iterator[Finding]:
    for spec, found in zip(model.inputs, model.saturated, strict=False):
        if found.count <= SATURATED_SHARE * found.total:
            continue
        lowest, highest = (float(spec.dequantize(end)) for end in spec.dtype.limits)
        yield Finding(
            "saturated-samples",
            f"{100 * found.count / found.total:.1f} % of the values of the samples are outside of what input "
            f"{spec.name!r} takes, {lowest:.4g} to {highest:.4g}, and are cut off there",
            "scale the samples as those that the model was trained on; "
            f"integers of type {spec.dtype.name.lower()} are taken as quantized already",
        )


def _not_judged(model: QuantizedModel) -> Iterator[Finding]:
    if model.targets_unused:
        yield Finding(
            "targets-not-judged",
            f"the samples have targets, which are not judged: {model.targets_unused}",
            "without a float model only classes are judged: whole numbers below the number of outputs, one a sample",
        )
