"""A device that is rendered and built from a small real model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tinyhil.artifacts.types import FirmwareImage, Project, QuantizedModel
from tinyhil.build import build
from tinyhil.deadline import Deadline
from tinyhil.device.emulator import EmulatorDevice
from tinyhil.progress import Silent
from tinyhil.render import render
from tinyhil.targets import registry
from tinyhil.targets.model import Target

ENGINE = "tflm-host"
PATIENCE = 20.0
"""Seconds after which a test gives up waiting; nothing is measured by it."""


@pytest.fixture(scope="session")
def sim() -> Target:
    """The target."""
    return registry.get("sim")


@pytest.fixture
def model(
    tmp_path: Path, tiny_model: bytes, quantized_model: Callable[[Path, bytes], QuantizedModel]
) -> QuantizedModel:
    return quantized_model(tmp_path, tiny_model)


@pytest.fixture
def project(model: QuantizedModel, sim: Target, tmp_path: Path) -> Project:
    made, found = render(model, sim, ENGINE, tmp_path / "project")
    assert not found
    return made


@pytest.fixture
def image(project: Project, sim: Target, tmp_path: Path) -> FirmwareImage:
    made, found = build(project, sim, tmp_path / "firmware", Silent())
    assert not found
    return made


@pytest.fixture
def device(sim: Target, child_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[EmulatorDevice]:
    """The device's program, not yet started."""
    monkeypatch.setenv("PYTHONPATH", child_environment["PYTHONPATH"])
    assert sim.emulator is not None
    with EmulatorDevice(sim.emulator) as stopped:
        yield stopped


def patience() -> Deadline:
    return Deadline.after(PATIENCE)
