"""What became of a planted fault: whether it was noticed, and by the check that has to notice it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from tinyhil import kinds
from tinyhil.artifacts.types import Array
from tinyhil.compare.fidelity import CONFIDENCE, detectable
from tinyhil.compare.verdict import Report
from tinyhil.errors import (
    BlockedError,
    ConfigError,
    RemoteLinkError,
    StaleFirmwareError,
    TinyhilError,
    UnansweredError,
    WrongTensorsError,
)
from tinyhil.experiments.selftest.faults import Check, Fault
from tinyhil.link.events import DeviceReportedError
from tinyhil.link.frames import Reason


class Outcome(Enum):
    """What became of a fault."""

    CAUGHT = "caught"
    WRONG_REASON = "wrong reason"
    """Something noticed it, but not the check that has to."""
    EQUIVALENT = "equivalent"
    """It is none: every output over all inputs there are is the reference's."""
    NOT_PROVED = "not proved"
    """No vector shows it, and there are far more inputs than vectors: neither caught nor shown to be none."""
    MISSED = "missed"


@dataclass(frozen=True)
class Score:
    """One fault and its outcome.

    Attributes:
        fault: what was planted.
        outcome: what became of it.
        by: what noticed it, None if nothing did.
        evidence: what it said, or why nothing did.
    """

    fault: Fault
    outcome: Outcome
    by: Check | None
    evidence: str

    @property
    def good(self) -> bool:
        """Whether the checks have done what they are there for."""
        return self.outcome in (Outcome.CAUGHT, Outcome.EQUIVALENT, Outcome.NOT_PROVED)


MANY_INPUTS_BITS = 16
"""Inputs of so many bits can have 65,536 values or more: not all of them are sent to prove that a fault is none."""


def of_report(
    fault: Fault, report: Report, answered: tuple[Array, ...], reference: tuple[Array, ...], bits: int
) -> Score:
    """Scores a run that came to a verdict.

    Whether a fault is equivalent is looked up in the outputs themselves, not in the verdict: a comparison that has
    stopped comparing must not make equivalents of everything.

    Args:
        report: of the run.
        answered: the device's outputs, one array per output tensor.
        reference: what they have to be.
        bits: that all inputs of the model have together.
    """
    fidelity, accuracy = report.fidelity, report.accuracy
    assert fidelity is not None
    wrong = f"{fidelity.mismatches} of {fidelity.vectors} outputs wrong, up to {fidelity.max_lsb} {fidelity.unit}"
    if not fidelity.passed:
        return _noticed(fault, Check.FIDELITY, wrong)
    if accuracy is not None and not accuracy.passed:
        broken = next(bound for bound in accuracy.bounds if not bound.met)
        value = "undefined" if broken.value is None else f"{broken.value:.4g}"
        return _noticed(fault, Check.ACCURACY, f"{broken.figure} is {value}, the limit {broken.limit:g}")
    exact = all(one.tobytes() == other.tobytes() for one, other in zip(answered, reference, strict=True))
    if fault.check is not Check.FIDELITY:
        return Score(fault, Outcome.MISSED, None, f"passed, although {fault.check.value} had to notice it")
    if not exact:
        allowed = f"the tolerance is {fidelity.tolerance_lsb} {fidelity.unit}"
        return Score(fault, Outcome.MISSED, None, f"passed, although outputs differ from the reference; {allowed}")
    if not fidelity.exhaustive:
        share = f"one that hits {100 * detectable(fidelity.vectors):.2g} % of such inputs would have been seen"
        why = f"these {fidelity.vectors} vectors do not show it: {share} with a probability of {CONFIDENCE:.0%}"
        return Score(fault, Outcome.NOT_PROVED if bits >= MANY_INPUTS_BITS else Outcome.MISSED, None, why)
    return Score(fault, Outcome.EQUIVALENT, None, f"all {fidelity.vectors} inputs there are give the same outputs")


def of_trial(fault: Fault, noticed: str | None) -> Score:
    """Scores a fault that no device has to do with.

    Args:
        noticed: what its check has said; nothing where it said nothing, None where the fault changes nothing.
    """
    if noticed is None:
        return Score(fault, Outcome.EQUIVALENT, None, "in this model it changes nothing that the check looks at")
    if not noticed:
        return Score(fault, Outcome.MISSED, None, f"taken as it is, although {fault.check.value} had to notice it")
    return _noticed(fault, fault.check, noticed)


def of_error(fault: Fault, error: TinyhilError) -> Score:
    """Scores a run that came to no verdict.

    Raises:
        BlockedError: the error says nothing of the fault: the run was blocked by something else.
    """
    by = _check(error) if fault.trial is None else _REFUSALS.get(error.kind)
    if by is None or (by is Check.FILE and fault.check is not Check.FILE):
        raise BlockedError(
            f"the self-test could not try the fault '{fault.kind}: {fault.name}': {error.message}",
            hint=error.hint,
            detail=error.detail,
        ) from error
    counted = error.detail.splitlines()[-1:] if isinstance(error, UnansweredError) else []
    return _noticed(fault, by, ": ".join([error.message, *counted]))


_REFUSALS = {
    kinds.NOT_FINITE: Check.FINITE,
    kinds.DAMAGED_MODEL: Check.SOUND,
    kinds.SAMPLES: Check.SAMPLES,
    kinds.CONTRADICTORY_REPORT: Check.REPORT,
    kinds.NO_REPORT: Check.ASKED,
}
"""What has refused a file, by the kind of its error."""


def _check(error: TinyhilError) -> Check | None:
    """What has raised an error; None where that was no check of what a device says."""
    match error:
        case StaleFirmwareError():
            return {"model": Check.MODEL, "build": Check.BUILD}.get(error.what)
        case WrongTensorsError():
            return Check.TENSORS
        case DeviceReportedError():
            return Check.DEVICE
        case RemoteLinkError():
            return Check.ANSWER
        case UnansweredError():
            return _silence(error)
        case ConfigError():
            return Check.FILE
    return None


def _silence(error: UnansweredError) -> Check | None:
    """Why nothing was accepted of what a device sent; None where it sent nothing, as one that never started."""
    if error.unexpected:
        return Check.SEQUENCE
    reasons = {reason: count for reason, count in error.rejected.items() if count}
    if not reasons:
        return None
    return Check.CRC if max(reasons, key=lambda reason: reasons[reason]) == Reason.CRC.value else Check.FRAMING


def _noticed(fault: Fault, by: Check, evidence: str) -> Score:
    outcome = Outcome.CAUGHT if by is fault.check else Outcome.WRONG_REASON
    return Score(fault, outcome, by, evidence)
