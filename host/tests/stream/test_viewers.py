"""Others look on at a port that a monitor has, and see what it sees."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tinyhil.errors import DeviceError
from tinyhil.stream.events import Came, Changed, Dropped, Event, Sent, State
from tinyhil.stream.source import PortSource
from tinyhil.stream.viewers import FollowedPort, Viewers
from tinyhil.transport import owner

from .board import Board

PATIENCE_S = 30.0


def until(events: list[Event], source: FollowedPort, condition: Callable[[], bool]) -> None:
    ends = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < ends, events
        source.wait(0.05)
        events += source.take()


def came(events: list[Event]) -> bytes:
    return b"".join(event.data for event in events if isinstance(event, Came))


def until_open(viewer: FollowedPort, events: list[Event]) -> None:
    until(events, viewer, lambda: viewer.state is State.OPEN)


def until_sent(viewer: FollowedPort, events: list[Event]) -> None:
    """What was typed is told, and what was printed before it."""
    until(events, viewer, lambda: bool(came(events)) and any(isinstance(event, Sent) for event in events))


def test_all_see_what_the_monitor_sees(board: Board) -> None:
    with PortSource(board.path) as monitor:
        with FollowedPort(board.path) as one, FollowedPort(board.path) as other:
            viewers: list[tuple[FollowedPort, list[Event]]] = [(one, []), (other, [])]
            for viewer, events in viewers:
                until_open(viewer, events)
            board.print("x:1\n")
            monitor.send(b"typed")
            for viewer, events in viewers:
                until_sent(viewer, events)
                assert came(events) == b"x:1\n"
            with pytest.raises(DeviceError, match="looked on at only"):
                one.send(b"no")
            with monitor.aside():
                until([], one, lambda: one.state is State.LENT)
            until_open(one, [])
        board.print("x:2\n")  # for nobody but the monitor, which does not mind
        with FollowedPort(board.path) as late:
            events = []
            until_open(late, events)
            board.print("x:3\n")
            until(events, late, lambda: b"x:3\n" in came(events))
            assert os.read(board.master, 100) == b"typed"
            monitor.close()
            until(events, late, lambda: late.state is State.ENDED)
            assert "has ended" in late.said
            assert late.take() == []
            assert not late.wait(0.0)


def test_nobody_has_the_port(board: Board) -> None:
    with pytest.raises(DeviceError, match="no monitor of yours has") as told:
        FollowedPort(board.path).start()
    assert told.value.hint == f"open it yourself: tinyhil monitor --port {board.path}"
    with PortSource(board.path):
        pass
    with pytest.raises(DeviceError, match="no monitor of yours has"):
        FollowedPort(board.path).start()


def test_the_socket_of_a_monitor_that_was_killed_is_no_hindrance(board: Board) -> None:
    claimed = owner.lock_file(board.path)
    killed = Viewers(board.path)
    killed.let_in(claimed)
    for door in killed._doors.values():
        door.close()
    with PortSource(board.path), FollowedPort(board.path) as viewer:
        until([], viewer, lambda: viewer.state is State.OPEN)


def test_a_port_that_two_monitors_had_in_turn_is_the_last_one_s(board: Board) -> None:
    """As when one has lent it, and another one opens it first."""
    claimed = owner.lock_file(board.path)
    first, second = Viewers(board.path), Viewers(board.path)
    first.let_in(claimed)
    second.let_in(claimed)
    first.close()
    with FollowedPort(board.path):
        pass
    third = Viewers(board.path)
    third.let_in(claimed)
    second.let_in(claimed)
    third.close()
    with FollowedPort(board.path):
        pass
    second.close()
    with pytest.raises(DeviceError, match="no monitor of yours has"):
        FollowedPort(board.path).start()


def test_who_does_not_take_what_comes_is_told_what_it_has_missed(board: Board) -> None:
    viewers = Viewers(board.path, most_waiting=100_000)
    viewers.let_in(owner.lock_file(board.path))
    events: list[Event] = []
    with FollowedPort(board.path) as viewer:
        opened = Changed(State.OPEN, "open", 0.0)
        viewers.look(opened)
        for number in range(1000):
            viewers.put(Came(b"%01000d" % number, float(number)))
        assert max(len(each._waiting) for each in viewers._viewers) <= 100_000
        until(events, viewer, lambda: not viewer.wait(0.0))

        def all_told() -> bool:
            viewers.look(opened)
            viewers.put(Came(b"", 0.0))
            return any(isinstance(event, Dropped) for event in events)

        until(events, viewer, all_told)
        dropped = sum(event.bytes for event in events if isinstance(event, Dropped))
        assert dropped > 0
        assert len(came(events)) + dropped == 1000 * 1000
        viewers.close()


def test_a_stranger_at_the_socket_is_no_monitor(board: Board) -> None:
    claimed = owner.lock_file(board.path)
    viewers = Viewers(board.path)
    viewers.let_in(claimed)
    ((path, door),) = viewers._doors.items()
    with FollowedPort(board.path) as viewer:
        connection, _ = door.accept()
        connection.sendall(b"\x05\0\0\0\x15hello\0\0\0\0")
        until([], viewer, lambda: viewer.state is State.ENDED)
        connection.close()
    viewers.close()
    assert not path.exists()


def test_a_path_that_is_too_long_for_a_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The monitor goes on without: nobody can look on."""
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    made = Board()
    with PortSource(made.path) as monitor:
        assert monitor.state is State.OPEN
        with pytest.raises(DeviceError, match="no monitor of yours has"):
            FollowedPort(made.path).start()
    made.unplug()
