"""A terminal of ours that a program opens; that bytes pass is held with the other transports."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tinyhil.deadline import Deadline
from tinyhil.errors import DeviceError, PortBusyError
from tinyhil.terminal import Terminal
from tinyhil.transport import Transport, open_transport, owner
from tinyhil.transport.finder import PortFinder

PATIENCE_S = 30.0


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    made = Terminal()
    yield made
    made.close()


@pytest.fixture
def program(terminal: Terminal) -> Iterator[int]:
    """The other end, as a program opens it."""
    opened = os.open(terminal.path, os.O_RDWR | os.O_NOCTTY)
    yield opened
    os.close(opened)


def taken(address: str) -> Transport:
    return open_transport(address, baud=115200, deadline=Deadline.after(PATIENCE_S))


def test_a_program_finds_it_by_its_path(terminal: Terminal) -> None:
    assert stat.S_ISCHR(Path(terminal.path).stat().st_mode)


def test_it_has_one_user_at_a_time(terminal: Terminal, program: int) -> None:
    first = taken(terminal.address)
    with pytest.raises(PortBusyError, match="is in use"):
        taken(terminal.address)
    first.close()
    second = taken(terminal.address)
    os.write(program, b"here")
    assert second.read(4, PATIENCE_S) == b"here"
    second.close()


def test_what_had_arrived_before_is_thrown_away(terminal: Terminal, program: int) -> None:
    os.write(program, b"old")
    transport = taken(terminal.address)
    os.write(program, b"new")
    assert transport.read(100, PATIENCE_S) == b"new"
    transport.close()


def test_a_program_may_come_and_go(terminal: Terminal) -> None:
    """And whoever reads notices nothing of it: the device is asked whether it runs."""
    transport = taken(terminal.address)
    for text in (b"one", b"two"):
        opened = os.open(terminal.path, os.O_RDWR | os.O_NOCTTY)
        os.write(opened, text)
        os.close(opened)
        assert transport.read(100, PATIENCE_S) == text
    assert transport.read(100, 0.0) == b""
    transport.close()


def test_a_closed_one_cannot_be_taken_and_no_other_has_its_address(terminal: Terminal) -> None:
    terminal.close()
    terminal.close()
    other = Terminal()
    assert other.address != terminal.address
    with pytest.raises(DeviceError, match="was stopped"):
        taken(terminal.address)
    other.close()


def test_its_address_is_no_port_of_the_system_s(terminal: Terminal) -> None:
    """Nothing is looked up for it, and it takes no lock: other processes have others of the same name."""

    def nothing_is_listed() -> list[object]:
        raise AssertionError("the system was asked for its ports")

    finder = PortFinder(terminal.address, nothing_is_listed)  # type: ignore[arg-type]
    finder.remember()
    assert finder.locate() == terminal.address
    assert owner.claim(terminal.address) is None
