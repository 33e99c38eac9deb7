"""A Keras model in memory, in a script and in a notebook cell: its process has no file, and an event loop that runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.long  # a Keras model is made in two processes, each of which imports TensorFlow

MODEL = """\
import keras
import numpy as np
import tinyhil
print("NOT IMPORTED BY A CHILD")
keras.utils.set_random_seed(1)
model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, activation="relu"), keras.layers.Dense(2)])
x = np.random.default_rng(1).uniform(-1, 1, (40, 3))
"""
RUN = """\
report = tinyhil.run(model, samples=x, target="sim", search=0)
print(report.recipe, report.verdict, report.fidelity.mismatches)
with tinyhil.open_session(model, samples=(x, np.zeros((40, 2))), target="sim") as session:
    y = np.asarray(session.infer(x[:5]))
print(y.shape, y.dtype, float(np.abs(y.reshape(5, 2) - model.predict(x[:5], verbose=0)).max()) < 0.1)
"""
TOLD = ["NOT IMPORTED BY A CHILD", "sequential pass 0", "(5, 1, 2) float64 True"]
NOTEBOOK = """\
import asyncio, code, sys
del sys.modules["__main__"].__file__
console = code.InteractiveInterpreter({"__name__": "__main__"})
async def cells():
    for cell in CELLS:
        console.runcode(compile(cell, "<ipython-input>", "exec"))
asyncio.run(cells())
"""


def run(folder: Path, environment: dict[str, str], *arguments: str) -> list[str]:
    """What a Python prints."""
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout.splitlines()


def test_a_script_and_then_a_notebook(tmp_path: Path, child_environment: dict[str, str]) -> None:
    (tmp_path / "script.py").write_text(MODEL + RUN)
    assert run(tmp_path, child_environment, "script.py") == TOLD
    kept = list((tmp_path / "build/_memory").glob("*/*"))
    assert sorted(path.name for path in kept) == ["samples.npz", "samples.npz", "sequential.keras"]
    (tmp_path / "notebook.py").write_text(f"CELLS = {[MODEL, RUN]!r}\n{NOTEBOOK}")
    assert run(tmp_path, child_environment, "notebook.py") == TOLD
    assert set((tmp_path / "build/_memory").glob("*/*")) == set(kept), "the same model is the same file"
