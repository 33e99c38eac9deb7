"""A serial port on another machine: pyserial's own RFC 2217 server, over loopback, before a real pseudo-terminal."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Iterator

import pytest
import serial
import serial.rfc2217

from tinyhil.deadline import Deadline
from tinyhil.errors import ConfigError, DeviceError, PortLostError
from tinyhil.transport import Transport, open_transport

from .ends import PATIENCE_S, Terminal

EVERY_BYTE = bytes(range(256)) * 3
"""255 is a command of Telnet's, unless it is doubled."""


class WithoutModemLines(serial.Serial):
    """A pseudo-terminal has no modem lines, and the server asks for them."""

    cts = dsr = ri = cd = property(lambda self: True)
    rts = dtr = property(lambda self: True, lambda self, value: None)


class Server:
    """Serves one client at a time until it is closed."""

    def __init__(self, path: str) -> None:
        self.port = WithoutModemLines(path, timeout=0.02)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"rfc2217://127.0.0.1:{self.listener.getsockname()[1]}"
        self.client: socket.socket | None = None
        self._open = True
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        self.client, _ = self.listener.accept()
        manager = serial.rfc2217.PortManager(self.port, self)  # type: ignore[arg-type]
        reader = threading.Thread(target=self._read, args=(manager,), daemon=True)
        reader.start()
        with contextlib.suppress(OSError):
            while data := self.client.recv(1024):
                self.port.write(b"".join(manager.filter(data)))
        self._open = False
        reader.join(PATIENCE_S)

    def _read(self, manager: serial.rfc2217.PortManager) -> None:
        with contextlib.suppress(OSError):
            while self._open:
                data = self.port.read(self.port.in_waiting or 1)
                if data:
                    self.write(b"".join(manager.escape(data)))

    def write(self, data: bytes) -> None:
        """What the manager answers with."""
        assert self.client is not None
        self.client.sendall(data)

    def hang_up(self) -> None:
        if self.client is not None:
            with contextlib.suppress(OSError):
                self.client.shutdown(socket.SHUT_RDWR)
            self.client.close()

    def close(self) -> None:
        self.hang_up()
        self.listener.close()
        self._thread.join(PATIENCE_S)
        self.port.close()


@pytest.fixture
def server(terminal: Terminal) -> Iterator[Server]:
    server = Server(terminal.path)
    yield server
    server.close()


@pytest.fixture
def line(server: Server) -> Iterator[Transport]:
    transport = open_transport(server.address, baud=115200, deadline=Deadline.after(PATIENCE_S))
    yield transport
    transport.close()


def read_all(transport: Transport, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = transport.read(65536, PATIENCE_S)
        assert piece, "nothing more arrives"
        data += piece
    return data


def test_every_byte_value_passes_both_ways(line: Transport, terminal: Terminal) -> None:
    line.write(EVERY_BYTE, Deadline.after(PATIENCE_S))
    received = b""
    while len(received) < len(EVERY_BYTE):
        received += os.read(terminal.master, 65536)
    assert received == EVERY_BYTE
    os.write(terminal.master, EVERY_BYTE)
    assert read_all(line, len(EVERY_BYTE)) == EVERY_BYTE


def test_the_line_rate_reaches_the_port(server: Server) -> None:
    transport = open_transport(server.address, baud=57600, deadline=Deadline.after(PATIENCE_S))
    assert server.port.baudrate == 57600
    transport.close()


def test_read_returns_with_what_is_there_and_no_more_than_asked(line: Transport, terminal: Terminal) -> None:
    os.write(terminal.master, b"abc")
    data = line.read(2, PATIENCE_S)
    assert 1 <= len(data) <= 2
    assert data + read_all(line, 3 - len(data)) == b"abc"
    assert line.read(10, 0.02) == b""


def test_a_server_that_goes_away_is_a_port_that_is_lost(line: Transport, server: Server) -> None:
    server.hang_up()

    def read_on() -> None:
        deadline = Deadline.after(PATIENCE_S)
        while not deadline.expired:
            line.read(10, 0.02)

    with pytest.raises(PortLostError, match="the other end is gone"):
        read_on()


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"rfc2217://127.0.0.1:{listener.getsockname()[1]}"
    with pytest.raises(DeviceError, match="nobody listens at rfc2217://127") as caught:
        open_transport(address, baud=115200, deadline=Deadline.after(1.0))
    assert "port server" in caught.value.hint


def test_an_address_that_cannot_be_meant() -> None:
    with pytest.raises((ConfigError, DeviceError), match="rfc2217://nonsense"):
        open_transport("rfc2217://nonsense", baud=115200, deadline=Deadline.after(1.0))
