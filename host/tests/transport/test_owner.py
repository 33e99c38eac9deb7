"""A port has one owner across processes; the second is told who that is, and gets in however the first one ends."""

from __future__ import annotations

import contextlib
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tinyhil.deadline import Deadline
from tinyhil.errors import DeviceError, ExitCode
from tinyhil.transport import Transport, open_transport, owner

from .ends import PATIENCE_S, Terminal

HOLDER = """
import sys
import time
from tinyhil.deadline import Deadline
from tinyhil.transport import open_transport

transport = open_transport(sys.argv[1], baud=115200, deadline=Deadline.after(30.0))
print("held", flush=True)
sys.stdin.read()
transport.close()
"""


def opened(address: str) -> Transport:
    return open_transport(address, baud=115200, deadline=Deadline.after(PATIENCE_S))


@contextlib.contextmanager
def holder(address: str, environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the port."""
    command = [sys.executable, "-c", HOLDER, address]
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture(params=["XDG_RUNTIME_DIR", "TMPDIR"])
def environment(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    child_environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> dict[str, str]:
    """An environment for this process and another one, in which locks lie in ``tmp_path``."""
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setenv(request.param, str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    without = {name: value for name, value in child_environment.items() if name != "XDG_RUNTIME_DIR"}
    return {**without, request.param: str(tmp_path)}


def test_the_second_is_told_who_the_first_is(terminal: Terminal, environment: dict[str, str]) -> None:
    with holder(terminal.path, environment) as other:
        with pytest.raises(DeviceError, match=f"{terminal.path} is busy, held by PID {other.pid}$") as caught:
            opened(terminal.path)
        assert caught.value.exit_code is ExitCode.BLOCKED
        other.communicate()
        opened(terminal.path).close()


def test_a_symbolic_link_is_the_same_port(terminal: Terminal, environment: dict[str, str], tmp_path: Path) -> None:
    link = tmp_path / "by-id"
    link.symlink_to(terminal.path)
    with (
        holder(terminal.path, environment) as other,
        pytest.raises(DeviceError, match=f"{link} is busy, held by PID {other.pid}$"),
    ):
        opened(str(link))


def test_a_killed_owner_holds_nothing(terminal: Terminal, environment: dict[str, str]) -> None:
    with holder(terminal.path, environment) as other:
        other.send_signal(signal.SIGKILL)
        other.wait(PATIENCE_S)
        opened(terminal.path).close()


def test_another_port_is_free(terminal: Terminal, environment: dict[str, str]) -> None:
    master, slave = os.openpty()
    with holder(terminal.path, environment):
        opened(os.ttyname(slave)).close()
    os.close(master)
    os.close(slave)


def test_a_port_that_could_not_be_opened_is_not_held(tmp_path: Path, environment: dict[str, str]) -> None:
    path = tmp_path / "ttyACM0"
    with pytest.raises(DeviceError, match="there is no port"):
        opened(str(path))
    assert not owner._held


def test_within_a_process_it_is_held_until_the_last_has_let_go(terminal: Terminal, environment: dict[str, str]) -> None:
    with owner.owned(terminal.path):
        transport = opened(terminal.path)
        transport.close()
        transport.close()
        assert len(owner._held) == 1
        asked = subprocess.run(
            [sys.executable, "-c", HOLDER, terminal.path],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        assert f"held by PID {os.getpid()}" in asked.stderr
    assert not owner._held


def test_the_folder_of_the_locks_is_ours_alone(terminal: Terminal, environment: dict[str, str], tmp_path: Path) -> None:
    opened(terminal.path).close()
    (folder,) = (path for path in tmp_path.iterdir() if path.name.startswith("tinyhil"))
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_pyserial_s_loop_has_no_owner() -> None:
    assert owner.claim("loop://") is None
    owner.release(None)


CLAIMER = (
    "import sys\nfrom tinyhil.transport import owner\nowner.claim(sys.argv[1])\nprint('held', flush=True)\ninput()\n"
)


def test_a_lock_is_dropped_with_its_pseudo_terminal(environment: dict[str, str], tmp_path: Path) -> None:
    """A run that waits for an emulator that has ended does not hold the terminal that gets its number next."""
    master, slave = os.openpty()
    path = os.ttyname(slave)
    with subprocess.Popen(
        [sys.executable, "-c", CLAIMER, path], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(DeviceError, match=f"held by PID {other.pid}$"):
            owner.claim(path)
        os.close(master)
        os.close(slave)
        time.sleep(0.02)  # more than a tick of the kernel's clock, by which terminals are told apart
        master, slave = os.openpty()
        if os.ttyname(slave) != path:
            pytest.skip("another process was given the number")
        owner.release(owner.claim(path))
        other.kill()
    owner.release(owner.claim(path))
    assert len(list(tmp_path.glob("tinyhil*/*.lock"))) == 1, "that of the terminal that is gone is removed"
    os.close(master)
    os.close(slave)
