"""Real ends to talk to: a pseudo terminal, a TCP and a Unix socket."""

from __future__ import annotations

import contextlib
import os
import socket
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from tinyhil import terminal as terminals
from tinyhil.deadline import Deadline
from tinyhil.transport import open_transport

from .ends import PATIENCE_S, Peer, Terminal


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    master, slave = os.openpty()
    tty.setraw(slave)
    terminal = Terminal(master, os.ttyname(slave))
    os.close(slave)
    yield terminal
    terminal.hang_up()


@pytest.fixture(params=["pty", "tcp", "unix", "terminal"])
def peer(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Peer]:
    """A peer of each kind, connected through ``open_transport``."""
    deadline = Deadline.after(PATIENCE_S)
    if request.param == "pty":
        terminal: Terminal = request.getfixturevalue("terminal")
        transport = open_transport(terminal.path, baud=115200, deadline=deadline)
        yield Peer(
            transport,
            lambda data: os.write(terminal.master, data),
            lambda size: os.read(terminal.master, size),
            terminal.hang_up,
        )
        transport.close()
        return
    if request.param == "terminal":
        line = terminals.Terminal()
        program = os.open(line.path, os.O_RDWR | os.O_NOCTTY)

        def hang_up() -> None:
            os.close(program)
            line.close()

        transport = open_transport(line.address, baud=115200, deadline=deadline)
        yield Peer(transport, lambda data: os.write(program, data), lambda size: os.read(program, size), hang_up)
        transport.close()
        with contextlib.suppress(OSError):  # it has hung up
            hang_up()
        return
    with socket.socket(socket.AF_INET if request.param == "tcp" else socket.AF_UNIX) as listener:
        listener.bind(("127.0.0.1", 0) if request.param == "tcp" else str(tmp_path / "device"))
        listener.listen()
        name = listener.getsockname()
        address = f"tcp://127.0.0.1:{name[1]}" if request.param == "tcp" else f"unix:{name}"
        transport = open_transport(address, baud=115200, deadline=deadline)
        connected, _ = listener.accept()
        with connected:
            yield Peer(transport, connected.send, connected.recv, connected.close)
        transport.close()
