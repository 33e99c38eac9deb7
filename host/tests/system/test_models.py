"""The table of a folder of models on the command line."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from markdown_it import MarkdownIt

from tinyhil.experiments.models import COLUMNS

from .cli import Cli, Done
from .planted import package_with
from .test_interrupt import Running, wait_until

KERAS = """
import keras
keras.utils.set_random_seed(1)
layers = [keras.Input((3,)), keras.layers.Dense(4, activation="relu"), keras.layers.Dense(2)]
keras.Sequential(layers).save("models/net.keras")
"""
CHILD = "quantize/reference_child.py"
WORK = '    outputs = run_all(interpreter, inputs, reporter, "reference")\n'


@pytest.fixture
def folder(tinyhil: Cli, tiny_model: bytes) -> Path:
    """A folder with one model."""
    folder = tinyhil.cwd / "models"
    folder.mkdir()
    (folder / "tiny.tflite").write_bytes(tiny_model)
    return folder


def table(cli: Cli, *more: str) -> tuple[Done, dict[str, Any]]:
    """The command, without a search, and its JSON."""
    done = cli("models", "models", "--search", "0", "--json", "out.json", *more)
    return done, json.loads((cli.cwd / "out.json").read_text())


def outcomes(found: dict[str, Any]) -> dict[tuple[str, str], str]:
    """Of each file on each target."""
    return {(row["file"], row["target"]): row["outcome"] for row in found["rows"]}


def test_every_file_on_every_target(tinyhil: Cli, folder: Path, tiny_model: bytes) -> None:
    if shutil.which("g++") is None:
        pytest.skip("blocked: g++ is not installed")
    (folder / "SHOUT.TFLITE").write_bytes(tiny_model)
    (folder / "cut.tflite").write_bytes(tiny_model[:300])
    where = ("--target", "sim", "--target", "native")
    done, found = table(tinyhil, *where, "--markdown", "new/table.md")
    assert done.code == 0, done.out + done.err
    expected = {"cut.tflite": "refused", "SHOUT.TFLITE": "pass", "tiny.tflite": "pass"}
    assert outcomes(found) == {(name, on): what for name, what in expected.items() for on in ("sim", "native")}
    assert found["planned"] == 6
    assert found["counts"] == {"pass": 4, "refused": 2}
    for row in found["rows"]:
        if row["outcome"] == "pass":
            assert row["exact"] == row["vectors"] > 0
            assert (row["flash_bytes"] is None) == (row["target"] == "sim")
        else:
            assert row["cause"]
            assert row["step"]
    lines = done.out.splitlines()
    assert re.split("  +", lines[0]) == list(COLUMNS)
    assert len(lines) == 1 + 6 + 2
    assert lines[-1].startswith("PASS  3 files, 6 rows: 4 pass, 2 refused")
    tokens = MarkdownIt("commonmark").enable("table").parse((tinyhil.cwd / "new/table.md").read_text())
    assert sum(token.type == "tr_open" for token in tokens) == 1 + 6

    again, kept = table(tinyhil, *where)
    assert again.code == 0
    assert all(row["found"] for row in kept["rows"])
    assert [{**row, "found": False} for row in kept["rows"]] == found["rows"]
    assert again.out.splitlines()[:-1] == lines[:-1]
    assert again.out.splitlines()[-1].endswith("; 6 of them found of an earlier call, --again runs them again")


@pytest.mark.long
def test_a_keras_file_is_quantized_by_the_samples_beside_it(tinyhil: Cli, folder: Path) -> None:
    made = subprocess.run([sys.executable, "-c", KERAS], cwd=tinyhil.cwd, capture_output=True, text=True, timeout=300)
    assert made.returncode == 0, made.stderr
    np.savez(folder / "net.npz", x=np.random.default_rng(1).uniform(-1, 1, (20, 3)))
    (folder / "lone.keras").write_bytes((folder / "net.keras").read_bytes())
    done, found = table(tinyhil, "--target", "sim")
    assert done.code == 0, done.out + done.err
    assert [row["outcome"] for row in found["rows"]] == ["refused", "pass", "pass"]
    lone, net, _ = found["rows"]
    assert "there is no lone.npz beside it" in lone["cause"]
    assert net["exact"] == net["vectors"] > 0


@pytest.mark.long
def test_a_model_that_fails(tinyhil: Cli, folder: Path) -> None:
    """On a target whose interpreter gets the last bit of its outputs wrong."""
    line = "self._interpreter.get_output(index).reshape(tensor.shape)"
    planted = replace(tinyhil, python_path=(package_with(tinyhil.cwd, "sim/interpreter.py", line, f"{line} ^ 1"),))
    (folder / "cut.tflite").write_bytes(b"cut")
    done, found = table(planted, "--target", "sim")
    assert done.code == 1, done.out + done.err
    assert found["counts"] == {"fail": 1, "refused": 1}
    row = next(row for row in found["rows"] if row["outcome"] == "fail")
    assert 0 <= row["exact"] < row["vectors"]
    assert row["max_lsb"] == 1
    assert f"{row['vectors'] - row['exact']} of {row['vectors']} outputs wrong" in row["cause"]
    assert done.out.splitlines()[-1].startswith("FAIL  2 files, 2 rows: 1 fail, 1 refused")
    assert table(planted, "--target", "sim")[0].code == 1, "it is no better for being found"


@pytest.mark.long
def test_a_reference_that_dies_of_a_signal_is_a_row(tinyhil: Cli, folder: Path, tiny_model: bytes) -> None:
    """It dies of one of two models, and so does what stands in for it."""
    (folder / "deadly.tflite").write_bytes(tiny_model + b"\0" * 5000)
    dies = "    import os, signal\n    if len(model) > 5000:\n        os.kill(os.getpid(), signal.SIGSEGV)\n"
    planted = replace(tinyhil, python_path=(package_with(tinyhil.cwd, CHILD, WORK, dies + WORK),))
    done, found = table(planted, "--target", "sim")
    assert done.code == 0, done.out + done.err
    assert outcomes(found) == {("deadly.tflite", "sim"): "refused", ("tiny.tflite", "sim"): "pass"}
    row = found["rows"][0]
    assert "SIGSEGV" in row["cause"]
    assert row["step"]
    assert "Traceback" not in done.out + done.err


@pytest.mark.long
def test_a_blocked_model_is_tried_again(tinyhil: Cli, folder: Path, path_without: Callable[..., str]) -> None:
    if shutil.which("g++") is None:
        pytest.skip("blocked: g++ is not installed")
    done, found = table(replace(tinyhil, path=path_without("g++")), "--target", "native", "--target", "sim")
    assert done.code == 3, done.out + done.err
    assert outcomes(found) == {("tiny.tflite", "native"): "blocked", ("tiny.tflite", "sim"): "pass"}
    assert "g++" in found["rows"][0]["cause"]
    assert done.out.splitlines()[-1].startswith("BLOCKED  1 file, 2 rows: 1 pass, 1 blocked")
    done, found = table(tinyhil, "--target", "native", "--target", "sim")
    assert done.code == 0, done.out + done.err
    assert [row["found"] for row in found["rows"]] == [False, True]


@pytest.mark.long
def test_ctrl_c_leaves_the_finished_rows(tinyhil: Cli, folder: Path, target_file: Callable[..., str]) -> None:
    """The second target's emulator starts with its CPU stopped; while nothing comes from it, the command says so."""
    missing = [name for name in ("qemu-system-arm", "arm-none-eabi-gcc") if shutil.which(name) is None]
    if missing:
        pytest.skip(f"blocked: {', '.join(missing)} is not installed")
    frozen = target_file("frozen", ('"-M",', '"-S", "-M",'), ("answer_within = 10.0", "answer_within = 600.0"))
    asked = ("--target", "sim", "--target", frozen)
    running = Running(
        tinyhil.start("models", "models", "--search", "0", *asked, "--json", "out.json", "--markdown", "table.md")
    )
    word = f"... 2/2 tiny.tflite on {frozen} (compiled): session, "
    wait_until(lambda: sum(line.startswith(word) for line in running.lines) == 3, "a word, again and again")
    running.child.send_signal(signal.SIGINT)
    assert running.ended() == 130, running.lines
    assert running.says("interrupted")
    assert not running.says("Traceback")
    assert tinyhil.leftovers() == []
    found = json.loads((tinyhil.cwd / "out.json").read_text())
    assert found["planned"] == 2
    assert outcomes(found) == {("tiny.tflite", "sim"): "pass"}
    assert (tinyhil.cwd / "table.md").read_text().count("tiny.tflite") == 1
    _, found = table(tinyhil, "--target", "sim")
    assert found["rows"][0]["found"]


