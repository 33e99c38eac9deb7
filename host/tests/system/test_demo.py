"""The demo on real devices: its lines through the port, a host that takes over, silence that brings it back."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import numpy as np
import pytest

from tinyhil.artifacts.types import FirmwareImage, QuantizedModel
from tinyhil.config import recipe as recipes
from tinyhil.config.recipe import Demo
from tinyhil.deadline import Deadline
from tinyhil.device.emulator import EmulatorDevice
from tinyhil.link.frames import DecoderEvent, Frame, FrameDecoder, Text, encode_frame
from tinyhil.link.messages import Describe, Direction, Error, ErrorCode, Goodbye, Hello, Parted, Welcome
from tinyhil.options import Options
from tinyhil.pipeline.observer import SilentObserver
from tinyhil.pipeline.opening import open_run
from tinyhil.session import Identity
from tinyhil.targets import registry
from tinyhil.targets.model import Target
from tinyhil.transport import Transport, open_transport

from ..session.captures import capture_on
from .cli import Cli

PATIENCE = 60.0
"""Seconds after which a test gives up waiting; nothing is measured by it."""
PERIOD_MS = 20
TAKEN_OVER_WITHIN_MS = 200
AFTER_MS = 200
AFTER_MS_SHIPPED = 30_000
PLOTTED = re.compile(r"[A-Za-z]\w*:-?\d+(\.\d+)?( [A-Za-z]\w*:-?\d+(\.\d+)?)*\n")
"""A line of the Arduino Serial Plotter: pairs of label and number."""


@dataclass(frozen=True)
class Made:
    """What was built."""

    target: Target
    model: QuantizedModel
    image: FirmwareImage

    @property
    def identity(self) -> Identity:
        return Identity(self.model.sha256, self.image.project_sha256, self.model.inputs, self.model.outputs)


@pytest.fixture(scope="module")
def build_dir(sine_on: Callable[..., Path]) -> Path:
    return sine_on()


def _made(target: str, build_dir: Path) -> Made:
    run = open_run("sine", Options(target=target, build_dir=build_dir), SilentObserver())
    return Made(run.target, run.quantize(), run.build())


@pytest.fixture(params=["qemu-m4", "native"])
def base(request: pytest.FixtureRequest) -> str:
    if request.param == "qemu-m4":
        request.getfixturevalue("made")
    return str(request.param)


@pytest.fixture
def shipped(base: str, build_dir: Path) -> Made:
    return _made(base, build_dir)


@pytest.fixture
def impatient(base: str, build_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Made:
    """The same firmware, but the demo comes back soon."""
    name = f"{base}-impatient"
    text = (registry.SHIPPED / f"{base}.toml").read_text().replace(f'name = "{base}"', f'name = "{name}"', 1)
    flag = f'"-DTINYHIL_DEMO_AFTER_MS={AFTER_MS}"'
    build, begin = text.partition("[build]\n")[2], "\nflags = ["
    if begin in build.partition("\n[")[0]:
        text = text.replace(begin, f"{begin}{flag}, ", 1)
    else:
        text = text.replace("[build]\n", f"[build]\nflags = [{flag}]\n", 1)
    (tmp_path / "targets").mkdir()
    (tmp_path / "targets" / f"{name}.toml").write_text(text)
    monkeypatch.chdir(tmp_path)
    return _made(name, build_dir)


@pytest.fixture
def demo() -> Demo:
    found = recipes.load(recipes.find("sine")).demo
    assert found is not None
    return found


class Host:
    """Somebody at the port."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._decoder = FrameDecoder()
        self._events: list[DecoderEvent] = []

    def send(self, data: bytes) -> None:
        self._transport.write(data, Deadline.after(PATIENCE))

    def read(self, seconds: float) -> None:
        self._events += self._decoder.feed(self._transport.read(4096, seconds))

    def event(self) -> DecoderEvent:
        deadline = Deadline.after(PATIENCE)
        while not self._events:
            assert not deadline.expired, "silence"
            self.read(deadline.remaining)
        return self._events.pop(0)

    def line(self) -> str:
        """The next line of text; nothing else may come before it."""
        event = self.event()
        assert isinstance(event, Text), event
        return event.text

    def ask(self, number: int, message: Hello | Describe | Goodbye) -> tuple[Frame, list[str]]:
        """The answer to a request, and the lines before it."""
        self.send(encode_frame(Frame(message.TYPE, number, message.encode())))
        lines = []
        while not isinstance(event := self.event(), Frame):
            assert isinstance(event, Text), event
            lines.append(event.text)
        return event, lines

    def silent(self, seconds: float) -> bool:
        """Whether nothing at all arrives for so long."""
        deadline = Deadline.after(seconds)
        while not deadline.expired and not self._events:
            self.read(deadline.remaining)
        return not self._events


@pytest.fixture
def device() -> Iterator[list[EmulatorDevice]]:
    running: list[EmulatorDevice] = []
    yield running
    for one in running:
        one.stop()


def start(made: Made, running: list[EmulatorDevice]) -> str:
    assert made.target.emulator is not None
    running.append(EmulatorDevice(made.target.emulator))
    return running[0].start(made.image.elf, Deadline.after(PATIENCE))


@contextmanager
def plugged(port: str) -> Iterator[Host]:
    with closing(open_transport(port, baud=115200, deadline=Deadline.after(PATIENCE))) as transport:
        yield Host(transport)


