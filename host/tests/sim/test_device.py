"""The device as a process: it computes, keeps state where the model does, and never goes silently."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace as replace_struct

from tinyhil.artifacts.types import FirmwareImage, Measurement, Project, QuantizedModel, Resources, Vectors
from tinyhil.build import build
from tinyhil.device.emulator import EmulatorDevice
from tinyhil.errors import DeviceError, RemoteLinkError, StaleFirmwareError
from tinyhil.progress import Silent
from tinyhil.render import render
from tinyhil.session import Identity
from tinyhil.sim import facts
from tinyhil.targets.model import Target

from ..conftest import BIAS, WEIGHTS
from ..layered import accumulates
from ..session.captures import capture_on, greet
from .conftest import ENGINE, patience


def identity(model: QuantizedModel, image: FirmwareImage) -> Identity:
    return Identity(model.sha256, image.project_sha256, model.inputs, model.outputs)


def vectors(*inputs: np.ndarray[Any, Any]) -> Vectors:
    return Vectors(tuple(inputs), (), None, exhaustive=False)


def test_it_computes_the_model(
    device: EmulatorDevice, model: QuantizedModel, image: FirmwareImage, sim: Target
) -> None:
    port = device.start(image.elf, patience())
    x = np.random.default_rng(3).integers(-20, 20, (500, 1, 3), np.int8)
    captured = capture_on(port, identity(model, image), vectors(x), sim, device.check)
    real = model.inputs[0].dequantize(x[:, 0]) @ (np.array(WEIGHTS) * 0.25).T + np.array(BIAS) * 0.125
    wanted = model.outputs[0].quantize(real)
    assert np.abs(captured.outputs[0][:, 0].astype(int) - wanted).max() <= 1  # rounded in integers, not in reals
    assert len(np.unique(captured.outputs[0])) > 50
    assert (captured.engine, captured.ticks, captured.tick_hz, captured.arena_bytes) == (ENGINE, None, 0, 0)


def test_it_knows_nothing_of_a_chips_memory(
    device: EmulatorDevice, model: QuantizedModel, image: FirmwareImage, sim: Target
) -> None:
    measured = replace_struct(sim, measure=replace_struct(sim.measure, unit="instructions"))
    port = device.start(image.elf, patience())
    x = np.zeros((5, 1, 3), np.int8)
    captured = capture_on(port, identity(model, image), vectors(x), measured, device.check)
    nothing = Resources(
        arena_capacity=None, arena_bytes=0, arena_used=None, arena_overrun=0, stack_bytes=None, stack_used=None
    )
    assert captured.measurement == Measurement(ticks=(), resources=nothing, operators=())


def test_the_project_itself_can_be_run(
    device: EmulatorDevice, model: QuantizedModel, project: Project, image: FirmwareImage, sim: Target
) -> None:
    port = device.start(project.folder, patience())
    first = greet(port, identity(model, image), sim, device.check)
    port = device.start(project.folder, patience())
    assert greet(port, identity(model, image), sim, device.check).boot_id != first.boot_id
    stale = replace(identity(model, image), project_sha256="0" * 64)
    with pytest.raises(StaleFirmwareError, match="another build"):
        greet(port, stale, sim, device.check)


def test_a_model_with_state_begins_at_its_start_in_every_run(
    device: EmulatorDevice,
    build_tflite: Callable[..., bytes],
    quantized_model: Callable[[Path, bytes], QuantizedModel],
    sim: Target,
    tmp_path: Path,
) -> None:
    model = quantized_model(tmp_path, build_tflite(accumulates))
    project, _ = render(model, sim, ENGINE, tmp_path / "project")
    image, _ = build(project, sim, tmp_path / "firmware", Silent())
    port = device.start(image.elf, patience())
    x = np.random.default_rng(5).integers(-4, 5, (20, 1, 2), np.int8)
    for _ in range(2):
        captured = capture_on(port, identity(model, image), vectors(x), sim, device.check)
        np.testing.assert_array_equal(captured.outputs[0], np.cumsum(x, axis=0, dtype=np.int8))


def fake_interpreter(
    folder: Path, monkeypatch: pytest.MonkeyPatch, child_environment: dict[str, str], body: str
) -> None:
    """Puts another ``tflite_micro.runtime`` in front of the real one."""
    (folder / "tflite_micro").mkdir()
    (folder / "tflite_micro" / "__init__.py").write_text("")
    (folder / "tflite_micro" / "runtime.py").write_text(body)
    monkeypatch.setenv("PYTHONPATH", f"{folder}:{child_environment['PYTHONPATH']}")


DIES = """
import ctypes
class Interpreter:
    @classmethod
    def from_bytes(cls, model, arena_size): return cls()
    def set_input(self, data, index): pass
    def invoke(self): ctypes.string_at(0)
"""
REFUSES = """
class Interpreter:
    @classmethod
    def from_bytes(cls, model, arena_size): raise RuntimeError("no such operator")
"""
FAILS = DIES.replace("ctypes.string_at(0)", 'raise RuntimeError("kTfLiteError")')


def ask(device: EmulatorDevice, model: QuantizedModel, image: FirmwareImage, sim: Target) -> None:
    port = device.start(image.elf, patience())
    x = np.zeros((1, 1, 3), np.int8)
    capture_on(port, identity(model, image), vectors(x), sim, device.check)


def test_a_crash_of_the_interpreter_is_a_device_that_died(
    device: EmulatorDevice,
    model: QuantizedModel,
    image: FirmwareImage,
    sim: Target,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    child_environment: dict[str, str],
) -> None:
    fake_interpreter(tmp_path, monkeypatch, child_environment, DIES)
    with pytest.raises(DeviceError, match=r"ended with signal SIGSEGV: Fatal Python error: Segmentation") as caught:
        ask(device, model, image, sim)
    assert "invoke" in caught.value.detail


@pytest.mark.parametrize(("body", "cause"), [(REFUSES, "did not accept the model"), (FAILS, "an inference failed")])
def test_what_the_interpreter_refuses_is_an_answer(
    device: EmulatorDevice,
    model: QuantizedModel,
    image: FirmwareImage,
    sim: Target,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    child_environment: dict[str, str],
    body: str,
    cause: str,
) -> None:
    fake_interpreter(tmp_path, monkeypatch, child_environment, body)
    with pytest.raises(RemoteLinkError, match=cause):
        ask(device, model, image, sim)
    device.check()


def test_without_the_interpreter_it_says_what_to_install(
    device: EmulatorDevice,
    image: FirmwareImage,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    child_environment: dict[str, str],
) -> None:
    fake_interpreter(tmp_path, monkeypatch, child_environment, "raise ModuleNotFoundError('tflite_micro')")
    with pytest.raises(DeviceError, match=r"tflite-micro is not installed.*pip install tflite-micro"):
        device.start(image.elf, patience())


def test_a_device_whose_model_was_changed_does_not_start(device: EmulatorDevice, image: FirmwareImage) -> None:
    model = image.elf.with_name(facts.MODEL)
    model.write_bytes(model.read_bytes()[:-1])
    with pytest.raises(DeviceError, match=r"exit code 1: .*is not the model that") as caught:
        device.start(image.elf, patience())
    assert "Traceback" not in caught.value.detail
