"""The target ``renode-nano33ble`` with a stand-in that behaves as the real Renode did (fake_renode.py).

It runs no firmware. What the scripts say is test_emulator_files' to hold.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from tinyhil.artifacts.types import QuantizedModel
from tinyhil.deadline import Deadline
from tinyhil.device.emulator import EmulatorDevice
from tinyhil.errors import DeviceError
from tinyhil.render import render
from tinyhil.targets import registry
from tinyhil.targets.model import Emulator

PATIENCE = 20.0
FAKE = Path(__file__).with_name("fake_renode.py")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def monitor(monkeypatch: pytest.MonkeyPatch) -> int:
    """The port of the monitor that nobody wants."""
    port = free_port()
    monkeypatch.setenv("FAKE_RENODE_MONITOR", str(port))
    return port


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's home."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    return folder


@pytest.fixture
def renode(monitor: int, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """The target's emulator, whose program on PATH is a script that starts the real one, as Debian's launchers do."""
    launcher = tmp_path / "bin" / "renode"
    launcher.parent.mkdir()
    launcher.write_text(f'#!/bin/sh\n{sys.executable} {FAKE} "$@"\n:\n')
    launcher.chmod(launcher.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{launcher.parent}:{os.environ['PATH']}")
    monkeypatch.chdir(home)
    emulator = registry.get("renode-nano33ble").emulator
    assert emulator is not None
    return emulator


@pytest.fixture
def project(tmp_path: Path, tiny_model: bytes, quantized_model: Callable[[Path, bytes], QuantizedModel]) -> Path:
    model = quantized_model(tmp_path, tiny_model)
    made, _ = render(model, registry.get("renode-nano33ble"), "compiled", tmp_path / "project")
    (made.folder / "firmware.elf").write_bytes(b"\x7fELF")
    return made.folder


def started(device: EmulatorDevice, project: Path) -> str:
    return device.start(project / "firmware.elf", Deadline.after(PATIENCE))


def echoed(address: str) -> bytes:
    host, _, port = address.removeprefix("socket://").partition(":")
    with socket.create_connection((host, int(port)), PATIENCE) as client:
        client.settimeout(PATIENCE)
        client.sendall(b"early")
        return client.recv(100)


def ends_at_once(device: EmulatorDevice, project: Path) -> bool:
    """Whether it does not stay, if it comes so far."""
    try:
        started(device, project)
        deadline = Deadline.after(PATIENCE)
        while not deadline.expired:
            device.check()
    except DeviceError as error:
        return "ended" in error.message
    return False


def refused(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) != 0


def test_two_run_at_once_and_nothing_else_is_open_loaded_or_written(
    renode: Emulator, project: Path, monitor: int, home: Path
) -> None:
    with EmulatorDevice(renode, project) as one, EmulatorDevice(renode, project) as other:
        ports = started(one, project), started(other, project)
        assert [echoed(port) for port in ports] == [b"early", b"early"], "it runs before anybody can say anything"
        assert refused(monitor)
        one.check()
        other.check()
    assert [path for path in home.iterdir() if path.name in (".config", "downloaded")] == []


def test_the_cause_is_told_and_not_waited_for(renode: Emulator, project: Path) -> None:
    (project / "firmware.elf").unlink()
    with EmulatorDevice(renode, project) as device, pytest.raises(DeviceError) as told:
        device.start(project / "firmware.elf", Deadline.after(1000.0))
    assert "File does not exist: @" in told.value.message
    assert "There was an error" not in told.value.message
    assert "SVD" not in told.value.message


@pytest.mark.parametrize("key", ["--console", "XDG_CONFIG_HOME", "console"])
def test_the_traps_are_real(key: str, renode: Emulator, project: Path, monitor: int, home: Path) -> None:
    """Without what the target file says, each of them shows in the stand-in."""
    arguments = tuple(each for each in renode.arguments if each != key)
    environment = {name: value for name, value in renode.environment.items() if name != key}
    careless = msgspec.structs.replace(
        renode, arguments=arguments, environment=environment, console=renode.console and key != "console"
    )
    with EmulatorDevice(careless, project) as device:
        if key == "console":
            assert ends_at_once(device, project)
            return
        started(device, project)
        assert refused(monitor) == (key != "--console")
    assert (home / ".config/renode/history").exists() == (key == "XDG_CONFIG_HOME")


def test_it_ends_with_us_although_a_script_has_started_it(renode: Emulator, project: Path, tmp_path: Path) -> None:
    """SIGKILL, while it is still starting: nothing of it reads its console yet."""
    pids = tmp_path / "pid"
    slow = tmp_path / "bin" / "renode"
    slow.write_text(
        f'#!/bin/sh\n{sys.executable} -c \'import os, time; open("{pids}", "w").write(str(os.getpid())); '
        "time.sleep(1000)'\n:\n"
    )
    paths = f"Path({str(project)!r})", f"Path({str(project / 'firmware.elf')!r})"
    start = (
        "from pathlib import Path; from tinyhil.deadline import Deadline; from tinyhil.targets import registry; "
        "from tinyhil.device.emulator import EmulatorDevice; "
        f"device = EmulatorDevice(registry.get('renode-nano33ble').emulator, {paths[0]}); "
        f"device.start({paths[1]}, Deadline.after(100))"
    )
    parent = subprocess.Popen([sys.executable, "-c", start])
    deadline = Deadline.after(PATIENCE)
    while not (pids.exists() and pids.read_text()):
        assert not deadline.expired
        select.select([], [], [], 0.01)
    handle = os.pidfd_open(int(pids.read_text()))
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    assert select.select([handle], [], [], PATIENCE)[0], "the real program lives on"
    os.close(handle)
