"""The gate over two commits of a repository: what breaks it, what is accepted and for how long, and what blocks it."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from tinyhil import kinds
from tinyhil.cli.app import application
from tinyhil.compare import medians
from tinyhil.compare.verdict import Report, Speed
from tinyhil.errors import ExitCode
from tinyhil.history import record
from tinyhil.history.place import Place
from tinyhil.report import files

from . import made

LARGER = made.report(flash=made.FLASH + 312, instructions=made.INSTRUCTIONS * 1.04)
ACCEPTED = "{0} tiny qemu-m4 flash +312 B # a table\n{0} * * instructions +4 % # it is looked up\n"


def git(*arguments: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main")
    return subprocess.run(["git", *who, *arguments], check=True, capture_output=True, text=True).stdout.strip()


class Repository:
    """A repository whose commits have runs."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._runs = self._commits = 0
        git("init", "--quiet")

    def commit(self, *reports: Report, branch: str = "", **changed: Any) -> str:
        """A commit with some runs; its hash."""
        if branch:
            git("checkout", "--quiet", "-b", branch)
        self._commits += 1  # two of one text in one second would be the same commit
        git("commit", "--quiet", "--allow-empty", "-m", f"commit {self._commits}")
        said = {"commit": git("rev-parse", "HEAD"), "branch": git("branch", "--show-current"), **changed}
        for report in reports:
            self._runs += 1
            began = made.NOON + timedelta(hours=self._runs)
            record.leave(report, made.context(began=began, **said), self._place.records)
        return str(said["commit"])


@pytest.fixture
def repository(any_place: Place) -> Repository:
    """An empty one, in the current folder."""
    return Repository(any_place)


Call = Callable[..., Result]


@pytest.fixture
def gate() -> Call:
    """``gate("--against", "main")``, as the command line has it."""
    return lambda *arguments: CliRunner().invoke(application(["gate"]), ["gate", *map(str, arguments)])


def outcomes(done: Result) -> dict[str, str]:
    (held,) = json.loads(done.stdout)["held"]
    return {one["metric"]: one["outcome"] for one in held["rules"] if one["outcome"] != "kept"}


def test_what_got_worse_since_main_breaks_it_until_it_is_accepted(repository: Repository, gate: Call) -> None:
    repository.commit(made.report())
    larger = repository.commit(LARGER, branch="feature")
    done = gate("--json", "-", "--markdown", "gate.md")
    assert done.exit_code == ExitCode.FAIL
    assert outcomes(done) == {"flash": "broken", "instructions": "broken"}
    assert all(said in done.stderr and said in Path("gate.md").read_text("utf-8") for said in ("+312 B", "+4.00%"))

    Path("tinyhil.accepted").write_text(ACCEPTED.format(larger[:8]))
    done = gate("--json", "-")
    assert (done.exit_code, outcomes(done)) == (0, {"flash": "accepted", "instructions": "accepted"})
    assert "a table" in done.stderr

    repository.commit(LARGER)  # the line itself is committed: what it accepts was before
    assert gate().exit_code == 0
    repository.commit(made.report(flash=made.FLASH + 313, instructions=made.INSTRUCTIONS * 1.04))
    assert outcomes(gate("--json", "-")) == {"flash": "broken", "instructions": "accepted"}


def test_a_comparison_of_the_two_commits_shows_just_that_in_every_form(repository: Repository) -> None:
    repository.commit(made.report())
    repository.commit(LARGER, branch="feature")
    forms = ("--markdown", "c.md", "--html", "c.html", "--json", "c.json")
    done = CliRunner().invoke(application(["compare"]), ["compare", "main", "feature", *forms])
    assert done.exit_code == 0, done.output
    changed = {"flash": "+312 B (+3.06%)", "instructions per inference": "+1,000 (+4.00%)"}
    rows = [re.split(" {2,}", line.strip()) for line in done.stdout.splitlines()]
    assert {row[0]: row[3] for row in rows if row[-1] == "worse" and not row[0][0].isdigit()} == changed
    above = Path("c.md").read_text("utf-8").partition("<details>")[0]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in above.splitlines() if "|" in line][2:]
    assert {row[0]: row[3] for row in cells} == changed
    table = Path("c.html").read_text("utf-8").partition('id="figures-1"')[2].partition("</table>")[0]
    found = [re.findall(r"<t[hd][^>]*>\s*(.*?)\s*</t[hd]>", row, re.DOTALL) for row in table.split("<tr")[1:]]
    assert {row[0]: row[3] for row in found if "worse" in row} == changed
    (pair,) = json.loads(Path("c.json").read_text("utf-8"))["pairs"]
    outcome = {one["name"]: one["outcome"] for one in pair["figures"]}
    assert {name for name, said in outcome.items() if said != "equal"} == {"flash", "instructions"}
    assert [one["outcome"] for one in pair["operators"]] == ["worse", "equal"]


