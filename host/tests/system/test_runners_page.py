"""docs/runners.md: its workflows are YAML of the right form, and every command in it is one that tinyhil takes."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from tinyhil import kinds
from tinyhil.cli.app import application
from tinyhil.config import toml
from tinyhil.targets import registry
from tinyhil.targets.wire import Power

REPOSITORY = Path(__file__).parents[3]
PAGE = (REPOSITORY / "docs/runners.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


GITHUB, ACTION, GITLAB = (yaml.safe_load(block) for block in blocks("yaml"))


def lines_of(workflow: Any) -> Iterator[str]:
    """Every line that a job gives a shell."""
    if isinstance(workflow, dict):
        for key, value in workflow.items():
            if key in ("run", "script", "before_script"):
                for text in [value] if isinstance(value, str) else value:
                    yield from text.splitlines()
            else:
                yield from lines_of(value)
    elif isinstance(workflow, list):
        for value in workflow:
            yield from lines_of(value)


def commands() -> list[str]:
    """Every command line of tinyhil on the page: in workflows, in indented blocks, and in running text."""
    indented = re.findall(r"^    (tinyhil .*)$", PAGE, re.MULTILINE)
    inline = re.findall(r"`(tinyhil [^`]+)`", PAGE)
    jobs = [line for workflow in (GITHUB, GITLAB) for line in lines_of(workflow) if line.startswith("tinyhil ")]
    return list(dict.fromkeys([*jobs, *indented, *(" ".join(each.split()) for each in inline)]))


def test_the_workflows_have_the_form_of_their_services() -> None:
    (job,) = GITHUB["jobs"].values()
    assert "self-hosted" in job["runs-on"]
    assert all(("run" in step) != ("uses" in step) for step in job["steps"])
    (job,) = GITLAB.values()
    assert all(isinstance(line, str) for line in [*job["before_script"], *job["script"]])
    assert job["allow_failure"]["exit_codes"] == [3]
    for workflow in (GITHUB, GITLAB):
        assert sum(line.startswith("tinyhil ") for line in lines_of(workflow)) >= 2


def test_the_inputs_are_those_of_the_action() -> None:
    known = yaml.safe_load((REPOSITORY / "action.yml").read_text())["inputs"]
    (job,) = ACTION["jobs"].values()
    (step,) = (step for step in job["steps"] if step["uses"].startswith("OWNER/tinyhil"))
    assert set(step["with"]) <= set(known)
    needed = {name for name, about in known.items() if about.get("required")}
    assert needed <= set(step["with"])
    (board,) = re.findall(r"On a runner with a board: (.*?)\. The first", PAGE, re.DOTALL)
    assert set(re.findall(r"`([\w-]+)(?::|`)", board)) <= set(known)


def test_the_hooks_are_those_of_this_repository() -> None:
    known = {hook["id"] for hook in yaml.safe_load((REPOSITORY / ".pre-commit-hooks.yaml").read_text())}
    assert set(re.findall(r"- id: (\S+)", PAGE)) == known


def test_there_are_commands() -> None:
    assert {line.split()[1] for line in commands()} >= {"run", "doctor", "flash", "ports", "quarantine", "bench-report"}


@pytest.mark.parametrize("line", commands())
def test_every_command_line_is_taken(line: str) -> None:
    """Parsed as the command line would, and not carried out."""
    _, name, *arguments = shlex.split(line, comments=True)
    group = typer.main.get_command(application())
    command = group.get_command(group.make_context("tinyhil", ["ports"]), name)  # type: ignore[attr-defined]
    assert command is not None, name
    context = command.make_context(name, arguments)
    target = context.params.get("target")
    assert target is None or (registry.SHIPPED / f"{target}.toml").is_file()


def test_the_power_of_the_target_file_is_taken() -> None:
    (block,) = blocks("toml")
    given, spelled_out = (tomllib.loads(text)["power"] for text in (block, block.replace("\n# ", "\n")))
    power = toml.convert(given, Path("page.toml"), Power)
    assert set(spelled_out) == set(Power.__struct_fields__)
    assert toml.convert(spelled_out, Path("page.toml"), Power) == power, "what stands behind # are the defaults"


def test_the_ids_are_those_of_the_catalogue() -> None:
    assert set(re.findall(r"TH-\d+", PAGE)) == {kinds.QUARANTINED.id, kinds.POWER.id}
