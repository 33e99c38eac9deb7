"""The child's work from a recipe to its files: the lesson's figures, the user's data, a recipe's own loop, refusals.

Run in the tests' own process: what a child adds is tested with the worker.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import keras
import msgspec
import numpy as np
import pytest

from tinyhil.config import recipe as recipes
from tinyhil.errors import ConfigError, InputError
from tinyhil.progress import Silent
from tinyhil.train import child, stage

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")

CODE = """\
import numpy as np
def dataset(seed):
    x = np.random.default_rng(seed).normal(size=(30, 2))
    return {"train": (x[:20], x[:20, :1]), "validation": (x[20:25], x[20:25, :1]), "test": (x[25:], x[25:, :1])}
def model():
    import keras
    return keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
"""
CLASSIFIER = """\
def dataset(seed): raise AssertionError
def model():
    import keras
    return keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
"""


def work(folder: Path, code: str, data: Path | None = None, **train: Any) -> dict[str, Any]:
    """The facts of a training with the code of a recipe of the user's."""
    path = folder / "code.py"
    path.write_text(code)
    settings = {"seed": 1, "epochs": 2, "batch_size": 8, "optimizer": "sgd", "loss": "mse", **train}
    request = {"code": str(path), "folder": str(folder), "train": settings, "data": None if data is None else str(data)}
    return child.work(request, Silent())


def shipped(name: str, folder: Path, **changed: Any) -> dict[str, Any]:
    path = recipes.find(name, Path("no such folder"))
    recipe = recipes.load(path)
    settings = {**msgspec.to_builtins(recipe.train), **changed}
    request = {"code": str(recipes.code_path(path, recipe)), "folder": str(folder), "train": settings, "data": None}
    return child.work(request, Silent())


def history(folder: Path) -> dict[str, list[float]]:
    kept: dict[str, list[float]] = json.loads((folder / stage.HISTORY).read_text())
    return kept


def test_linear_has_the_lessons_figures(tmp_path: Path) -> None:
    facts = shipped("linear", tmp_path)
    assert facts["figures"]["predict(10)"] == pytest.approx(18.98, abs=0.02)
    assert facts["figures"]["w"] == pytest.approx(2, abs=0.01)
    assert facts["figures"]["b"] == pytest.approx(-1, abs=0.03)
    assert facts["trained_by"] == "compiled epochs"
    assert facts["diagnosis"]["kind"] == "converged"
    assert len(history(tmp_path)["loss"]) == 500
    page = (Path(__file__).parents[3] / "docs/recipes.md").read_text("utf-8")
    for name in ("w", "b", "predict(10)"):
        (shown,) = re.findall(rf"^\| {re.escape(name)} \| (-?[\d.]+) \|$", page, re.MULTILINE)
        assert float(shown) == pytest.approx(facts["figures"][name], abs=0.02)  # another processor trains otherwise


def test_linear_tape_has_the_lessons_figures_and_a_trace(tmp_path: Path) -> None:
    facts = shipped("linear-tape", tmp_path)
    assert facts["figures"]["w"] == pytest.approx(1.98, abs=0.005)
    assert facts["figures"]["b"] == pytest.approx(-0.94, abs=0.005)
    assert facts["trained_by"] == "the recipe's own loop"
    trace = history(tmp_path)
    assert (trace["w"][0], trace["b"][0], len(trace["loss"])) == (10.0, 10.0, 51)
    assert (trace["w"][-1], trace["b"][-1]) == pytest.approx((facts["figures"]["w"], facts["figures"]["b"]))
    # The same steps by hand.
    x = np.arange(-1.0, 5.0)
    w = b = 10.0
    for step in range(51):
        error = w * x + b - (2 * x - 1)
        assert (trace["w"][step], trace["b"][step]) == pytest.approx((w, b), abs=1e-4)
        assert trace["loss"][step] == pytest.approx((error**2).mean(), rel=1e-4)
        w, b = w - 0.09 * 2 * (error * x).mean(), b - 0.09 * 2 * error.mean()
    # What is stored needs no class of the recipe's.
    stored = keras.models.load_model(tmp_path / stage.MODEL)
    assert float(stored(np.array([[10.0]], np.float32))[0, 0]) == pytest.approx(
        10 * facts["figures"]["w"] + facts["figures"]["b"], rel=1e-5
    )


