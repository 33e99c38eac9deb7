"""Every ``run:`` of the composite action and of the generated workflows, carried out as the runner would.

In an empty folder that is a repository, with tinyhil from its wheel; the board is the firmware as a process. What
stands in for what cannot be had here is named so: ``gh``, which would write to GitHub; ``apt-get`` and ``sudo``, which
would install on this computer what is installed. Steps that use other actions are not carried out.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from tinyhil import starter

from .cli import REPOSITORY, environment_without_us
from .conftest import NEEDED

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]  # TensorFlow is installed

STAND_IN_FOR_GH = """#!/bin/bash
# Keeps what it is called with and the comment; a list of comments is what the file "comments" has, as gh's --jq is not.
printf '%s\\n' "$*" >> "$STAND_IN/calls"
case "$*" in
    *--jq*) cat "$STAND_IN/comments" 2>/dev/null || true; printf '%s' "$MARKER" > "$STAND_IN/marker" ;;
    *) for word in "$@"; do case "$word" in body=@*) cp "${word#body=@}" "$STAND_IN/body" ;; esac; done ;;
esac
"""
STAND_IN_FOR_SUDO = '#!/bin/bash\nexec "$@"\n'
STAND_IN_FOR_APT_GET = """#!/bin/bash
# Installs nothing: what is asked for has to be there.
[ "$1" = install ] || exit 0
shift
for word in "$@"; do case "$word" in -*) ;; *) dpkg --status "$word" >/dev/null || exit 1 ;; esac; done
"""


@dataclass
class Job:
    """What a runner keeps between the steps of a job.

    Attributes:
        cwd: the checkout.
        stand_in: the folder of what stands in for programs, and of what they keep.
        values: of expressions, by what is in their braces.
    """

    cwd: Path
    stand_in: Path
    values: dict[str, str]
    variables: dict[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        """Of a step: what was given, and what steps before have put on the path."""
        path = self.stand_in / "GITHUB_PATH"
        first = path.read_text().split() if path.exists() else []
        return {
            **{name: value for name, value in environment_without_us().items() if name != "TINYHIL_HISTORY"},
            "PIP_CONSTRAINT": str(REPOSITORY / "requirements.lock"),
            "STAND_IN": str(self.stand_in),
            "PATH": os.pathsep.join([*reversed(first), str(self.stand_in), os.environ["PATH"]]),
            **self.variables,
        }

    def expanded(self, text: str) -> str:
        """A text with its expressions worked out; what is not known is an error of the test."""
        return re.sub(r"\$\{\{ (.+?) \}\}", lambda found: self.values[found[1]], text)

    def run(self, script: str, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
        """Carries a script out as GitHub and GitLab do: by bash, which stops at the first command that fails."""
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=self.cwd,
            env={**self.environment(), **{name: self.expanded(str(value)) for name, value in variables.items()}},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=1200,
        )

    def steps(self, steps: list[dict[str, Any]], job: dict[str, Any] | None = None) -> dict[str, str]:
        """Carries out all that are scripts; each has to succeed. Returns what each has printed, by its name."""
        printed = {}
        for step in steps:
            if "run" in step:
                done = self.run(step["run"], {**(job or {}), **step.get("env", {})})
                assert done.returncode == 0, f"{step.get('name')}:\n{done.stdout}"
                printed[step["name"]] = done.stdout
        return printed

    def calls(self) -> list[str]:
        """What gh was called with."""
        file = self.stand_in / "calls"
        return file.read_text().splitlines() if file.exists() else []


def git(cwd: Path, *words: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main")
    return subprocess.run(["git", *who, *words], cwd=cwd, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """A job of GitHub for a pull request, in an empty folder."""
    if missing := [name for name in NEEDED if shutil.which(name) is None]:
        pytest.skip(f"blocked: {', '.join(missing)} is not installed")
    stand_in, cwd = tmp_path / "stand-in", tmp_path / "checkout"
    stand_in.mkdir()
    cwd.mkdir()
    for name, script in (("gh", STAND_IN_FOR_GH), ("sudo", STAND_IN_FOR_SUDO), ("apt-get", STAND_IN_FOR_APT_GET)):
        (stand_in / name).write_text(script)
        (stand_in / name).chmod(0o755)
    values = {"github.token": "none", "inputs.token": "none", "github.event.pull_request.number": "12"}
    made = Job(cwd, stand_in, values)
    made.variables = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_WORKSPACE": str(cwd),
        "GITHUB_REPOSITORY": "owner/name",
        "GITHUB_WORKFLOW": "hil",
        "GITHUB_JOB": "emulator",
        "GITHUB_RUN_ID": "7",
        "GITHUB_STEP_SUMMARY": str(stand_in / "summary.md"),
        "GITHUB_PATH": str(stand_in / "GITHUB_PATH"),
    }
    return made


def committed(cwd: Path) -> None:
    """The folder as a repository with one commit, and another one as its origin."""
    git(cwd, "init", "--quiet")
    git(cwd, "add", "--all")
    git(cwd, "commit", "--quiet", "-m", "first")
    git(cwd, "clone", "--quiet", "--bare", ".", "../origin.git")
    git(cwd, "remote", "add", "origin", str(cwd.parent / "origin.git"))


def test_the_action_runs_models_holds_them_and_comments(job: Job, wheel: Path, tiny_model: bytes) -> None:
    action = yaml.safe_load((REPOSITORY / "action.yml").read_text())
    (job.cwd / "tiny.tflite").write_bytes(tiny_model)
    (job.cwd / ".gitignore").write_text("/build/\n/.venv/\n")
    committed(job.cwd)
    given = {"models": "tiny.tflite", "targets": "sim native", "install": str(wheel), "against": "main", "name": "tiny"}
    inputs = {name: str(about.get("default", "")) for name, about in action["inputs"].items()} | given
    job.values |= {f"inputs.{name}": value for name, value in inputs.items() if name != "token"}
    job.values["github.action_path"] = str(REPOSITORY)
    steps = action["runs"]["steps"]

    printed = job.steps(steps)
    assert "::warning title=tinyhil::" in printed["Hold the figures against the baseline"], "there was no baseline"
    assert [call.split()[:4] for call in job.calls()][-1] == ["api", "--silent", "--method", "POST"]
    body = (job.stand_in / "body").read_text("utf-8")
    assert body.startswith("<!-- tinyhil: tiny -->\n")
    assert (job.stand_in / "marker").read_text() == "<!-- tinyhil: tiny -->"
    heads = re.findall(r"^### .*$", body, re.MULTILINE)
    assert [("BLOCKED" in head, "PASS" in head) for head in heads] == [(True, False), (False, True), (False, True)]

    # The next commit: the same figures, and the comment is there.
    git(job.cwd, "commit", "--quiet", "--allow-empty", "-m", "second")
    (job.stand_in / "comments").write_text("345\n")
    job.variables["GITHUB_RUN_ID"] = "8"
    job.steps([step for step in steps if "pip install" not in step.get("run", "")])
    assert "--method PATCH repos/owner/name/issues/comments/345" in job.calls()[-1]
    body = (job.stand_in / "body").read_text("utf-8")
    assert "BLOCKED" not in body
    assert body.splitlines()[1].startswith("### ✅ PASS: ")
    assert (job.stand_in / "summary.md").read_text("utf-8").count("\n### ") >= 5

    # One that does not pass: the worst of all codes is the step's, and it is a fail before it is blocked.
    (run,) = (step for step in steps if "tinyhil run" in step.get("run", ""))
    for models, code in (("tiny.tflite missing", 2), ("tiny.tflite", 0)):
        job.values["inputs.models"] = models
        assert job.run(run["run"], run["env"]).returncode == code


def test_every_script_of_the_starter_project_succeeds(job: Job, wheel: Path) -> None:
    starter.create(job.cwd, "thing", ("nano33ble",))
    recipe = job.cwd / "recipes/thing.toml"
    # Enough epochs to see the way to the device; how well it learns is not the question here.
    recipe.write_text(recipe.read_text().replace("epochs = 200", "epochs = 60").replace("_mae = 0.0", "_mae = 0.9"))
    committed(job.cwd)
    workflow = yaml.safe_load((job.cwd / ".github/workflows/hil.yml").read_text())
    job.values |= {"vars.TINYHIL_WHEEL": str(wheel), "vars.TINYHIL_BOARD": "native"}
    for name in ("emulator", "board"):
        job.variables["GITHUB_JOB"] = name
        given = workflow["jobs"][name]
        printed = job.steps(given["steps"], {**workflow["env"], **given.get("env", {})})
        assert "PASS  thing on " in printed["Run the model"]
        assert "3 passed" in printed["Run the tests"]
        assert "::warning title=tinyhil::" in printed["Hold the figures against main"]
    assert (job.stand_in / "body").read_text("utf-8").startswith("<!-- tinyhil: hil/emulator -->\n")

    # GitLab, the commit after it: now there is a baseline.
    git(job.cwd, "commit", "--quiet", "--allow-empty", "-m", "second")
    for name in [name for name in job.variables if name.startswith("GITHUB")]:
        del job.variables[name]
    (job.stand_in / "GITHUB_PATH").unlink()
    shutil.rmtree(job.cwd / "build/ci")
    pipeline = yaml.safe_load((job.cwd / ".gitlab-ci.yml").read_text())
    job.variables |= {"GITLAB_CI": "true", "CI_JOB_ID": "9", "CI_PROJECT_DIR": str(job.cwd)}
    job.variables |= {"CI_DEFAULT_BRANCH": "main", "TINYHIL_WHEEL": str(wheel), "TINYHIL_BOARD": "native"}
    for name in ("emulator", "board"):
        done = job.run("\n".join(pipeline[name]["script"]), {})
        assert done.returncode == 0, done.stdout
        assert re.search(r"^PASS  \d+ rules against main: all kept$", done.stdout, re.MULTILINE)
    for pattern in flat([*pipeline[".hil"]["artifacts"]["reports"].values(), pipeline[".hil"]["artifacts"]["paths"]]):
        assert list(job.cwd.glob(pattern)), pattern
    assert json.loads((job.cwd / "build/ci/codequality.json").read_text()) == []
    metrics = (job.cwd / "build/ci/metrics.txt").read_text()
    assert re.search(r'^tinyhil_flash_bytes\{recipe="thing",target="qemu-m4",.*\} \d', metrics, re.MULTILINE)


def flat(values: list[Any]) -> Iterator[str]:
    for value in values:
        yield from [value] if isinstance(value, str) else value
