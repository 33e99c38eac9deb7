"""What a report says first: the verdict, and of what."""

from __future__ import annotations

from tinyhil.compare.verdict import Accuracy, Report, Training

_NOT_SAID = ("", "converged")
"""Diagnoses of a training that add nothing to a headline."""


def headline(report: Report) -> str:
    """The verdict in a few words. That a model is exact is no word on how good its answers are."""
    if report.verdict == "blocked":
        return "Blocked, no verdict"
    if report.verdict == "fail":
        return "Failed"
    if judged(report.accuracy):
        return "Passed"
    found = report.fidelity
    exact = "Exact" if found is None or not found.tolerance_lsb else f"Within {found.tolerance_lsb} {found.unit}"
    kind = diagnosed(report.training)
    return f"{exact}. Accuracy not judged" + ("" if kind in _NOT_SAID else f" ({kind})")


def judged(accuracy: Accuracy | None) -> bool:
    """Whether anything was asked of the accuracy."""
    return accuracy is not None and bool(accuracy.bounds)


def diagnosed(training: Training | None) -> str:
    """What the curves of the training say, in one word; empty where nothing is known of it."""
    return "" if training is None else training.diagnosis.partition(":")[0]
