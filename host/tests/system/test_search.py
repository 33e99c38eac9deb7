"""The search with a real device: it finds a fault that is planted, and nothing where there is none."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinyhil import tflite
from tinyhil.compare.digest import digest
from tinyhil.experiments import search as experiment
from tinyhil.options import Options
from tinyhil.pipeline.observer import SilentObserver
from tinyhil.pipeline.opening import open_replay, open_run
from tinyhil.pipeline.run import Run
from tinyhil.report import terminal

from ..report import agreement
from .cli import Cli

COUNT = 300
"""Inputs: four rounds and a part of one."""

pytestmark = pytest.mark.skipif(shutil.which("g++") is None, reason="blocked: g++ is not installed")


def run_of(model: bytes, folder: Path, built_from: bytes | None = None, **options: Any) -> Run:
    """A run of a model file on ``native``, whose device may be built from another one."""
    (folder / "small.tflite").write_bytes(model)
    other = None
    if built_from is not None:
        other = folder / "other.tflite"
        other.write_bytes(built_from)
    chosen = Options(target="native", build_dir=folder / "build", built_from=other, **{"search": 0, **options})
    return open_run(str(folder / "small.tflite"), chosen, SilentObserver())


def with_another_weight(model: bytes) -> bytes:
    """The first weight of the last layer is another one, so that only the first input tells."""
    unpacked: Any = tflite.unpack(model, "model")
    graph = tflite.parse(model, "model").main
    weights = graph.tensors[graph.operators[-1].inputs[1]]
    data = bytearray(bytes(unpacked.buffers[weights.buffer].data))
    data[0] ^= 0x20
    unpacked.buffers[weights.buffer].data = np.frombuffer(bytes(data), np.uint8)
    return tflite.pack(unpacked)


def test_a_planted_fault_is_found_and_reduced(tiny_model: bytes, tmp_path: Path) -> None:
    run = run_of(tiny_model, tmp_path, with_another_weight(tiny_model))
    found, place = experiment.search(run, COUNT, seed=1)
    assert (found.exhaustive, found.target) == (False, "native")
    assert found.search is not None
    assert found.search.tried == COUNT
    example = found.search.example
    assert example is not None
    assert 0 < example.max_lsb <= found.search.max_lsb
    assert [each.element for each in example.elements] == [0], "no other input has to do with it"
    assert example.mismatches
    assert json.loads(place.read_text())["search"]["example"]["elements"][0]["value"] == example.elements[0].value
    # What is kept shows the fault again, and half as much of it would not.
    with np.load(place.with_name(experiment.INPUTS)) as stored:
        kept = stored["input_0"]
    spec = run.quantize().inputs[0]
    nearer = kept.astype(np.int64).copy()
    nearer[0, 0, 0] = spec.zero_point + int((nearer[0, 0, 0] - spec.zero_point) / 2)
    both = np.concatenate([kept, nearer.astype(kept.dtype)])
    with run.running_device() as device, device.session() as session:
        answers = session.infer(both).outputs[0]
    (tmp_path / "right").mkdir()
    right = run_of(tiny_model, tmp_path / "right")
    with right.running_device() as device, device.session() as session:
        wanted = session.infer(both).outputs[0]
    assert (answers[0] != wanted[0]).any()
    assert (answers[1] == wanted[1]).all()


@pytest.mark.long
def test_nothing_is_found_where_there_is_nothing(tinyhil: Cli, tiny_model: bytes) -> None:
    (tinyhil.cwd / "small.tflite").write_bytes(tiny_model)
    done = tinyhil("search", "small.tflite", "--target", "sim", "--search", "10", "--seed", "3", "--json", "out.json")
    assert done.code == 0, done.out + done.err
    found = json.loads((tinyhil.cwd / "out.json").read_text())["search"]
    assert (found["example"], found["max_lsb"], found["tried"], found["seed"]) == (None, 0, 10, 3)
    assert "no input is more than 0 LSB from the reference; 10 inputs tried with seed 3" in done.out


def test_where_all_inputs_are_sent_there_is_nothing_to_search(tinyhil: Cli, copied: Path) -> None:
    done = tinyhil("search", "sine", "--build-dir", copied)
    assert done.code == 0, done.out + done.err
    assert "nothing to search" in done.out


def test_a_run_searches_by_itself_and_its_recording_too(tiny_model: bytes, tmp_path: Path) -> None:
    """The model file is a user's own; replayed, the recording finds the same example without a device."""
    options = {"search": COUNT, "record": tmp_path / "recording"}
    run = run_of(tiny_model, tmp_path, with_another_weight(tiny_model), **options)
    report = run.verify()
    assert (report.verdict, report.fidelity is not None) == ("fail", True)
    assert report.fidelity is not None
    search = report.fidelity.search
    assert search is not None
    assert search.example is not None
    assert search.tried == COUNT
    assert search.max_lsb >= max(search.example.max_lsb, report.fidelity.max_lsb)
    assert [each.element for each in search.example.elements] == [0]
    (element,) = search.example.elements
    shown = dict(terminal.rows(report))
    assert shown["search"].startswith(f"{COUNT} more inputs tried, seed 1: at most {search.max_lsb} LSB")
    assert shown["example"] == f"input 0[0] = {element.value} (zero point {element.zero_point})"
    agreement.check(run.layout.target)
    with open_replay(tmp_path / "recording", tmp_path / "build", SilentObserver()) as again:
        replayed = again.judge()
    assert replayed.fidelity == report.fidelity
    assert digest(replayed) == digest(report)


@pytest.mark.long
def test_a_run_says_how_far_it_has_searched(tinyhil: Cli, tiny_model: bytes) -> None:
    (tinyhil.cwd / "small.tflite").write_bytes(tiny_model)
    done = tinyhil("run", "small.tflite", "--target", "native", "--json", "out.json")
    assert done.code == 0, done.out + done.err
    found = json.loads((tinyhil.cwd / "out.json").read_text())["fidelity"]
    assert (found["search"]["tried"], found["search"]["max_lsb"], found["search"]["example"]) == (256, 0, None)
    assert "vectors, and 256 more searched" in done.out
    done = tinyhil("run", "small.tflite", "--target", "native", "--search", "0", "--json", "out.json")
    assert done.code == 0, done.out + done.err
    assert json.loads((tinyhil.cwd / "out.json").read_text())["fidelity"]["search"] is None
    assert "searched" not in done.out
