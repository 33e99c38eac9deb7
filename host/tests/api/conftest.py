"""A Keras model and a model file that the API is called with."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: an empty one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def model_file(here: Path, tiny_model: bytes) -> Path:
    """A model of 3 inputs and 2 outputs."""
    path = here / "tiny.tflite"
    path.write_bytes(tiny_model)
    return path
