"""The commands for GitHub's runner: escaped, so that a text is never another command; and its summary."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyhil.cli import github


@given(st.text(), st.text(), st.text())
def test_an_annotation_is_one_command_with_its_texts(text: str, title: str, file: str) -> None:
    line = github.annotation(text, title, file)
    assert "\n" not in line
    assert "\r" not in line
    head, _, said = line.removeprefix("::error ").partition("::")
    properties = dict(part.split("=", 1) for part in head.split(","))
    assert {name: _read(value) for name, value in properties.items()} == {
        "title": title,
        **({"file": file} if file else {}),
    }
    assert _read(said) == text


def _read(value: str) -> str:
    """As the runner reads it: https://github.com/actions/toolkit, packages/core/src/command.ts, the other way round."""
    for sign in (":", ",", "\r", "\n", "%"):
        value = value.replace(f"%{ord(sign):02X}", sign)
    return value


@pytest.fixture
def summary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(path))
    return path


def test_summaries_are_appended_and_never_too_long(summary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(github, "MOST_BYTES", 100)
    assert github.summarize("# one") == github.summarize("# two") == ""
    assert summary.read_text() == "# one\n# two\n"
    assert github.summarize(f"# three\n<details>{'x' * 100}") == ""
    assert summary.read_text() == "# one\n# two\n# three\n\n"
    github.summarize("y" * 1000)
    assert summary.stat().st_size <= 101


def test_what_cannot_be_written_is_said(summary: Path) -> None:
    summary.mkdir()
    assert str(summary) in github.summarize("# one")


def test_elsewhere_nothing_is_written(summary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS")
    assert github.summarize("# one") == ""
    assert not summary.exists()
