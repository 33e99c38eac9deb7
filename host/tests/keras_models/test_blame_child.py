"""The child that finds the layer which TensorFlow's converter crashes on, with a converter that crashes on one."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from tinyhil import worker
from tinyhil.artifacts import arrays
from tinyhil.errors import CrashError, ModelError
from tinyhil.progress import Silent
from tinyhil.quantize import blame

CRASHING = """
import os, signal
from tinyhil import worker
from tinyhil.quantize import blame_child

def convert(saved_model, scheme, samples, name):
    if name == "lstm":
        os.kill(os.getpid(), signal.SIGSEGV)
    return b""

blame_child.convert = convert
worker.serve(blame_child.work)
"""


@pytest.mark.long
def test_the_layer_is_named(
    quick_models: Path, tmp_path: Path, child_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "crashing.py").write_text(CRASHING)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), child_environment["PYTHONPATH"]]))
    call = worker.call
    monkeypatch.setattr(worker, "call", lambda module, *given, **named: call("crashing", *given, **named))
    x = np.zeros((4, 8, 3), np.float32)
    arrays.write_dataset(tmp_path / "d.npz", {"train": (x, x[:, 0])})
    request = {
        "model": str(quick_models / "lstm_sequence.keras"),
        "name": "mine.keras",
        "dataset": str(tmp_path / "d.npz"),
        "scheme": "int8",
    }
    found = blame.of_crash(CrashError("could not", hint="next"), request, Silent())
    assert isinstance(found, ModelError)
    assert found.message == "mine.keras: TensorFlow's converter crashes on layer 'lstm' (LSTM)"
