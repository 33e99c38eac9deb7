"""One report object from the artifacts of a run, or from the error that blocked it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import pytest

from tinyhil.artifacts.retries import Retries
from tinyhil.artifacts.types import FloatModel, Problem
from tinyhil.compare.digest import digest
from tinyhil.compare.verdict import SCHEMA, Blocked, Report, Training
from tinyhil.errors import DeviceError, MissingToolError
from tinyhil.report import assemble, files, terminal
from tinyhil.report.assemble import Evidence
from tinyhil.report.markdown import to_markdown
from tinyhil.report.page import to_html
from tinyhil.targets.model import Target

from .conftest import FIRMWARE_SHA, MODEL_SHA, PROJECT_SHA, TICKS


def test_a_judged_report_says_what_was_found(judge: Callable[..., Report], qemu_m4: Target) -> None:
    report = judge(qemu_m4, device_vs_truth_mae=100.0)
    assert (report.schema, report.verdict, report.blocked) == (SCHEMA, "fail", None)
    assert report.fidelity is not None
    assert (report.fidelity.mismatches, report.fidelity.vectors, report.fidelity.max_lsb) == (2, 3, 5)
    assert report.summary == "2 of 3 outputs wrong, by up to 5 LSB; " + assemble.accuracy_line(report.accuracy)
    assert (report.model_sha256, report.project_sha256, report.firmware_sha256) == (
        MODEL_SHA,
        PROJECT_SHA,
        FIRMWARE_SHA,
    )
    assert report.size is not None
    assert (report.size.flash_bytes, report.size.ram_bytes, report.size.arena_bytes) == (10_203, 4_567, 89)
    assert report.instructions_per_inference == TICKS * qemu_m4.measure.per_tick / 3
    assert report.microseconds_per_inference is None
    assert report.measured_by == qemu_m4.measure.method
    assert (report.target, report.honest_about) == (qemu_m4.name, qemu_m4.honest_about)
    assert report.ops == ("FULLY_CONNECTED",)
    assert report.tool_versions == {"gcc": "12.2"}
    assert report.link == {"vectors": 3}


@pytest.mark.parametrize(
    ("max_lsb", "bound", "verdict"),
    [(5, 100.0, "pass"), (4, 100.0, "fail"), (5, 0.0, "fail"), (0, 0.0, "fail")],
)
def test_a_run_passes_only_if_both_verdicts_hold(
    judge: Callable[..., Report], qemu_m4: Target, max_lsb: int, bound: float, verdict: str
) -> None:
    assert judge(qemu_m4, max_lsb, device_vs_float_mae=bound).verdict == verdict


def test_the_lines_of_the_two_verdicts(judge: Callable[..., Report], qemu_m4: Target) -> None:
    report = judge(qemu_m4, 5, device_vs_float_mae=100.0, device_vs_truth_mae=0.001)
    assert report.fidelity is not None
    assert report.accuracy is not None
    assert assemble.fidelity_line(report.fidelity) == "3/3 outputs within 5 LSB"
    assert report.accuracy.overall is not None
    truth = report.accuracy.overall.device_vs_truth
    assert truth is not None
    assert (
        assemble.accuracy_line(report.accuracy) == f"device_vs_truth.mae is {truth.mae:.4g}, above its limit of 0.001"
    )
    assert "2 of 2 accuracy bounds met" in assemble.accuracy_line(
        judge(qemu_m4, device_vs_float_mae=100.0, device_vs_truth_mae=100.0).accuracy
    )
    assert "no accuracy bound asked" in assemble.accuracy_line(judge(qemu_m4).accuracy)
    assert "there is no float model" in assemble.accuracy_line(None)


STEPS = ("model", "project", "image", "capture")


@pytest.mark.parametrize("made", range(len(STEPS) + 1))
def test_a_blocked_report_says_what_is_known_so_far(evidence: Evidence, qemu_m4: Target, made: int) -> None:
    so_far = Evidence(**{name: getattr(evidence, name) for name in STEPS[:made]})
    error = DeviceError("it never answered", hint="look at the cable", detail="silence")
    report = assemble.blocked("tiny", qemu_m4, "compiled", so_far, error)
    assert report.verdict == "blocked"
    assert report.summary == "no verdict: it never answered"
    assert report.blocked == Blocked("DeviceError", "it never answered", "look at the cable", "silence", "TH-300")
    assert (report.fidelity, report.accuracy) == (None, None)
    assert (report.instructions_per_inference, report.microseconds_per_inference) == (None, None)
    assert report.model_sha256 == (MODEL_SHA if made >= 1 else None)
    assert report.kernels == ("bakenn 9.8.7, cmsis-nn" if made >= 2 else None)
    assert report.firmware_sha256 == (FIRMWARE_SHA if made >= 3 else None)
    assert (report.size is None) == (made < 3)
    assert report.link == ({"vectors": 3} if made >= 4 else {})


def test_the_evidence_has_a_place_for_each_artifact() -> None:
    others = {"forced", "trained", "search", "line", "scope", "strict", "source_sha256", "samples_sha256", "retries"}
    others |= {"preprocessing", "raw_files"}
    assert {field.name for field in fields(Evidence)} == {*STEPS, *others}


def test_figures_of_a_training_stand_with_the_set_they_are_of(evidence: Evidence, qemu_m4: Target) -> None:
    trained = FloatModel(
        recipe="tiny",
        path=Path("model.keras"),
        dataset=Path("dataset.npz"),
        key="key",
        metrics={"mae": 0.1, "val_mae": 0.2, "test_mae": 0.3, "val_loss": 0.4},
        provenance="whose data; 3/2/1 training/validation/test",
        trained_by="compiled epochs",
        epoch=7,
        diagnosis={"kind": "converged", "epoch": None, "reason": "both curves are flat"},
    )
    report = assemble.blocked("tiny", qemu_m4, "compiled", replace(evidence, trained=trained), DeviceError("gone"))
    assert report.training == Training(
        data="whose data; 3/2/1 training/validation/test",
        trained_by="compiled epochs",
        epoch=7,
        figures={"training": {"mae": 0.1}, "validation": {"mae": 0.2, "loss": 0.4}, "test": {"mae": 0.3}},
        diagnosis="converged: both curves are flat",
    )
    assert ("data", trained.provenance) in list(terminal.rows(report))
    assert assemble.blocked("tiny", qemu_m4, "compiled", evidence, DeviceError("gone")).training is None


def test_a_forced_run_says_in_spite_of_what(evidence: Evidence, qemu_m4: Target) -> None:
    problem = Problem("dtype", "tensor 3 is float32", "quantize it")
    report = assemble.blocked("tiny", qemu_m4, "compiled", replace(evidence, forced=(problem,)), DeviceError("gone"))
    assert report.forced == (problem,)
    assert ("forced", "in spite of: tensor 3 is float32") in list(terminal.rows(report))
    assert assemble.blocked("tiny", qemu_m4, "compiled", evidence, DeviceError("gone")).forced == ()


def test_a_blocked_report_names_the_class_of_its_error(qemu_m4: Target) -> None:
    report = assemble.blocked("tiny", qemu_m4, "compiled", Evidence(), MissingToolError("no compiler"))
    assert report.blocked is not None
    assert report.blocked.error == "MissingToolError"


AGAIN = Retries(resends=3, restarts=1, flash_attempts=2, power_cycles=1)
SHOWN = "requests sent again: 3; restarts of the device: 1; attempts to flash: 2; power cycles: 1"


def test_what_was_done_again_is_in_every_form_of_a_judged_and_of_a_blocked_report(
    evidence: Evidence, judge: Callable[..., Report], qemu_m4: Target
) -> None:
    judged = replace(judge(qemu_m4, 5), retries=AGAIN)
    blocked = assemble.blocked("tiny", qemu_m4, "compiled", replace(evidence, retries=AGAIN), DeviceError("gone"))
    for report in (judged, blocked):
        assert dict(terminal.rows(report))["retries"] == SHOWN
        assert SHOWN in to_markdown(report)
        assert json.loads(files.to_json(report))["retries"]["power_cycles"] == 1
        assert '<property name="retries.resends" value="3"' in files.to_junit(report)
        assert 'data-figure="retries.power_cycles"' in to_html(report)


def test_what_went_well_at_once_makes_no_line(judge: Callable[..., Report], qemu_m4: Target) -> None:
    once = replace(judge(qemu_m4, 5), retries=Retries(flash_attempts=1))
    assert "retries" not in dict(terminal.rows(once))


def test_what_was_done_again_is_no_part_of_the_verdict(judge: Callable[..., Report], qemu_m4: Target) -> None:
    assert digest(replace(judge(qemu_m4, 5), retries=AGAIN)) == digest(judge(qemu_m4, 5))