def printed(value: float) -> str:
    return str(Decimal(value).quantize(Decimal("0.0001"), ROUND_HALF_UP)).replace("-0.0000", "0.0000")


def wanted(made: Made, demo: Demo, at: int) -> set[str]:
    """The line of a step: the reference's output for that x, in either way that a float may round to an integer."""
    x = demo.start + at * demo.step
    model = made.model
    outputs = {
        int(key): float(model.outputs[0].dequantize(value))
        for key, value in zip(model.vectors.inputs[0].ravel(), model.vectors.reference[0].ravel(), strict=True)
    }
    keys = {int(model.inputs[0].quantize(x + nudge)) for nudge in (-1e-6, 0, 1e-6)}
    return {f"x:{printed(x)} y:{printed(outputs[key])}\n" for key in keys}


def test_the_lines_are_plotted_and_are_the_models(shipped: Made, demo: Demo, device: list[EmulatorDevice]) -> None:
    with plugged(start(shipped, device)) as host:
        host.event()  # it may be the rest of a line
        first = host.line()
        (at,) = (index for index in range(demo.steps) if first in wanted(shipped, demo, index))
        for count in range(1, demo.steps + 3):
            line = host.line()
            assert PLOTTED.fullmatch(line)
            assert line in wanted(shipped, demo, (at + count) % demo.steps)


def test_the_first_frame_ends_the_demo(shipped: Made, device: list[EmulatorDevice]) -> None:
    """The lines themselves are the device's clock: so many of them before the answer are so many milliseconds."""
    with plugged(start(shipped, device)) as host:
        for _ in range(3):
            host.event()
        frame, lines = host.ask(1, Hello())
        welcome = Welcome.decode(frame.payload)
        assert len(lines) <= TAKEN_OVER_WITHIN_MS // PERIOD_MS
        for number in range(2, 20):
            assert host.ask(number, Describe(Direction.INPUT, 0))[1] == []
        assert host.silent(1.0)
        assert Welcome.decode(host.ask(20, Hello())[0].payload).boot_id == welcome.boot_id


def test_noise_does_not_end_the_demo(shipped: Made, device: list[EmulatorDevice]) -> None:
    with plugged(start(shipped, device)) as host:
        host.event()
        broken = bytearray(encode_frame(Frame(Hello.TYPE, 1, Hello().encode())))
        broken[-3] ^= 1
        host.send(b"hello?\n" + bytes(broken) + b"\0\xff\0")
        for _ in range(8):
            assert PLOTTED.fullmatch(host.line())


def test_silence_brings_the_demo_back_as_after_a_start(
    impatient: Made, demo: Demo, device: list[EmulatorDevice]
) -> None:
    port = start(impatient, device)
    boots = []
    with plugged(port) as host:
        for _ in range(3):
            frame, _ = host.ask(1, Hello())
            boots.append(Welcome.decode(frame.payload).boot_id)
            assert [host.line() in wanted(impatient, demo, at) for at in range(3)] == [True] * 3
            # The same request once more is not one that the device has answered.
            frame, _ = host.ask(2, Describe(Direction.INPUT, 0))
            refused = Error.decode(frame.payload)
            assert refused.code == ErrorCode.NOT_READY
            assert refused.detail not in boots
        assert len(set(boots)) == 3
    captured = capture_on(port, impatient.identity, impatient.model.vectors, impatient.target, device[0].check)
    np.testing.assert_array_equal(captured.outputs[0], impatient.model.vectors.reference[0])
    assert captured.counters["rejected_chunks"] == 0


def test_a_goodbye_brings_the_demo_back_as_after_a_start(
    shipped: Made, demo: Demo, device: list[EmulatorDevice]
) -> None:
    with plugged(start(shipped, device)) as host:
        boots = []
        for _ in range(2):
            boots.append(Welcome.decode(host.ask(1, Hello())[0].payload).boot_id)
            assert host.ask(2, Goodbye())[0].type == Parted.TYPE
            assert not host.silent(AFTER_MS_SHIPPED / 2000), "long before silence brings it back"
            assert [host.line() in wanted(shipped, demo, at) for at in range(3)] == [True] * 3
        assert len(set(boots)) == 2


def test_a_run_takes_the_device_over_in_the_middle_of_its_demo(shipped: Made, device: list[EmulatorDevice]) -> None:
    port = start(shipped, device)
    with plugged(port) as host:
        host.event()
    captured = capture_on(port, shipped.identity, shipped.model.vectors, shipped.target, device[0].check)
    np.testing.assert_array_equal(captured.outputs[0], shipped.model.vectors.reference[0])
    assert captured.counters["rejected_chunks"] == 0


@pytest.mark.long
def test_another_scheme_goes_without_the_demo(tinyhil: Cli, copied: Path) -> None:
    """Its firmware takes int8; that the recipe has one is no reason to refuse floats."""
    wanted = ("--scheme", "float32", "--engine", "tflm", "--target", "qemu-m4", "--force", "--build-dir", copied)
    done = tinyhil("render", "sine", *wanted)
    assert done.code == 0, done.out + done.err
    assert (done.out + done.err).count("without the demo, which takes int8: the scheme float32 makes none") == 1
    assert not list((copied / "sine/qemu-m4-tflm-float32/project").rglob("demo*"))
    assert list((copied / "sine/qemu-m4/project").rglob("demo*"))
