"""The line by semihosting: real QEMU, and firmware that opens a terminal of ours."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tinyhil import process
from tinyhil.deadline import Deadline
from tinyhil.device.emulator import EmulatorDevice
from tinyhil.errors import ConfigError, DeviceError, PortLostError
from tinyhil.targets.model import SEMIHOSTING, UART, Emulator
from tinyhil.transport import Transport, open_transport

from .. import semihosting
from .test_emulator import children, death_of, ends, patience

DATA = os.urandom(100_000)


@pytest.fixture(scope="module")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return semihosting.build(tmp_path_factory.mktemp("echo"), semihosting.ECHO)


@pytest.fixture
def device(qemu: Emulator) -> Iterator[EmulatorDevice]:
    with EmulatorDevice(qemu, line=SEMIHOSTING) as device:
        yield device


def opened(port: str) -> contextlib.closing[Transport]:
    return contextlib.closing(open_transport(port, baud=115200, deadline=patience()))


def exchanged(port: str, data: bytes) -> bytes:
    """What comes back of ``data``."""
    deadline = patience()
    with opened(port) as line:
        line.write(data, deadline)
        back = b""
        while len(back) < len(data) and not deadline.expired:
            back += line.read(65536, deadline.remaining)
        return back


def test_every_byte_comes_back_however_many_there_are(device: EmulatorDevice, echo: Path) -> None:
    port = device.start(echo, patience())
    assert exchanged(port, DATA) == DATA


def test_one_session_follows_another(device: EmulatorDevice, echo: Path) -> None:
    port = device.start(echo, patience())
    assert [exchanged(port, data) for data in (b"first", b"second")] == [b"first", b"second"]


def test_started_again_it_has_another_line_and_the_one_before_is_gone(device: EmulatorDevice, echo: Path) -> None:
    first = device.start(echo, patience())
    with opened(first) as line:
        second = device.start(echo, patience())
        assert second != first
        with pytest.raises(PortLostError, match="the other end is gone"):
            line.read(1, 20.0)
    with pytest.raises(DeviceError, match="the program at its other end was stopped"):
        open_transport(first, baud=115200, deadline=patience())
    assert exchanged(second, b"again") == b"again"


def test_nothing_is_left_open(device: EmulatorDevice, echo: Path) -> None:
    before = set(Path("/proc/self/fd").iterdir())
    for _ in range(3):
        exchanged(device.start(echo, patience()), b"x")
        device.stop()
    assert set(Path("/proc/self/fd").iterdir()) == before


def test_firmware_that_waits_for_a_byte_is_ended_without_being_asked(
    device: EmulatorDevice, echo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It holds QEMU's lock, so QEMU would not hear of a SIGTERM."""
    monkeypatch.setattr(process, "GRACE_SECONDS", 1e6)
    assert exchanged(device.start(echo, patience()), b"x") == b"x"
    device.stop()


def test_an_emulator_that_ends_is_noticed(device: EmulatorDevice, echo: Path) -> None:
    device.start(echo, patience())
    os.kill(device.pid, signal.SIGKILL)
    assert death_of(device).message.startswith("qemu-system-arm ended with signal SIGKILL")


def test_an_emulator_without_the_line_is_refused(qemu: Emulator) -> None:
    with pytest.raises(ConfigError, match="has no line by semihosting"):
        EmulatorDevice(msgspec.structs.replace(qemu, semihosting=None), line=SEMIHOSTING)


def test_the_facts_say_which_line_it_is(qemu: Emulator, echo: Path) -> None:
    assert (qemu.line, msgspec.structs.replace(qemu, semihosting=None).line) == (SEMIHOSTING, UART)
    with EmulatorDevice(qemu, line=None) as device:
        assert exchanged(device.start(echo, patience()), b"x") == b"x"


PARENT = """\
import contextlib, sys, time
from pathlib import Path
from tinyhil.deadline import Deadline
from tinyhil.device.emulator import EmulatorDevice
from tinyhil.targets import registry
with EmulatorDevice(registry.get("qemu-m4").emulator, line="semihosting") as device:
    device.start(Path(sys.argv[1]), Deadline.after(20))
    print("started", flush=True)
    time.sleep(1000)
"""


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGKILL])
def test_no_emulator_survives_its_parent(ending: signal.Signals, qemu: Emulator, echo: Path) -> None:
    if ending == signal.SIGKILL and shutil.which("setpriv") is None:
        pytest.skip("setpriv is not installed: apt-get install util-linux")
    environment = {**os.environ, "PYTHONPATH": str(Path(process.__file__).parents[1])}
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(echo)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env=environment, text=True,
    ) as parent:  # fmt: skip
        assert parent.stdout is not None
        assert parent.stdout.readline() == "started\n"
        (child,) = children(parent.pid)
        parent.send_signal(ending)
    assert ends(child)


@pytest.mark.parametrize(("line", "got_in"), [(UART, False), (SEMIHOSTING, True)])
def test_files_of_this_computer_are_open_to_firmware_on_this_line_only(
    line: str, got_in: bool, qemu: Emulator, tmp_path: Path
) -> None:
    """As docs/security.md says; without semihosting the instruction that asks is a fault."""
    source = semihosting.THIEF.replace("MADE", str(tmp_path / "made")).replace("SECRET", str(tmp_path / "secret"))
    (tmp_path / "secret").write_text("secret")
    firmware = semihosting.build(tmp_path / "thief", source)
    with EmulatorDevice(qemu, line=line) as device:
        device.start(firmware, patience())
        deadline = Deadline.after(20.0 if got_in else 2.0)
        while not (tmp_path / "made").exists() and not deadline.expired:
            time.sleep(0.01)
        device.check()
    assert (tmp_path / "made").exists() is got_in
