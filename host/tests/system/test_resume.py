"""A run that is killed and resumed ends with the report of an unbroken one, and a recording with its verdict.

The number of kills is 8, or what TINYHIL_KILLS says: ``TINYHIL_KILLS=50 pytest host/tests/system/test_resume.py``.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tinyhil.session.journal import Kind
from tinyhil.session.records import unpack
from tinyhil.transport import owner

from .cli import REPOSITORY, Cli, Done

KILLS = int(os.environ.get("TINYHIL_KILLS", "8"))
VECTORS = 256
PATIENCE = 60.0
"""Seconds after which a test gives up waiting; nothing is measured by it."""


@pytest.fixture(scope="session")
def fine_built(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a target ``fine``: one vector in a request, by the UART, so that there are moments to be killed at.

    By semihosting all answers are there before anybody can look.
    """
    folder = tmp_path_factory.mktemp("fine")
    text = (REPOSITORY / "host/tinyhil/targets/data/qemu-m4.toml").read_text()
    text = re.sub(r"^\[emulator\.semihosting\].*?(?=^\[)", "", text, flags=re.MULTILINE | re.DOTALL)
    (folder / "targets").mkdir()
    (folder / "targets" / "fine.toml").write_text(
        text.replace('"qemu-m4"', '"fine"', 1).replace("answer_within = 10.0", "answer_within = 10.0\nmax_batch = 1")
    )
    shutil.copytree(made / "sine" / "model", folder / "build" / "sine" / "model")
    done = Cli(folder)("build", "sine", "--target", "fine")
    assert done.code == 0, done.err
    return folder


@pytest.fixture
def fine(fine_built: Path, tmp_path: Path) -> str:
    """The target ``fine``, built in ``tmp_path``."""
    shutil.copytree(fine_built, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".pio"))
    return "fine"


@pytest.fixture
def build(tmp_path: Path) -> Path:
    """The build folder of a test."""
    return tmp_path / "build"


def answers(journal: Path) -> int:
    """How many answers the journal holds."""
    try:
        with journal.open("rb") as stream:
            return sum(record.kind == Kind.ANSWER for record in unpack(stream))
    except FileNotFoundError:
        return 0


def until(journal: Path, count: int, running: subprocess.Popen[str]) -> None:
    """Returns once the journal holds ``count`` answers."""
    end = time.monotonic() + PATIENCE
    while answers(journal) < count:
        assert running.poll() is None, running.communicate()
        assert time.monotonic() < end, f"waited in vain for {count} answers"
        time.sleep(0.0005)


def killed(cli: Cli, arguments: list[str], journal: Path, count: int, delay: float) -> int:
    """Kills a run roughly when it has ``count`` answers and a moment has passed; returns how many it has by then."""
    with cli.start(*arguments) as running:
        until(journal, count, running)
        time.sleep(delay)
        running.kill()
        running.communicate()
    assert running.returncode == -signal.SIGKILL
    return answers(journal)


def report(build: Path, target: str) -> tuple[bytes, bytes]:
    """Both files, byte by byte: nothing in them is a time, but for when the run was in JUnit's.

    What was sent again depends on the line, and is left out.
    """
    folder = build / "sine" / target
    junit = re.sub(rb' (time|timestamp)="[^"]*"', b"", (folder / "report.xml").read_bytes())
    junit = re.sub(rb'\n *<property name="retries[^>]*>', b"", junit)
    return re.sub(rb'(?s)"retries": \{.*?\}', b"", (folder / "report.json").read_bytes()), junit


def passed(done: Done) -> str:
    """The hash of its verdict."""
    assert done.code == 0, done.out + done.err
    (line,) = (line for line in done.out.splitlines() if line.startswith("verdict "))
    return line.split()[-1]


@pytest.mark.long
def test_a_run_that_is_killed_again_and_again(tinyhil: Cli, fine: str, build: Path) -> None:
    journal = build / "sine" / fine / "journal"
    unbroken = passed(tinyhil("run", "sine", "--target", fine))
    expected = report(build, fine)
    for name in ("report.json", "report.xml", "journal"):
        (build / "sine" / fine / name).unlink()

    dice = random.Random(20_240_229)
    kept = 0
    command = ["verify", "sine", "--target", fine, "--resume"]
    for count in sorted(dice.sample(range(1, VECTORS - 20), KILLS)):
        wanted = max(count, kept + 1)
        found = killed(tinyhil, command, journal, wanted, dice.uniform(0.0, 0.01))
        assert found >= wanted, "an answer was lost"
        kept = found
    done = tinyhil(*command)
    assert passed(done) == unbroken
    assert f"{VECTORS} vectors, {kept} of them from the journal" in done.out
    assert report(build, fine) == expected


@pytest.mark.long
def test_two_unbroken_runs_count_the_same_instructions(tinyhil: Cli, fine: str, build: Path) -> None:
    verdict = passed(tinyhil("run", "sine", "--target", fine))
    written = report(build, fine)
    assert passed(tinyhil("verify", "sine", "--target", fine)) == verdict
    assert report(build, fine) == written


