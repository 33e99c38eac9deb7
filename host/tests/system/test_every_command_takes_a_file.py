"""Whatever takes a recipe takes a model file: each command with a .keras and with a .tflite."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from .cli import Cli, Done

KERAS = """
import keras
keras.utils.set_random_seed(1)
layers = [keras.Input((3,)), keras.layers.Dense(4, activation="relu"), keras.layers.Dense(2)]
keras.Sequential(layers).save("small.keras")
"""
SUFFIXES = ("keras", "tflite")
LONG = (pytest.param("keras", marks=pytest.mark.long), "tflite")
"""Of commands that take some seconds."""


@dataclass(frozen=True)
class Folder:
    """A folder with ``small.keras``, ``small.tflite`` and samples; all commands run in it, so each builds on the last.

    Attributes:
        cli: the command line there.
    """

    cli: Cli

    def __call__(self, suffix: str, command: str, target: str, *more: str) -> Done:
        """Runs a command with one of the files."""
        return self.cli(command, f"small.{suffix}", "--target", target, *_samples(suffix), "--json", "out.json", *more)

    def found(self) -> Any:
        """The command's JSON."""
        return json.loads((self.cli.cwd / "out.json").read_text())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, tiny_model: bytes) -> Iterator[Folder]:
    cli = Cli(tmp_path_factory.mktemp("files"))
    made = subprocess.run([sys.executable, "-c", KERAS], cwd=cli.cwd, capture_output=True, text=True, timeout=300)
    assert made.returncode == 0, made.stderr
    (cli.cwd / "small.tflite").write_bytes(tiny_model)
    np.savez(cli.cwd / "samples.npz", x=np.random.default_rng(1).uniform(-1, 1, (20, 3)), y=np.zeros((20, 2)))
    yield Folder(cli)
    assert cli.leftovers() == []


def carried_out(done: Done) -> None:
    assert done.code == 0, done.out + done.err


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_quantize(folder: Folder, suffix: str) -> None:
    carried_out(folder(suffix, "quantize", "sim"))
    assert folder.found()["bytes"] > 500


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_preflight(folder: Folder, suffix: str) -> None:
    carried_out(folder(suffix, "preflight", "sim"))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_search(folder: Folder, suffix: str) -> None:
    carried_out(folder(suffix, "search", "sim", "--search", "64"))
    assert folder.found()["search"]["tried"] == 64


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_bisect(folder: Folder, suffix: str) -> None:
    carried_out(folder(suffix, "bisect", "sim", "--every", "--vectors", "4"))
    assert folder.found()["verdict"] == "clean"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_selftest(folder: Folder, suffix: str) -> None:
    carried_out(folder(suffix, "selftest", "sim", "--only", "bias", "--jobs", "1"))
    assert {each["kind"] for each in folder.found()["faults"]} == {"bias"}


@pytest.mark.parametrize("suffix", LONG)
def test_plots(folder: Folder, suffix: str) -> None:
    done = folder(suffix, "plots", "sim")
    carried_out(done)
    files = [Path(file) for each in folder.found() for file in each["files"]]
    assert files
    assert all((folder.cli.cwd / file).is_file() for file in files)


@pytest.mark.parametrize("suffix", LONG)
def test_flash(folder: Folder, suffix: str) -> None:
    if shutil.which("g++") is None:
        pytest.skip("blocked: g++ is not installed")
    done = folder.cli("flash", f"small.{suffix}", "--target", "native", *_samples(suffix))
    carried_out(done)
    next_step = done.out.partition("next:")[2].split()
    assert next_step[:3] == ["tinyhil", "verify", f"small.{suffix}"]
    stopped = folder.cli("flash", f"small.{suffix}", "--target", "native", *_samples(suffix), "--stop")
    carried_out(stopped)


@pytest.mark.parametrize("suffix", LONG)
def test_arena(folder: Folder, suffix: str) -> None:
    """Where the library of TFLM is not installed, that is the reason; the model and its samples were taken."""
    if shutil.which("arm-none-eabi-gcc") is None:
        pytest.skip("blocked: arm-none-eabi-gcc is not installed")
    done = folder(suffix, "arena", "qemu-m4")
    if done.code == 3:
        assert "the library" in done.err, done.err
        assert "is not installed" in done.err, done.err
        assert done.out.splitlines()[-1].startswith("render"), "everything before it was done"
        return
    carried_out(done)
    assert folder.found()["smallest"] <= folder.found()["bytes"]


def _samples(suffix: str) -> tuple[str, ...]:
    return ("--samples", "samples.npz") if suffix == "keras" else ()
