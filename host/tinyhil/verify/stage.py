"""The stage: compares what the device answered with the integer reference, the float model and the truth.

Always computed anew: it costs milliseconds, and a verdict is not something to cache.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable

import numpy as np

from tinyhil.affine import TensorSpec
from tinyhil.artifacts.types import Array, Capture, QuantizedModel, Reals
from tinyhil.compare import fidelity
from tinyhil.compare.metrics import ErrorFigures, figures
from tinyhil.compare.verdict import Accuracy as AccuracyVerdict
from tinyhil.compare.verdict import Bound, ErrorSplit, OperatorCost, Speed, Verification
from tinyhil.compare.verdict import Fidelity as FidelityVerdict
from tinyhil.config.recipe import Accuracy, Fidelity
from tinyhil.errors import ConfigError
from tinyhil.targets.model import Measure

Truth = Callable[[Reals], Reals]


def verify(
    model: QuantizedModel,
    capture: Capture,
    measure: Measure,
    asked: tuple[Fidelity, Accuracy],
    truth: Truth | None,
) -> Verification:
    """Judges a capture.

    Args:
        asked: the recipe's demands.
        truth: the recipe's noise-free targets for real inputs (vectors, *shape), or None.

    Raises:
        ConfigError: a bound needs a truth that the recipe does not have, or its truth cannot be used.
    """
    wanted_fidelity, wanted_accuracy = asked
    found = fidelity.compare(capture.outputs, model.vectors.reference, model.outputs, wanted_fidelity.max_lsb)
    per_inference = None if capture.ticks is None else capture.ticks * measure.per_tick / found.vectors
    return Verification(
        fidelity=FidelityVerdict(
            passed=found.mismatches == 0,
            vectors=found.vectors,
            mismatches=found.mismatches,
            max_lsb=found.max_lsb,
            tolerance_lsb=wanted_fidelity.max_lsb,
            exhaustive=model.vectors.exhaustive,
            reference=model.reference,
            first_mismatches=found.first,
        ),
        accuracy=_accuracy(model, capture, wanted_accuracy, truth),
        instructions_per_inference=per_inference if measure.unit == "instructions" else None,
        microseconds_per_inference=per_inference if measure.unit == "microseconds" else None,
        speed=_speed(capture, measure),
        operators=_operators(capture, measure),
    )


def _speed(capture: Capture, measure: Measure) -> Speed | None:
    if measure.unit == "nothing" or capture.measurement is None or not capture.measurement.ticks:
        return None
    took = [ticks * measure.per_tick for ticks in capture.measurement.ticks]
    return Speed(measure.unit, min(took), statistics.median(took), max(took), len(took))


def _operators(capture: Capture, measure: Measure) -> tuple[OperatorCost, ...]:
    if measure.unit == "nothing" or capture.measurement is None:
        return ()
    return tuple(OperatorCost(each.name, each.ticks * measure.per_tick) for each in capture.measurement.operators)


def _accuracy(model: QuantizedModel, capture: Capture, wanted: Accuracy, truth: Truth | None) -> AccuracyVerdict | None:
    if model.vectors.float_outputs is None:
        return None
    data = np.ones(model.vectors.count, np.bool_) if model.vectors.data is None else model.vectors.data
    device = _reals(model.outputs, capture.outputs)[data]
    reference = _reals(model.outputs, model.vectors.reference)[data]
    floats = np.concatenate([part.reshape(len(part), -1) for part in model.vectors.float_outputs], axis=1)[data]
    ideal = None
    if truth is not None:
        ideal = _ideal(truth, model.inputs[0].dequantize(model.vectors.inputs[0][data]), floats.shape)
    measured: dict[str, ErrorFigures | None] = {
        "device_vs_float": figures(device, floats),
        "device_vs_truth": None if ideal is None else figures(device, ideal),
        "float_vs_truth": None if ideal is None else figures(floats, ideal),
    }
    limits = {
        "device_vs_truth": wanted.device_vs_truth_mae,
        "device_vs_float": wanted.device_vs_float_mae,
        "float_vs_truth": wanted.float_vs_truth_mae,
    }
    bounds = tuple(_bound(name, measured[name], limit) for name, limit in limits.items() if limit is not None)
    device_vs_float = measured["device_vs_float"]
    assert device_vs_float is not None
    return AccuracyVerdict(
        passed=all(bound.met for bound in bounds),
        device_vs_float=device_vs_float,
        reference_vs_float=figures(reference, floats),
        device_vs_reference=figures(device, reference),
        device_vs_truth=measured["device_vs_truth"],
        float_vs_truth=measured["float_vs_truth"],
        bounds=bounds,
        split=_split(device, reference, floats, ideal),
    )


def _ideal(truth: Truth, inputs: Reals, shape: tuple[int, ...]) -> Reals:
    """The truth in the shape of the outputs; it is the user's code, so what is wrong with it is a ConfigError."""
    try:
        ideal = np.asarray(truth(inputs), np.float64)
    except Exception as error:
        raise ConfigError(f"the recipe's truth() failed: {type(error).__name__}: {error}") from error
    if ideal.size != math.prod(shape):
        raise ConfigError(f"the recipe's truth() gave {ideal.size} values for {shape[0]} vectors of {shape[1]} outputs")
    if not np.isfinite(ideal).all():
        raise ConfigError("the recipe's truth() gave NaN or infinite values")
    return ideal.reshape(shape)


def _bound(name: str, found: ErrorFigures | None, limit: float) -> Bound:
    if found is None:
        raise ConfigError(f"the recipe bounds {name}_mae, but its code defines no truth()")
    return Bound(figure=f"{name}.mae", value=found.mae, limit=limit, met=found.mae <= limit)


def _split(device: Reals, reference: Reals, floats: Reals, ideal: Reals | None) -> ErrorSplit:
    """The mean of device - truth = (float - truth) + (reference - float) + (device - reference)."""
    training = None if ideal is None else float((floats - ideal).mean())
    quantization = float((reference - floats).mean())
    by_device = float((device - reference).mean())
    return ErrorSplit(
        training=training,
        quantization=quantization,
        device=by_device,
        total=float((device - (floats if ideal is None else ideal)).mean()),
    )


def _reals(specs: tuple[TensorSpec, ...], outputs: tuple[Array, ...]) -> Reals:
    """All outputs of a vector side by side: (vectors, elements)."""
    parts = [spec.dequantize(part).reshape(len(part), -1) for spec, part in zip(specs, outputs, strict=True)]
    return np.concatenate(parts, axis=1)
