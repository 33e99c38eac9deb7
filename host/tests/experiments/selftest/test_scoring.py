"""What becomes of a fault is told apart: caught, caught by something else, none at all, or missed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest

from tinyhil import kinds
from tinyhil.compare.verdict import Accuracy, Bound, Fidelity, Report
from tinyhil.errors import (
    BlockedError,
    ConfigError,
    DeviceError,
    MissingToolError,
    ModelError,
    RemoteLinkError,
    StaleFirmwareError,
    TinyhilError,
    ToolError,
    UnansweredError,
    WrongTensorsError,
)
from tinyhil.experiments.selftest import Check, Fault, Outcome, of_error, of_report, of_trial
from tinyhil.link.events import DeviceReportedError
from tinyhil.link.fields import MessageType
from tinyhil.link.messages import Error, ErrorCode

REFERENCE = (np.array([[1], [2], [3]], np.int8),)
OTHER = (np.array([[1], [2], [4]], np.int8),)
EXACT = Fidelity(True, 3, 0, 0, 0, exhaustive=True, reference="r", first_mismatches=(), search=None)
WRONG = replace(EXACT, passed=False, mismatches=1, max_lsb=1)


def fault(check: Check) -> Fault:
    return Fault("kind", "name", check)


def report(fidelity: Fidelity, *, accurate: bool = True) -> Report:
    """The parts of a report that scoring reads."""
    found = object.__new__(Report)
    accuracy = object.__new__(Accuracy)
    object.__setattr__(accuracy, "passed", accurate)
    object.__setattr__(accuracy, "bounds", (Bound("a.mae", 2.0, 1.0, accurate),))
    object.__setattr__(found, "fidelity", fidelity)
    object.__setattr__(found, "accuracy", accuracy)
    return found


@pytest.mark.parametrize(
    ("check", "judged", "answered", "outcome", "by"),
    [
        (Check.FIDELITY, report(WRONG), OTHER, Outcome.CAUGHT, Check.FIDELITY),
        (Check.FIDELITY, report(WRONG, accurate=False), OTHER, Outcome.CAUGHT, Check.FIDELITY),
        (Check.MODEL, report(WRONG), OTHER, Outcome.WRONG_REASON, Check.FIDELITY),
        (Check.FIDELITY, report(EXACT, accurate=False), OTHER, Outcome.WRONG_REASON, Check.ACCURACY),
        (Check.FIDELITY, report(EXACT), REFERENCE, Outcome.EQUIVALENT, None),
        # A tolerance, or a comparison that has stopped comparing, makes no equivalents.
        (Check.FIDELITY, report(EXACT), OTHER, Outcome.MISSED, None),
        # What a device says of itself is wrong however right its outputs are.
        (Check.TENSORS, report(EXACT), REFERENCE, Outcome.MISSED, None),
        (Check.CRC, report(EXACT), REFERENCE, Outcome.MISSED, None),
    ],
)
def test_a_verdict(check: Check, judged: Report, answered: Any, outcome: Outcome, by: Check | None) -> None:
    scored = of_report(fault(check), judged, answered, REFERENCE, 8)
    assert (scored.outcome, scored.by) == (outcome, by)
    assert scored.good == (outcome in (Outcome.CAUGHT, Outcome.EQUIVALENT))


def test_minus_zero_is_not_zero() -> None:
    """Equal is what is equal bit for bit: -0.0 and 0.0 compare equal as numbers."""
    zeros = (np.zeros((1, 1), np.float32),)
    scored = of_report(fault(Check.FIDELITY), report(EXACT), (-zeros[0],), zeros, 32)
    assert scored.outcome is Outcome.MISSED


@pytest.mark.parametrize(
    ("bits", "outcome"), [(8, Outcome.MISSED), (16, Outcome.NOT_PROVED), (512, Outcome.NOT_PROVED)]
)
def test_some_of_the_inputs_prove_nothing(bits: int, outcome: Outcome) -> None:
    """Of few inputs all ought to be sent; of many it is said what the vectors can exclude: 3 hit 64 % with 95 %."""
    scored = of_report(fault(Check.FIDELITY), report(replace(EXACT, exhaustive=False)), REFERENCE, REFERENCE, bits)
    assert (scored.outcome, scored.by) == (outcome, None)
    assert "63 % of such inputs" in scored.evidence
    assert "95%" in scored.evidence


def test_no_number_of_inputs_makes_up_for_wrong_outputs_that_pass() -> None:
    unseen = report(replace(EXACT, exhaustive=False))
    assert of_report(fault(Check.FIDELITY), unseen, OTHER, REFERENCE, 512).outcome is Outcome.MISSED


@pytest.mark.parametrize(
    ("noticed", "outcome"), [("said", Outcome.CAUGHT), ("", Outcome.MISSED), (None, Outcome.EQUIVALENT)]
)
def test_a_trial_without_a_device(noticed: str | None, outcome: Outcome) -> None:
    assert of_trial(fault(Check.HEALTH), noticed).outcome is outcome


def test_a_file_is_refused_by_the_check_that_its_fault_names() -> None:
    planted = replace(fault(Check.SOUND), trial=lambda _: "")
    assert of_error(planted, ModelError("damaged", kind=kinds.DAMAGED_MODEL)).outcome is Outcome.CAUGHT
    assert of_error(planted, ModelError("NaN", kind=kinds.NOT_FINITE)).outcome is Outcome.WRONG_REASON
    with pytest.raises(BlockedError, match="could not try the fault"):
        of_error(planted, MissingToolError("no interpreter"))


REFUSALS: list[tuple[TinyhilError, Check]] = [
    (StaleFirmwareError("stale", what="model"), Check.MODEL),
    (StaleFirmwareError("stale", what="build"), Check.BUILD),
    (WrongTensorsError("scale"), Check.TENSORS),
    (RemoteLinkError("asked for 2, answered 1"), Check.ANSWER),
    (DeviceReportedError(MessageType.INFER, Error(ErrorCode.BAD_LENGTH, 3)), Check.DEVICE),
    (UnansweredError("silent", rejected={"crc": 3, "cobs": 1}), Check.CRC),
    (UnansweredError("silent", rejected={"crc": 0, "cobs": 2}), Check.FRAMING),
    (UnansweredError("silent", rejected={"short": 1}), Check.FRAMING),
    (UnansweredError("silent", rejected={"crc": 1}, unexpected=2), Check.SEQUENCE),
]


@pytest.mark.parametrize(("error", "by"), REFUSALS)
def test_a_refusal_is_the_work_of_one_check(error: TinyhilError, by: Check) -> None:
    assert of_error(fault(by), error).outcome is Outcome.CAUGHT
    for other in Check:
        if other is not by:
            scored = of_error(fault(other), error)
            assert (scored.outcome, scored.by) == (Outcome.WRONG_REASON, by)


@pytest.mark.parametrize(
    "error",
    [
        UnansweredError("silent", rejected={"crc": 0}),  # as silent as one that never started
        DeviceError("it has died"),
        StaleFirmwareError("of an unknown kind"),
        MissingToolError("no compiler"),
        ToolError("the build failed"),
        ModelError("the generator refuses it"),
    ],
)
@pytest.mark.parametrize("check", Check)
def test_what_blocks_a_run_catches_nothing(error: TinyhilError, check: Check) -> None:
    with pytest.raises(BlockedError, match=r"could not try the fault 'kind: name': ") as caught:
        of_error(fault(check), error)
    assert caught.value.__cause__ is error


def test_a_refused_model_file_is_a_catch_only_where_nothing_is_compiled() -> None:
    error = ConfigError("model.tflite is not the model that device.json describes")
    assert of_error(fault(Check.FILE), error).outcome is Outcome.CAUGHT
    with pytest.raises(BlockedError):
        of_error(fault(Check.FIDELITY), cast(TinyhilError, error))
