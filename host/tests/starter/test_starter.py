"""The starter project: complete, valid, and never written over anything."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
import yaml

from tinyhil import starter
from tinyhil.config import recipe as recipes
from tinyhil.errors import InputError

BOARDS = ("nano33ble", "esp32")


@pytest.fixture
def written(tmp_path: Path) -> Path:
    folder = tmp_path / "anomaly"
    starter.create(folder, "my-model", BOARDS)
    return folder


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("anomaly", "anomaly"),
        ("Mein Modell", "mein-modell"),
        ("2nd_try.v3", "nd-try-v3"),
        ("--x--", "x"),
        ("a" * 31 + "_b", "a" * 31),
        ("größe", "gr-e"),
    ],
)
def test_a_name_is_made_fit(text: str, name: str, tmp_path: Path) -> None:
    assert starter.model_name(text) == name
    assert starter.create(tmp_path / "x", name, BOARDS)
    assert recipes.load(tmp_path / "x" / "recipes" / f"{name}.toml").name == name


@pytest.mark.parametrize("text", ["", "...", "123", "日本"])
def test_a_text_that_gives_no_name_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="gives no name"):
        starter.model_name(text)


def test_the_recipe_loads_with_its_code(written: Path) -> None:
    path = written / "recipes" / "my-model.toml"
    recipe = recipes.load(path)
    code = recipes.load_code(recipes.code_path(path, recipe))
    data = code.dataset(recipe.train.seed)
    assert set(data) == {"train", "validation", "test"}
    x, y = data["train"]
    assert x.shape == y.shape == (600, 1)
    assert abs(code.truth(x) - y).mean() < 0.05


def test_the_tests_parse_and_name_the_recipe(written: Path) -> None:
    tests = ast.parse((written / "hil_tests" / "test_my_model.py").read_text())
    assert any(isinstance(node, ast.FunctionDef) and node.name.startswith("test_") for node in tests.body)
    assert "--recipe my-model" in (written / "pytest.ini").read_text()


def test_the_workflows_are_yaml_with_an_emulator_and_a_board(written: Path) -> None:
    github = yaml.safe_load((written / ".github" / "workflows" / "hil.yml").read_text())
    assert set(github["jobs"]) == {"emulator", "board"}
    commands = [step["run"] for step in github["jobs"]["emulator"]["steps"] if "run" in step]
    assert any("pytest --target qemu-m4" in command for command in commands)
    assert github["jobs"]["board"]["runs-on"][0] == "self-hosted"
    assert github["jobs"]["board"]["env"]["BOARD"] == "${{ vars.TINYHIL_BOARD }}"
    gitlab = yaml.safe_load((written / ".gitlab-ci.yml").read_text())
    assert {"emulator", "board"} <= set(gitlab)
    assert any("pytest --target qemu-m4" in line for line in gitlab["emulator"]["script"])


def test_nothing_is_written_over(written: Path) -> None:
    before = {path: path.read_bytes() for path in written.rglob("*") if path.is_file()}
    (written / "README.md").write_text("mine")
    (written / "pytest.ini").unlink()
    with pytest.raises(InputError, match="exists already; nothing was written"):
        starter.create(written, "my-model", BOARDS)
    assert (written / "README.md").read_text() == "mine"
    assert not (written / "pytest.ini").exists()
    assert len(before) > 8


def test_the_command_says_what_comes_next(tmp_path: Path, child_environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tinyhil", "new", "My Thing", "--json", "-"],
        cwd=tmp_path, env=child_environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    answer = json.loads(done.stdout)
    assert answer["recipe"] == "my-thing"
    assert all((tmp_path / "My Thing" / name).is_file() for name in answer["files"])
    assert "tinyhil run my-thing" in done.stderr
    again = subprocess.run(
        [sys.executable, "-m", "tinyhil", "new", "My Thing"],
        cwd=tmp_path, env=child_environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert again.returncode == 2
    assert "exists already" in again.stderr


def test_the_version_is_ours(written: Path) -> None:
    import tinyhil

    assert f">={tinyhil.__version__}" in (written / "requirements.txt").read_text()
    assert msgspec.toml.decode((written / "recipes" / "my-model.toml").read_bytes())["code"] == "my_model.py"
