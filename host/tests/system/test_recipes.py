"""Every recipe on the default target, as it ships, from training to the verdict; real TensorFlow, PlatformIO and QEMU.

Only the data of the larger recipes is cut, by ``--data``: whether the device's integers are the reference's does not
depend on how much a model was trained on, and what the trainings reach is judged elsewhere.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinyhil.config import recipe as recipes
from tinyhil.quantize import vectors
from tinyhil.targets.model import Target
from tinyhil.targets.registry import get

from .cli import Cli

pytestmark = pytest.mark.long  # every recipe is trained, built and run; sine and digits are in short tests too

TARGET = "qemu-m4"
LEAST = 256
"""Vectors."""
SETS = {"train": 120, "validation": 30, "test": 260}
"""Images: the test set is what is sent."""

SMALL = ("linear", "linear-tape", "linear-two-layer", "descent", "sine-base")
"""One number in: all its 256 values are sent."""
MADE = "sine"
"""What the fixture ``made`` has run."""
IMAGES = ("digits", "fashion", "conv-digits")
RECURRENT = "recurrent"


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Noise of the images' size, with a stripe that tells the class."""
    generator = np.random.default_rng(7)
    arrays: dict[str, Any] = {}
    for name, count in SETS.items():
        labels = np.arange(count, dtype=np.int32) % 10
        pixels = generator.integers(0, 160, (count, 28, 28), np.uint8)
        for image, label in zip(pixels, labels, strict=True):
            image[label * 2 + 2 : label * 2 + 8] += 90
        arrays |= {f"{name}_x": pixels, f"{name}_y": labels}
    path = tmp_path_factory.mktemp("images") / "images.npz"
    np.savez(path, allow_pickle=False, **arrays)
    return path


def exact(report: dict[str, Any]) -> dict[str, Any]:
    """The report, if all outputs are the reference's."""
    assert (report["verdict"], report["target"], report["engine"]) == ("pass", TARGET, "compiled")
    assert report["scheme"] == "int8"
    assert report["forced"] == []
    fidelity = report["fidelity"]
    assert (fidelity["mismatches"], fidelity["max_lsb"], fidelity["tolerance_lsb"]) == (0, 0, 0)
    assert fidelity["vectors"] >= LEAST
    assert fidelity["reference"].startswith("tflite-micro ")
    return report


def run(tinyhil: Cli, name: str, *arguments: str | Path) -> dict[str, Any]:
    done = tinyhil("run", name, "--target", TARGET, "--json", "out.json", *arguments)
    assert done.code == 0, done.out + done.err
    return exact(json.loads((tinyhil.cwd / "out.json").read_text()))


def test_no_recipe_is_forgotten(tmp_path: Path) -> None:
    assert sorted([*SMALL, MADE, *IMAGES, RECURRENT]) == sorted(recipes.paths(tmp_path))


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize("name", SMALL)
def test_a_recipe_of_one_number_is_exact_over_all_of_them(tinyhil: Cli, name: str) -> None:
    report = run(tinyhil, name)
    assert report["fidelity"]["exhaustive"]
    bounds = {bound["figure"]: bound for bound in report["accuracy"]["bounds"]}
    # The base model of the sine has no truth to come near to: it cannot learn it.
    assert set(bounds) == ({"float_vs_truth.mae", "device_vs_truth.mae"} if name != "sine-base" else set())
    assert all(bound["met"] for bound in bounds.values())


def test_the_sine_is_exact_over_all_its_numbers(made: Path) -> None:
    report = exact(json.loads((made / MADE / TARGET / "report.json").read_text()))
    assert report["fidelity"]["exhaustive"]


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize("name", IMAGES)
def test_a_recipe_of_images_is_exact(tinyhil: Cli, images: Path, name: str) -> None:
    # A QEMU takes ten images a second through its serial line: one of the three is searched.
    searched = name == "digits"
    report = run(tinyhil, name, "--data", images, *(() if searched else ("--search", "0")))
    assert not report["fidelity"]["exhaustive"]
    search = report["fidelity"]["search"]
    assert (search is not None) == searched
    assert search is None or (search["tried"], search["max_lsb"], search["example"]) == (256, 0, None)
    sent = SETS["test"]
    assert report["fidelity"]["vectors"] > sent + vectors.BESIDE
    with np.load(tinyhil.cwd / f"build/{name}/model/int8/reference.npz") as stored:
        outputs = stored["reference_0"][-sent:].reshape(sent, 10)
    # It is no comparison of constants.
    assert len(np.unique(outputs.argmax(axis=1))) >= 5
    assert len(np.unique(outputs)) > 50
    if name == "conv-digits":
        fits(tinyhil, report, get("nano33ble", user=tinyhil.cwd))


def fits(tinyhil: Cli, report: dict[str, Any], board: Target) -> None:
    """Both engines of the board take the model, and an image for its CPU class takes less than it has."""
    for engine in board.engines:
        file = "build/conv-digits/model/int8/model.tflite"
        done = tinyhil("preflight", file, "--target", board.name, "--engine", engine)
        assert done.code == 0, done.out
    assert "Cortex-M4F" in board.chip.cpu
    assert report["size"]["flash_bytes"] < board.chip.flash_bytes
    assert report["size"]["ram_bytes"] < board.chip.ram_bytes


def test_clothes_that_cannot_be_had_block_the_run(tinyhil: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYHIL_OFFLINE", "1")
    done = tinyhil("run", "fashion", "--target", TARGET, "--json", "out.json")
    assert done.code == 3, done.out + done.err
    assert "Fashion-MNIST cannot be downloaded (TINYHIL_OFFLINE is set)" in done.err
    assert "--data FILE.npz" in done.err
    assert "or run once where the network can be reached" in done.err
    report = json.loads((tinyhil.cwd / "out.json").read_text())
    assert report["verdict"] == "blocked"
    assert report["fidelity"] is None


@pytest.mark.parametrize(("target", "engine"), [(TARGET, "compiled"), ("sim", "tflm-host")])
def test_the_recurrent_one_is_exact_and_keeps_nothing(tinyhil: Cli, target: str, engine: str) -> None:
    """The window is unrolled: it holds all that the network remembers, so an answer depends on its own input alone."""
    generator = np.random.default_rng(8)
    arrays: dict[str, Any] = {}
    for name, count in {"train": 64, "validation": 16, "test": 40}.items():
        series = np.sin(generator.uniform(0, 6) + np.arange(count + 16) / 5).astype(np.float32)
        windows = np.lib.stride_tricks.sliding_window_view(series[:-1], 16)
        arrays |= {f"{name}_x": windows[..., None], f"{name}_y": series[16:, None]}
    np.savez(tinyhil.cwd / "waves.npz", allow_pickle=False, **arrays)
    done = tinyhil("run", RECURRENT, "--target", target, "--data", "waves.npz", "--json", "out.json")
    assert done.code == 0, done.out + done.err
    report = json.loads((tinyhil.cwd / "out.json").read_text())
    assert (report["verdict"], report["engine"], report["fidelity"]["mismatches"]) == ("pass", engine, 0)
    assert {"LOGISTIC", "TANH", "UNPACK"} <= set(report["ops"])
    assert report["fidelity"]["search"] is not None  # as of every model without state
