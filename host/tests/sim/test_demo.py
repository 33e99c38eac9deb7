"""Without a host the device shows its model, as the firmware does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinyhil.artifacts.types import QuantizedModel
from tinyhil.config.recipe import Demo as Asked
from tinyhil.deadline import Deadline
from tinyhil.device.emulator import EmulatorDevice
from tinyhil.errors import ConfigError
from tinyhil.link.frames import Frame, FrameDecoder, encode_frame
from tinyhil.link.messages import Goodbye, Hello, Welcome
from tinyhil.render import render
from tinyhil.sim import demo as demos
from tinyhil.sim import facts
from tinyhil.sim.__main__ import device as start
from tinyhil.targets.model import Target
from tinyhil.transport import Transport, open_transport

from .conftest import ENGINE, PATIENCE

RANGE = Asked(start=-1.0, end=1.0, steps=4)


@pytest.fixture
def doubling(
    tmp_path: Path, build_tflite: Callable[..., bytes], quantized_model: Callable[[Path, bytes], QuantizedModel]
) -> QuantizedModel:
    """y = x / 2, but for rounding: one int8 number in and one out."""

    def one_number(model: Any) -> None:
        for tensor, shape in zip(model.subgraphs[0].tensors, [[1, 1], [1, 1], [1], [1, 1]], strict=True):
            tensor.shape = shape
        model.buffers[1].data = [2]
        model.buffers[2].data = list(np.zeros(1, "<i4").tobytes())

    return quantized_model(tmp_path, build_tflite(one_number))


@pytest.fixture
def project(doubling: QuantizedModel, sim: Target, tmp_path: Path) -> Path:
    made, _ = render(doubling, sim, ENGINE, tmp_path / "project", RANGE)
    return made.folder


def expected(model: QuantizedModel, index: int) -> str:
    """What the line of a step says, from the model's own tensors."""
    x = RANGE.start + index % RANGE.steps * RANGE.step
    spec_in, spec_out = model.inputs[0], model.outputs[0]
    real = spec_in.dequantize(spec_in.quantize(x)) / 2
    return f"x:{x:.4f} y:{float(spec_out.dequantize(spec_out.quantize(real))):.4f}\n".replace("-0.0000", "0.0000")


def test_a_line_every_20_ms_until_a_host_comes_and_after_it_has_gone(doubling: QuantizedModel, project: Path) -> None:
    server, demo = start(project)
    assert demo is not None
    now = 100.0
    for index in range(6):
        assert demo.pass_time(now).decode() == expected(doubling, index)
        assert demo.pass_time(now + demos.PERIOD_S / 2) == b""
        now += 2 * demos.PERIOD_S
    server.receive(b"\0noise\0\0\x01\x02\0")
    assert demo.pass_time(now).decode() == expected(doubling, 6)
    boot_id = welcomed(server.receive(encode_frame(Frame(Hello.TYPE, 1, Hello().encode()))))
    now += demos.AFTER_S / 2
    assert demo.pass_time(now) == b""
    assert demo.pass_time(now + demos.AFTER_S - 1) == b""
    now += demos.AFTER_S
    assert demo.pass_time(now).decode() == expected(doubling, 0)
    again = welcomed(server.receive(encode_frame(Frame(Hello.TYPE, 1, Hello().encode()))))
    assert again != boot_id
    assert demo.pass_time(now + 1) == b""
    server.receive(encode_frame(Frame(Goodbye.TYPE, 2, b"")))
    assert demo.pass_time(now + 1).decode() == expected(doubling, 0)


def welcomed(wire: bytes) -> int:
    (frame,) = FrameDecoder().feed(wire)
    assert isinstance(frame, Frame)
    return Welcome.decode(frame.payload).boot_id


def test_a_process_shows_it_and_answers(doubling: QuantizedModel, project: Path, device: EmulatorDevice) -> None:
    transport = open_transport(
        device.start(project, Deadline.after(PATIENCE)), baud=115200, deadline=Deadline.after(PATIENCE)
    )
    lines = {expected(doubling, index).encode() for index in range(RANGE.steps)}
    assert set(_lines(transport, 2 * RANGE.steps)) == lines
    transport.write(encode_frame(Frame(Hello.TYPE, 1, Hello().encode())), Deadline.after(PATIENCE))
    decoder, welcome = FrameDecoder(), None
    while welcome is None:
        events = decoder.feed(transport.read(4096, 1.0))
        welcome = next((event for event in events if isinstance(event, Frame)), None)
    transport.write(encode_frame(Frame(Goodbye.TYPE, 2, b"")), Deadline.after(PATIENCE))
    assert _lines(transport, 4)[-1] in lines
    transport.close()


def _lines(transport: Transport, count: int) -> list[bytes]:
    """So many whole lines; the first may lack its beginning."""
    data, deadline = b"", Deadline.after(PATIENCE)
    while data.count(b"\n") < count + 2:
        assert not deadline.expired
        data += transport.read(4096, 1.0)
    return [line + b"\n" for line in data.split(b"\n")[1:-1]]


def test_a_project_without_a_demo_is_as_it_was(doubling: QuantizedModel, sim: Target, tmp_path: Path) -> None:
    made, _ = render(doubling, sim, ENGINE, tmp_path / "without")
    assert "demo" not in (made.folder / facts.FACTS).read_text()
    assert start(made.folder)[1] is None


def test_a_model_that_it_cannot_show(model: QuantizedModel, sim: Target, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="one int8 number in and one out"):
        render(model, sim, ENGINE, tmp_path / "project", RANGE)
