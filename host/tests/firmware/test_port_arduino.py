"""The firmware as a program of a framework, over a fake of it: the Arduino cores, and ESP-IDF.

The real ones come from a registry, with compilers of their own, so here is a fake of what the ports use
(firmware/tests/fakes), with the traps that are known of the real ones. What is shown is that the firmware keeps clear
of those traps. How the cores compile it is test_compile_matrix's; what they do beyond is for a board to show.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from tinyhil.affine import DType, TensorSpec
from tinyhil.artifacts.types import Vectors
from tinyhil.deadline import Deadline
from tinyhil.device.emulator import EmulatorDevice
from tinyhil.errors import DeviceError
from tinyhil.link.frames import Frame, encode_frame
from tinyhil.link.inference import Infer
from tinyhil.session import Identity
from tinyhil.targets import registry
from tinyhil.targets.model import Target

from ..session.captures import capture_on, greet

SHIPPED = {path.stem: registry.get(path.stem) for path in sorted(registry.SHIPPED.glob("*.toml"))}
SKETCHES = [name for name, target in SHIPPED.items() if target.build is not None and target.build.framework]


def of_port(name: str) -> frozenset[str]:
    """The macros by which the port is another one; which pin the LED has makes none of it."""
    return frozenset(flag for flag in SHIPPED[name].compiles.flags if not re.match("-DTINYHIL_LED|-DARDUINO", flag))


FAMILIES = list({of_port(name): name for name in reversed(SKETCHES)}.values())
"""One board for each set of macros."""
PATIENCE = 20.0
SPEC = TensorSpec(name="copy", dtype=DType.INT8, shape=(1, 256), scale=1.0, zero_point=0)
IDENTITY = Identity("00" * 32, "00" * 32, (SPEC,), (SPEC,))

Compile = Callable[..., Any]


@pytest.fixture(scope="module", params=FAMILIES)
def sketch(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, compile_sketch: Compile) -> Any:
    """The sketch of each board, by the oldest standard that a core builds with."""
    return compile_sketch(tmp_path_factory.mktemp(request.param), SHIPPED[request.param], "gnu++11")


@pytest.fixture
def port(sketch: Any) -> Iterator[str]:
    yield from running(sketch.program)


def running(program: Path) -> Iterator[str]:
    emulator = SHIPPED["native"].emulator
    assert emulator is not None
    with EmulatorDevice(emulator) as device:
        yield device.start(program, Deadline.after(PATIENCE))
        device.check()


def vectors(count: int) -> tuple[np.ndarray[Any, Any], Vectors]:
    data = np.random.default_rng(1).integers(-128, 128, (count, 1, 256), dtype=np.int8)
    return data, Vectors((data,), (data,), None, False)


def test_there_are_boards() -> None:
    assert {"nano33ble", "esp32", "esp32s3", "esp32c3", "esp32-idf"} <= set(SKETCHES)


def test_every_vector_comes_back(sketch: Any, port: str) -> None:
    data, asked = vectors(200)
    link = msgspec.structs.replace(sketch.target.link, answer_within=PATIENCE)  # what is repeated was lost, not late
    answers = capture_on(port, IDENTITY, asked, msgspec.structs.replace(sketch.target, link=link))
    assert np.array_equal(answers.outputs[0], data)
    assert answers.tick_hz == 1_000_000
    assert answers.counters["resends"] == 0
    assert answers.counters["rejected_chunks"] == 0


def test_the_clock_the_stack_the_led_and_the_rate(sketch: Any) -> None:
    done = subprocess.run([sketch.facts], capture_output=True, text=True, timeout=PATIENCE)
    said = done.stdout.splitlines()[1:]
    assert said[:3] == ["clock 1", "rate 1000000", "window 2"], done.stderr
    assert said[3] in ("stack 3000 of 8192", "stack 3000 of 32768")
    led = [flag.removeprefix("-DTINYHIL_LED=") for flag in sketch.target.compiles.flags if "TINYHIL_LED" in flag]
    assert said[4 : 4 + len(led)] == [f"pin {pin} brightness 200" for pin in led]
    rates = ["whole at 921600 bit/s", "whole at 115200 bit/s"] if sketch.target.link.max_baud else []
    assert said[4 + len(led) :] == [*rates, f"other rates {len(rates) // 2}"]


def test_two_starts_are_two_boots(sketch: Any) -> None:
    """Greeted as a host greets: not before a request has come."""
    boots = {greet(port, IDENTITY, sketch.target).boot_id for _ in range(3) for port in running(sketch.program)}
    assert len(boots) == 3


def macro(target: Target, name: str) -> int | None:
    found = [flag.partition("=")[2] for flag in target.compiles.flags if flag.startswith(f"-D{name}=")]
    return int(found[0]) if found else None


@pytest.mark.parametrize("name", SKETCHES)
def test_what_nothing_makes_wait_fits_the_buffer(name: str) -> None:
    """A window of the largest requests, and one that is sent again."""
    target = SHIPPED[name]
    window, buffer = macro(target, "TINYHIL_WINDOW"), macro(target, "TINYHIL_RECEIVE_BUFFER")
    assert window is not None
    if buffer is None:
        assert "-DTINYHIL_CORE_MBED" in target.compiles.flags
        return
    worst = Infer(1, b"\1" * (target.link.max_payload - 6))
    assert buffer >= (window + 1) * len(encode_frame(Frame(worst.TYPE, 0xFFFFFFFF, worst.encode())))


@pytest.mark.parametrize(
    ("name", "macro", "instead", "unanswered"),
    [
        ("nano33ble", "TINYHIL_WRITE_BYTES", "64", "the handshake"),
        ("esp32", "TINYHIL_RECEIVE_BUFFER", "256", "request 1"),
        *(
            pytest.param("esp32-idf", "TINYHIL_RECEIVE_BUFFER", least, unanswered, marks=pytest.mark.long)
            for least, unanswered in (("256", "request 1"), ("128", "the handshake"))
        ),
    ],
)
def test_the_traps_are_real(
    name: str, macro: str, instead: str, unanswered: str, tmp_path: Path, compile_sketch: Compile
) -> None:
    """With the value that the target file avoids the link does not get far."""
    sketch = compile_sketch(tmp_path, SHIPPED[name], "gnu++11", f"-U{macro}", f"-D{macro}={instead}")
    link = msgspec.structs.replace(sketch.target.link, answer_within=3.0)
    _, asked = vectors(200)
    for port in running(sketch.program):
        with pytest.raises(DeviceError, match=f"did not answer {unanswered}"):
            capture_on(port, IDENTITY, asked, msgspec.structs.replace(sketch.target, link=link))
