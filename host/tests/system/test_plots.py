"""``tinyhil plots``: which pictures there are, on the real artifacts of ``sine`` and of a small classifier."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import msgspec
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image
from rich.console import Console
from sklearn.metrics import classification_report  # type: ignore[import-untyped, unused-ignore]

from tinyhil.artifacts.types import Capture, QuantizedModel
from tinyhil.cli.console import ConsoleObserver
from tinyhil.config import recipe as recipes
from tinyhil.errors import ConfigError, MissingToolError
from tinyhil.experiments import pictures
from tinyhil.experiments.pictures import plans
from tinyhil.options import Options
from tinyhil.pipeline.opening import open_run
from tinyhil.pipeline.run import Run
from tinyhil.pipeline.sources import RecipeSource
from tinyhil.plots import style

from .cli import Cli

CLASSIFIER = '''\
"""Three clouds in four dimensions."""
import numpy as np

def dataset(seed):
    generator = np.random.default_rng(seed)
    labels = np.arange(60) % 3
    points = generator.normal(0, 0.3, (60, 4)) + np.eye(4)[labels]
    parts = {"train": slice(0, 30), "validation": slice(30, 45), "test": slice(45, 60)}
    return {name: (points[part], labels[part]) for name, part in parts.items()}

def model():
    import keras
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
'''
RECIPE = """\
name = "clouds"
title = "Three clouds"
code = "clouds.py"
classes = ["cirrus", "cumulus", "stratus"]

[train]
seed = 1
epochs = 3
batch_size = 10
optimizer = "adam"
loss = "SparseCategoricalCrossentropy"
from_logits = true
metrics = ["accuracy"]
"""
OBSERVER = ConsoleObserver(Console(quiet=True), verbose=False)


@pytest.fixture
def sine(copied: Path) -> Callable[..., Run]:
    """Makes runs of ``sine`` in a copy of its build folder; without another recipe beside it, none is trained."""

    def make(**changes: Any) -> Run:
        run = open_run("sine", Options(target="qemu-m4", build_dir=copied, search=0), OBSERVER)
        assert isinstance(run.source, RecipeSource)
        run.source.recipe = msgspec.structs.replace(run.source.recipe, **{"beside": None, **changes})
        return run

    return make


def names(made: tuple[pictures.Picture, ...], folder: Path) -> list[str]:
    return [str(picture.files[0].relative_to(folder).with_suffix("")) for picture in made]


@pytest.mark.long
def test_a_regression_with_its_device(sine: Callable[..., Run], copied: Path) -> None:
    old = copied / "sine/plots/of-an-earlier-run.png"
    old.parent.mkdir(exist_ok=True)
    old.touch()
    made = pictures.draw(sine(beside="sine"))  # beside itself, so that no other has to be trained
    assert names(made, copied / "sine") == [
        *("plots/loss", "plots/loss-after-100", "plots/mae", "plots/over-input", "plots/predicted-vs-actual"),
        *("qemu-m4/plots/over-input", "qemu-m4/plots/predicted-vs-actual"),
        *("qemu-m4/plots/quantization", "qemu-m4/plots/quantization-error", "qemu-m4/plots/device-error"),
    ]
    for picture in made:
        png, svg = picture.files
        assert (png.suffix, svg.suffix) == (".png", ".svg")
        with Image.open(png) as image:
            image.load()
            assert min(image.size) > 300
        assert ElementTree.parse(svg).getroot().tag == "{http://www.w3.org/2000/svg}svg"
    assert not old.exists()
    with (
        Image.open(copied / "sine/plots/over-input.png") as both,
        Image.open(copied / "sine/qemu-m4/plots/over-input.png") as alone,
    ):
        assert both.width > 1.5 * alone.width
    assert set((copied / "sine/plots").iterdir()) == {file for picture in made[:5] for file in picture.files}


@pytest.mark.long
def test_a_device_that_differs_is_seen(sine: Callable[..., Run], copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The device's test set follows from its answers to all inputs; one of them is wrong here."""
    figures: list[Figure] = []
    render = style.render

    def look(size: tuple[float, float], draw: Callable[[Figure], None]) -> Figure:
        figures.append(render(size, draw))
        return figures[-1]

    monkeypatch.setattr(style, "render", look)
    run = sine()
    model, shown = run.quantize(), plans.shown_of(run)
    assert shown.inputs is not None
    place = int(np.bincount(places_of(shown.inputs, model)).argmax())  # an input that the test set has
    answers = model.vectors.reference[0].copy()
    answers.reshape(-1)[place] -= 3
    capture = Capture((answers,), ticks=None, tick_hz=0, engine="", arena_bytes=0, work={}, counters={})
    for name, _, make in plans.quantized(run, shown, capture):
        make(copied / name)
    over_input, against, _, quantization, device = (figure.axes[0] for figure in figures)

    order = np.argsort(shown.inputs, kind="stable")
    places = places_of(shown.inputs, model)[order]
    out = model.outputs[0]
    with np.load(copied / "sine/model/train/dataset.npz") as data:
        test_x, test_y = data["test_x"].reshape(-1), data["test_y"].reshape(-1)
    values = {line.get_label(): np.asarray(line.get_xydata(), np.float64).T for line in over_input.get_lines()}
    assert values["actual"] == pytest.approx(np.stack([test_x, test_y]))
    assert values["device"][0] == pytest.approx(test_x[order])
    by_hand = (answers.reshape(-1)[places].astype(np.float64) - out.zero_point) * out.scale
    assert values["device"][1] == pytest.approx(by_hand)
    assert (values["device"][1] != values["integer reference"][1]).sum() == (places == place).sum() > 0
    assert 0 < np.abs(values["float model"][1] - values["integer reference"][1]).max() < 0.1
    assert [line.get_label() for line in against.get_lines()][1:] == ["float model", "integer reference", "device"]

    assert device.get_title() == "qemu-m4 - integer reference\nup to 3 LSB, not 0 at 1 of 256 inputs (tolerance 0)"
    floats = model.vectors.float_outputs
    assert floats is not None
    reals = (model.vectors.reference[0].reshape(-1).astype(np.float64) - out.zero_point) * out.scale
    off = np.abs((reals - floats[0].reshape(-1)) / out.scale)[model.vectors.data]
    assert (
        f"up to {off.max():.3g} LSB, not 0 at {np.count_nonzero(off)} of {len(off)} inputs" in quantization.get_title()
    )


