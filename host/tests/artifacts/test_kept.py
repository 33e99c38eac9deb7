"""Nothing kept is given up before the new thing stands; what killed runs leave behind is removed."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinyhil import worker
from tinyhil.artifacts import store
from tinyhil.artifacts.temporary import TemporaryFolder, sweep
from tinyhil.config import recipe as recipes
from tinyhil.errors import InputError, ToolError
from tinyhil.progress import Silent
from tinyhil.quantize import model_file
from tinyhil.train import stage as training

FILES = (training.MODEL, training.DATASET, training.HISTORY)
FACTS = {"metrics": {}, "provenance": "", "trained_by": "", "epoch": 1, "diagnosis": {}, "figures": {}, "functions": []}


def _fails(*_: Any, **__: Any) -> Any:
    raise ToolError("it failed")


def _interrupts(*_: Any, **__: Any) -> Any:
    raise KeyboardInterrupt


@pytest.mark.parametrize("end", [_fails, _interrupts])
def test_a_training_that_fails_keeps_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: Callable[..., Any]
) -> None:
    def trains(_: str, request: dict[str, Any], **__: Any) -> dict[str, Any]:
        for name in FILES:
            (Path(request["folder"]) / name).write_text(name)
        return FACTS

    path = recipes.SHIPPED / "sine.toml"
    monkeypatch.setattr(worker, "call", trains)
    assert not training.train(path, tmp_path / "t", Silent())[1]
    kept = {each.name: each.read_bytes() for each in (tmp_path / "t").iterdir()}
    assert set(kept) == {*FILES, store.MANIFEST}
    monkeypatch.setattr(worker, "call", end)
    np.savez(tmp_path / "junk.npz", x=np.ones(3))
    with pytest.raises((ToolError, KeyboardInterrupt)):
        training.train(path, tmp_path / "t", Silent(), tmp_path / "junk.npz")
    assert {each.name: each.read_bytes() for each in (tmp_path / "t").iterdir()} == kept
    assert training.train(path, tmp_path / "t", Silent())[1]


@pytest.mark.parametrize("samples", [b"junk", None])
def test_samples_that_do_not_fit_keep_the_model_file(tmp_path: Path, tiny_model: bytes, samples: bytes | None) -> None:
    path, folder = tmp_path / "m.tflite", tmp_path / "file"
    path.write_bytes(tiny_model)
    assert not model_file.tflite_model(path, None, folder, Silent())[1]
    if samples is None:
        np.savez(tmp_path / "s.npz", x=np.ones((4, 99)))
    else:
        (tmp_path / "s.npz").write_bytes(samples)
    with pytest.raises(InputError):
        model_file.tflite_model(path, tmp_path / "s.npz", folder, Silent())
    assert model_file.tflite_model(path, None, folder, Silent())[1]


def test_a_reference_that_fails_keeps_the_model_file(
    tmp_path: Path, tiny_model: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, folder = tmp_path / "m.tflite", tmp_path / "file"
    path.write_bytes(tiny_model)
    model_file.tflite_model(path, None, folder, Silent())
    np.savez(tmp_path / "s.npz", x=np.ones((4, 3)))
    with monkeypatch.context() as patched:
        patched.setattr(worker, "call", _interrupts)
        with pytest.raises(KeyboardInterrupt):
            model_file.tflite_model(path, tmp_path / "s.npz", folder, Silent())
    assert model_file.tflite_model(path, None, folder, Silent())[1]


def test_what_a_killed_making_left_is_removed_by_the_next(tmp_path: Path) -> None:
    (tmp_path / ".new").mkdir()
    (tmp_path / ".new/half").write_text("")
    with store.scratch(tmp_path) as new:
        assert list(new.iterdir()) == []
        (new / "a").write_text("1")
        store.adopt(tmp_path, new, "stage", "key", ("a",), {})
    assert store.load(tmp_path, "stage", "key") is not None
    assert {each.name for each in tmp_path.iterdir()} == {"a", store.MANIFEST}


def test_folders_of_killed_runs_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    program = (
        "import os, signal, tempfile; from tinyhil.artifacts.temporary import TemporaryFolder; "
        f"tempfile.tempdir = {str(tmp_path)!r}; made = TemporaryFolder(); "
        "(made.path / 'x').write_text(''); os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == -9
    (left,) = tmp_path.iterdir()
    (tmp_path / "tinyhil-of-somebody").mkdir()
    (tmp_path / "tinyhil-link").symlink_to(left)
    with TemporaryFolder() as mine:
        assert not left.exists()
        (mine / "x").write_text("")
        sweep()
        assert (mine / "x").exists()
    assert {each.name for each in tmp_path.iterdir()} == {"tinyhil-of-somebody", "tinyhil-link"}
