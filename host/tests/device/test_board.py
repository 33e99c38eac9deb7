"""A board is found, flashed where it has to be, and found again, whatever becomes of its port meanwhile.

The surroundings are scripted: which ports there are, and what answers at each, changes as boards' ports do.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tinyhil.deadline import Deadline
from tinyhil.device.board import BoardDevice, Flash, usb_id
from tinyhil.errors import DeviceError, PortBusyError, StaleFirmwareError
from tinyhil.targets.wire import Upload

UPLOAD = Upload(usb=("2341:805a", "2341:005a"), settle=0.3)
WANTED = "a" * 64
OTHER = "b" * 64


@dataclass
class Plug:
    """A port that is plugged in, and what answers there: a project, nothing (None), or an error."""

    device: str
    answer: str | DeviceError | None = None
    serial_number: str | None = "N1"
    vid: int | None = 0x2341
    pid: int | None = 0x805A


@dataclass
class ScriptedSurroundings:
    """What is plugged in, and what an upload does to it."""

    ports: list[Plug] = field(default_factory=list)
    on_upload: Callable[[ScriptedSurroundings], None] = lambda surroundings: None
    log: list[str] = field(default_factory=list)
    held: list[str] = field(default_factory=list)

    def present(self) -> list[Plug]:
        return [port for port in self.ports if port.device.startswith("/dev/tty")]

    def locate(self, port: str) -> str:
        return port

    def ask(self, port: str) -> str | None:
        self.log.append(f"ask {port}")
        for listed in self.ports:
            if listed.device == port:
                if isinstance(listed.answer, DeviceError):
                    raise listed.answer
                return listed.answer
        raise DeviceError(f"there is no port {port}")

    @contextlib.contextmanager
    def hold(self, port: str) -> Iterator[None]:
        self.held.append(port)
        yield
        self.held.remove(port)

    def upload(self, port: str | None) -> None:
        assert port is None or port in self.held, "flashed without holding the port"
        self.log.append(f"upload {port}")
        self.on_upload(self)


def board(surroundings: ScriptedSurroundings, flash: Flash = Flash.IF_STALE, port: str | None = None) -> BoardDevice:
    return BoardDevice(
        "nano33ble", UPLOAD, surroundings, project=WANTED, folder=Path("project"), flash=flash, port=port
    )


def start(device: BoardDevice) -> str:
    return device.start(Path("firmware.elf"), Deadline.after(30.0))


def becomes(*ports: Plug) -> Callable[[ScriptedSurroundings], None]:
    def change(surroundings: ScriptedSurroundings) -> None:
        surroundings.ports = list(ports)

    return change


def test_ids_are_written_as_in_target_files() -> None:
    assert usb_id(Plug("/dev/ttyACM0")) == "2341:805a"
    assert usb_id(Plug("/dev/ttyS0", vid=None, pid=None)) == ""


def test_a_board_that_runs_the_project_is_not_flashed_again() -> None:
    surroundings = ScriptedSurroundings([Plug("/dev/ttyS0", vid=None, pid=None), Plug("/dev/ttyACM0", WANTED)])
    with board(surroundings) as device:
        assert start(device) == "/dev/ttyACM0"
        assert surroundings.held == ["/dev/ttyACM0"]
    assert surroundings.held == []
    assert surroundings.log == ["ask /dev/ttyACM0"]


@pytest.mark.parametrize("answer", [OTHER, None])
def test_a_board_that_runs_anything_else_is_flashed(answer: str | None) -> None:
    surroundings = ScriptedSurroundings([Plug("/dev/ttyACM0", answer)], becomes(Plug("/dev/ttyACM0", WANTED)))
    with board(surroundings) as device:
        assert start(device) == "/dev/ttyACM0"
    assert surroundings.log == ["ask /dev/ttyACM0", "upload /dev/ttyACM0", "ask /dev/ttyACM0"]


def test_flash_flashes_what_runs_the_project_already() -> None:
    surroundings = ScriptedSurroundings([Plug("/dev/ttyACM0", WANTED)])
    start(board(surroundings, Flash.ALWAYS))
    assert "upload /dev/ttyACM0" in surroundings.log


def test_verify_does_not_flash_and_leaves_asking_to_the_session() -> None:
    surroundings = ScriptedSurroundings([Plug("/dev/ttyACM0", OTHER)])
    assert start(board(surroundings, Flash.NEVER)) == "/dev/ttyACM0"
    assert surroundings.log == []


def test_it_comes_back_under_another_name() -> None:
    surroundings = ScriptedSurroundings(
        [Plug("/dev/ttyACM0", OTHER), Plug("/dev/ttyACM5", OTHER, "N2", pid=0x1234)],
        becomes(Plug("/dev/ttyACM5", OTHER, "N2", pid=0x1234), Plug("/dev/ttyACM1", WANTED)),
    )
    with board(surroundings) as device:
        assert start(device) == "/dev/ttyACM1"
        assert "/dev/ttyACM1" in surroundings.held
    assert surroundings.held == []


def test_a_boot_loader_may_have_another_serial_number() -> None:
    surroundings = ScriptedSurroundings(
        [Plug("/dev/ttyACM0", None, "BOOT", pid=0x005A)], becomes(Plug("/dev/ttyACM1", WANTED, "RUNNING"))
    )
    assert start(board(surroundings)) == "/dev/ttyACM1"


def test_the_port_of_its_old_life_is_not_taken_for_the_new_one() -> None:
    """It is still listed, and still answers, when the upload has ended."""
    looks = 0

    class Slow(ScriptedSurroundings):
        def present(self) -> list[Plug]:
            nonlocal looks
            if any(entry.startswith("upload") for entry in self.log):
                looks += 1
            if looks == 1:
                return [Plug("/dev/ttyACM0", OTHER)]
            if looks == 2:
                self.ports = []
            if looks == 3:
                self.ports = [Plug("/dev/ttyACM1", WANTED)]
            return super().present()

    surroundings = Slow([Plug("/dev/ttyACM0", OTHER)])
    assert start(board(surroundings)) == "/dev/ttyACM1"
    assert looks >= 3


def test_it_does_not_come_back() -> None:
    surroundings = ScriptedSurroundings([Plug("/dev/ttyACM0", OTHER)], becomes())
    with pytest.raises(DeviceError, match=r"did not come back within 0\.3 s: no port came back") as caught:
        start(board(surroundings))
    assert "reset button" in caught.value.hint
    assert surroundings.held == []


def test_it_comes_back_with_what_it_ran_before() -> None:
    surroundings = ScriptedSurroundings([Plug("/dev/ttyACM0", OTHER)])
    with pytest.raises(StaleFirmwareError, match=f"it says {OTHER}, expected {WANTED}"):
        start(board(surroundings))


def test_none_is_plugged_in() -> None:
    surroundings = ScriptedSurroundings([Plug("/dev/ttyS0", vid=None, pid=None), Plug("/dev/ttyUSB0", pid=0x1111)])
    with pytest.raises(DeviceError, match="no serial port has the USB id 2341:805a or 2341:005a") as caught:
        start(board(surroundings))
    assert "tinyhil ports" in caught.value.hint
    assert surroundings.log == []


def test_of_several_the_one_that_answers() -> None:
    surroundings = ScriptedSurroundings(
        [
            Plug("/dev/ttyACM0", PortBusyError("busy"), "N0"),
            Plug("/dev/ttyACM1", None, "N1"),
            Plug("/dev/ttyACM2", WANTED, "N2"),
        ]
    )
    assert start(board(surroundings)) == "/dev/ttyACM2"


def test_several_answer() -> None:
    surroundings = ScriptedSurroundings([Plug("/dev/ttyACM0", WANTED, "N0"), Plug("/dev/ttyACM1", OTHER, "N1")])
    with pytest.raises(DeviceError, match=r"2 ports may be .* and answer: /dev/ttyACM0, /dev/ttyACM1") as caught:
        start(board(surroundings))
    assert "--port" in caught.value.hint
    assert not any(entry.startswith("upload") for entry in surroundings.log)


def test_none_of_several_answers() -> None:
    surroundings = ScriptedSurroundings(
        [Plug("/dev/ttyACM0", None, "N0"), Plug("/dev/ttyACM1", PortBusyError("busy"), "N1")]
    )
    with pytest.raises(DeviceError, match=r"none answers: /dev/ttyACM0 \(silent\), /dev/ttyACM1 \(busy\)") as caught:
        start(board(surroundings, Flash.ALWAYS))
    assert "--port" in caught.value.hint
    assert not any(entry.startswith("upload") for entry in surroundings.log)


@pytest.mark.parametrize("flash", [Flash.IF_STALE, Flash.ALWAYS])
def test_a_busy_port_is_not_flashed(flash: Flash) -> None:
    surroundings = ScriptedSurroundings([Plug("/dev/ttyACM0", PortBusyError("/dev/ttyACM0 is busy, held by PID 7"))])
    with pytest.raises(PortBusyError, match="held by PID 7"):
        start(board(surroundings, flash))
    assert surroundings.log == ["ask /dev/ttyACM0"]
    assert surroundings.held == []


def test_a_port_that_is_given_is_not_searched_for() -> None:
    surroundings = ScriptedSurroundings(
        [Plug("/dev/ttyACM0", OTHER), Plug("/dev/pts/9", OTHER)],
        lambda surroundings: setattr(surroundings.ports[1], "answer", WANTED),
    )
    assert start(board(surroundings, port="/dev/pts/9")) == "/dev/pts/9"
    assert surroundings.log == ["ask /dev/pts/9", "upload /dev/pts/9", "ask /dev/pts/9"]


@pytest.mark.parametrize("address", ["socket://host:4000", "rfc2217://host:4000", "unix:/run/board"])
def test_through_a_network_a_board_is_asked_but_not_flashed(address: str) -> None:
    surroundings = ScriptedSurroundings([Plug(address, WANTED)])
    assert start(board(surroundings, port=address)) == address
    surroundings.ports[0].answer = OTHER
    with pytest.raises(DeviceError, match=f"cannot be flashed through {address}"):
        start(board(surroundings, port=address))


def test_what_leaves_its_port_in_the_project() -> None:
    surroundings = ScriptedSurroundings()
    upload = Upload(port=".pio/upload/native/port")
    device = BoardDevice("native", upload, surroundings, project=WANTED, folder=Path("made"), flash=Flash.ALWAYS)
    with device:
        assert start(device) == "made/.pio/upload/native/port"
        assert surroundings.held == ["made/.pio/upload/native/port"]
    assert surroundings.log == ["upload None"]


@pytest.mark.parametrize("facts", [{}, {"usb": ("2341:805a",), "port": "port"}])
def test_a_target_says_one_way_to_find_it(facts: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="one of the two"):
        Upload(**facts)  # type: ignore[arg-type]
