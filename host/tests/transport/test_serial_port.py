"""Serial ports that cannot be opened or vanish, each with its own message, and pyserial's URLs."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import serial

from tinyhil.deadline import Deadline
from tinyhil.errors import ConfigError, DeviceError
from tinyhil.transport.serial_port import open_serial

from .ends import PATIENCE_S, Terminal

EMULATOR = """
import os, sys
master, slave = os.openpty()
print(os.ttyname(slave), flush=True)
os.close(slave) if sys.stdin.readline() else None
sys.stdin.readline()
"""


@contextmanager
def powerless() -> Iterator[None]:
    """Takes root's right to open everything away, where we are root."""
    nobody = 65534
    root = os.geteuid() == 0
    if root:
        os.seteuid(nobody)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def test_a_port_is_ours_alone(terminal: Terminal) -> None:
    first = open_serial(terminal.path)
    with pytest.raises(DeviceError, match="in use by another program") as caught:
        open_serial(terminal.path)
    assert "close" in caught.value.hint
    first.close()
    open_serial(terminal.path).close()


def test_a_missing_port(tmp_path: Path) -> None:
    path = str(tmp_path / "ttyACM0")
    with pytest.raises(DeviceError, match=f"there is no port {path}") as caught:
        open_serial(path)
    assert "plug the board in" in caught.value.hint


def test_a_port_without_permission(terminal: Terminal) -> None:
    Path(terminal.path).chmod(0)
    with powerless(), pytest.raises(DeviceError, match=f"no permission to open {terminal.path}") as caught:
        open_serial(terminal.path)
    assert "dialout" in caught.value.hint


@pytest.mark.parametrize("kind", ["file", "folder", "device"])
def test_what_is_no_serial_port(kind: str, tmp_path: Path) -> None:
    path = {"file": tmp_path / "notes.txt", "folder": tmp_path, "device": Path("/dev/null")}[kind]
    if kind == "file":
        path.touch()
    with pytest.raises(DeviceError, match=f"{path} is not a serial port"):
        open_serial(str(path))


def test_an_emulator_that_dies_is_noticed() -> None:
    arguments = [sys.executable, "-c", EMULATOR]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as emulator:
        assert emulator.stdin
        assert emulator.stdout
        port = open_serial(emulator.stdout.readline().strip())
        emulator.stdin.write("opened\n")
        emulator.stdin.flush()
        assert port.read(1, 0.0) == b""
        emulator.kill()
        with pytest.raises(DeviceError, match="the other end is gone"):
            port.read(1, PATIENCE_S)
        with pytest.raises(DeviceError, match="the other end is gone"):
            port.write(b"x", Deadline.after(PATIENCE_S))
        port.close()


def test_a_port_that_is_dead_when_opened(terminal: Terminal) -> None:
    slave = os.open(terminal.path, os.O_RDWR | os.O_NOCTTY)
    terminal.hang_up()
    with pytest.raises(DeviceError, match=terminal.path):
        open_serial(terminal.path)
    os.close(slave)


def test_a_port_that_dies_while_it_is_opened(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(fileno: int, queue: int) -> None:
        raise termios.error(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr("termios.tcflush", fail)
    with pytest.raises(DeviceError, match=f"{terminal.path} cannot be opened: .*{os.strerror(errno.EIO)}"):
        open_serial(terminal.path)


def test_a_url_goes_through_pyserial() -> None:
    port = open_serial("loop://")
    assert port.name == "loop://"
    assert port.read(10, 0.0) == b""
    everything = bytes(range(256))
    port.write(everything, Deadline.after(PATIENCE_S))
    assert port.read(2, PATIENCE_S) == everything[:2]
    assert port.read(1000, PATIENCE_S) == everything[2:]
    port.close()
    port.close()
    with pytest.raises(DeviceError, match="closed"):
        port.read(1, 0.0)


def test_a_url_that_takes_nothing_hits_the_deadline() -> None:
    port = open_serial("loop://", baud=300)
    with pytest.raises(DeviceError, match=r"did not take 1000 bytes within 0\.01 s"):
        port.write(bytes(1000), Deadline.after(0.01))
    port.close()


def test_a_url_whose_server_is_absent() -> None:
    with pytest.raises(DeviceError, match=r"nobody listens at socket://127\.0\.0\.1:1"):
        open_serial("socket://127.0.0.1:1")


@pytest.mark.parametrize(("address", "baud"), [("warp://x", 115200), ("loop://", -1)])
def test_what_cannot_be_meant(address: str, baud: int) -> None:
    with pytest.raises(ConfigError, match=f"{address} cannot be opened at {baud} baud"):
        open_serial(address, baud)


@pytest.mark.parametrize("controls", [(True, True), (False, False), (True, False)])
def test_the_control_lines_are_set_before_the_port_is_opened(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, controls: tuple[bool, bool]
) -> None:
    """When it opens a port pyserial raises or drops them, whichever it was told before."""
    told: list[object] = []
    opening = serial.Serial.open

    def record(port: Any) -> None:
        told.append((port.dtr, port.rts))
        opening(port)

    monkeypatch.setattr(serial.Serial, "open", record)
    open_serial(terminal.path, 115200, controls).close()
    assert told == [controls]
