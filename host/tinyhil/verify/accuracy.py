"""The second verdict: device, integer reference and float model held against one another and against the truth."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from tinyhil import kinds
from tinyhil.affine import TensorSpec
from tinyhil.artifacts.types import Capture, QuantizedModel, Reals
from tinyhil.compare import classification, regression
from tinyhil.compare.regression import RegressionFigures
from tinyhil.compare.verdict import Accuracy, Bound, Classifier, ErrorSplit, OutputErrors, TopK
from tinyhil.config.recipe import Accuracy as Wanted
from tinyhil.errors import ConfigError, TinyhilError

Truth = Callable[[Reals], Reals]
_BOUNDED = ("device_vs_truth", "device_vs_float", "float_vs_truth")
"""Pairs whose mean absolute error a recipe can bound."""
TOP = (1, 3, 5)
"""The k of top-k that are reported, as far as there are more classes."""


@dataclass(frozen=True)
class _Sides:
    """One output, or all of them: (vectors, elements) each."""

    device: Reals
    reference: Reals
    floats: Reals
    ideal: Reals | None


def judged(model: QuantizedModel) -> npt.NDArray[np.bool_]:
    """Which vectors accuracy looks at, (vectors,): those that are like the data."""
    return np.ones(model.vectors.count, np.bool_) if model.vectors.data is None else model.vectors.data


@dataclass(frozen=True)
class Ideal:
    """The truth for the vectors that are judged, (vectors, elements of all outputs), and where it comes from."""

    values: Reals
    source: Literal["function", "test set"]


def ideal(model: QuantizedModel, truth: Truth | None) -> Ideal | None:
    """What the outputs should be, where that is known.

    Args:
        truth: the recipe's noise-free targets for real inputs (vectors, *shape), or None.

    Raises:
        ConfigError: the recipe's function cannot be used.
    """
    vectors, looked_at = model.vectors, judged(model)
    if vectors.float_outputs is None:  # nothing but fidelity is judged of such a model
        return None
    shape = (int(looked_at.sum()), sum(spec.elements for spec in model.outputs))
    if truth is not None:
        return Ideal(_truth_values(truth, model.inputs[0].dequantize(vectors.inputs[0][looked_at]), shape), "function")
    targets = vectors.targets
    if targets is None or _labels(model) is not None or targets.size != math.prod(shape):
        return None
    return Ideal(targets.reshape(shape).astype(np.float64), "test set")


def accuracy(
    model: QuantizedModel, capture: Capture, wanted: Wanted, known: Ideal | None, classes: tuple[str, ...] = ()
) -> Accuracy | None:
    """The verdict; None for a model with neither a float model nor known classes, and where no vector can be judged.

    Args:
        known: what the outputs should be, as :func:`ideal` finds it.
        classes: their names; by default their numbers.

    Raises:
        ConfigError: a bound needs what the recipe does not have, or it names another number of classes than the model
            has.
    """
    looked_at = judged(model)
    if not looked_at.any():
        return _of_nothing(wanted)
    if model.vectors.float_outputs is None:
        return _by_classes(model, capture, int(looked_at.sum()), classes)
    sides = _sides(model, capture, looked_at, None if known is None else known.values)
    every = _errors("", _joined(sides), None)
    classifier = _classifier(model, capture, classes)
    bounds = _bounds(wanted, every, classifier)
    return Accuracy(
        passed=all(bound.met for bound in bounds) and every.device_vs_float.not_finite == 0,
        vectors=int(looked_at.sum()),
        truth=None if known is None else known.source,
        overall=every,
        outputs=tuple(
            _errors(spec.name, part, spec.scale if spec.quantized else None)
            for spec, part in zip(model.outputs, sides, strict=True)
        ),
        classifier=classifier,
        bounds=bounds,
    )


def _of_nothing(wanted: Wanted) -> Accuracy | None:
    """The verdict where no vector can be judged: no bound is met by figures that there are not."""
    limits = {f"{name}.mae": getattr(wanted, f"{name}_mae") for name in _BOUNDED} | {"top1_drop": wanted.top1_drop}
    bounds = tuple(_bound(name, None, limit) for name, limit in limits.items() if limit is not None)
    if not bounds:
        return None
    return Accuracy(passed=False, vectors=0, truth=None, overall=None, outputs=(), classifier=None, bounds=bounds)


def _by_classes(model: QuantizedModel, capture: Capture, count: int, classes: tuple[str, ...]) -> Accuracy | None:
    """The verdict on a model of which nothing is known but the classes of its samples: it has no bounds."""
    found = _classifier(model, capture, classes)
    if found is None:
        return None
    return Accuracy(passed=True, vectors=count, truth=None, overall=None, outputs=(), classifier=found, bounds=())


def _truth_values(truth: Truth, inputs: Reals, shape: tuple[int, ...]) -> Reals:
    """The truth in the shape of the outputs; it is the user's code, so what is wrong with it is a ConfigError."""
    try:
        found = np.asarray(truth(inputs), np.float64)
    except TinyhilError:
        raise
    except Exception as error:
        raise _wrong_truth(f"failed: {type(error).__name__}: {error}") from error
    if found.size != math.prod(shape):
        raise _wrong_truth(f"gave {found.size} values for {shape[0]} vectors of {shape[1]} outputs")
    if not np.isfinite(found).all():
        raise _wrong_truth("gave NaN or infinite values")
    return found.reshape(shape)


