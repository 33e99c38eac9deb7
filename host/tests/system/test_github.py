"""The commands for GitHub's runner: escaped, so that a text is never another command; and its summary."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyhil.cli import github
from tinyhil.report.problems import Problem, Severity


@given(st.text(), st.text(), st.text(), st.sampled_from(["error", "warning", "notice"]))
def test_an_annotation_is_one_command_with_its_texts(text: str, title: str, file: str, level: str) -> None:
    line = github.annotation(text, title, file, level)
    assert "\n" not in line
    assert "\r" not in line
    head, _, said = line.removeprefix(f"::{level} ").partition("::")
    properties = dict(part.split("=", 1) for part in head.split(","))
    assert {name: _read(value) for name, value in properties.items()} == {
        "title": title,
        **({"file": file} if file else {}),
    }
    assert _read(said) == text


def problem(number: int, about: str = "a on b", severity: Severity = "major") -> Problem:
    return Problem("check", about, f"text {number}", severity, "a.toml")


def test_what_is_about_the_same_is_one_annotation_of_its_level() -> None:
    found = [problem(1), problem(2), problem(3, severity="minor"), problem(4, "c on d", "blocker")]
    assert list(github.commands(found)) == [
        "::error file=a.toml,title=tinyhil%3A a on b::text 1%0Atext 2",
        "::error file=a.toml,title=tinyhil%3A c on d::text 4",
        "::warning file=a.toml,title=tinyhil%3A a on b::text 3",
    ]


@pytest.mark.parametrize("count", [github.MOST_ANNOTATIONS, github.MOST_ANNOTATIONS + 1])
def test_of_too_many_annotations_the_last_one_counts_the_rest(count: int) -> None:
    """GitHub drops what is more than ten of a step, and says nothing."""
    lines = list(github.commands(problem(number, f"{number} on b") for number in range(count)))
    assert len(lines) == github.MOST_ANNOTATIONS
    assert ("2 more" in lines[-1]) == (count > github.MOST_ANNOTATIONS)


def _read(value: str) -> str:
    """As the runner reads it: https://github.com/actions/toolkit, packages/core/src/command.ts, the other way round."""
    for sign in (":", ",", "\r", "\n", "%"):
        value = value.replace(f"%{ord(sign):02X}", sign)
    return value


@pytest.fixture
def summary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(path))
    return path


def test_summaries_are_appended_and_never_too_long(summary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(github, "MOST_BYTES", 400)
    assert github.summarize("# one") == github.summarize("# two") == ""
    assert summary.read_text() == "# one\n# two\n"
    assert github.summarize(f"# three\n\n<details>{'x' * 400}</details>\n\nafter it") == ""
    assert summary.read_text() == "# one\n# two\n# three\n\nafter it\n"
    github.summarize("# four\n" + "ü\n" * 1000)
    text = summary.read_text()  # UTF-8 to its end
    assert "# four\nü\n" in text
    assert "The rest is in the reports" in text
    github.summarize("z" * 1000)
    assert summary.stat().st_size <= 400


def test_what_cannot_be_written_is_said(summary: Path) -> None:
    summary.mkdir()
    assert str(summary) in github.summarize("# one")


def test_without_a_file_for_it_there_is_no_summary(summary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_STEP_SUMMARY")
    assert github.summarize("# one") == ""
    assert not summary.exists()