@pytest.mark.long
def test_markdown_on_standard_output_has_it_for_itself(tinyhil: Cli, folder: Path) -> None:
    done = tinyhil("models", "models", "--target", "sim", "--search", "0", "--markdown", "-")
    assert done.code == 0, done.err
    assert done.out.startswith("| file |")
    assert done.out.splitlines()[-1].startswith("1 file, 1 row: 1 pass; where inputs were left out, a fault that hits ")
    assert "PASS  1 file, 1 row: 1 pass" in done.err
    done = tinyhil("models", "models", "--target", "sim", "--search", "0", "--json", "-")
    found = json.loads(done.out)
    assert found["counts"] == {"pass": 1}
    assert 0 < found["rows"][0]["detectable"] < 1
    done = tinyhil("models", "models", "--markdown", "-", "--json", "-")
    assert done.code == 2
    assert "cannot both be standard output" in done.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nowhere",), "cannot list the folder nowhere"),
        (("models/tiny.tflite",), "a single file is for tinyhil run FILE"),
        (("models", "--target", "nowhere"), "nowhere"),
        (("models", "--target", "sim", "--engine", "tflm"), "has no engine 'tflm'"),
    ],
)
def test_wrong_usage(tinyhil: Cli, folder: Path, arguments: tuple[str, ...], said: str) -> None:
    done = tinyhil("models", *arguments)
    assert done.code == 2
    assert said in done.err
    assert not (tinyhil.cwd / "build").exists()
