"""Where nothing can move on the screen, a word every now and then, on standard error."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tinyhil.cli.silence import Silence

from .cli import Cli
from .test_interrupt import Running, wait_until


def test_a_stage_that_takes_long_says_so(tinyhil: Cli, copied: Path, target_file: Callable[..., str]) -> None:
    """The emulator starts with its CPU stopped, so the session waits."""
    frozen = target_file("frozen", ('"-M",', '"-S", "-M",'), ("answer_within = 10.0", "answer_within = 600.0"))
    running = Running(tinyhil.start("run", "sine", "--target", frozen))
    wait_until(lambda: sum(line.startswith("... session, ") for line in running.lines) == 2, "a word, and another one")
    running.child.send_signal(signal.SIGINT)
    assert running.ended() == 130
    assert tinyhil.leftovers() == []


def test_it_says_what_is_being_done_now(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tinyhil.cli.silence.SILENCE_S", 0.06)
    told = ""

    def says(text: str) -> bool:
        nonlocal told
        out, err = capfd.readouterr()
        assert out == ""
        told += err
        return text in told

    with Silence("the first") as silence:
        wait_until(lambda: says("... the first, 0 s"), "a word")
        silence.begin("the second")
        wait_until(lambda: says("... the second, 0 s"), "another one")
    says("")
    first, second = told.rindex("first"), told.index("second")
    assert first < second
