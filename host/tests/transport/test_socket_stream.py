"""Connecting: what is waited for, what is not, and how a socket is set."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from tinyhil.deadline import Deadline
from tinyhil.errors import DeviceError
from tinyhil.transport.socket_stream import connect_tcp, connect_unix

from .ends import PATIENCE_S


def test_tcp_sends_small_requests_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stream = connect_tcp("127.0.0.1", listener.getsockname()[1], Deadline.after(PATIENCE_S))
        with socket.socket(fileno=os.dup(stream._fileno)) as same:
            assert same.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        stream.close()


def test_tcp_waits_for_its_listener(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        # The first pause proves that the first attempt failed.
        monkeypatch.setattr("time.sleep", lambda seconds: listener.listen())
        stream = connect_tcp("127.0.0.1", listener.getsockname()[1], Deadline.after(PATIENCE_S))
        stream.close()


def test_unix_waits_for_its_listener(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = str(tmp_path / "device")
    with socket.socket(socket.AF_UNIX) as listener:
        steps = iter((lambda: listener.bind(path), listener.listen))
        monkeypatch.setattr("time.sleep", lambda seconds: next(steps)())
        stream = connect_unix(path, Deadline.after(PATIENCE_S))
        stream.close()


def test_nobody_listens_at_the_tcp_port() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        with pytest.raises(DeviceError, match=r"nobody listened at tcp://127.0.0.1:\d+ within 0.05 s"):
            connect_tcp("127.0.0.1", bound.getsockname()[1], Deadline.after(0.05))


def test_nobody_listens_at_the_unix_path(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="nobody listened at unix:"):
        connect_unix(str(tmp_path / "device"), Deadline.after(0.05))


def test_a_unix_path_that_is_no_socket_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.touch()
    with pytest.raises(DeviceError, match="is not a Unix socket"):
        connect_unix(str(path), Deadline.after(PATIENCE_S))


def test_a_unix_path_that_no_socket_can_have(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="cannot be reached: AF_UNIX path too long"):
        connect_unix(str(tmp_path / ("x" * 200)), Deadline.after(PATIENCE_S))


def test_loopback_never_meets_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    def meet_oneself(address: tuple[str, int], timeout: float) -> socket.socket:
        alone = socket.socket()
        alone.bind(address)
        alone.connect(address)
        return alone

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    monkeypatch.setattr("socket.create_connection", meet_oneself)
    with pytest.raises(DeviceError, match="nobody listened"):
        connect_tcp("127.0.0.1", port, Deadline.after(0.0))
