"""An owner that lends its port steps aside for another process, and knows when the port is free again."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tinyhil.artifacts import lock
from tinyhil.errors import PortBusyError
from tinyhil.transport import owner

from .ends import PATIENCE_S, Terminal

CLAIMER = """
import contextlib
import sys
from tinyhil.errors import PortBusyError
from tinyhil.transport import owner

asking = owner.unasked() if sys.argv[2] == "unasked" else contextlib.nullcontext()
print("ready", flush=True)
with asking:
    try:
        owner.claim(sys.argv[1], lends=sys.argv[2] == "lends")
    except PortBusyError as error:
        print(error.message, flush=True)
    else:
        print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Locks of this process and its children lie in ``tmp_path``."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return tmp_path / "tinyhil"


@contextlib.contextmanager
def claimer(address: str, how: str, environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Another process that claims the port."""
    with subprocess.Popen(
        [sys.executable, "-c", CLAIMER, address, how],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert said(process) == "ready"
        try:
            yield process
        finally:
            process.kill()


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().rstrip()


@pytest.fixture
def environment(child_environment: dict[str, str], locks: Path) -> dict[str, str]:
    return {**child_environment, "XDG_RUNTIME_DIR": str(locks.parent)}


def until(condition: object) -> None:
    """Waits until a call says yes."""
    assert callable(condition)
    ends = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.005)


def test_a_port_that_is_lent_goes_to_who_asks_and_comes_back(terminal: Terminal, environment: dict[str, str]) -> None:
    claimed = owner.claim(terminal.path, lends=True)
    assert not owner.wanted(claimed)
    with claimer(terminal.path, "plain", environment) as other:
        until(lambda: owner.wanted(claimed))
        assert not owner.is_free(claimed)
        owner.release(claimed)
        assert said(other) == "held"
        assert not owner.wanted(claimed)
        assert not owner.is_free(claimed)
    until(lambda: owner.is_free(claimed))
    owner.release(owner.claim(terminal.path, lends=True))


def test_an_owner_that_does_not_step_aside_is_named(
    terminal: Terminal, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with claimer(terminal.path, "lends", environment) as other:
        assert said(other) == "held"
        monkeypatch.setattr(owner, "LENT_WITHIN_S", 0.1)
        with pytest.raises(PortBusyError, match=f"held by PID {other.pid}, a monitor that did not step aside"):
            owner.claim(terminal.path)
    assert not owner._held


def test_a_monitor_is_not_asked_by_who_only_looks(terminal: Terminal, environment: dict[str, str]) -> None:
    claimed = owner.claim(terminal.path, lends=True)
    with claimer(terminal.path, "unasked", environment) as other:
        assert said(other).endswith("a monitor")
    assert not owner.wanted(claimed)
    owner.release(claimed)


def test_two_who_ask_get_it_one_after_the_other(terminal: Terminal, environment: dict[str, str]) -> None:
    claimed = owner.claim(terminal.path, lends=True)
    with (
        claimer(terminal.path, "plain", environment) as first,
        claimer(terminal.path, "plain", environment) as second,
    ):
        until(lambda: owner.wanted(claimed))
        owner.release(claimed)
        answers = {said(first), said(second)}
        assert "held" in answers
        assert any("is busy, held by PID" in answer for answer in answers)


def test_who_asked_and_was_killed_wants_nothing_any_more(terminal: Terminal, environment: dict[str, str]) -> None:
    claimed = owner.claim(terminal.path, lends=True)
    with claimer(terminal.path, "plain", environment) as other:
        until(lambda: owner.wanted(claimed))
        other.kill()
        other.wait(PATIENCE_S)
        assert not owner.wanted(claimed)
    owner.release(claimed)


def test_to_look_at_a_lock_neither_takes_nor_makes_it(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    assert not lock.is_held(path)
    assert not path.exists()
    handle = lock.claim(path, "a note")
    assert lock.is_held(path)
    lock.release(handle)
    assert not lock.is_held(path)


def test_ports_without_a_lock_are_never_wanted() -> None:
    claimed = owner.claim("loop://", lends=True)
    assert not owner.wanted(claimed)
    assert owner.is_free(claimed)