@pytest.mark.long
def test_what_led_to_a_report_is_asked_again(tinyhil: Cli, copied: Path) -> None:
    passed(tinyhil("run", "sine"))
    done = tinyhil("run", "sine", "--resume")
    passed(done)
    assert "nothing was resumed: the run that wrote the journal is complete" in done.out


@pytest.mark.long
def test_another_firmware_is_asked_afresh(tinyhil: Cli, fine: str, build: Path) -> None:
    journal = build / "sine" / fine / "journal"
    killed(tinyhil, ["run", "sine", "--target", fine], journal, 5, 0.0)
    elf = tinyhil.cwd / "other.elf"
    elf.write_bytes((build / "sine" / fine / "firmware" / "firmware.elf").read_bytes() + b"\0")
    done = tinyhil("verify", "sine", "--target", fine, "--firmware", elf, "--resume")
    passed(done)
    assert "from the journal" not in done.out, "it has a folder of its own"
    assert journal.exists()


@contextlib.contextmanager
def emulator(elf: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A device that runs on its own, and its port."""
    machine = ["-M", "mps2-an386", "-display", "none", "-monitor", "none", "-serial", "pty", "-icount", "shift=0"]
    argv = ["qemu-system-arm", *machine, "-kernel", str(elf)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().split("redirected to ")[1].split()[0]
        finally:
            process.kill()


@pytest.mark.long
def test_a_device_that_stops_in_the_middle(tinyhil: Cli, copied: Path, target_file: Callable[..., str]) -> None:
    name = target_file("halting", ("answer_within = 10.0", "answer_within = 5.0\nmax_batch = 1"))
    assert tinyhil("build", "sine", "--target", name).code == 0
    folder = copied / "sine" / name
    with emulator(folder / "firmware" / "firmware.elf") as (process, port):
        command = ["verify", "sine", "--target", name, "--port", port]
        with tinyhil.start(*command) as running:
            until(folder / "journal", 20, running)
            process.send_signal(signal.SIGSTOP)
            _, errors = running.communicate(timeout=PATIENCE)
        assert running.returncode == 3, errors
        kept = answers(folder / "journal")
        assert 20 <= kept < VECTORS
        assert f"{kept} of {VECTORS} vectors are answered and in the journal" in errors
        assert "--resume" in errors
        assert json.loads((folder / "report.json").read_text())["verdict"] == "blocked"
        process.send_signal(signal.SIGCONT)
        done = tinyhil(*command, "--resume")
        passed(done)
        assert f"{VECTORS} vectors, {kept} of them from the journal" in done.out


@pytest.mark.long
def test_a_replay_gives_the_verdict_of_the_run(
    tinyhil: Cli, fine: str, build: Path, path_without: Callable[..., str]
) -> None:
    verdict = passed(tinyhil("run", "sine", "--target", fine, "--record", "run.rec", "--json", "run.json"))
    bare = replace(tinyhil, path=path_without("qemu-system-arm", "arm-none-eabi-gcc", "arm-none-eabi-g++"))
    assert passed(bare("replay", "run.rec", "--json", "replay.json")) == verdict
    assert (tinyhil.cwd / "run.json").read_bytes() == (tinyhil.cwd / "replay.json").read_bytes()


@pytest.mark.long
def test_a_resumed_run_is_recorded_whole(tinyhil: Cli, fine: str, build: Path) -> None:
    journal = build / "sine" / fine / "journal"
    assert killed(tinyhil, ["run", "sine", "--target", fine], journal, 30, 0.0) < VECTORS
    verdict = passed(tinyhil("verify", "sine", "--target", fine, "--resume", "--record", "rest.rec"))
    assert passed(tinyhil("replay", "rest.rec")) == verdict


def test_a_replay_of_a_run_that_was_killed_is_blocked(tinyhil: Cli, fine: str, build: Path) -> None:
    journal = build / "sine" / fine / "journal"
    killed(tinyhil, ["run", "sine", "--target", fine, "--record", "killed.rec"], journal, 30, 0.0)
    done = tinyhil("replay", "killed.rec")
    assert done.code == 3
    assert "the recording ends before the run did" in done.err
    assert "Traceback" not in done.err


def test_what_is_no_recording_is_wrong_usage(tinyhil: Cli) -> None:
    (tinyhil.cwd / "notes.txt").write_text("no recording")
    done = tinyhil("replay", "notes.txt")
    assert done.code == 2
    assert "not a recording" in done.err


def test_a_port_that_another_process_holds(tinyhil: Cli, copied: Path) -> None:
    master, slave = os.openpty()
    port = os.ttyname(slave)
    with owner.owned(port):
        done = tinyhil("verify", "sine", "--port", port)
    os.close(master)
    os.close(slave)
    assert done.code == 3, done.out + done.err
    assert f"{port} is busy, held by PID {os.getpid()}" in done.err
    assert "BLOCKED" in done.err
