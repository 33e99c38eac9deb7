"""Figures of a report's accuracy that stand for the same outputs, and say something else of them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import fields, replace

from tinyhil.compare.classification import Classification
from tinyhil.compare.regression import RegressionFigures
from tinyhil.compare.verdict import Accuracy, Classifier, Fidelity, OutputErrors

_ROUNDING = 1e-6
_PAIRS = tuple(each.name for each in fields(OutputErrors) if each.name.count("_vs_"))


def disagreements(found: Accuracy, fidelity: Fidelity) -> Iterator[str]:
    """Each of them in a sentence."""
    if (found.overall is None) != (not found.outputs):
        whole = "none" if found.overall is None else "some"
        yield f"accuracy has figures of {len(found.outputs)} outputs, and {whole} of all"
    for path, errors in _places(found):
        yield from _counts(errors, path, found.vectors)
        if fidelity.max_lsb == 0 and fidelity.not_finite == 0:
            yield from _exact(errors, path)
    if found.overall is not None:
        yield from _sums(found.overall, found.outputs)
    if found.classifier is not None:
        yield from _classes(found.classifier, found.vectors)


def _places(found: Accuracy) -> Iterator[tuple[str, OutputErrors]]:
    if found.overall is not None:
        yield "accuracy.overall", found.overall
    for index, errors in enumerate(found.outputs):
        yield f"accuracy.outputs[{index}]", errors


def _figures(errors: OutputErrors) -> Iterator[tuple[str, RegressionFigures]]:
    for name in _PAIRS:
        figures: RegressionFigures | None = getattr(errors, name)
        if figures is not None:
            yield name, figures


def _counts(errors: OutputErrors, path: str, vectors: int) -> Iterator[str]:
    counts = {name: figures.values for name, figures in _figures(errors)}
    if len(set(counts.values())) > 1:
        yield f"{path} compares different numbers of values: {counts}"
    for name, count in counts.items():
        if vectors == 0 or count == 0 or count % vectors:
            yield f"{path}.{name} is of {count} values, and {vectors} vectors were judged"
    for name, figures in _figures(errors):
        if figures.rmse is None or figures.residual_norm is None:
            continue
        if not math.isclose(figures.rmse * math.sqrt(figures.values), figures.residual_norm, rel_tol=_ROUNDING):
            yield f"{path}.{name} has the root mean squared error {figures.rmse}, and the norm {figures.residual_norm}"


def _exact(errors: OutputErrors, path: str) -> Iterator[str]:
    """Where no output differs from the reference, nothing that is computed of both does."""
    if errors.device_vs_reference.max_error not in (0, None):
        yield f"no output differs, and {path}.device_vs_reference by up to {errors.device_vs_reference.max_error}"
    if errors.device_vs_float != errors.reference_vs_float:
        yield f"no output differs, and {path} has other errors of the device than of the reference"
    if errors.split is not None and errors.split.device != 0:
        yield f"no output differs, and {path}.split has {errors.split.device} of the device"


def _sums(overall: OutputErrors, outputs: tuple[OutputErrors, ...]) -> Iterator[str]:
    """What all outputs have is what each of them has."""
    if len(outputs) == 1 and overall != replace(outputs[0], name=overall.name, split_lsb=overall.split_lsb):
        yield "the figures of the only output are not those of all"
    for name, figures in _figures(overall):
        parts: list[RegressionFigures | None] = [getattr(each, name) for each in outputs]
        values = sum(part.values for part in parts if part is not None)
        largest = max((part.max_error or 0 for part in parts if part is not None), default=0)
        if values != figures.values or largest > (math.inf if figures.max_error is None else figures.max_error):
            yield f"accuracy.overall.{name} is of {figures.values} values, those of the outputs of {values}"


def _classes(found: Classifier, vectors: int) -> Iterator[str]:
    for name in ("float_model", "reference", "device"):
        figures: Classification | None = getattr(found, name)
        if figures is None:
            continue
        path = f"accuracy.classifier.{name}"
        placed = sum(map(sum, figures.confusion))
        if figures.vectors != vectors or placed + figures.unclassified != vectors:
            yield f"{path} has {figures.vectors} vectors, {placed} of them with a class, and {vectors} were judged"
        right = sum(row[index] for index, row in enumerate(figures.confusion) if index < len(row))
        if figures.vectors and not math.isclose(figures.accuracy, right / figures.vectors, abs_tol=_ROUNDING):
            yield f"{path} has the accuracy {figures.accuracy}, and {right} of {figures.vectors} vectors are right"
    drop, of_float = found.top1_drop, found.float_model
    if drop is None or of_float is None:
        return
    if not math.isclose(of_float.accuracy - found.device.accuracy, drop, abs_tol=_ROUNDING):
        yield f"accuracy drops by {drop}, from {of_float.accuracy} to {found.device.accuracy}"
