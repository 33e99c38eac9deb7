"""What a report says first: the verdict and of what, in every form; and what ``--strict`` makes of findings."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinyhil.artifacts.types import FloatModel
from tinyhil.compare import health
from tinyhil.compare.digest import digest
from tinyhil.compare.verdict import Report
from tinyhil.config.recipe import Accuracy, Fidelity
from tinyhil.report import assemble, facts, files, markdown, terminal
from tinyhil.report.assemble import Evidence
from tinyhil.report.page import to_html
from tinyhil.targets.model import Target
from tinyhil.verify import verify

from .agreement import check, page


@pytest.fixture
def judged(evidence: Evidence, qemu_m4: Target, tmp_path: Path) -> Callable[..., Report]:
    """A report of a device that is exact: ``judged(diagnosis, constant=False, strict=False, **bounds)``."""

    def make(diagnosis: str = "", *, constant: bool = False, strict: bool = False, **bounds: float) -> Report:
        assert evidence.model is not None
        assert evidence.capture is not None
        vectors = evidence.model.vectors
        reference = (np.full((3, 1, 2), 5, np.int8),) if constant else vectors.reference
        model = replace(evidence.model, vectors=replace(vectors, reference=reference))
        capture = replace(evidence.capture, outputs=reference)
        said: dict[str, Any] = {"kind": diagnosis, "epoch": None, "reason": "the loss is high"} if diagnosis else {}
        trained = FloatModel("tiny", tmp_path, tmp_path, "key", {}, diagnosis=said)
        known = replace(evidence, model=model, capture=capture, trained=trained, strict=strict)
        verification = verify(model, capture, qemu_m4.measure, (Fidelity(), Accuracy(**bounds)), None)
        return assemble.judged("tiny", qemu_m4, "compiled", known, verification)

    return make


@pytest.mark.parametrize(
    ("diagnosis", "words"),
    [
        ("", "Exact. Accuracy not judged"),
        ("converged", "Exact. Accuracy not judged"),
        ("underfitting", "Exact. Accuracy not judged (underfitting)"),
        ("overfitting", "Exact. Accuracy not judged (overfitting)"),
        ("unstable", "Exact. Accuracy not judged (unstable)"),
    ],
)
def test_a_pass_of_which_no_accuracy_was_asked_says_so(
    judged: Callable[..., Report], tmp_path: Path, diagnosis: str, words: str
) -> None:
    report = judged(diagnosis)
    assert (report.verdict, report.headline) == ("pass", words)
    files.write(report, tmp_path)
    check(tmp_path)
    html = page(to_html(report))
    assert f"{words}: tiny on qemu-m4" in html.text
    assert "Passed" not in html.text
    assert "verdict exact" in str(html.tags)
    assert words in (tmp_path / files.XML).read_text(encoding="utf-8")
    assert "<skipped" in (tmp_path / files.XML).read_text(encoding="utf-8")
    assert json.loads((tmp_path / files.JSON).read_text())["headline"] == words
    if diagnosis:
        reason = f"{diagnosis}: the loss is high"
        assert ("training", reason) in terminal.rows(report)
        assert reason in html.text
        assert reason in markdown.to_markdown(report)


def test_a_pass_of_both_has_passed(judged: Callable[..., Report]) -> None:
    report = judged("underfitting", device_vs_float_mae=100.0)
    assert (report.verdict, report.headline) == ("pass", "Passed")
    assert "Passed: tiny" in page(to_html(report)).text
    assert judged(device_vs_float_mae=0.001).headline == "Failed"


def test_a_model_without_a_float_model_is_not_judged(judged: Callable[..., Report]) -> None:
    report = replace(judged(), accuracy=None)
    assert "Exact. Accuracy not judged" in page(to_html(replace(report, headline=""))).text


@pytest.mark.parametrize("bounds", [{}, {"device_vs_float_mae": 100.0}])
def test_a_finding_fails_what_is_strict_and_nothing_else(
    judged: Callable[..., Report], tmp_path: Path, bounds: dict[str, float]
) -> None:
    loose, strict = (judged(constant=True, strict=each, **bounds) for each in (False, True))
    assert [each.kind for each in loose.findings] == [each.kind for each in strict.findings] == ["constant-output"]
    assert (loose.verdict, strict.verdict) == ("pass", "fail")
    assert strict.summary.startswith("passed but for --strict: output 'out' is the same for all 3 vectors")
    assert strict.summary.endswith(loose.summary)
    assert digest(loose) != digest(strict)
    for report in (loose, strict):
        files.write(report, tmp_path)
        check(tmp_path)
        assert files.read(tmp_path) == report
        cause = report.findings[0].cause
        assert ("warning", cause) in terminal.rows(report)
        xml = (tmp_path / files.XML).read_text(encoding="utf-8")
        assert ('name="health"' in xml) == report.strict
    sound = judged(strict=True, **bounds)
    assert (sound.findings, sound.verdict) == ((), "pass")


def test_what_is_only_worth_to_know_is_a_note(judged: Callable[..., Report]) -> None:
    note = health.Finding("dead-channels", "two are dead", "a smaller layer", "information")
    report = replace(judged(strict=True), findings=(note,))
    assert ("note", "two are dead") in terminal.rows(report)
    assert "**Note:** two are dead" in markdown.to_markdown(report)
    assert "Worth to know" in page(to_html(report)).text


def test_what_a_sample_can_exclude_is_in_every_form(judged: Callable[..., Report]) -> None:
    report = judged()
    assert "fidelity.detectable" in facts.shown(facts.facts(report))
    (text,) = (text for label, text in terminal.rows(report) if label == "excluded")
    assert text.startswith("a fault that hits 63 % of such inputs would have been seen with a probability of 95%")
    for form in (page(to_html(report)).text, markdown.to_markdown(report)):
        assert text in form
    assert "fidelity.detectable" in files.to_junit(report)