def test_two_layers_are_recomputed_by_hand(tmp_path: Path) -> None:
    figures = shipped("linear-two-layer", tmp_path)["figures"]
    assert figures["by hand(10)"] == pytest.approx(figures["predict(10)"], abs=1e-4)
    assert figures["predict(10)"] == pytest.approx(19, abs=0.05)
    hidden = 10 * np.array(figures["w of the first layer"]) + figures["b of the first layer"]
    output = hidden @ figures["w of the second layer"] + figures["b of the second layer"]
    assert output == pytest.approx(figures["predict(10)"], abs=1e-4)


def test_descent_comes_down_or_does_not_by_its_learning_rate(tmp_path: Path) -> None:
    figures = shipped("descent", tmp_path)["figures"]
    trace = history(tmp_path)
    start = trace["loss"][0]
    assert figures["w, learning rate right"] == pytest.approx(2, abs=0.05)
    assert figures["b, learning rate right"] == pytest.approx(-1, abs=0.05)
    assert figures["loss, learning rate decaying"] < start / 1e4
    assert figures["loss, learning rate too large"] > start
    # Too small: it has come closer with every step, and is still far away.
    assert (np.diff(trace["too_small_loss"]) < 0).all()
    assert start / 100 < figures["loss, learning rate too small"] < start
    # Too large oscillates: w jumps over the minimum with every step.
    assert (np.diff(np.sign(np.array(trace["too_large_w"][10:]) - 2)) != 0).all()
    assert figures["root of the summed squares, 3x - 1"] == pytest.approx(5.57, abs=0.005)
    assert figures["root of the mean square, 2x - 2"] == pytest.approx(1)
    assert figures["root of the mean square, 2x - 1"] == 0


def test_metrics_come_from_three_sets(tmp_path: Path) -> None:
    facts = work(tmp_path, CODE, metrics=["mae"], epochs=3)
    kept = history(tmp_path)
    assert list(kept) == ["loss", "mae", "val_loss", "val_mae"]
    assert set(facts["metrics"]) == {*kept, "test_loss", "test_mae"}
    assert facts["metrics"]["val_mae"] == kept["val_mae"][-1]
    model = keras.models.load_model(tmp_path / stage.MODEL, compile=False)
    with np.load(tmp_path / stage.DATASET) as stored:
        error = np.abs(model.predict(stored["test_x"], verbose=0) - stored["test_y"]).mean()
        assert len(stored["train_x"]) == 20
    assert facts["metrics"]["test_mae"] == pytest.approx(float(error), rel=1e-5)
    assert facts["provenance"] == "made by the recipe; 20/5/5 training/validation/test, seed 1"
    assert facts["epoch"] == 3


def test_metrics_are_those_of_the_kept_epoch(tmp_path: Path) -> None:
    facts = work(tmp_path, CODE, keep_best=True, epochs=20, optimizer="adam", learning_rate=0.5)
    losses = history(tmp_path)["val_loss"]
    assert facts["epoch"] == int(np.argmin(losses)) + 1 < 20
    assert facts["metrics"]["val_loss"] == min(losses)


def test_a_users_data_replaces_the_recipes(tmp_path: Path) -> None:
    file = tmp_path / "mine.npz"
    x = np.random.default_rng(3).normal(size=(40, 2))
    np.savez(file, x=x, y=x.sum(axis=1, keepdims=True))
    facts = work(tmp_path, CODE, file)
    assert facts["provenance"] == "mine.npz; 28/6/6 training/validation/test, at random with seed 1"
    with np.load(tmp_path / stage.DATASET) as stored:
        together = np.concatenate([stored[f"{name}_x"] for name in ("train", "validation", "test")])
    np.testing.assert_array_equal(np.sort(together, axis=0), np.sort(x.astype(np.float32), axis=0))


