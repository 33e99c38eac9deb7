"""What a test leaves behind is named and taken away."""

from __future__ import annotations

import os
import signal
import subprocess
import threading

import pytest

from tinyhil.transport import owner

from . import leftovers


def test_nothing_is_nothing() -> None:
    assert leftovers.take_away(leftovers.snapshot()) == []


def test_a_descriptor_lets_go_and_can_still_be_closed() -> None:
    before = leftovers.snapshot()
    master, slave = os.openpty()
    terminal = os.ttyname(slave)
    found = leftovers.take_away(before)
    assert len(found) == 2
    assert any(terminal in each for each in found)
    assert {os.readlink(f"/proc/self/fd/{number}") for number in (master, slave)} == {os.devnull}  # noqa: PTH115
    os.close(master)
    os.close(slave)
    assert leftovers.snapshot() == before


def test_a_number_that_leads_elsewhere_is_another_descriptor() -> None:
    first, second = os.openpty()
    before = leftovers.snapshot()
    os.close(second)
    assert os.dup(first) == second
    master = leftovers.snapshot().descriptors[first]  # a container calls it otherwise than a machine
    assert leftovers.take_away(before) == [f"descriptor {second}: {master}"]
    os.close(first)
    os.close(second)


def test_a_process_is_ended() -> None:
    before = leftovers.snapshot()
    with subprocess.Popen(["sleep", "1000"]) as left:
        (found,) = leftovers.take_away(before)
        assert found == f"the process {left.pid}: sleep 1000"
        assert left.wait() == -signal.SIGKILL
    assert leftovers.take_away(before) == []


def test_a_thread_that_ends_by_itself_is_waited_for() -> None:
    before = leftovers.snapshot()
    may_end = threading.Event()
    thread = threading.Thread(target=may_end.wait, name="of a test")
    thread.start()
    may_end.set()
    assert leftovers.take_away(before) == []
    assert not thread.is_alive()


def test_a_thread_that_stays_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leftovers, "GRACE_S", 0.01)
    before = leftovers.snapshot()
    may_end = threading.Event()
    thread = threading.Thread(target=may_end.wait, name="of a test")
    thread.start()
    assert leftovers.take_away(before) == ["the thread of a test"]
    may_end.set()
    thread.join()


def test_a_port_is_free_again() -> None:
    before = leftovers.snapshot()
    path = owner.claim("tcp://127.0.0.1:1")
    assert path is not None
    found = leftovers.take_away(before)
    assert f"the port of {path.name}" in found
    assert len(found) == 2, "its lock file is a descriptor too"
    assert path not in owner._held
