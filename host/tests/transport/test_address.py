"""Addresses that cannot be meant. Those that can are opened by the tests of every transport."""

from __future__ import annotations

import socket
from typing import Any

import pytest
import serial

from tinyhil.deadline import Deadline
from tinyhil.errors import ConfigError
from tinyhil.transport import Pollable, open_transport


@pytest.mark.parametrize(
    "address", ["tcp://", "tcp://host", "tcp://:4000", "tcp://host:0", "tcp://host:70000", "tcp:x"]
)
def test_no_tcp_address(address: str) -> None:
    with pytest.raises(ConfigError, match="no TCP address") as caught:
        open_transport(address, baud=115200, deadline=Deadline.after(0.0))
    assert "tcp://host:port" in caught.value.hint


def test_no_unix_path() -> None:
    with pytest.raises(ConfigError, match="lacks the path"):
        open_transport("unix:", baud=115200, deadline=Deadline.after(0.0))


def test_pyserial_s_socket_url_is_tcp_here() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        transport = open_transport(f"socket://127.0.0.1:{port}", baud=115200, deadline=Deadline.after(30.0))
        assert transport.name == f"tcp://127.0.0.1:{port}"
        transport.close()


def test_other_schemes_are_pyserial_s() -> None:
    transport = open_transport("loop://", baud=115200, deadline=Deadline.after(0.0))
    assert transport.name == "loop://"
    assert not isinstance(transport, Pollable)
    transport.close()


@pytest.mark.parametrize(("parity", "letter"), [("none", "N"), ("even", "E"), ("odd", "O")])
def test_the_parity_is_the_ports(parity: str, letter: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pseudo-terminal has none, so what pyserial is told is looked at."""
    opened: list[str] = []
    real = serial.serial_for_url

    def noted(url: str, **options: Any) -> Any:
        opened.append(str(options["parity"]))
        return real(url, **options)

    monkeypatch.setattr(serial, "serial_for_url", noted)
    open_transport("loop://", baud=9600, deadline=Deadline.after(1.0), parity=parity).close()
    assert opened == [letter]
