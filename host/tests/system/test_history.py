"""Runs are kept, whoever carries them out; and whatever becomes of the history, the verdict is that of the run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tinyhil import api
from tinyhil.compare.digest import digest
from tinyhil.history import place as places
from tinyhil.history import record

from .cli import Cli


@pytest.fixture
def model(tmp_path: Path, tiny_model: bytes) -> Path:
    path = tmp_path / "tiny.tflite"
    path.write_bytes(tiny_model)
    return path


def test_a_run_is_kept_with_its_report_and_its_exit_code(
    tinyhil: Cli, model: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(places.VARIABLE, "kept.db")
    done = tinyhil("run", model, "--target", "sim")
    assert (done.code, "history" in done.err) == (0, False)
    (path,) = record.waiting(tmp_path / "kept.records")
    one = record.read(path)
    assert one.report == next((tmp_path / "build").rglob("report.json")).read_text()
    assert f"sha256 {digest(one.decoded(str(path)))}" in done.out
    blocked = tinyhil("run", model, "--target", "nano33ble", "--port", "/dev/none")
    assert blocked.code == 3
    shown = json.loads(tinyhil("history", "--json", "-").out)["series"]
    assert [(one["target"], one["counts"]) for one in shown] == [("nano33ble", {"blocked": 1}), ("sim", {"pass": 1})]


@pytest.mark.parametrize("value", ["/proc/none/kept.db", "mysql://u:secret@h/d"])
def test_what_cannot_be_kept_is_said_after_the_verdict(
    tinyhil: Cli, model: Path, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(places.VARIABLE, value)
    done = tinyhil("run", model, "--target", "sim", "--json", "out.json")
    assert done.code == 0
    assert done.out.rstrip().splitlines()[-1].startswith("PASS  tiny on sim")
    line = done.err.splitlines()[-1]  # before it, a busy computer is said to be slow
    assert line.startswith("this run is not in the history: ")
    assert "secret" not in done.err


@pytest.mark.long
def test_github_is_told_of_a_run_that_does_not_pass_and_gets_a_summary_of_each(
    tinyhil: Cli, model: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    passed = tinyhil("run", model, "--target", "sim")
    assert (passed.code, "::error" in passed.out) == (0, False)
    blocked = tinyhil("run", model, "--target", "nano33ble", "--port", "/dev/none")
    assert blocked.code == 3
    (line,) = [line for line in blocked.out.splitlines() if line.startswith("::")]
    assert line.startswith("::error file=tiny.tflite,title=tinyhil%3A tiny on nano33ble::BLOCKED")
    for file in ("summary.md", "build/ci/comment.md"):
        heads = [line for line in (tmp_path / file).read_text("utf-8").splitlines() if line.startswith("### ")]
        assert sorted(("PASS" in head, "BLOCKED" in head) for head in heads) == [(False, True), (True, False)], file


def test_a_call_of_the_api_is_kept_too(tiny_model: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(places.VARIABLE, str(tmp_path / "kept.db"))
    report = api.run(tiny_model, target="sim", build_dir=tmp_path / "build")
    (path,) = record.waiting(tmp_path / "kept.records")
    assert record.read(path).decoded("record") == report
