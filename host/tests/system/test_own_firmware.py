"""The example of firmware of one's own: its sketch runs the model, and tinyhil judges the image that it is part of."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinyhil
from tinyhil.artifacts import hashing
from tinyhil.compare.digest import digest
from tinyhil.compare.preprocessing import Apart
from tinyhil.deadline import Deadline
from tinyhil.device.emulator import EmulatorDevice
from tinyhil.errors import ConfigError, StaleFirmwareError
from tinyhil.link.messages import Describe, Direction, Error, ErrorCode, Hello, Welcome
from tinyhil.options import Options
from tinyhil.pipeline.observer import SilentObserver
from tinyhil.pipeline.opening import open_replay, open_run
from tinyhil.progress import Silent
from tinyhil.render import LIBRARY
from tinyhil.targets import registry
from tinyhil.toolchain import platformio

from .cli import REPOSITORY
from .test_demo import PATIENCE, plugged

EXAMPLE = REPOSITORY / "examples" / "own-firmware"
STEPS = 1024
"""Of the example's sensor, for a full turn."""
AFTER_MS = 300
LINE = re.compile(r"steps:(\d+) sine:(-?\d+)\n")


@dataclass(frozen=True)
class Own:
    """Firmware of a user's own.

    Attributes:
        options: by which the library was rendered and the firmware is judged.
        project: its folder.
    """

    options: Options
    project: Path


