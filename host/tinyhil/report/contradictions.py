"""What contradicts itself in a report that was read: nobody has computed it so, whatever verdict it bears.

Two kinds of contradictions: a figure that no computation gives, such as a negative count of bytes, and figures that do
not go together, such as a pass with wrong outputs.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from itertools import pairwise
from typing import Any

from tinyhil.compare import fidelity, health
from tinyhil.compare.preprocessing import Preprocessing
from tinyhil.compare.regression import RegressionFigures
from tinyhil.compare.verdict import Accuracy, Bound, ErrorSplit, Fidelity, Points, Report
from tinyhil.report import assemble
from tinyhil.report.catalogue import ORIGINS
from tinyhil.report.disagreements import disagreements
from tinyhil.report.headline import headline
from tinyhil.report.said_twice import said_twice

_SHA256 = re.compile("[0-9a-f]{64}")
_SIGNED = {"Mismatch.lsb", "Points.lsb"}
"""Differences, which have a sign."""
_NOT_NEGATIVE = {"count", "bytes", "LSB or ULP", "index", "share of 1", "Speed.unit", "instructions", "microseconds"}
"""Units of figures that cannot be below 0."""
_SIGNED_SHARE = "Classifier.top1_drop"
_ERRORS = {"RegressionFigures.mae", "RegressionFigures.rmse", "RegressionFigures.residual_norm"}
_BOUNDED = {"top1_drop", "device_vs_truth.mae", "device_vs_float.mae", "float_vs_truth.mae"}
_ROUNDING = 1e-6


def contradictions(report: Report) -> Iterator[str]:
    """Each contradiction in a sentence; nothing in a report that was written by tinyhil and not changed since."""
    yield from _impossible(report, "")
    yield from _verdict(report)
    if report.fidelity is not None:
        yield from _fidelity(report.fidelity)
        yield from _scope(report, report.fidelity)
    if report.preprocessing is not None:
        yield from _preprocessing(report.preprocessing)
    if report.accuracy is not None:
        yield from _accuracy(report.accuracy)
        if report.fidelity is not None:
            yield from disagreements(report.accuracy, report.fidelity)
    for finding in report.findings:
        if finding.kind in health.STRICT and finding.level != "warning":
            yield f"the finding {finding.kind} fails a strict run, and is only worth to know"
    yield from said_twice(report)
    yield from _words(report)


def _impossible(value: Any, path: str) -> Iterator[str]:
    """Figures that are no value of their unit, wherever they stand."""
    if is_dataclass(value):
        name = type(value).__name__
        for field in fields(value):
            inner = getattr(value, field.name)
            place = f"{path}.{field.name}" if path else field.name
            yield from _wrong_figures(inner, f"{name}.{field.name}", place)
            yield from _impossible(inner, place)
        if isinstance(value, RegressionFigures):
            yield from _regression(value, path)
        if isinstance(value, ErrorSplit):
            yield from _split(value, path)
    elif isinstance(value, tuple):
        for index, inner in enumerate(value):
            yield from _impossible(inner, f"{path}[{index}]")


def _wrong_figures(value: Any, field: str, place: str) -> Iterator[str]:
    numbers = [number for number in _flat(value) if isinstance(number, (int, float)) and not isinstance(number, bool)]
    unit = ORIGINS[field].unit if field in ORIGINS else ""
    if field == _SIGNED_SHARE:
        wrong = [number for number in numbers if not -1 <= number <= 1]
    elif unit == "share of 1":
        wrong = [number for number in numbers if not 0 <= number <= 1 + _ROUNDING]
    elif (unit in _NOT_NEGATIVE or field in _ERRORS) and field not in _SIGNED:
        wrong = [number for number in numbers if number < 0]
    else:
        wrong = []
    if wrong:
        yield f"{place} is {wrong[0]}, which is no {unit}"
    if field.endswith("_sha256") and isinstance(value, str) and not _SHA256.fullmatch(value):
        yield f"{place} is no SHA-256"


def _flat(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        value = tuple(value.values())
    if isinstance(value, tuple):
        for inner in value:
            yield from _flat(inner)
    else:
        yield value


def _regression(found: RegressionFigures, path: str) -> Iterator[str]:
    if found.not_finite > found.values:
        yield f"{path} has {found.not_finite} values that are not finite, of {found.values}"
    if (found.mae is None) != (found.not_finite > 0):
        yield f"{path} has the mean error {found.mae} where {found.not_finite} values are not finite"
    if found.mae is not None and found.rmse is not None and found.max_error is not None:
        ascending = (found.mae, found.rmse, found.max_error)
        slack = _ROUNDING * found.max_error
        if any(one > other + slack for one, other in pairwise(ascending)):
            yield f"{path} has a mean error above a root mean squared one, or that above the largest"
    for name in ("r2", "nse", "cosine"):
        value = getattr(found, name)
        if value is not None and value > 1 + _ROUNDING:
            yield f"{path}.{name} is {value}, above 1"
    if found.cosine is not None and found.cosine < -1 - _ROUNDING:
        yield f"{path}.cosine is {found.cosine}, below -1"


def _split(found: ErrorSplit, path: str) -> Iterator[str]:
    parts = [found.training or 0.0, found.quantization, found.device]
    largest = max(abs(part) for part in (*parts, found.total))
    if not math.isclose(sum(parts), found.total, rel_tol=_ROUNDING, abs_tol=_ROUNDING * largest):
        yield f"{path}: the parts {parts} do not add up to the total {found.total}"


def _verdict(report: Report) -> Iterator[str]:
    fidelity, accuracy = report.fidelity, report.accuracy
    if (report.verdict == "blocked") != (report.blocked is not None):
        yield f"the verdict is {report.verdict}, and a cause for no verdict is {'' if report.blocked else 'not '}given"
        return
    if report.verdict == "blocked":
        if fidelity is not None or accuracy is not None:
            yield "the verdict is blocked, though outputs were judged"
        return
    if fidelity is None:
        yield f"the verdict is {report.verdict}, though no outputs were judged"
        return
    against = health.strict(report.findings) if report.strict else ()
    parts = {
        "preprocessing": report.preprocessing is None or report.preprocessing.passed,
        "fidelity": fidelity.passed,
        "accuracy": accuracy is None or accuracy.passed,
        "--strict": not against,
    }
    if (report.verdict == "pass") != all(parts.values()):
        failed = ", ".join(name for name, good in parts.items() if not good) or "nothing"
        yield f"the verdict is {report.verdict}, and {failed} has failed"


def _fidelity(found: Fidelity) -> Iterator[str]:
    wrong = found.mismatches > 0
    example = None if found.search is None else found.search.example
    if not 0 <= found.mismatches <= found.vectors or found.vectors == 0:
        yield f"fidelity has {found.mismatches} mismatches of {found.vectors} vectors"
    if found.passed != (not wrong and example is None and found.not_finite == 0):
        said = "passed" if found.passed else "failed"
        yield f"fidelity has {said} with {found.mismatches} mismatches and {found.not_finite} values not finite"
    if wrong != (found.max_lsb > found.tolerance_lsb):
        yield f"fidelity has {found.mismatches} mismatches, and differs by up to {found.max_lsb} LSB"
    if wrong != bool(found.first_mismatches):
        yield f"fidelity has {found.mismatches} mismatches, and lists {len(found.first_mismatches)}"
    for each in found.first_mismatches:
        if not found.tolerance_lsb < abs(each.lsb) <= found.max_lsb or each.vector >= found.vectors:
            yield f"fidelity lists a mismatch of {each.lsb} LSB in vector {each.vector}"
    excluded = None if found.exhaustive or wrong or found.vectors == 0 else fidelity.detectable(found.vectors)
    # Earlier versions did not say it.
    if found.detectable is not None and not math.isclose(found.detectable, excluded or 0, rel_tol=_ROUNDING):
        yield f"{found.vectors} vectors exclude a share of {excluded}, and not of {found.detectable}"
    if found.exhaustive and found.search is not None:
        yield "fidelity has a search, though every input there is was sent"
    if found.search is not None and example is not None and not example.max_lsb > found.search.tolerance_lsb:
        yield f"the search has an example that differs by {example.max_lsb} LSB"


def _preprocessing(found: Preprocessing) -> Iterator[str]:
    if found.passed != (not found.features.mismatches and not found.model.mismatches):
        said = "passed" if found.passed else "failed"
        yield f"preprocessing has {said} with {found.features.mismatches} and {found.model.mismatches} mismatches"
    for name in ("features", "model", "end_to_end"):
        if getattr(found, name).mismatches > found.samples:
            yield f"preprocessing.{name} has more mismatches than there are raw samples"
    if bool(found.features.mismatches) != (found.features.max_lsb > found.tolerance_lsb):
        yield f"features differ in {found.features.mismatches} raw samples, and by up to {found.features.max_lsb} LSB"
    if bool(found.features.mismatches) != bool(found.first_mismatches):
        yield f"preprocessing lists {len(found.first_mismatches)} of {found.features.mismatches} mismatches"
    for each in found.first_mismatches:
        if not found.tolerance_lsb < abs(each.lsb) <= found.features.max_lsb or each.vector >= found.samples:
            yield f"preprocessing lists a difference of {each.lsb} LSB in raw sample {each.vector}"


def _scope(report: Report, found: Fidelity) -> Iterator[str]:
    scope, points = report.scope, report.points
    if scope is not None:
        if scope.vectors != found.vectors or scope.vectors > scope.available:
            yield f"{found.vectors} vectors were judged, and {scope.vectors} of {scope.available} sent"
        if scope.search > scope.search_wanted:
            yield f"{scope.search} inputs were for the search, and {scope.search_wanted} were asked for"
        if found.exhaustive and scope.vectors < scope.available:
            yield f"all inputs there are were sent, and {scope.vectors} of {scope.available} vectors"
    if points is not None:
        yield from _points(points, found)
    if report.litert is not None:
        beside = report.litert
        if beside.mismatches > found.vectors or (beside.mismatches > 0) != (beside.max_lsb > 0):
            yield f"LiteRT differs in {beside.mismatches} of {found.vectors} vectors, by up to {beside.max_lsb} LSB"
    if report.accuracy is not None and report.accuracy.vectors > found.vectors:
        yield f"accuracy looks at {report.accuracy.vectors} of {found.vectors} vectors"


def _points(points: Points, found: Fidelity) -> Iterator[str]:
    lists = {field.name: getattr(points, field.name) for field in fields(points)}
    lengths = {name: len(values) for name, values in lists.items() if values is not None}
    if len(set(lengths.values())) > 1:
        yield f"the points of pictures have lists of different lengths: {lengths}"
    if max(points.vector, default=0) >= found.vectors:
        yield f"the points of pictures have vector {max(points.vector)} of {found.vectors}"
    if max((abs(lsb) for lsb in points.lsb), default=0) > found.max_lsb:
        yield f"the points of pictures differ by more than {found.max_lsb} LSB"


def _accuracy(found: Accuracy) -> Iterator[str]:
    for bound in found.bounds:
        if bound.figure not in _BOUNDED:
            yield f"there is a bound on {bound.figure}, which is no figure that has one"
        value = _figure(found, bound)
        if value is not None and bound.value != value:
            yield f"the bound on {bound.figure} is held against {bound.value}, and the figure is {value}"
        if bound.met != (bound.value is not None and bound.value <= bound.limit):
            yield f"{bound.figure} is {bound.value} with the limit {bound.limit}, and {'' if bound.met else 'not '}met"
    compared = None if found.overall is None else found.overall.device_vs_float
    finite = compared is None or compared.not_finite == 0
    if found.passed != (all(bound.met for bound in found.bounds) and finite):
        yield f"accuracy has {'passed' if found.passed else 'failed'}, which its bounds and values do not say"


def _figure(found: Accuracy, bound: Bound) -> float | None:
    """The figure that a bound is about, where it is in the report."""
    if bound.figure == "top1_drop":
        return None if found.classifier is None else found.classifier.top1_drop
    pair, _, name = bound.figure.partition(".")
    figures = getattr(found.overall, pair, None)
    value: float | None = getattr(figures, name, None)
    return value


def _words(report: Report) -> Iterator[str]:
    """What is said in words, in a report that has a headline: earlier versions wrote none, and had other words."""
    if not report.headline:
        return
    if report.headline != headline(report):
        yield f"the headline is {report.headline!r}, and what was judged says {headline(report)!r}"
    if report.fidelity is not None and report.summary != assemble.summary(report):
        yield f"the summary is {report.summary!r}, and the figures say {assemble.summary(report)!r}"
