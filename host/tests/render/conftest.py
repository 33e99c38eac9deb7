"""A project that is rendered from a small real model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tinyhil.artifacts.types import Project, QuantizedModel
from tinyhil.render import render
from tinyhil.targets.model import Target


@pytest.fixture
def model(
    tmp_path: Path, tiny_model: bytes, quantized_model: Callable[[Path, bytes], QuantizedModel]
) -> QuantizedModel:
    return quantized_model(tmp_path, tiny_model)


@pytest.fixture
def project(model: QuantizedModel, qemu_m4: Target, tmp_path: Path) -> Project:
    """Rendered for the first time."""
    made, found = render(model, qemu_m4, "compiled", tmp_path / "project")
    assert not found
    return made