def _wrong_truth(what: str) -> ConfigError:
    return ConfigError(
        f"the recipe's truth() {what}",
        hint="it takes the inputs, the first axis the sample, and returns a finite number for each output",
        kind=kinds.RECIPE_CODE,
    )


def _sides(
    model: QuantizedModel, capture: Capture, looked_at: npt.NDArray[np.bool_], known: Reals | None
) -> list[_Sides]:
    """The outputs one by one."""
    floats = model.vectors.float_outputs
    assert floats is not None
    made, start = [], 0
    for index, spec in enumerate(model.outputs):
        part = None if known is None else known[:, start : start + spec.elements]
        start += spec.elements
        made.append(
            _Sides(
                _reals(spec, capture.outputs[index])[looked_at],
                _reals(spec, model.vectors.reference[index])[looked_at],
                floats[index].reshape(len(looked_at), -1)[looked_at],
                part,
            )
        )
    return made


def _reals(spec: TensorSpec, part: npt.NDArray[np.generic]) -> Reals:
    return spec.dequantize(part).reshape(len(part), -1)


def _joined(sides: list[_Sides]) -> _Sides:
    known = [side.ideal for side in sides if side.ideal is not None]
    return _Sides(
        np.concatenate([side.device for side in sides], axis=1),
        np.concatenate([side.reference for side in sides], axis=1),
        np.concatenate([side.floats for side in sides], axis=1),
        np.concatenate(known, axis=1) if known else None,
    )


def _errors(name: str, sides: _Sides, lsb: float | None) -> OutputErrors:
    """Args: ``lsb`` is one LSB in real units, None where there is no such thing."""
    split = _split(sides)
    return OutputErrors(
        name=name,
        device_vs_float=_between(sides.device, sides.floats),
        reference_vs_float=_between(sides.reference, sides.floats),
        device_vs_reference=_between(sides.device, sides.reference),
        device_vs_truth=None if sides.ideal is None else _between(sides.device, sides.ideal),
        float_vs_truth=None if sides.ideal is None else _between(sides.floats, sides.ideal),
        split=split,
        split_lsb=None if split is None or lsb is None else _scaled(split, lsb),
    )


def _between(one: Reals, other: Reals) -> RegressionFigures:
    """The figures of one against the other; nothing but a count where either is not finite."""
    wrong = int(np.count_nonzero(~(np.isfinite(one) & np.isfinite(other))))
    if wrong:
        return RegressionFigures(one.size, wrong, None, None, None, None, None, None, None)
    return regression.figures(one, other)