@pytest.fixture(scope="module", params=["native", pytest.param("qemu-m4", marks=pytest.mark.long)])
def own(request: pytest.FixtureRequest, sine_on: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Own:
    """The example, built around the model; a host that is silent for AFTER_MS has gone."""
    if missing := [each.name for each in registry.get(request.param).compiles.programs if not shutil.which(each.name)]:
        pytest.skip(f"blocked: {', '.join(missing)} is not installed")
    options = Options(target=request.param, form=LIBRARY, build_dir=sine_on())
    project = tmp_path_factory.mktemp("own") / "project"
    shutil.copytree(EXAMPLE, project, ignore=shutil.ignore_patterns(".pio", "lib", "build"))
    with (project / "platformio.ini").open("a") as stream:
        stream.write(f"build_flags = ${{tinyhil.build_flags}} -DTINYHIL_SKETCH_AFTER_MS={AFTER_MS}\n")
    library = open_run("sine", options, SilentObserver()).render().folder / "tinyhil"
    shutil.copytree(library, project / "lib" / "tinyhil")
    return Own(replace(options, firmware=built(options, project)), project)


class Announced(SilentObserver):
    """Keeps what is announced before the device is asked."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def announcement(self, text: str) -> None:
        self.told.append(text)


def built(options: Options, project: Path) -> Path:
    return platformio.build(project, "device", registry.get(options.target).compiles, Silent()).elf


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Windows of readings, none of which is like its neighbour."""
    path = tmp_path_factory.mktemp("raw") / "raw.npz"
    first = np.random.default_rng(1).integers(0, STEPS - 21, (64, 1))
    np.savez(path, raw=(first + 3 * np.arange(8)).astype(np.int16))
    return path


@pytest.fixture
def port(own: Own) -> Iterator[str]:
    emulator, firmware = registry.get(own.options.target).emulator, own.options.firmware
    assert emulator is not None
    assert firmware is not None
    device = EmulatorDevice(emulator)
    yield device.start(firmware, Deadline.after(PATIENCE))
    device.stop()


def test_it_passes(own: Own) -> None:
    """What the sketch is has no part in it: the library is the same without one."""
    library = open_run("sine", own.options, SilentObserver()).render()
    report = tinyhil.run("sine", **vars(own.options))
    assert report.verdict == "pass"
    assert report.project_sha256 == library.sha256


def test_its_preprocessing_is_verified_as_well(own: Own, raw: Path, tmp_path: Path) -> None:
    asked = replace(own.options, raw=raw, prepare=EXAMPLE / "prepare.py", record=tmp_path / "run.rec")
    observer = Announced()
    report = tinyhil.run("sine", observer=observer, **vars(asked))
    assert [", then 64 raw samples, about" in text for text in observer.told] == [True]
    found = report.preprocessing
    assert report.verdict == "pass"
    assert found is not None
    assert (found.samples, found.host) == (64, "prepare() of prepare.py")
    assert (report.raw_sha256, report.prepare_sha256) == tuple(map(hashing.of_file, (raw, EXAMPLE / "prepare.py")))
    assert found.features == found.model == found.end_to_end == Apart(0, 0)
    assert (found.cost is not None) == (report.speed is not None)
    recorded = tmp_path / "run.rec", own.options.build_dir, SilentObserver()
    with open_replay(*recorded, EXAMPLE / "prepare.py") as replay:
        assert digest(replay.judge()) == digest(report), "a recording has it too"
    with open_replay(*recorded) as replay, pytest.raises(ConfigError, match="no features"):
        replay.judge()  # it is not for a recording to say what code runs here


def test_an_error_in_the_preprocessing_is_none_of_the_model(own: Own, raw: Path, tmp_path: Path) -> None:
    """It leaves out what rounds, so that half of the features are an LSB too small."""
    project = tmp_path / "project"
    shutil.copytree(own.project, project)
    sketch = project / "src" / "main.cpp"
    sound = sketch.read_text()
    sketch.write_text(sound.replace("radians / input.scale + 0.5f", "radians / input.scale"))
    assert sketch.read_text() != sound
    wrong = replace(own.options, firmware=built(own.options, project), raw=raw, prepare=EXAMPLE / "prepare.py")
    report = tinyhil.run("sine", **vars(wrong))
    found = report.preprocessing
    assert report.verdict == "fail"
    assert found is not None
    assert report.fidelity is not None
    assert (report.fidelity.passed, found.model) == (True, Apart(0, 0)), "the model is right"
    assert 0 < found.features.mismatches < found.samples
    assert found.features.max_lsb == 1
    assert {each.lsb for each in found.first_mismatches} == {-1}
    assert found.end_to_end.mismatches > 0
    assert tinyhil.run("sine", **vars(replace(wrong, features_lsb=1))).verdict == "pass"


def test_the_sketch_computes_what_the_model_says(own: Own, port: str) -> None:
    model = open_run("sine", own.options, SilentObserver()).quantize()
    pairs = zip(model.vectors.inputs[0].ravel(), model.vectors.reference[0].ravel(), strict=True)
    outputs = {int(key): float(model.outputs[0].dequantize(value)) for key, value in pairs}
    with plugged(port) as host:
        host.event()  # it may be the rest of a line
        for _ in range(20):
            line = LINE.fullmatch(host.line())
            assert line is not None
            radians = int(line[1]) * 6.2831853 / STEPS
            near = {int(model.inputs[0].quantize(radians + nudge)) for nudge in (-1e-5, 0, 1e-5)}
            assert any(abs(int(line[2]) / 1000 - outputs[key]) <= 0.0011 for key in near)


def test_a_host_has_the_model_until_it_is_silent(own: Own, port: str) -> None:
    """The sketch stops at the first frame, and goes on later; for the link that is a start."""
    with plugged(port) as host:
        host.event()
        welcome = Welcome.decode(host.ask(1, Hello())[0].payload)
        for number in range(2, 20):
            assert host.ask(number, Describe(Direction.INPUT, 0))[1] == []
        assert LINE.fullmatch(host.line())
        refused, _ = host.ask(20, Describe(Direction.INPUT, 0))
        assert Error.decode(refused.payload).code == ErrorCode.NOT_READY
        assert Welcome.decode(host.ask(21, Hello())[0].payload).boot_id != welcome.boot_id


def test_another_model_in_it_is_refused(own: Own, build_tflite: Callable[..., bytes], tmp_path: Path) -> None:
    """The image has the library of the one, and is judged as firmware of the other."""

    def edit(model: Any) -> None:
        model.buffers[1].data[0] ^= 1

    other = tmp_path / "other.tflite"
    other.write_bytes(build_tflite(edit))
    with pytest.raises(StaleFirmwareError) as caught:
        tinyhil.run(other, **vars(replace(own.options, build_dir=tmp_path / "build")))
    assert caught.value.what == "model"


def test_without_an_image_there_is_nothing_to_judge(own: Own) -> None:
    with pytest.raises(ConfigError, match="your own project"):
        tinyhil.run("sine", **vars(replace(own.options, firmware=None)))
