"""What is wrong, or looks wrong, with a model and what was given with it: findings that everybody has to see.

A finding makes no verdict: the device may well compute a model exactly that computes nothing of use. With ``--strict``
those of the kinds in ``STRICT`` do. Each is computed from facts that are in the artifacts, so a run and the replay of
its recording have the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from tinyhil.affine import TensorSpec
from tinyhil.artifacts.types import Array, Calibration, QuantizedModel

CLAMPED_SHARE = 0.01
"""Of the values of the samples, how many may be cut off at an end of a type without a word."""
FEWEST_SAMPLES = 2
"""Different samples that calibrate an input: one sets no range."""
FEWEST_CODES = 8
"""Different integers that the samples become, of the 256 or more that an input can take."""
_SHOWN = 3
"""How many tensors one finding names."""

STRICT = frozenset(
    {"saturated-samples", "clamped-values", "constant-output", "range-by-one-sample", "few-samples", "few-codes"}
)
"""Kinds that fail a run with ``--strict``."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or worth to know.

    Attributes:
        kind: for programs: one of ``STRICT``, ``targets-not-judged``, ``dead-channels``.
        cause: one sentence.
        hint: the next step.
        level: whether something looks wrong, or is only worth to know.
    """

    kind: str
    cause: str
    hint: str
    level: Literal["warning", "information"] = "warning"


def findings(model: QuantizedModel) -> tuple[Finding, ...]:
    """Everything that there is to say of a model and its samples."""
    return (
        *_constant(model),
        *_calibration(model),
        *_codes(model),
        *_saturated(model),
        *_clamped(model),
        *_not_judged(model),
        *_dead(model),
    )


def strict(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """Those that fail a run with ``--strict``."""
    return tuple(each for each in found if each.kind in STRICT)


def _constant(model: QuantizedModel) -> Iterator[Finding]:
    vectors = model.vectors
    if not any(_varies(part) for part in vectors.inputs):
        return
    for spec, part in zip(model.outputs, vectors.reference, strict=True):
        if not _varies(part):
            yield Finding(
                "constant-output",
                f"output {spec.name!r} is the same for all {vectors.count:,} vectors: whatever the input, the model "
                f"answers {_values(spec, part)}",
                "look at its training and its calibration data: it computes nothing of its inputs",
            )


def _varies(part: Array) -> bool:
    """Whether one of the vectors differs from another; bit for bit, as NaN equals nothing."""
    rows = np.ascontiguousarray(part).reshape(len(part), -1).view(np.uint8)
    return bool((rows != rows[:1]).any())


def _values(spec: TensorSpec, part: Array) -> str:
    """The first values of the first vector, in real units."""
    first = np.asarray(spec.dequantize(part[0]), np.float64).reshape(-1)
    shown = ", ".join(f"{value:.4g}" for value in first[:_SHOWN])
    return f"{shown}, ..." if first.size > _SHOWN else shown


def _calibration(model: QuantizedModel) -> Iterator[Finding]:
    for spec, found in zip(model.inputs, model.calibration, strict=False):
        if found.distinct < FEWEST_SAMPLES:
            yield Finding(
                "few-samples",
                f"input {spec.name!r} is calibrated by {_number(found.samples)}",
                "calibrate with samples like those that the model will meet: some hundred that differ",
            )
        elif by := _by_one_sample(found):
            yield Finding(
                "range-by-one-sample",
                f"one sample alone sets the range of input {spec.name!r} to {found.lowest:.4g} to {found.highest:.4g}: "
                f"without {by} the others, of {found.samples:,}, reach from {found.inner_lowest:.4g} to "
                f"{found.inner_highest:.4g}",
                "take that sample out of the training data if it is an error of measurement: all others share what is "
                "left of the range",
            )


def _number(samples: int) -> str:
    return "one sample" if samples == 1 else f"{samples:,} samples that are all the same"


def _by_one_sample(found: Calibration) -> str:
    """The values that one sample alone has, where they are further out than all others are apart; else nothing."""
    inner = found.inner_highest - found.inner_lowest
    ends = ((found.highest, found.highest - found.inner_highest), (found.lowest, found.inner_lowest - found.lowest))
    return " and ".join(f"{end:.4g}" for end, beyond in ends if beyond > inner)


def _codes(model: QuantizedModel) -> Iterator[Finding]:
    for spec, used in zip(model.inputs, model.codes, strict=False):
        if used is None or used >= FEWEST_CODES:
            continue
        lowest, highest = spec.dtype.limits
        yield Finding(
            "few-codes",
            f"the samples become {used} of the {highest - lowest + 1:,} integers that input {spec.name!r} can take",
            "scale the samples as those that calibrated the model; what differs between them is rounded away",
        )


def _saturated(model: QuantizedModel) -> Iterator[Finding]:
    for spec, found in zip(model.inputs, model.saturated, strict=False):
        if found.count <= CLAMPED_SHARE * found.total:
            continue
        lowest, highest = (float(spec.dequantize(end)) for end in spec.dtype.limits)
        yield Finding(
            "saturated-samples",
            f"{100 * found.count / found.total:.1f} % of the values of the samples are outside of what input "
            f"{spec.name!r} takes, {lowest:.4g} to {highest:.4g}, and are cut off there",
            "scale the samples as those that the model was trained on; "
            f"integers of type {spec.dtype.name.lower()} are taken as quantized already",
        )


def _clamped(model: QuantizedModel) -> Iterator[Finding]:
    over = sorted((each for each in model.clamped if each.share > CLAMPED_SHARE), key=lambda each: -each.share)
    if over:
        shown = ", ".join(f"{100 * each.share:.1f} % of {each.made_by}" for each in over[:_SHOWN])
        more = f", and of {len(over) - _SHOWN} operators more" if len(over) > _SHOWN else ""
        yield Finding(
            "clamped-values",
            f"values are cut off at the ends of their type, though no activation bounds them: {shown}{more}",
            "calibrate with samples that reach as far as those of the test do; tinyhil plots shows each tensor",
        )


def _not_judged(model: QuantizedModel) -> Iterator[Finding]:
    if model.targets_unused:
        yield Finding(
            "targets-not-judged",
            f"the samples have targets, which are not judged: {model.targets_unused}",
            "without a float model only classes are judged: whole numbers below the number of outputs, one a sample",
        )


def _dead(model: QuantizedModel) -> Iterator[Finding]:
    if model.dead:
        shown = ", ".join(f"{each.dead} of {each.channels} of {each.made_by}" for each in model.dead[:_SHOWN])
        more = f", and some of {len(model.dead) - _SHOWN} operators more" if len(model.dead) > _SHOWN else ""
        yield Finding(
            "dead-channels",
            f"channels have the same value for all samples that were looked at: {shown}{more}",
            "a smaller layer would do the same",
            "information",
        )
