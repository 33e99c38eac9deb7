"""The report as lines for a terminal. Printing them is the command line's business."""

from __future__ import annotations

from collections.abc import Iterator

from tinyhil.artifacts.types import Resources
from tinyhil.compare.regression import RegressionFigures
from tinyhil.compare.verdict import Accuracy, Report, Speed
from tinyhil.report import assemble

COSTLY = 5
"""Operators that are shown; the report has all of them."""

_UNITS = {"instructions": "instructions", "microseconds": "us"}


def rows(report: Report) -> Iterator[tuple[str, str]]:
    """Label and value of each line between the heading and the verdict."""
    yield "recipe", report.recipe
    yield "target", f"{report.target} ({report.honest_about})"
    yield "engine", report.engine + (f" ({report.kernels})" if report.kernels else "")
    if report.training is not None:
        yield "data", report.training.data
    for problem in report.forced:
        yield "forced", f"in spite of: {problem.cause}"
    if report.fidelity is not None:
        yield "fidelity", f"{assemble.fidelity_line(report.fidelity)}, against {report.fidelity.reference}"
        for mismatch in report.fidelity.first_mismatches:
            place = f"vector {mismatch.vector}, output {mismatch.output}[{mismatch.element}]"
            yield "", f"{place}: expected {mismatch.expected:.10g}, device {mismatch.actual:.10g}"
    if report.litert is not None:
        beside = report.litert
        yield "beside it", f"{beside.name} differs in {beside.mismatches:,} vectors, by up to {beside.max_lsb:,} LSB"
    if report.accuracy is not None:
        yield from _accuracy(report.accuracy)
    if report.size is not None:
        yield "flash", f"{report.size.flash_bytes:,} B"
        arena = "" if report.size.arena_bytes is None else f", of which arena {report.size.arena_bytes:,} B"
        yield "RAM", f"{report.size.ram_bytes:,} B{arena}, without the stack"
    if report.instructions_per_inference is not None:
        yield "instructions", f"{report.instructions_per_inference:,.0f} per inference ({report.measured_by})"
    if report.microseconds_per_inference is not None:
        yield "time", f"{report.microseconds_per_inference:,.1f} us per inference ({report.measured_by})"
    if report.speed is not None:
        yield "one inference", _speed(report.speed)
        costly = sorted(report.operators, key=lambda operator: -operator.cost)[:COSTLY]
        for operator in costly:
            yield "operator", f"{operator.name} {operator.cost:,.0f} {_UNITS[report.speed.unit]}"
    if report.resources is not None:
        yield from _resources(report.resources)
    for label, digest in (("model", report.model_sha256), ("firmware", report.firmware_sha256)):
        if digest is not None:
            yield label, f"sha256 {digest[:16]}..."


def verdict(report: Report) -> str:
    """The last line."""
    if report.verdict == "blocked":
        return f"BLOCKED  {report.summary}"
    return f"{report.verdict.upper()}  {report.recipe} on {report.target} ({report.engine}): {report.summary}"


def _speed(speed: Speed) -> str:
    range_ = f"{speed.min:,.0f} to {speed.max:,.0f}" if speed.min < speed.max else f"{speed.min:,.0f}"
    return f"{range_} {_UNITS[speed.unit]}, median {speed.median:,.0f}, of {speed.count}"


def _resources(found: Resources) -> Iterator[tuple[str, str]]:
    if found.arena_capacity is not None:
        says = "" if found.arena_used is None else f", of which the engine says to need {found.arena_used:,} B"
        yield "arena", f"{found.arena_bytes:,} B{says}"
    if found.arena_overrun:
        yield "ARENA OVERRUN", f"{found.arena_overrun:,} B behind the arena have changed: the engine writes beyond it"
    if found.stack_used is not None:
        limit = "" if found.stack_bytes is None else f" of {found.stack_bytes:,} B"
        yield "stack", f"up to {found.stack_used:,} B{limit}"


def _accuracy(accuracy: Accuracy) -> Iterator[tuple[str, str]]:
    found = accuracy.overall
    yield "device vs float", _figures(found.device_vs_float)
    if found.device_vs_truth is not None:
        yield "device vs truth", _figures(found.device_vs_truth)
    parts = [] if found.float_vs_truth is None else [f"training {_number(found.float_vs_truth.mae)}"]
    parts.append(f"quantization {_number(found.reference_vs_float.mae)}")
    parts.append(f"device {_number(found.device_vs_reference.mae)}")
    yield "error by origin", "MAE " + ", ".join(parts)
    if accuracy.classifier is not None:
        yield "classes", f"{assemble.classes_line(accuracy.classifier)}, of {accuracy.vectors:,} of the test set"
        agreed = accuracy.classifier.agreement
        shares = [f"with the reference {100 * agreed.reference_device:.2f} %"]
        if agreed.float_device is not None:
            shares.append(f"with the float model {100 * agreed.float_device:.2f} %")
        yield "same class", ", ".join(shares)
    for bound in accuracy.bounds:
        yield "bound", f"{bound.figure} {_number(bound.value)} <= {bound.limit:g}: {'met' if bound.met else 'NOT MET'}"


def _figures(figures: RegressionFigures) -> str:
    if figures.not_finite:
        return f"{figures.not_finite:,} of {figures.values:,} values are not finite numbers"
    return f"MAE {_number(figures.mae)}, RMSE {_number(figures.rmse)}, max {_number(figures.max_error)}"


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.4f}"
