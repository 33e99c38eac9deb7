"""Ctrl-C, a polite kill and a rough kill, in every stage: the right exit code, and nothing left running."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

import pytest

from .cli import Cli

PATIENCE = 60.0
"""Seconds after which a test gives up waiting; nothing is measured by it."""


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Returns once ``condition`` holds."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.02)


class Running:
    """A command that runs, and its output so far."""

    def __init__(self, child: subprocess.Popen[str]) -> None:
        self.child = child
        self.lines: list[str] = []
        assert child.stdout is not None
        assert child.stderr is not None
        self._readers = [threading.Thread(target=self._read, args=(stream,)) for stream in (child.stdout, child.stderr)]
        for reader in self._readers:
            reader.start()

    def _read(self, stream: IO[str]) -> None:
        with stream:
            self.lines.extend(stream)

    def says(self, text: str) -> bool:
        """Whether a line with ``text`` has come."""
        return any(text in line for line in self.lines)

    def ended(self) -> int:
        """Waits for the end and returns the exit code."""
        code = self.child.wait(PATIENCE)
        for reader in self._readers:
            reader.join(PATIENCE)
        return code


@pytest.fixture
def frozen(target_file: Callable[..., str]) -> str:
    """A target whose emulator starts with its CPU stopped, so that its session never gets an answer."""
    return target_file("frozen", ('"-M",', '"-S", "-M",'), ("answer_within = 10.0", "answer_within = 600.0"))


def start_in(stage: str, tinyhil: Cli, copied: Path, frozen: str) -> Running:
    """A run that stands in ``stage``."""
    recipe = copied / "sine"
    if stage == "train":
        shutil.rmtree(recipe)
    if stage == "quantize":
        shutil.rmtree(recipe / "model" / "int8")
    if stage == "build":
        shutil.rmtree(recipe / "qemu-m4")
    target = frozen if stage == "session" else "qemu-m4"
    running = Running(tinyhil.start("run", "sine", "--target", target, "-v"))
    sign = {
        "train": "tinyhil.train.child",
        "quantize": "tinyhil.quantize.convert_child",
        "build": "platformio run",
        "session": "qemu-system-arm",
    }[stage]
    wait_until(lambda: any(sign in command for command in tinyhil.leftovers()), f"{stage} to begin")
    return running


@pytest.mark.parametrize("stage", ["train", pytest.param("quantize", marks=pytest.mark.long), "build", "session"])
def test_ctrl_c(tinyhil: Cli, copied: Path, frozen: str, stage: str) -> None:
    running = start_in(stage, tinyhil, copied, frozen)
    running.child.send_signal(signal.SIGINT)
    assert running.ended() == 130, running.lines
    assert running.says("interrupted")
    assert not running.says("Traceback")
    assert tinyhil.leftovers() == []


@pytest.mark.long
@pytest.mark.parametrize("stage", ["train", "session"])
def test_a_polite_kill_ends_as_orderly(tinyhil: Cli, copied: Path, frozen: str, stage: str) -> None:
    running = start_in(stage, tinyhil, copied, frozen)
    running.child.terminate()
    assert running.ended() == 130
    assert tinyhil.leftovers() == []


@pytest.mark.parametrize("stage", [pytest.param("train", marks=pytest.mark.long), "session"])
def test_a_rough_kill_leaves_no_orphan(tinyhil: Cli, copied: Path, frozen: str, stage: str) -> None:
    running = start_in(stage, tinyhil, copied, frozen)
    os.kill(running.child.pid, signal.SIGKILL)
    running.ended()
    wait_until(lambda: tinyhil.leftovers() == [], "the children to be gone")


def test_an_interrupted_stage_is_run_again_and_finished_ones_are_not(tinyhil: Cli, copied: Path, frozen: str) -> None:
    running = start_in("build", tinyhil, copied, frozen)
    running.child.send_signal(signal.SIGINT)
    assert running.ended() == 130
    done = tinyhil("run", "sine")
    assert done.code == 0, done.err
    assert "quantize   unchanged" in done.out
    assert "build      unchanged" not in done.out
