"""Every file that a CI system or pre-commit reads is valid by its published schema, the generated ones too.

The schemas are those that check-jsonschema brings along; pre-commit has a checker of its own.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from check_jsonschema import main as check
from click.testing import CliRunner
from pre_commit.clientlib import load_manifest

from tinyhil import starter

CHECKOUT = Path(__file__).parents[3]
WORKFLOW, ACTION, GITLAB = (f"vendor.{name}" for name in ("github-workflows", "github-actions", "gitlab-ci"))
TIMEOUT = "custom.github-workflows-require-timeout"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A starter project."""
    folder = tmp_path_factory.mktemp("starter")
    starter.create(folder, "my-model", ("nano33ble",))
    return folder


def holds(schema: str, file: Path) -> bool:
    transform = ("--data-transform", "gitlab-ci") if schema == GITLAB else ()
    done = CliRunner().invoke(check, ["--builtin-schema", schema, *transform, str(file)])
    assert done.exit_code in (0, 1), done.output
    return done.exit_code == 0


def test_the_generated_workflows_are_valid_and_every_job_ends(written: Path) -> None:
    github = written / ".github/workflows/hil.yml"
    assert holds(WORKFLOW, github)
    assert holds(TIMEOUT, github)
    assert holds(GITLAB, written / ".gitlab-ci.yml")
    assert "timeout" in yaml.safe_load((written / ".gitlab-ci.yml").read_text())[".hil"]


def test_the_action_and_the_examples_are_valid() -> None:
    assert holds(ACTION, CHECKOUT / "action.yml")
    for file in (CHECKOUT / "examples").glob("*/.github/workflows/*.yml"):
        assert holds(WORKFLOW, file)


def test_the_workflows_of_the_docs_are_valid(tmp_path: Path) -> None:
    text = (CHECKOUT / "docs/runners.md").read_text("utf-8")
    blocks = re.findall(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 3
    for number, block in enumerate(blocks):
        file = tmp_path / f"{number}.yml"
        file.write_text(block)
        assert holds(WORKFLOW if "\njobs:" in block else GITLAB, file)


def test_a_wrong_file_is_refused(tmp_path: Path) -> None:
    """So the schemas are held against something."""
    file = tmp_path / "wrong.yml"
    for schema, text in (
        (WORKFLOW, "on: push\njobs: {a: {runs-on: x, steps: [{rum: x}]}}"),
        (ACTION, "name: x\ndescription: x\nruns: {using: composite, steps: [{run: x}]}"),
        (GITLAB, "a: {scripts: [x]}"),
    ):
        file.write_text(text)
        assert not holds(schema, file)


def test_the_hooks_are_what_pre_commit_takes() -> None:
    hooks = load_manifest(CHECKOUT / ".pre-commit-hooks.yaml")
    assert [hook["id"] for hook in hooks] == ["tinyhil-preflight", "tinyhil-recipes"]
    (script,) = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]["scripts"]
    assert {hook["entry"].split()[0] for hook in hooks} == {script}


def expressions(value: Any) -> set[str]:
    """What a file says in the braces of GitHub's expressions, and in conditions."""
    return set(re.findall(r"inputs\.([\w-]+)", str(value)))


def test_every_input_of_the_action_is_used_and_no_other() -> None:
    action = yaml.safe_load((CHECKOUT / "action.yml").read_text())
    assert expressions(action["runs"]) == set(action["inputs"])
    # An expression within a script would be a place to put commands in; it is handed over as a variable.
    assert not [step for step in action["runs"]["steps"] if "${{" in step.get("run", "")]


def test_the_scripts_that_comment_are_one(written: Path) -> None:
    action = yaml.safe_load((CHECKOUT / "action.yml").read_text())["runs"]["steps"]
    workflow = yaml.safe_load((written / ".github/workflows/hil.yml").read_text())["jobs"]["emulator"]["steps"]
    scripts = [step["run"] for step in (*action, *workflow) if "gh api" in step.get("run", "")]
    assert len(scripts) == 2
    assert len(set(scripts)) == 1


def test_what_the_container_is_made_of_is_there() -> None:
    text = (CHECKOUT / "Containerfile").read_text()
    for name in re.findall(r"/usr/local/src/tinyhil/([\w./-]+)", text):
        assert (CHECKOUT / name).exists(), name
    extras = re.search(r"/tinyhil\[([\w,]+)\]", text)
    assert extras is not None
    known = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert set(extras[1].split(",")) <= set(known)
