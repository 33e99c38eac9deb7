"""The stage: compares what the device answered with the integer reference, the float model and the truth.

Always computed anew: it costs milliseconds, and a verdict is not something to cache.
"""

from __future__ import annotations

import statistics

import numpy as np

from tinyhil import tflite
from tinyhil.affine import unit_of_difference
from tinyhil.artifacts.types import Capture, Measurement, QuantizedModel
from tinyhil.compare import fidelity
from tinyhil.compare.search import Search
from tinyhil.compare.verdict import Fidelity as FidelityVerdict
from tinyhil.compare.verdict import OperatorCost, Points, Speed, Verification
from tinyhil.config.recipe import Accuracy, Fidelity
from tinyhil.targets.model import Measure
from tinyhil.verify import accuracy
from tinyhil.verify.points import points


def verify(
    model: QuantizedModel,
    capture: Capture,
    measure: Measure,
    demands: tuple[Fidelity, Accuracy],
    truth: accuracy.Truth | None,
    classes: tuple[str, ...] = (),
    search: Search | None = None,
) -> Verification:
    """Judges a capture.

    Args:
        demands: of the recipe.
        truth: the recipe's noise-free targets for real inputs (vectors, *shape), or None.
        classes: names of a classifier's classes; by default their numbers.
        search: what was found beyond the vectors.

    Raises:
        ConfigError: a bound needs what the recipe does not have, its truth cannot be used, or it names another number
            of classes than the model has; or every difference there can be is allowed.
    """
    wanted_fidelity, wanted_accuracy = demands
    fidelity.require_bound(model.outputs, wanted_fidelity.max_lsb)
    found = fidelity.compare(capture.outputs, model.vectors.reference, model.outputs, wanted_fidelity.max_lsb)
    not_finite = sum(int(np.count_nonzero(~np.isfinite(part))) for part in capture.outputs)
    known = accuracy.ideal(model, truth)
    per_inference = None if capture.ticks is None else capture.ticks * measure.per_tick / found.vectors
    return Verification(
        fidelity=FidelityVerdict(
            passed=found.mismatches == 0 and not_finite == 0 and (search is None or search.example is None),
            vectors=found.vectors,
            mismatches=found.mismatches,
            max_lsb=found.max_lsb,
            tolerance_lsb=wanted_fidelity.max_lsb,
            exhaustive=model.vectors.exhaustive,
            reference=model.reference,
            first_mismatches=found.first,
            search=search,
            not_finite=not_finite,
            detectable=None if model.vectors.exhaustive or found.mismatches else fidelity.detectable(found.vectors),
            unit=unit_of_difference(spec.dtype for spec in model.outputs),
        ),
        accuracy=accuracy.accuracy(model, capture, wanted_accuracy, known, classes),
        points=_points(model, capture, known),
        instructions_per_inference=per_inference if measure.unit == "instructions" else None,
        microseconds_per_inference=per_inference if measure.unit == "microseconds" else None,
        speed=_speed(capture, measure),
        operators=operator_costs(model, capture.measurement, measure),
    )


def _speed(capture: Capture, measure: Measure) -> Speed | None:
    if measure.unit == "nothing" or capture.measurement is None or not capture.measurement.ticks:
        return None
    took = [ticks * measure.per_tick for ticks in capture.measurement.ticks]
    return Speed(measure.unit, min(took), statistics.median(took), max(took), len(took))


def operator_costs(
    model: QuantizedModel, measurement: Measurement | None, measure: Measure
) -> tuple[OperatorCost, ...]:
    """What each operator took, beside what the model's file says of it.

    Args:
        model: that was run.
        measurement: of the device; None where nothing was measured.
        measure: what a tick stands for.
    """
    if measure.unit == "nothing" or measurement is None:
        return ()
    graph = tflite.parse(model.path.read_bytes(), str(model.path)).main
    facts = tflite.in_order([each.name for each in measurement.operators], tflite.operator_facts(graph))
    return tuple(
        OperatorCost(each.name, each.ticks * measure.per_tick)
        if of is None
        else OperatorCost(
            each.name, each.ticks * measure.per_tick, of.operator, of.macs, of.weight_bytes, of.live_bytes
        )
        for each, of in zip(measurement.operators, facts, strict=True)
    )


def _points(model: QuantizedModel, capture: Capture, known: accuracy.Ideal | None) -> Points:
    looked_at = accuracy.judged(model)
    of_all = None
    if known is not None:
        of_all = np.full(model.vectors.count, np.nan)
        of_all[looked_at] = known.values[:, 0]
    return points(model, capture, of_all, looked_at)