def places_of(inputs: Any, model: QuantizedModel) -> Any:
    """Where each real input is among all inputs."""
    spec = model.inputs[0]
    return np.floor(np.asarray(inputs, np.float64) / spec.scale + 0.5).astype(int) + spec.zero_point + 128


def test_without_the_device_nothing_is_built(
    sine: Callable[..., Run], copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(style, "save", lambda *_: None)  # that pictures are written is shown elsewhere
    shutil.rmtree(copied / "sine/qemu-m4")
    made = names(pictures.draw(sine(), device=False), copied / "sine")
    assert not (copied / "sine/qemu-m4").exists()
    assert "qemu-m4/plots/quantization-error" in made
    assert "qemu-m4/plots/device-error" not in made


@pytest.mark.long
def test_a_classifier_on_the_command_line(tinyhil: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "recipes"
    folder.mkdir()
    (folder / "clouds.py").write_text(CLASSIFIER)
    (folder / "clouds.toml").write_text(RECIPE)
    done = tinyhil("plots", "clouds", "--target", "sim", "--json", "made.json")
    assert done.code == 0, done.err
    made = json.loads((tmp_path / "made.json").read_text())
    files = [[Path(file) for file in picture["files"]] for picture in made]
    assert [str(of[0].relative_to("build/clouds")) for of in files] == [
        *("plots/loss.png", "plots/accuracy.png", "plots/confusion.png", "plots/classification.txt"),
        *("sim/plots/confusion.png", "sim/plots/classification.txt"),
        *("sim/plots/quantization.png", "sim/plots/quantization-error.png", "sim/plots/device-error.png"),
    ]
    assert all((tmp_path / file).stat().st_size > 0 for of in files for file in of)
    for picture, of in zip(made, files, strict=True):
        assert f"{of[0]}\n    {picture['shows']}\n" in done.out

    # scikit-learn's own report, of predictions by another route.
    with np.load(tmp_path / "build/clouds/model/train/dataset.npz") as data:
        labels = data["test_y"]
    with np.load(next(tmp_path.glob("build/clouds/model/int8*/vectors.npz"))) as vectors:
        scores = vectors["test_0"].reshape(len(labels), -1)
    classes = ["cirrus", "cumulus", "stratus"]
    expected = classification_report(labels, scores.argmax(axis=1), target_names=classes, zero_division=0)
    assert (tmp_path / "build/clouds/plots/classification.txt").read_text() == expected

    (folder / "clouds.toml").write_text(RECIPE.replace('"cirrus", ', ""))
    done = tinyhil("plots", "clouds", "--target", "sim")
    assert done.code == 2
    assert "names 2 classes, but its model has 3" in done.err


def test_it_is_shown_beside_a_recipe_that_there_is(sine: Callable[..., Run]) -> None:
    with pytest.raises(ConfigError, match="unknown recipe 'cosine'"):
        pictures.draw(sine(beside="cosine"))


def test_without_matplotlib_it_is_asked_for(sine: Callable[..., Run], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingToolError, match="matplotlib") as caught:
        pictures.draw(sine())
    assert "pip install matplotlib" in caught.value.hint


# --- what a recipe draws itself


def own(code: Path, functions: tuple[str, ...], folder: Path, history: dict[str, list[float]]) -> list[tuple[str, str]]:
    """The plan for a recipe whose code has these functions; of the model, nothing but the history is looked at."""
    kept = folder.parent / "history.json"
    kept.write_text(json.dumps(history))
    shown: Any = SimpleNamespace(
        history=history, title="Mine", model=SimpleNamespace(history=kept, functions=functions)
    )
    planned = list(plans.training(code, [shown], folder))
    for name, _, make in planned:
        make(folder / name)
    return [(name, shows) for name, shows, _ in planned]


def test_descent_draws_its_paths(tmp_path: Path) -> None:
    path = recipes.find("descent")
    code = recipes.load_code(recipes.code_path(path, recipes.load(path)))
    traces = {name: code.descend(rate) for name, rate in code.DESCENTS.items()}
    history = {f"{name}_{key}": values for name, trace in traces.items() for key, values in trace.items()}
    history |= traces["right"]
    folder = tmp_path / "plots"
    drawn = own(recipes.code_path(path, recipes.load(path)), ("train", "pictures"), folder, history)
    assert [name for name, _ in drawn] == ["guesses", "descent"]
    assert sorted(file.name for file in folder.iterdir()) == [
        f"{name}.{kind}" for name in ("descent", "guesses") for kind in ("png", "svg")
    ]


def test_a_loop_of_ones_own_leaves_a_trace(tmp_path: Path) -> None:
    history = {"loss": [2.0, 1.0], "w": [0.0, 1.0], "b": [1.0, 1.0]}
    assert own(tmp_path / "code.py", ("train",), tmp_path / "plots", history) == [("trace", "loss, w and b by step")]
    assert (tmp_path / "plots/trace.png").is_file()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("raise KeyError('w')", r"pictures\(\) failed: KeyError: 'w'"),
        ("return None", r"pictures\(\) has to return what each file shows, by its name: AttributeError"),
        ("return {'mine': 'nothing'}", r"pictures\(\) did not write mine.png and mine.svg"),
    ],
)
def test_own_pictures_that_are_wrong(tmp_path: Path, body: str, message: str) -> None:
    code = tmp_path / "code.py"
    code.write_text(f"dataset = model = len\ndef pictures(draw, history, folder):\n    {body}\n")
    with pytest.raises(ConfigError, match=message):
        own(code, ("train", "pictures"), tmp_path / "plots", {"loss": [1.0]})
