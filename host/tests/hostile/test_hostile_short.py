"""A short run of the hostile files, always the same, and proof that its oracles see what they are for.

The long run is ``make hostile``.
"""

from __future__ import annotations

import gc
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from tinyhil.errors import InputError
from tinyhil.quantize import keras_config
from tinyhil.tflite.objects import pack

from . import readers, seeds, shapes, worker
from .pool import CHECKOUT, Resident
from .whole import Oracle

CASES = {"one.run.json.gz": 15, "m.tflite": 12, "m.keras": 30, "m.h5": 0, "run.rec": 6}
"""Cases of a reader in the short run, where they take longer than those of the others."""
USUAL = 40


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("seeds") / "kept"
    seeds.make(folder)
    return folder


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """HDF5 is left to the long run: each look into a file of it takes a process."""
    monkeypatch.setattr(keras_config, "hdf5", lambda *_, **__: None)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("name", readers.READERS)
def test_no_reader_falls_over_hostile_files(tmp_path: Path, kept: Path, name: str) -> None:
    reader, path = readers.READERS[name], tmp_path / name
    good = reader.good(kept)
    outcomes = []
    for content in (*good, *(worker.case(reader, good, number) for number in range(CASES.get(name, USUAL)))):
        path.write_bytes(content)
        outcome, told = worker.attempt(reader, path, kept)
        assert outcome != "fault", told
        outcomes.append(outcome)
    if name not in ("sine.toml", "m.h5"):  # which is not of both forms; which has no model without its child
        assert outcomes[: len(good)] == ["read"] * len(good)


def _reader(read: Any) -> readers.Reader:
    return replace(readers.READERS["s.csv"], read=read)


def _raises(_: Path, __: Path) -> None:
    raise KeyError("x")


def _takes_memory(_: Path, __: Path) -> None:
    np.ones(worker.MEMORY_BYTES // 4)


def _refuses(_: Path, __: Path) -> None:
    raise InputError("no")


@pytest.mark.parametrize(
    ("read", "outcome"), [(_raises, "fault"), (_takes_memory, "fault"), (_refuses, "refused"), (lambda *_: 0, "read")]
)
def test_what_the_first_oracle_sees(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read: Any, outcome: str) -> None:
    monkeypatch.setattr(worker, "MEMORY_BYTES", 32 << 20)
    gc.collect()  # or the models of other tests in this process go in the middle of it, which hides what is taken
    assert worker.attempt(_reader(read), tmp_path / "x", tmp_path)[0] == outcome


def _changed(place: int, change: Any) -> bytes:
    made = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(seeds.models()[place], 0))
    change(made.subgraphs[0], made)
    return pack(made)


def _larger(graph: Any, _: Any) -> None:
    graph.tensors[graph.operators[0].outputs[0]].shape = [1, 272]


def _constant(graph: Any, made: Any) -> None:
    made.buffers.append(schema.BufferT(data=[1, 2, 3]))
    graph.tensors[graph.inputs[0]].buffer = len(made.buffers) - 1


def _twice(graph: Any, _: Any) -> None:
    graph.operators[1].outputs = graph.operators[0].outputs


def _stride(graph: Any, _: Any) -> None:
    graph.operators[0].builtinOptions.strideH = 2


@pytest.mark.parametrize(
    ("place", "change", "words"),
    [
        (1, _larger, "FULLY_CONNECTED"),
        (1, _constant, "is a constant"),
        (1, _twice, "made twice"),
        (2, _stride, "CONV_2D"),
    ],
)
def test_what_the_shapes_say(place: int, change: Any, words: str) -> None:
    assert shapes.contradictions(seeds.models()[place]) == []
    assert any(words in found for found in shapes.contradictions(_changed(place, change)))


@pytest.mark.long
def test_the_twin_references_differ_where_a_model_reads_what_is_not_its_own(tmp_path: Path) -> None:
    path, vectors = tmp_path / "m.tflite", tmp_path / "vectors.npz"
    np.savez(vectors, input_0=np.ones((4, 1, 3), np.int8))
    oracle = Oracle()
    try:
        path.write_bytes(seeds.models()[1])
        assert oracle.forbids(path, vectors) == ""
        path.write_bytes(_changed(1, _larger))
        assert "FULLY_CONNECTED" in oracle.forbids(path, vectors)
    finally:
        oracle.close()


@pytest.mark.long
def test_a_worker_that_dies_or_hangs_is_seen() -> None:
    with Resident("reference") as resident:
        assert resident.ask({"model": "nothing", "vectors": "nothing", "outputs": 1}, 60)["outcome"] == "refused"
        child = resident._started()
        child.send_signal(signal.SIGSTOP)
        killing = threading.Timer(0.3, child.kill)
        killing.start()
        assert resident.ask({}, 60)["outcome"] == "signal"
        killing.join()
        assert resident.ask({"model": "nothing"}, 0.001)["outcome"] == "hang"


@pytest.mark.long
def test_the_program(tmp_path: Path, child_environment: dict[str, str]) -> None:
    """So many cases, rather than seconds: the same ones on every machine."""
    limits = ("--cases", "30", "--seconds", "120")
    command = [sys.executable, "-m", "host.tests.hostile.run", *limits, "--folder", str(tmp_path)]
    done = subprocess.run(
        command, cwd=CHECKOUT, env=child_environment, capture_output=True, text=True, timeout=590, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert all(f"{name}: " in done.stdout for name in readers.READERS)
