"""Figures of a report's accuracy that stand for the same outputs, and say something else of them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, fields, replace
from itertools import pairwise
from typing import Any

import numpy as np

from tinyhil.compare import classification
from tinyhil.compare.classification import Classification
from tinyhil.compare.regression import RegressionFigures
from tinyhil.compare.verdict import Accuracy, Classifier, Fidelity, OutputErrors

_ROUNDING = 1e-6
_COUNTABLE = 1 << 53
"""Counts beyond it are of no run."""
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
        else:
            yield from _recounted(figures, path)
    yield from _top(found)
    drop, of_float = found.top1_drop, found.float_model
    if drop is None or of_float is None:
        return
    if not math.isclose(of_float.accuracy - found.device.accuracy, drop, abs_tol=_ROUNDING):
        yield f"accuracy drops by {drop}, from {of_float.accuracy} to {found.device.accuracy}"


def _recounted(found: Classification, path: str) -> Iterator[str]:
    """What the counts say, computed again."""
    classes = len(found.classes)
    support = [each.support for each in found.classes]
    if len(found.confusion) != classes or any(len(row) != classes for row in found.confusion):
        yield f"{path} has {classes} classes, and counts of {len(found.confusion)}"
    elif sum(support) != found.vectors or not 0 < found.vectors < _COUNTABLE:
        yield f"{path} has {found.vectors} vectors, and its classes {sum(support)}"
    else:
        names = [each.name for each in found.classes]
        again = classification.of_counts(np.array(found.confusion, np.int64), np.array(support, np.int64), names)
        for place, said, counted in _differences(asdict(found), asdict(again), path):
            yield f"{place} is {said}, and its counts say {counted}"


def _differences(said: Any, counted: Any, place: str) -> Iterator[tuple[str, Any, Any]]:
    """Places in which two figures of one kind are not the same."""
    if isinstance(said, dict):
        for name, inner in said.items():
            yield from _differences(inner, counted[name], f"{place}.{name}")
    elif isinstance(said, tuple):
        for index, inner in enumerate(said):
            yield from _differences(inner, counted[index], f"{place}[{index}]")
    elif said != counted and not (
        isinstance(said, float) and math.isclose(said, counted, rel_tol=_ROUNDING, abs_tol=_ROUNDING)
    ):
        yield place, said, counted


def _top(found: Classifier) -> Iterator[str]:
    """Of more classes more vectors have the true one among them; of one, as many as are right."""
    for name in ("float_model", "reference", "device"):
        figures: Classification | None = getattr(found, name)
        shares = [(each.k, getattr(each, name)) for each in found.top_k]
        if any(share is None for _, share in shares) != (figures is None and bool(shares)):
            yield f"accuracy.classifier.top_k has figures of {name}, and it has none itself, or the other way round"
        elif figures is not None:
            all_of_them = [(0, 0.0), *shares]
            if any(k >= more or share > at_more + _ROUNDING for (k, share), (more, at_more) in pairwise(all_of_them)):
                yield f"accuracy.classifier.top_k of {name} does not grow with k"
            if any(k == 1 and not math.isclose(share, figures.accuracy, abs_tol=_ROUNDING) for k, share in shares):
                yield f"accuracy.classifier.top_k of {name} differs from its accuracy {figures.accuracy} at k = 1"
