"""A board is found by its USB serial number, whatever its port is called.

There is no USB here: the list of ports is what a machine with USB would give, and the rest is real.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tinyhil.deadline import Deadline
from tinyhil.errors import ConfigError, DeviceError
from tinyhil.transport import finder, open_transport
from tinyhil.transport.finder import PortFinder, PortInfo

from .ends import PATIENCE_S, Terminal


@dataclass
class Port:
    """One entry of the list."""

    device: str
    serial_number: str | None
    location: str | None = None
    vid: int | None = None
    pid: int | None = None


class Machine:
    """A machine with these ports."""

    def __init__(self, *ports: PortInfo) -> None:
        self.ports = ports

    def __call__(self) -> tuple[PortInfo, ...]:
        return self.ports


def test_a_serial_number_leads_to_the_port() -> None:
    machine = Machine(Port("/dev/ttyS0", None), Port("/dev/ttyACM0", "B"), Port("/dev/ttyACM1", "A"))
    found = PortFinder("usb:A", machine)
    assert found.locate() == "/dev/ttyACM1"
    machine.ports = (Port("/dev/ttyACM7", "A"),)
    assert found.locate() == "/dev/ttyACM7"


def test_a_path_is_followed_to_its_board_s_next_name(tmp_path: Path) -> None:
    (tmp_path / "ttyACM0").touch()
    (tmp_path / "by-id").symlink_to(tmp_path / "ttyACM0")
    machine = Machine(Port(str(tmp_path / "ttyACM1"), "B"), Port(str(tmp_path / "ttyACM0"), "A"))
    found = PortFinder(str(tmp_path / "by-id"), machine)
    assert found.locate() == str(tmp_path / "by-id")
    found.remember()
    machine.ports = (Port("/dev/ttyACM0", "B"), Port("/dev/ttyACM5", "A"))
    assert found.locate() == "/dev/ttyACM5"


def test_a_path_whose_board_has_no_number_is_tried_again(tmp_path: Path) -> None:
    path = str(tmp_path / "ttyUSB0")
    found = PortFinder(path, Machine(Port(path, None)))
    found.remember()
    assert found.locate() == path


def test_a_path_whose_board_has_no_number_is_not_another_device(tmp_path: Path) -> None:
    path = str(tmp_path / "ttyUSB0")
    machine = Machine(Port(path, None, vid=0x1A86, pid=0x7523))
    found = PortFinder(path, machine)
    found.remember()
    machine.ports = ()
    assert found.locate() == path
    for other in (Port(path, None, vid=0x10C4, pid=0xEA60), Port(path, "A", vid=0x1A86, pid=0x7523)):
        machine.ports = (other,)
        with pytest.raises(DeviceError, match="is another device now"):
            found.locate()
    machine.ports = (Port(path, None, vid=0x1A86, pid=0x7523),)
    assert found.locate() == path


def test_of_a_board_with_several_ports_the_same_one_is_taken_again(tmp_path: Path) -> None:
    gdb, uart = str(tmp_path / "ttyACM0"), str(tmp_path / "ttyACM1")
    machine = Machine(Port(gdb, "A", "1-2:1.0"), Port(uart, "A", "1-2:1.2"))
    found = PortFinder(uart, machine)
    found.remember()
    machine.ports = (Port("/dev/ttyACM3", "A", "3-1:1.2"), Port("/dev/ttyACM4", "A", "3-1:1.0"))
    assert found.locate() == "/dev/ttyACM3"


def test_a_number_that_names_several_ports_is_refused() -> None:
    machine = Machine(Port("/dev/ttyACM1", "A", "1-2:1.2"), Port("/dev/ttyACM0", "A", "1-2:1.0"))
    with pytest.raises(DeviceError, match="has 2 ports: /dev/ttyACM0, /dev/ttyACM1"):
        PortFinder("usb:A", machine).locate()


def test_a_board_that_is_not_there() -> None:
    with pytest.raises(DeviceError, match="no port has the USB serial number A"):
        PortFinder("usb:A", Machine(Port("/dev/ttyACM0", "B"))).locate()


def test_no_number() -> None:
    with pytest.raises(ConfigError, match="usb: lacks"):
        PortFinder("usb:")


@pytest.mark.parametrize("address", ["tcp://localhost:1", "unix:/tmp/x", "loop://"])
def test_what_is_no_path_is_left_alone(address: str) -> None:
    def never() -> tuple[PortInfo, ...]:
        raise AssertionError("nobody asked for a serial port")

    found = PortFinder(address, never)
    found.remember()
    assert found.locate() == address


def test_a_transport_opens_by_number(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finder.PortFinder.__init__, "__defaults__", (Machine(Port(terminal.path, "A")),))
    transport = open_transport("usb:A", baud=115200, deadline=Deadline.after(PATIENCE_S))
    assert transport.name == terminal.path
    transport.close()


def test_the_ports_of_this_machine_can_be_listed() -> None:
    for port in finder.present():
        assert port.device
        assert port.serial_number is None or isinstance(port.serial_number, str)
        assert port.location is None or isinstance(port.location, str)
