"""Flash and verify as two commands, through PlatformIO's upload: what a board would be flashed by starts ``native``."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tinyhil.deadline import Deadline
from tinyhil.transport import open_transport, owner

from .cli import REPOSITORY, Cli, Done

TARGETS = REPOSITORY / "host/tinyhil/targets/data"
RECIPES = REPOSITORY / "host/tinyhil/config/recipes"


@pytest.fixture(scope="module")
def built(sine_on: Callable[..., Path]) -> Path:
    if shutil.which("g++") is None:
        pytest.skip("blocked: g++ is not installed")
    return sine_on("native")


@pytest.fixture
def desk(tinyhil: Cli, built: Path) -> Iterator[Cli]:
    """The command line in a folder with the model made; what was flashed there is stopped at the end."""
    shutil.copytree(built / "sine/model", tinyhil.cwd / "build/sine/model")
    shutil.copytree(built / "sine/native", tinyhil.cwd / "build/sine/native", symlinks=True)
    yield tinyhil
    for project in (tinyhil.cwd / "build").glob("*/native"):
        tinyhil("flash", project.parent.name, "--target", "native", "--stop")


def shown(done: Done) -> list[str]:
    """The next command, as it was shown."""
    assert done.code == 0, done.out + done.err
    found = re.search(r"^next: +tinyhil (.*)$", done.out, re.MULTILINE)
    assert found, done.out
    return shlex.split(found[1])


def upload(cwd: Path, recipe: str = "sine") -> Path:
    return cwd / f"build/{recipe}/native/project/.pio/upload/native"


def process(cwd: Path) -> int:
    return int(json.loads((upload(cwd) / "record").read_text())["pid"])


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] not in "ZX"
    except OSError:
        return False


def shows_its_demo(port: Path) -> bool:
    """Whether a serial monitor sees it, long before the 30 s after which it comes back without a goodbye."""
    with contextlib.closing(open_transport(str(port), baud=115200, deadline=Deadline.after(20))) as line:
        said = b""
        patience = Deadline.after(10)
        while said.count(b"\n") < 3 and not patience.expired:
            said += line.read(256, patience.remaining)
    return re.search(rb"\nx:\d\.\d+ y:-?\d\.\d+\r?\n", said) is not None


def test_flash_then_verify_then_stop(desk: Cli) -> None:
    verify = shown(desk("flash", "sine", "--target", "native"))
    assert verify[-2] == "--port"
    first, port = process(desk.cwd), desk.cwd / verify[-1]
    assert runs(first)
    assert shows_its_demo(port)
    done = desk(*verify)
    assert done.code == 0, done.out + done.err
    assert "PASS" in done.out
    assert shows_its_demo(port)
    # It is still there afterwards, and for the one who comes next.
    assert runs(first)
    asked = desk("ports", verify[-1], "--json", "ports.json")
    assert asked.code == 0, asked.err
    answer = {entry["device"]: entry for entry in json.loads((desk.cwd / "ports.json").read_text())}[verify[-1]]
    assert (answer["state"], answer["engine"]) == ("answers", "compiled")

    # A second flash ends the first process and keeps the path.
    assert shown(desk("flash", "sine", "--target", "native")) == verify
    assert not runs(first)
    second = process(desk.cwd)
    assert runs(second)
    done = desk("flash", "sine", "--target", "native", "--stop")
    assert done.code == 0, done.err
    assert not runs(second)
    assert not os.path.lexists(port)
    assert desk("flash", "sine", "--target", "native", "--stop").code == 0


@pytest.mark.long
def test_a_monitor_steps_aside_for_verify_and_for_flash_and_is_back(desk: Cli) -> None:
    """What is flashed anew has another terminal behind the path that the monitor knows."""
    verify = shown(desk("flash", "sine", "--target", "native"))
    child = desk.start("monitor", "--port", verify[-1])
    lines, told = child.stdout, ""
    assert lines is not None
    assert child.stderr is not None

    def shows_demo() -> None:
        assert any(re.match(r"x:\d\.\d+ y:-?\d\.\d+$", lines.readline()) for _ in range(5))

    shows_demo()
    done = desk(*verify)
    assert done.code == 0, done.out + done.err
    assert "PASS" in done.out
    while "is open again" not in told:
        told += child.stderr.readline()
    assert "is lent to another tinyhil process" in told
    shows_demo()
    shown(desk("flash", "sine", "--target", "native"))
    while told.count("is open again") < 2:
        told += child.stderr.readline()
    shows_demo()
    child.send_signal(signal.SIGINT)
    child.communicate(timeout=60)
    assert child.returncode == 0


@pytest.mark.long
def test_an_emulator_is_left_running_and_stopped_without_making_anything(tinyhil: Cli, made: Path) -> None:
    """Its demo is on the port that the next command names, at once."""
    shutil.copytree(made / "sine/model", tinyhil.cwd / "build/sine/model")
    try:
        port = tinyhil.cwd / shown(tinyhil("flash", "sine", "--target", "qemu-m4"))[-1]
        pid = int(json.loads((port.parent / "record").read_text())["pid"])
        assert runs(pid)
        assert shows_its_demo(port)
        shutil.rmtree(tinyhil.cwd / "build/sine/model")
    finally:
        done = tinyhil("flash", "sine", "--target", "qemu-m4", "--stop")
    assert done.code == 0, done.err
    assert not runs(pid)
    assert not os.path.lexists(port)
    assert not (tinyhil.cwd / "build/sine/model").exists()


@pytest.mark.long
def test_a_process_that_is_not_the_firmware_is_never_ended(desk: Cli) -> None:
    """The record of a process that has ended, and whose number another one has got: ours."""
    folder = upload(desk.cwd)
    folder.mkdir(parents=True)
    started = int(Path("/proc/self/stat").read_text().rpartition(") ")[2].split()[19])
    of_it = {"pid": os.getpid(), "started": started, "program": str(folder / "firmware")}
    (folder / "record").write_text(json.dumps(of_it))
    assert shown(desk("flash", "sine", "--target", "native"))
    assert process(desk.cwd) != os.getpid()


@pytest.mark.long
def test_another_model_is_noticed_with_both_hashes(desk: Cli) -> None:
    (desk.cwd / "recipes").mkdir()
    shutil.copy(RECIPES / "sine.py", desk.cwd / "recipes/other.py")
    text = (RECIPES / "sine.toml").read_text().replace('"sine"', '"other"').replace("sine.py", "other.py")
    text = re.sub(r"^epochs = .*$", "epochs = 1", text, flags=re.MULTILINE)
    (desk.cwd / "recipes/other.toml").write_text(text)
    other = shown(desk("flash", "other", "--target", "native"))
    done = desk("verify", "sine", "--target", "native", "--port", other[-1])
    assert done.code == 3, done.out + done.err
    said = re.search(r"runs another model: it says ([0-9a-f]{64}), expected ([0-9a-f]{64})", done.err)
    assert said, done.err
    models = [
        json.loads((desk.cwd / f"build/{recipe}/model/int8/artifact.json").read_text()) for recipe in ("other", "sine")
    ]
    assert [str(model).count(found) > 0 for model, found in zip(models, said.groups(), strict=True)] == [True, True]


def test_a_failed_upload(desk: Cli) -> None:
    folder = upload(desk.cwd).parent
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text("in the way")
    done = desk("flash", "sine", "--target", "native")
    folder.unlink()
    assert done.code == 3, done.out + done.err
    assert "could not flash native" in done.err
    assert "next:" in done.err


@pytest.fixture
def board_target(desk: Cli) -> str:
    """A target that builds as ``native`` does, but is a board behind USB, with an id that nothing has."""
    text = (TARGETS / "native.toml").read_text().replace('name = "native"', 'name = "desk-board"', 1)
    text = re.sub(r"^\[emulator\]\n(?:.+\n)*", "", text, flags=re.MULTILINE)
    text = re.sub(r'^port = "\.pio.*$', 'usb = ["1209:fffe"]', text, flags=re.MULTILINE)
    (desk.cwd / "targets").mkdir()
    (desk.cwd / "targets/desk-board.toml").write_text(text)
    return "desk-board"


@pytest.mark.parametrize(
    "command", ["flash", *(pytest.param(command, marks=pytest.mark.long) for command in ("run", "verify"))]
)
def test_no_board_is_plugged_in(desk: Cli, board_target: str, command: str) -> None:
    done = desk(command, "sine", "--target", board_target)
    assert done.code == 3, done.out + done.err
    assert "no desk-board is plugged in: no serial port has the USB id 1209:fffe" in done.err
    assert "tinyhil ports" in done.err


def test_a_port_that_another_run_holds(desk: Cli, board_target: str) -> None:
    master, slave = os.openpty()
    with owner.owned(os.ttyname(slave)):
        done = desk("flash", "sine", "--target", board_target, "--port", os.ttyname(slave))
    os.close(master)
    os.close(slave)
    assert done.code == 3, done.out + done.err
    assert f"is busy, held by PID {os.getpid()}" in done.err


def test_a_board_leaves_nothing_to_stop(desk: Cli, board_target: str) -> None:
    done = desk("flash", "sine", "--target", board_target, "--stop")
    assert done.code == 2, done.out + done.err
    assert "leaves nothing running on this computer" in done.err