def test_once_main_has_it_it_accepts_nothing_more(repository: Repository, gate: Call) -> None:
    repository.commit(made.report())
    larger = repository.commit(LARGER)
    Path("tinyhil.accepted").write_text(ACCEPTED.format(larger))
    on_main = gate("--json", "-")  # against the commit before, and not against itself
    assert (on_main.exit_code, outcomes(on_main)) == (0, {"flash": "accepted", "instructions": "accepted"})
    repository.commit(made.report(flash=made.FLASH + 624, instructions=made.INSTRUCTIONS * 1.04), branch="feature")
    assert outcomes(gate("--json", "-")) == {"flash": "broken"}


def test_without_a_run_or_a_baseline_it_is_blocked(repository: Repository, gate: Call) -> None:
    repository.commit()
    done = gate()
    assert (done.exit_code, kinds.NO_BASELINE.id in done.stderr) == (ExitCode.BLOCKED, True)
    repository.commit(LARGER, branch="feature")
    done = gate()
    assert (done.exit_code, kinds.NO_BASELINE.id in done.stderr) == (ExitCode.BLOCKED, True)
    git("checkout", "--quiet", "main")
    repository.commit(made.report(recipe="other"))
    git("checkout", "--quiet", "feature")
    done = gate()
    assert (done.exit_code, kinds.NO_BASELINE.id in done.stderr) == (ExitCode.BLOCKED, True)


def test_the_first_commit_of_main_is_no_baseline_of_its_own(repository: Repository, gate: Call) -> None:
    first = repository.commit(made.report())
    for name in ("main", first):
        done = gate("--against", name)
        assert (done.exit_code, kinds.NO_BASELINE.id in done.stderr) == (ExitCode.BLOCKED, True)


def test_what_cannot_be_compared_blocks_it(repository: Repository, gate: Call) -> None:
    repository.commit(made.report())
    repository.commit(made.report(tool_versions={"arm-none-eabi-gcc": "13.1"}), branch="feature")
    done = gate("--json", "-")
    assert done.exit_code == ExitCode.BLOCKED
    assert set(outcomes(done).values()) == {"incomparable"}
    assert "13.1" in done.stderr
    Path("tinyhil.toml").write_text('[gate]\nflash = "off"\nram = "off"\narena = "off"\ninstructions = "off"\n')
    assert gate().exit_code == 0


def test_runs_with_changes_are_no_baseline(repository: Repository, gate: Call) -> None:
    repository.commit(made.report(), LARGER)
    repository.commit(LARGER, branch="feature")
    assert gate().exit_code == 0
    git("checkout", "--quiet", "main")
    repository.commit(made.report(flash=1), dirty=True)
    git("checkout", "--quiet", "feature")
    assert gate().exit_code == 0


def timed(middle: float) -> Report:
    speed = Speed("microseconds", middle, middle, middle, 9)
    return made.report(target="nano33ble", microseconds_per_inference=middle, speed=speed)


def test_times_are_held_by_all_runs_of_both_commits(repository: Repository, gate: Call) -> None:
    Path("tinyhil.toml").write_text('[gate]\nmicroseconds = "+1 %"\n')
    repository.commit(*(timed(1000.0 + number % 5) for number in range(medians.RUNS)))
    times = [1030.0 + number % 5 for number in range(medians.RUNS)]
    repository.commit(*map(timed, times[1:]), branch="feature")
    done = gate("--json", "-")
    assert (done.exit_code, outcomes(done)) == (ExitCode.BLOCKED, {"microseconds": "incomparable"})
    assert f"there are {medians.RUNS} and {medians.RUNS - 1}" in done.stderr
    repository.commit(*map(timed, times))
    assert outcomes(gate("--json", "-")) == {"microseconds": "broken"}


def test_reports_in_folders_need_no_history(repository: Repository, gate: Call) -> None:
    repository.commit()
    files.write(made.report(), Path("old"))
    files.write(LARGER, Path("build/tiny"))
    assert gate("build", "--against", "old").exit_code == ExitCode.FAIL
    assert gate("old", "--against", "old/report.json").exit_code == 0


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("tinyhil.toml", '[gate]\nflash = "-1 B"\n'),
        ("tinyhil.toml", "[gate]\nflash = 1\n"),
        ("tinyhil.toml", "[gates]\n"),
        ("tinyhil.accepted", "flash is larger\n"),
        ("tinyhil.accepted", "\ud800"),
    ],
)
def test_a_file_that_is_wrong_is_named(repository: Repository, gate: Call, name: str, text: str) -> None:
    repository.commit(made.report())
    Path(name).write_bytes(text.encode(errors="surrogatepass"))
    done = gate()
    assert (done.exit_code, name in done.stderr, kinds.WRONG_FILE.id in done.stderr) == (ExitCode.USAGE, True, True)
