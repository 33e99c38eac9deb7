"""The fault proxy as a user has it: the command, and the fixture, between a real emulator and a real run."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tinyhil.deadline import Deadline
from tinyhil.device.emulator import EmulatorDevice
from tinyhil.targets.model import Target

from .cli import Cli
from .test_hil_plugin import run_pytest

RUNS = 40
"""After so many runs at one chance in two, a resend is certain enough (10^-12)."""


@pytest.fixture
def emulator(qemu_m4: Target, made: Path) -> Iterator[str]:
    """The port of a running emulator with the firmware of ``sine``."""
    assert qemu_m4.emulator is not None
    with EmulatorDevice(qemu_m4.emulator) as running:
        yield running.start(made / "sine/qemu-m4/firmware/firmware.elf", Deadline.after(30.0))


@pytest.fixture
def proxied(tinyhil: Cli) -> Iterator[Callable[..., tuple[subprocess.Popen[str], str]]]:
    """Starts ``tinyhil proxy`` and returns the process and the first line that it prints."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str | Path) -> tuple[subprocess.Popen[str], str]:
        child = tinyhil.start("proxy", *arguments)
        started.append(child)
        assert child.stdout is not None
        return child, child.stdout.readline().rstrip()

    yield start
    for child in started:
        if child.poll() is None:
            child.kill()
            child.communicate()


def test_a_run_through_mild_faults_passes_after_resends(
    tinyhil: Cli, emulator: str, proxied: Callable[..., tuple[subprocess.Popen[str], str]], copied: Path, tmp_path: Path
) -> None:
    link, counted = tmp_path / "bad", tmp_path / "counted.json"
    mild = ("--seed", "3", "--drop", "0.1", "--duplicate", "0.1", "--garbage", "0.1", "--flip", "1e-6")
    child, line = proxied("--port", emulator, "--link", link, "--json", counted, *mild)
    assert line == f"serial port redirected to {link}"
    resends = runs = 0
    while not resends:
        assert runs < RUNS
        runs += 1
        done = tinyhil("verify", "sine", "--port", link, "--build-dir", copied, "--json", "out.json", "-v")
        assert done.code == 0, done.out + done.err
        report = json.loads((tmp_path / "out.json").read_text())
        assert report["verdict"] == "pass"
        repeated = re.search(r"link: sent .* bytes, (\d+) repeated", done.out)
        assert repeated
        resends += int(repeated[1])
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=30)
    assert (child.returncode, err) == (0, "")
    assert "dropped frames" in out
    counters = json.loads(counted.read_text())
    dropped = sum(counters[way]["dropped_frames"] for way in ("to_device", "to_host"))
    assert dropped > 0
    assert counters["to_device"]["frames"] >= 4 * runs
    assert not link.is_symlink()


def test_a_device_that_ends_blocks_and_still_shows_the_counters(
    proxied: Callable[..., tuple[subprocess.Popen[str], str]], tmp_path: Path
) -> None:
    master, slave = os.openpty()
    counted = tmp_path / "counted.json"
    child, line = proxied("--port", os.ttyname(slave), "--json", counted)
    os.close(slave)
    assert line.startswith("serial port redirected to /dev/")
    os.close(master)
    _, err = child.communicate(timeout=30)
    assert child.returncode == 3
    assert "the other end is gone" in err
    assert json.loads(counted.read_text())["to_device"]["bytes_in"] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--flip", "2"), "bit_flip = 2.0 is outside its limits"),
        (("--reset-every", "3"), "needs a way to reset"),
        (("--reset-every", "3", "--reset-pid", "1", "--reset-command", "true"), "exclude each other"),
        (("--reset-every", "3", "--reset-pid", "1", "--reset-signal", "NONSENSE"), "there is no signal NONSENSE"),
        (("--reset-every", "3", "--reset-pid", "0"), "is no process"),
        (("--reset-every", "3", "--reset-command", "'"), "cannot be read"),
        (("--reset-every", "3", "--reset-command", ""), "is empty"),
        (("--baud", "0"), "0 baud"),
        ((), "there is no port /dev/absent"),
    ],
)
def test_wrong_use_is_said(tinyhil: Cli, arguments: tuple[str, ...], message: str) -> None:
    done = tinyhil("proxy", "--port", "/dev/absent", *arguments)
    assert done.code == (2 if arguments else 3)
    assert message in done.err
    assert "Traceback" not in done.err


TESTS = """
import os, tty

from tinyhil.transport import open_transport
from tinyhil.deadline import Deadline


def test_one(fault_proxy):
    master, slave = os.openpty()
    tty.setraw(slave)
    proxy = fault_proxy(os.ttyname(slave), seed=1, bit_flip=1.0)
    host = open_transport(proxy.port, baud=115200, deadline=Deadline.after(30))
    host.write(b"\\x00\\xff", Deadline.after(30))
    assert os.read(master, 1) == b"\\xff"
    assert os.read(master, 1) == b"\\x00"
    assert proxy.counters["to_device"].bit_flips == 16
    host.close()
    os.close(slave)
    os.close(master)


def test_they_are_stopped(fault_proxy):
    import threading

    assert threading.active_count() == 1
"""


@pytest.mark.long
def test_the_fixture_makes_proxies_and_stops_them(tinyhil: Cli, tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(TESTS)
    done = run_pytest(tinyhil, tmp_path / "test_it.py", "-W", "error")
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout
