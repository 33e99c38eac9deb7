"""Recipes: the shipped one, a user's own, and every way in which one can be wrong."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from tinyhil.config import recipe as recipes
from tinyhil.data import Dataset
from tinyhil.data.sine import NOISE
from tinyhil.errors import ConfigError, MissingToolError

TOML = """\
name = "mine"
title = "a recipe"
code = "code.py"

[train]
seed = 1
epochs = 2
batch_size = 3
optimizer = "adam"
loss = "mse"
"""
CODE = """\
def dataset(seed):
    return {}

def model():
    return None
"""


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A folder with a user's recipe, as ./recipes would be."""
    (tmp_path / "mine.toml").write_text(TOML)
    (tmp_path / "code.py").write_text(CODE)
    return tmp_path


@pytest.mark.parametrize("name", sorted(recipes.paths(Path("no such folder"))))
def test_what_ships_is_right(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYHIL_OFFLINE", "1")
    path = recipes.find(name, Path("no such folder"))
    recipe = recipes.load(path)
    assert recipe.name == name
    code = recipes.load_code(recipes.code_path(path, recipe))
    if name == "fashion":
        with pytest.raises(MissingToolError):
            code.dataset(recipe.train.seed)
        return

    def sets(seed: int) -> Any:
        made = code.dataset(seed)
        return made.sets if isinstance(made, Dataset) else made

    data, again, other = sets(recipe.train.seed), sets(recipe.train.seed), sets(recipe.train.seed + 1)
    for part in ("train", "validation", "test"):
        inputs, targets = data[part]
        assert len(inputs) == len(targets) > 0
        assert (again[part][0] == inputs).all()
        assert (again[part][1] == targets).all()
    assert any((other[part][0] != data[part][0]).any() for part in data)


def test_the_sine_recipe_is_the_lessons() -> None:
    path = recipes.find("sine", Path("no such folder"))
    recipe = recipes.load(path)
    assert recipe.demo is not None
    assert (recipe.demo.start, recipe.demo.end) == (0.0, 2 * np.pi)
    code = recipes.load_code(recipes.code_path(path, recipe))
    data = code.dataset(recipe.train.seed)
    assert {name: inputs.shape for name, (inputs, _) in data.items()} == {
        "train": (600, 1),
        "validation": (200, 1),
        "test": (200, 1),
    }
    inputs = np.concatenate([inputs for inputs, _ in data.values()])
    targets = np.concatenate([targets for _, targets in data.values()])
    assert inputs.min() >= 0
    assert inputs.max() < 2 * np.pi
    truth = code.truth
    assert truth(np.array([[np.pi / 2]])) == pytest.approx(1.0)
    # The noise is what is left: its mean within five standard errors of 0, its deviation near what the recipe says.
    noise = targets - truth(inputs.astype(np.float64))
    assert abs(noise.mean()) < 5 * NOISE / np.sqrt(len(noise))
    assert noise.std() == pytest.approx(NOISE, rel=0.15)


@pytest.mark.parametrize("name", ["digits", "conv-digits", "fashion"])
def test_classes_are_named(name: str) -> None:
    path = recipes.find(name, Path("no such folder"))
    assert len(set(recipes.load(path).classes)) == 10


def test_what_stands_beside_a_recipe_is_there() -> None:
    known = recipes.paths(Path("no such folder"))
    named = {recipes.load(path).beside for path in known.values()} - {None}
    assert named == {"sine-base"} <= set(known)


def test_a_users_recipe_is_found_beside_the_shipped_ones(mine: Path) -> None:
    assert list(recipes.paths(mine))[-1] == "mine"
    path = recipes.find("mine", mine)
    assert path == mine / "mine.toml"
    recipe = recipes.load(path)
    assert (recipe.name, recipe.train.epochs, recipe.train.metrics) == ("mine", 2, ())
    assert (recipe.quantize.scheme, recipe.fidelity.max_lsb) == ("int8", 0)
    assert set(msgspec.to_builtins(recipe.accuracy).values()) == {None}
    code = recipes.load_code(recipes.code_path(path, recipe))
    assert code.dataset(1) == {}
    assert recipes.optional(code) == ()


def test_the_users_folder_is_below_the_current_one(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine.rename(mine.with_name("recipes"))
    monkeypatch.chdir(mine.parent)
    assert recipes.load(recipes.find("mine")).title == "a recipe"


def test_an_unknown_recipe(mine: Path) -> None:
    with pytest.raises(ConfigError, match="unknown recipe 'sign'") as caught:
        recipes.find("sign", mine)
    assert "sine-base, mine" in caught.value.hint
    assert str(mine) in caught.value.hint


def test_a_shipped_name_is_taken(mine: Path) -> None:
    (mine / "mine.toml").rename(mine / "sine.toml")
    with pytest.raises(ConfigError, match="takes the name of the recipe 'sine'") as caught:
        recipes.paths(mine)
    assert str(mine / "sine.toml") in caught.value.message
    assert caught.value.hint == "rename the file"


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ('name = "mine"', 'name = "other"', "its name is 'other', but the file is called mine.toml"),
        ('name = "mine"', 'name = "Mine"', "$.name"),
        ('name = "mine"', 'name = "../mine"', "$.name"),
        ('code = "code.py"', 'code = "lost.py"', "its code file lost.py does not exist beside it"),
        ('code = "code.py"', 'code = ""', "its code file  does not exist"),
        ('code = "code.py"', 'code = "code.py"\nclasses = ["cat", ""]', "$.classes[1]"),
        ('code = "code.py"', 'code = "code.py"\nbeside = "../mine"', "$.beside"),
        ("epochs = 2", "epochs = 0", "$.train.epochs"),
        ("epochs = 2", "epochs = 2\nepoch = 2", "epoch"),
        ("seed = 1", "", "seed"),
        ("seed = 1", "seed = -1", "$.train.seed"),
        ("seed = 1", "seed = 4294967296", "$.train.seed"),
        ("epochs = 2", "epochs = 2147483648", "$.train.epochs"),
        ("epochs = 2", "epochs = 2\nlearning_rate = 0.0", "$.train.learning_rate"),
        ("epochs = 2", "epochs = 2\nearly_stopping = {patience = 0}", "$.train.early_stopping.patience"),
        ("epochs = 2", "epochs = 2\nkeep_best = true\nearly_stopping = {}", "both choose the weights"),
        ("[train]", '[quantize]\nscheme = "int4"\n[train]', "$.quantize.scheme"),
        ("[train]", "[quantize]\nrepresentative_samples = 0\n[train]", "$.quantize.representative_samples"),
        ("[train]", "[fidelity]\nmax_lsb = -1\n[train]", "$.fidelity.max_lsb"),
        ("[train]", "[fidelity]\nmax_lsb = 0.5\n[train]", "$.fidelity.max_lsb"),
        ("[train]", "[accuracy]\ndevice_vs_truth_mae = -0.1\n[train]", "$.accuracy.device_vs_truth_mae"),
        ("[train]", "[accuracy]\ndevice_vs_truth_mae = nan\n[train]", "$.accuracy.device_vs_truth_mae"),
        ("[train]", "[accuracy]\ndevice_vs_truth_mae = inf\n[train]", "$.accuracy.device_vs_truth_mae"),
        ("[train]", "[accuracy]\nmae = 0.1\n[train]", "mae"),
    ],
)
def test_a_wrong_recipe(mine: Path, old: str, new: str, word: str) -> None:
    assert TOML.count(old) == 1
    path = mine / "mine.toml"
    path.write_text(TOML.replace(old, new))
    with pytest.raises(ConfigError) as caught:
        recipes.load(path)
    assert word in caught.value.message
    assert str(path) in caught.value.message


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import no_such_package", ["cannot be imported", "ModuleNotFoundError", "no_such_package"]),
        ("1 / 0", ["cannot be imported", "ZeroDivisionError"]),
        ("def model(:", ["cannot be imported", "SyntaxError"]),
        # Were this to end the process, a run without a verdict would exit like one that has passed.
        ("import sys; sys.exit(0)", ["cannot be imported", "SystemExit"]),
        ("", ["does not define dataset() and model()"]),
        ("def dataset(seed): ...", ["does not define model()"]),
        ("def model(): ...\ndataset = {}", ["does not define dataset()"]),
        (CODE + "truth = 7", ["truth"]),
        (CODE + "prepare = 7", ["prepare"]),
        (CODE + "train = 7", ["train"]),
        (CODE + "figures = 7", ["figures"]),
        (CODE + "pictures = 7", ["pictures"]),
    ],
)
def test_wrong_code(tmp_path: Path, code: str, words: list[str]) -> None:
    path = tmp_path / "code.py"
    path.write_text(code)
    with pytest.raises(ConfigError) as caught:
        recipes.load_code(path)
    for word in [str(path), *words]:
        assert word in caught.value.message


def test_code_that_is_not_python(tmp_path: Path) -> None:
    path = tmp_path / "code.txt"
    path.write_text(CODE)
    with pytest.raises(ConfigError, match="is not a Python file"):
        recipes.load_code(path)


def test_the_functions_that_a_recipe_may_define_are_those_documented() -> None:
    documented = inspect.getdoc(recipes) or ""
    for signature in (
        "def dataset(seed: int)",
        "def model()",
        "def truth(inputs: np.ndarray)",
        "def prepare(",
        "def train(",
        "def figures(",
        "def pictures(",
    ):
        assert signature in documented