def _split(sides: _Sides) -> ErrorSplit | None:
    """The mean of device - truth = (float - truth) + (reference - float) + (device - reference)."""
    base = sides.floats if sides.ideal is None else sides.ideal
    with np.errstate(invalid="ignore"):  # two infinities have no difference
        total = float((sides.device - base).mean())
        parts = (float((sides.reference - sides.floats).mean()), float((sides.device - sides.reference).mean()))
    if not all(math.isfinite(value) for value in (total, *parts)):
        return None
    training = None if sides.ideal is None else float((sides.floats - sides.ideal).mean())
    return ErrorSplit(training=training, quantization=parts[0], device=parts[1], total=total)


def _scaled(split: ErrorSplit, lsb: float) -> ErrorSplit:
    return ErrorSplit(
        training=None if split.training is None else split.training / lsb,
        quantization=split.quantization / lsb,
        device=split.device / lsb,
        total=split.total / lsb,
    )


def _labels(model: QuantizedModel) -> classification.Labels | None:
    """The true classes of the vectors that are judged; None where the test set has none."""
    if model.vectors.targets is None or len(model.outputs) != 1:
        return None
    return classification.labels(model.vectors.targets, model.outputs[0].elements)


def _classifier(model: QuantizedModel, capture: Capture, names: tuple[str, ...]) -> Classifier | None:
    truth = _labels(model)
    if truth is None:
        return None
    looked_at, classes = judged(model), model.outputs[0].elements
    if names and len(names) != classes:
        raise ConfigError(
            f"there are names of {len(names)} classes, but the model has {classes} outputs",
            hint="give as many names as there are outputs, in their order",
        )
    names = names or tuple(str(number) for number in range(classes))
    # As they come: quantization keeps the order of the scores.
    reference, device = (
        part[0].reshape(len(looked_at), -1)[looked_at] for part in (model.vectors.reference, capture.outputs)
    )
    by_reference, by_device = (classification.predictions(scores) for scores in (reference, device))
    floats = by_float = None
    if model.vectors.float_outputs is not None:
        floats = model.vectors.float_outputs[0].reshape(len(looked_at), -1)[looked_at]
        by_float = classification.predictions(floats)
    return Classifier(
        float_model=None if by_float is None else classification.classification(by_float, truth, names),
        reference=classification.classification(by_reference, truth, names),
        device=classification.classification(by_device, truth, names),
        top_k=tuple(
            TopK(
                k,
                None if floats is None else classification.top_k(floats, truth, k),
                classification.top_k(reference, truth, k),
                classification.top_k(device, truth, k),
            )
            for k in TOP
            if k < classes
        ),
        agreement=classification.agreement(by_float, by_reference, by_device),
        top1_drop=None if by_float is None else classification.top1_drop(by_float, by_device, truth),
    )


def _bounds(wanted: Wanted, errors: OutputErrors, classifier: Classifier | None) -> tuple[Bound, ...]:
    made = []
    for name in _BOUNDED:
        limit: float | None = getattr(wanted, f"{name}_mae")
        if limit is None:
            continue
        found: RegressionFigures | None = getattr(errors, name)
        if found is None:
            raise ConfigError(
                f"the recipe bounds {name}_mae, but its code defines no truth()",
                hint="define truth(inputs) in the recipe's code, or remove the bound",
            )
        made.append(_bound(f"{name}.mae", found.mae, limit))
    if wanted.top1_drop is not None:
        if classifier is None:
            raise ConfigError(
                "the recipe bounds top1_drop, but its test set has no classes",
                hint="remove the bound, or give targets that are numbers of classes",
            )
        made.append(_bound("top1_drop", classifier.top1_drop, wanted.top1_drop))
    return tuple(made)


def _bound(figure: str, value: float | None, limit: float) -> Bound:
    return Bound(figure, value, limit, met=value is not None and value <= limit)