def test_what_a_recipe_prepares_is_what_is_trained_on(tmp_path: Path) -> None:
    work(tmp_path, CODE + "def prepare(inputs, targets): return inputs * 2, targets * 2\n")
    plain = tmp_path / "plain"
    plain.mkdir()
    work(plain, CODE)
    with np.load(tmp_path / stage.DATASET) as one, np.load(plain / stage.DATASET) as other:
        for name in ("train", "validation", "test"):
            np.testing.assert_array_equal(one[f"{name}_x"], other[f"{name}_x"] * 2)
            np.testing.assert_array_equal(one[f"{name}_y"], other[f"{name}_y"] * 2)


@pytest.mark.parametrize(
    ("shape", "labels", "words"),
    [
        ((40, 3), [0, 1, 2, 1], r"have the shape \(3,\), the model takes \(2,\)"),
        ((40, 2, 1), [0, 1, 2, 1], r"have the shape \(2, 1\)"),
        ((40, 2), [0, 1, 2, 3], "from 0 to 3 .* classes 0 to 2"),
        ((40, 2), [0, 1, 2, -1], "from -1 to 2"),
        ((40, 2), [0.0, 1.0, 2.0, 1.0], "float32"),
    ],
)
def test_samples_that_the_model_does_not_take(
    tmp_path: Path, shape: tuple[int, ...], labels: list[float], words: str
) -> None:
    file = tmp_path / "mine.npz"
    np.savez(file, x=np.ones(shape, np.float32), y=np.array(labels * 10))
    with pytest.raises(InputError, match=words):
        work(tmp_path, CLASSIFIER, file, loss="sparse_categorical_crossentropy")


def test_samples_that_the_recipe_cannot_prepare(tmp_path: Path) -> None:
    file = tmp_path / "mine.npz"
    np.savez(file, x=np.ones((40, 3), np.float32), y=np.ones(40))
    prepare = "def prepare(inputs, targets): return inputs.reshape(-1, 5), targets\n"
    with pytest.raises(InputError, match=r"mine\.npz: the train set is not what the recipe takes"):
        work(tmp_path, CODE + prepare, file)


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (CODE.replace('"test"', '"tests"'), ConfigError, "must return a dict with train, validation, test"),
        (CODE.replace("x[25:], x", "x[26:], x"), InputError, "the test set has 4 inputs and 5 targets"),
        (
            CODE.replace("(30, 2))", "(30, 2)); x[3] = np.nan"),
            InputError,
            r"train set: .* first at inputs\[3, 0\]",
        ),
        (
            CODE.replace("x[20:25, :1]", "x[20:25, :1] * np.nan"),
            InputError,
            "validation set: targets has 5 values",
        ),
        (CODE.replace("x[25:], x", "x[:0], x"), InputError, "test set has 0 inputs"),
        (CODE.replace("Input((2,)", "Input((3,)"), InputError, "samples of the train set have the shape"),
        (CODE + "def train(model, data, reporter): return model, 7\n", ConfigError, "no dict of lists of numbers"),
        (CODE + "def train(model, data, reporter): return model, {'w': [1]}\n", ConfigError, "has no loss"),
        (CODE + "def train(model, data, reporter): return model, {'loss': [float('nan')]}\n", ConfigError, "NaN"),
        (CODE + "def train(model, data, reporter): return model, {'loss': [1], 'w': []}\n", ConfigError, "empty list"),
    ],
)
def test_what_a_recipe_may_do_wrong(tmp_path: Path, code: str, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=rf"code\.py: .*{words}"):
        work(tmp_path, code)
