"""What gate and compare tell a CI system in whose job they are called, by the files and the log that it reads."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner, Result

from tinyhil.cli import ci
from tinyhil.cli.app import application
from tinyhil.errors import ExitCode
from tinyhil.history.place import Place

from . import made
from .test_gate import ACCEPTED, LARGER, Repository

Call = Callable[..., Result]


@pytest.fixture
def repository(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """An empty one with a file for the recipe, in the current folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes/tiny.toml").touch()
    for name in ("GITHUB_WORKSPACE", "CI_PROJECT_DIR", "CI_CONFIG_PATH", ci.NAME):
        monkeypatch.delenv(name, raising=False)
    return Repository(place)


@pytest.fixture
def github(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A step of a job of GitHub Actions; the file of its summary."""
    summary = tmp_path / "summary.md"
    values = {"ACTIONS": "true", "STEP_SUMMARY": summary, "WORKFLOW": "hil", "JOB": "emulator", "RUN_ID": "7"}
    for name, value in values.items():
        monkeypatch.setenv(f"GITHUB_{name}", str(value))
    return summary


@pytest.fixture
def _gitlab(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITLAB_CI", "true")
    monkeypatch.setenv("CI_JOB_ID", "7")


@pytest.fixture
def tinyhil() -> Call:
    """``tinyhil("gate", ...)``, as the command line has it."""
    return lambda *arguments: CliRunner().invoke(application(arguments), list(arguments))


def commands(done: Result) -> list[str]:
    return [line for line in done.output.splitlines() if line.startswith("::")]


def test_a_broken_gate_is_an_annotation_a_summary_and_a_comment(
    repository: Repository, github: Path, tinyhil: Call
) -> None:
    repository.commit(made.report())
    larger = repository.commit(LARGER, branch="feature")
    done = tinyhil("gate")
    assert done.exit_code == ExitCode.FAIL
    (line,) = commands(done)
    assert line.startswith(
        "::error file=recipes/tiny.toml,title=tinyhil%3A tiny on qemu-m4 (compiled%2C int8)::flash +312"
    )
    assert "%0Ainstructions per inference +1,000 (+4.00%25)" in line
    comment = (ci.FOLDER / ci.COMMENT).read_text("utf-8")
    marker, _, said = comment.partition("\n")
    assert marker == "<!-- tinyhil: hil/emulator -->"
    assert said.rstrip() == github.read_text("utf-8").rstrip()
    assert all(each in said for each in ("❌ FAIL", "+312 B", "+4.00%"))

    Path("tinyhil.accepted").write_text(ACCEPTED.format(larger[:8]))
    (line,) = commands(tinyhil("gate"))
    assert line.startswith("::notice file=recipes/tiny.toml")
    assert "✅ PASS" in (ci.FOLDER / ci.COMMENT).read_text("utf-8"), "the gate's part of before is not there any more"
    assert not (ci.FOLDER / ci.CODE_QUALITY).exists(), "that is GitLab's"


@pytest.mark.usefixtures("github")
def test_a_gate_without_a_baseline_says_so_and_a_comparison_warns(repository: Repository, tinyhil: Call) -> None:
    repository.commit(LARGER, branch="feature")
    done = tinyhil("gate")
    assert done.exit_code == ExitCode.BLOCKED
    (line,) = commands(done)
    assert line.startswith("::error title=tinyhil%3A gate against main::BLOCKED")
    repository.commit(made.report(), branch="main")
    done = tinyhil("compare", "main", "feature")
    assert (done.exit_code, commands(done)[0].split(",")[0]) == (0, "::warning file=recipes/tiny.toml")
    heads = [line for line in (ci.FOLDER / ci.COMMENT).read_text("utf-8").splitlines() if line.startswith("### ")]
    assert [head.split()[1] for head in heads] == ["⛔", "❌"], "the gate first"


@pytest.mark.usefixtures("_gitlab")
def test_gitlab_gets_junit_and_code_quality_of_the_gate(repository: Repository, tinyhil: Call) -> None:
    repository.commit()
    assert tinyhil("gate").exit_code == ExitCode.BLOCKED
    assert counts() == (1, 0, 1)
    (one,) = quality()
    assert (one["severity"], one["location"]["path"]) == ("blocker", ".gitlab-ci.yml")

    repository.commit(made.report())
    larger = repository.commit(LARGER, branch="feature")
    done = tinyhil("gate")
    assert (done.exit_code, commands(done)) == (ExitCode.FAIL, [])
    assert counts()[1:] == (2, 0)
    assert [(one["check_name"], one["severity"]) for one in quality()] == [
        ("tinyhil/gate/flash", "major"),
        ("tinyhil/gate/instructions", "major"),
    ]
    assert {one["location"]["path"] for one in quality()} == {"recipes/tiny.toml"}
    Path("tinyhil.accepted").write_text(ACCEPTED.format(larger[:8]))
    assert tinyhil("gate").exit_code == 0
    assert counts()[1:] == (0, 0)
    assert {one["severity"] for one in quality()} == {"info"}


def counts() -> tuple[int, ...]:
    """Tests, failures and errors of the gate's JUnit file; each number is that of its elements."""
    (suite,) = ElementTree.parse(ci.FOLDER / ci.GATE).getroot()
    found = tuple(len(list(suite.iter(name))) for name in ("testcase", "failure", "error"))
    assert found == tuple(int(suite.attrib[name]) for name in ("tests", "failures", "errors"))
    return found


def quality() -> list[Any]:
    return list(json.loads((ci.FOLDER / ci.CODE_QUALITY).read_text("utf-8")))


@pytest.mark.usefixtures("github")
def test_what_cannot_be_written_changes_no_exit_code(repository: Repository, tinyhil: Call) -> None:
    repository.commit(made.report())
    repository.commit(made.report(), branch="feature")
    Path("build").write_text("a file")
    done = tinyhil("gate")
    assert (done.exit_code, "are not written" in done.stderr) == (0, True)


@pytest.mark.parametrize("text", ["a --> b", "<!--", "x" * 30, "a-b/c"])
def test_the_name_of_a_comment_cannot_end_it(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ci.NAME, text)
    assert not {"<", ">"} & set(ci._name())
    assert "--" not in ci._name()
