"""The target ``sim``: the main job with nothing but what pip installs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from .cli import Cli
from .test_hil_plugin import run_pytest

COMPILERS = ("gcc", "g++", "cc", "c++", "clang", "clang++", "arm-none-eabi-gcc", "arm-none-eabi-g++", "qemu-system-arm")


@pytest.fixture(scope="session")
def built(sine_on: Callable[..., Path]) -> Path:
    """A build folder with everything of ``sine`` on ``sim`` in it."""
    return sine_on("sim")


def test_the_sine_is_exact_without_a_compiler(
    tinyhil: Cli, built: Path, path_without: Callable[..., str], tmp_path: Path
) -> None:
    shutil.copytree(built / "sine/model", tmp_path / "build/sine/model")
    bare = replace(tinyhil, path=path_without(*COMPILERS))
    done = bare("run", "sine", "--target", "sim", "--json", "out.json")
    assert done.code == 0, done.out + done.err
    report = json.loads((tmp_path / "out.json").read_text())
    assert report["verdict"] == "pass"
    assert (report["fidelity"]["vectors"], report["fidelity"]["mismatches"]) == (256, 0)
    assert (report["size"], report["instructions_per_inference"], report["microseconds_per_inference"]) == (None,) * 3
    assert set(report["tool_versions"]) == {"tflite-micro"}
    assert "flash" not in done.out.partition("recipe ")[2]


def test_a_recorded_run_is_replayed_with_the_same_verdict(tinyhil: Cli, built: Path) -> None:
    done = tinyhil("verify", "sine", "--target", "sim", "--build-dir", built, "--record", "run.rec")
    assert done.code == 0, done.out + done.err
    again = tinyhil("replay", "run.rec", "--build-dir", built)
    assert again.code == 0, again.out + again.err
    (verdict,) = (line for line in done.out.splitlines() if line.startswith("verdict "))
    assert verdict in again.out


def test_each_stage_is_a_command(tinyhil: Cli, built: Path) -> None:
    done = tinyhil("build", "sine", "--target", "sim", "--build-dir", built, "--json", "image.json")
    assert done.code == 0, done.out + done.err
    image = json.loads((tinyhil.cwd / "image.json").read_text())
    assert (image["flash_bytes"], image["ram_bytes"]) == (None, None)
    done = tinyhil("flash", "sine", "--target", "sim", "--build-dir", built)
    assert done.code == 0, done.out + done.err
    assert "engine tflm-host" in done.out


@pytest.mark.long
def test_the_hardware_in_the_loop_tests_pass(tinyhil: Cli, built: Path) -> None:
    done = run_pytest(tinyhil, "hil_tests", "--target", "sim", "--build-dir", built)
    assert done.returncode == 0, done.stdout
    assert "6 skipped" in done.stdout  # latency, the image's size, the stack
