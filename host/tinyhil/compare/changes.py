"""Two reports side by side: what got better, what got worse, and what cannot be compared, figure by figure, and why.

Counts and sizes are exact, so any difference is one. Times are not: they differ where their ranges do not touch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from tinyhil.compare.metrics import METRICS, Metric
from tinyhil.compare.verdict import OperatorCost, Report

Outcome = Literal["better", "worse", "equal", "incomparable"]

DRIVERS = frozenset({"platformio", "scons"})
"""Tools of the build that make no code: another version of them compiles the same."""
_SHORT = 12
"""Digits of a hash that are shown."""


@dataclass(frozen=True)
class Change:
    """One figure of both.

    Attributes:
        metric: which.
        before: its value in the first report; None where it has none.
        after: in the second.
        outcome: what became of it.
        why: why it cannot be compared, or what else is to be known; mostly empty.
    """

    metric: Metric
    before: float | None
    after: float | None
    outcome: Outcome
    why: str = ""

    @property
    def difference(self) -> float | None:
        """After minus before; None where one of them is missing."""
        return None if self.before is None or self.after is None else self.after - self.before

    @property
    def share(self) -> float | None:
        """The difference as a share of the value before; None where there is none, or that was 0."""
        return self.difference / self.before if self.difference is not None and self.before else None


@dataclass(frozen=True)
class OperatorChange:
    """What one operator takes in both.

    Attributes:
        name: of the operator.
        before: its cost in the first report; None where the model has it not.
        after: in the second.
        outcome: what became of it; an operator that only one model has is incomparable.
    """

    name: str
    before: float | None
    after: float | None
    outcome: Outcome


@dataclass(frozen=True)
class Changes:
    """What lies between two reports.

    Attributes:
        before: the first one.
        after: the second.
        notes: what differs in what they are of, each in a sentence.
        figures: those that at least one of them has.
        operators: in the order of execution; none where they cannot be compared.
        unit: of the operators' costs.
        why_no_operators: why they cannot be compared; empty where they can, or where there are none.
    """

    before: Report
    after: Report
    notes: tuple[str, ...]
    figures: tuple[Change, ...]
    operators: tuple[OperatorChange, ...]
    unit: str
    why_no_operators: str = ""

    def of(self, outcome: Outcome) -> tuple[Change, ...]:
        """The figures of one outcome."""
        return tuple(change for change in self.figures if change.outcome == outcome)


def changes(before: Report, after: Report) -> Changes:
    """Compares two reports."""
    figures = tuple(change for metric in METRICS if (change := _change(metric, before, after)) is not None)
    why = (_blocked(before, after) or _chip(before, after)) if before.operators and after.operators else ""
    operators = tuple(_operators(before.operators, after.operators)) if not why else ()
    unit = after.speed.unit if after.speed is not None else ""
    return Changes(before, after, tuple(_notes(before, after)), figures, operators, unit, why)


def compilers(report: Report) -> dict[str, str]:
    """The tools that have made the code, with their versions."""
    return {name: version for name, version in report.tool_versions.items() if name not in DRIVERS}


def _change(metric: Metric, before: Report, after: Report) -> Change | None:
    values = metric.of(before), metric.of(after)
    if values == (None, None):
        return None
    why = _blocked(before, after) or _missing(*values) or _BASES[metric.basis](before, after)
    if metric.basis == "answers" and not _blocked(before, after) and set(values) == {0.0}:
        why = ""  # nothing is wrong in either, however many were asked
    if why:
        return Change(metric, *values, "incomparable", why)
    if not metric.exact and _touch(before, after):
        return Change(metric, *values, "equal", "the ranges of both measurements touch")
    return Change(metric, *values, _outcome(*values, metric.better))


def _outcome(before: float | None, after: float | None, better: str) -> Outcome:
    if before is None or after is None:
        return "incomparable"
    if before == after:
        return "equal"
    return "better" if (after < before) == (better == "less") else "worse"


def _blocked(before: Report, after: Report) -> str:
    for which, report in (("first", before), ("second", after)):
        if report.blocked is not None:
            return f"the {which} was blocked: {report.blocked.cause}"
    return ""


def _missing(before: float | None, after: float | None) -> str:
    return "the first has none" if before is None else "the second has none" if after is None else ""


def _image(before: Report, after: Report) -> str:
    """Why sizes of two images cannot be compared."""
    target = _differs("the target", before.target, after.target)
    if target:
        return target
    if not compilers(before) or not compilers(after):
        return "nobody knows by which compiler one of them was made"
    return _differs("the compiler", _versions(before), _versions(after))


def _chip(before: Report, after: Report) -> str:
    """Why what two images do on a chip cannot be compared."""
    return _image(before, after) or _differs("what measures", before.measured_by or "", after.measured_by or "")


def _data(before: Report, after: Report) -> str:
    """Why accuracies cannot be compared."""
    for name in ("samples_sha256", "test_data_sha256"):
        there, other = getattr(before, name), getattr(after, name)
        if (there or other) and there != other:
            return "other test data"
    if not (before.samples_sha256 or before.test_data_sha256) and before.source_sha256 != after.source_sha256:
        return "nobody knows whether the test data are the same"
    counts = [0 if report.accuracy is None else report.accuracy.vectors for report in (before, after)]
    return _differs("the number of samples", f"{counts[0]:,}", f"{counts[1]:,}")


def _data_and_truth(before: Report, after: Report) -> str:
    """Why distances from the truth cannot be compared."""
    return _data(before, after) or _differs("the truth", _truth(before), _truth(after))


def _answers(before: Report, after: Report) -> str:
    """Why counts of wrong outputs cannot be compared."""
    asked = [
        "" if report.fidelity is None else f"{report.fidelity.vectors:,} in {report.fidelity.unit}"
        for report in (before, after)
    ]
    return _differs("the number of vectors", *asked)


_BASES = {"image": _image, "chip": _chip, "data": _data, "truth": _data_and_truth, "answers": _answers}


def _differs(what: str, before: str, after: str) -> str:
    return "" if before == after else f"{what} differs: {before or 'none'}, {after or 'none'}"


def _versions(report: Report) -> str:
    found = compilers(report)
    return ", ".join(version if name in version else f"{name} {version}" for name, version in sorted(found.items()))


def _truth(report: Report) -> str:
    return "" if report.accuracy is None else report.accuracy.truth or ""


def _touch(before: Report, after: Report) -> bool:
    """Whether two measured times may be the same: the ranges of their single inferences overlap."""
    one, other = before.speed, after.speed
    if one is None or other is None:
        return False
    return one.min <= other.max and other.min <= one.max


def _operators(before: Sequence[OperatorCost], after: Sequence[OperatorCost]) -> Iterator[OperatorChange]:
    """The operators of both in the order of execution; those of the same name at the same place are one."""
    one_s, other_s = [each.name for each in before], [each.name for each in after]
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, one_s, other_s, autojunk=False).get_opcodes():
        if tag == "equal":
            for one, other in zip(before[i1:i2], after[j1:j2], strict=True):
                yield OperatorChange(one.name, one.cost, other.cost, _outcome(one.cost, other.cost, "less"))
        else:
            yield from (OperatorChange(one.name, one.cost, None, "incomparable") for one in before[i1:i2])
            yield from (OperatorChange(other.name, None, other.cost, "incomparable") for other in after[j1:j2])


def _notes(before: Report, after: Report) -> Iterator[str]:
    """What the reports are of, where that differs."""
    if before.verdict != after.verdict:
        yield f"the verdict was {before.verdict} and is {after.verdict}"
    for what, name in (("recipe", "recipe"), ("target", "target"), ("engine", "engine"), ("scheme", "scheme")):
        there, other = getattr(before, name), getattr(after, name)
        if there != other and there and other:
            yield f"another {what}: {there}, then {other}"
    if before.model_sha256 and after.model_sha256 and before.model_sha256 != after.model_sha256:
        yield _model(before, after)
    if before.kernels != after.kernels and before.kernels and after.kernels and before.engine == after.engine:
        yield f"other kernels: {before.kernels}, then {after.kernels}"
    if before.made_by != after.made_by:
        yield f"another version: {before.made_by}, then {after.made_by}"


def _model(before: Report, after: Report) -> str:
    hashes = f"{(before.model_sha256 or '')[:_SHORT]}, then {(after.model_sha256 or '')[:_SHORT]}"
    same = before.source_sha256 is not None and before.source_sha256 == after.source_sha256
    if same and before.scheme == after.scheme and before.samples_sha256 == after.samples_sha256:
        return f"the weights differ by training alone, the recipe is the same: {hashes}"
    if before.ops == after.ops:
        return f"a new model with the same operators: {hashes}"
    return f"a new model with other operators: {hashes}"
