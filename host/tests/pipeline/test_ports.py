"""What is plugged in and what answers: a list as a machine with USB would give it, with real terminals behind it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tinyhil import kinds
from tinyhil.errors import DeviceError
from tinyhil.pipeline import ports
from tinyhil.pipeline.answers.board_ports import BoardPorts
from tinyhil.pipeline.ports import Found, survey
from tinyhil.progress import Silent
from tinyhil.session import ask
from tinyhil.targets import registry
from tinyhil.transport import owner, quarantine

from ..link.device_role import WELCOME
from ..session.bad_lines import DOWNLOAD, bad_line
from ..session.pty_device import device

TARGETS = [registry.get(path.stem) for path in sorted(registry.SHIPPED.glob("*.toml"))]


@dataclass
class Listed:
    """One entry of the system's list."""

    device: str
    vid: int | None = None
    pid: int | None = None
    serial_number: str | None = None
    location: str | None = None
    description: str = "n/a"


@pytest.fixture
def board(tmp_path: Path) -> Iterator[str]:
    link = tmp_path / "ttyACM0"
    with device(link):
        yield str(link)


@pytest.fixture
def silent() -> Iterator[str]:
    master, slave = os.openpty()
    yield os.ttyname(slave)
    os.close(master)
    os.close(slave)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ask.ask, "__defaults__", (0.3,))


def look(*listed: Listed, named: tuple[str, ...] = (), asking: bool = True) -> dict[str, Found]:
    return {found.device: found for found in survey(TARGETS, named, asking=asking, present=lambda: listed)}


def nano(path: str) -> Listed:
    return Listed(path, 0x2341, 0x805A, "N1", description="Nano 33 BLE")


def test_a_board_that_answers(board: str) -> None:
    found = look(nano(board))[board]
    assert found == Found(
        device=board,
        usb="2341:805a",
        serial_number="N1",
        description="Nano 33 BLE",
        targets=("nano33ble",),
        state=ports.ANSWERS,
        engine=WELCOME.engine,
        model_sha256=WELCOME.model_sha256.hex(),
        project_sha256=WELCOME.project_sha256.hex(),
        boot_id=f"{WELCOME.boot_id:08x}",
    )


def test_a_board_that_was_asked_is_told_goodbye(tmp_path: Path) -> None:
    link = tmp_path / "ttyACM0"
    with device(link) as plugged:
        look(nano(str(link)))
        assert plugged.role.goodbyes == 1


def test_a_converter_may_be_any_of_several_boards(silent: str) -> None:
    found = look(Listed(silent, 0x10C4, 0xEA60))[silent]
    assert set(found.targets) == {"esp32", "esp32-idf", "esp32c3", "esp32s3"}
    assert (found.state, found.engine) == (ports.SILENT, "")
    assert "nothing came from it" in found.why
    assert (found.id, found.next_step) == (kinds.NOTHING_CAME.id, kinds.NOTHING_CAME.steps[0])


def test_what_is_said_instead_of_an_answer(tmp_path: Path) -> None:
    link = tmp_path / "ttyACM0"
    with bad_line(link, babble=DOWNLOAD):
        found = look(nano(str(link)))[str(link)]
    assert (found.state, found.id) == (ports.SILENT, kinds.BOOT_LOADER.id)
    assert "waiting for download" in found.said
    assert "boot button" in found.next_step


def test_what_is_no_known_board_is_left_alone(board: str) -> None:
    assert look(Listed(board, 0x1234, 0x5678))[board].state == ports.NOT_ASKED
    assert look(Listed(board))[board].state == ports.NOT_ASKED


def test_what_is_named_is_asked_whatever_it_is(board: str) -> None:
    assert look(named=(board,))[board].state == ports.ANSWERS
    assert look(Listed(board), named=(board,))[board].state == ports.ANSWERS


def test_nobody_is_asked_where_that_is_not_wanted(board: str) -> None:
    assert look(nano(board), asking=False)[board].state == ports.NOT_ASKED


def test_a_port_that_a_run_holds_is_busy(board: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with owner.owned(board), monkeypatch.context() as another:
        another.setattr(owner, "_held", {})  # as another process sees it: this one may take its own again
        found = look(nano(board))[board]
    assert (found.state, found.engine) == (ports.BUSY, "")
    assert f"held by PID {os.getpid()}" in found.why
    assert found.id == kinds.PORT_BUSY.id


def test_a_port_that_is_not_there(tmp_path: Path) -> None:
    path = str(tmp_path / "gone")
    found = look(nano(path))[path]
    assert (found.state, found.why) == (ports.CLOSED, f"there is no port {path}")


@pytest.mark.parametrize("named", [False, True])
def test_a_quarantined_board_is_shown_and_left_alone(
    silent: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, named: bool
) -> None:
    monkeypatch.setenv(quarantine.VARIABLE, str(tmp_path / "boards.json"))
    monkeypatch.setattr(ports, "ask", lambda *_, **__: pytest.fail("it was asked"))
    quarantine.add("N1", "resets under load")
    found = look(nano(silent), named=(silent,) if named else ())[silent]
    assert (found.state, found.id) == (ports.QUARANTINED, kinds.QUARANTINED.id)
    assert "resets under load" in found.why
    assert "--release N1" in found.next_step


class TestBoardPorts:
    """The ports of one target, of which one is quarantined."""

    @pytest.fixture(autouse=True)
    def _quarantined(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv(quarantine.VARIABLE, str(tmp_path / "boards.json"))
        quarantine.add("N1", "resets under load")

    def of(self, *listed: Listed) -> BoardPorts:
        return BoardPorts(registry.get("nano33ble"), Path(), Path(), Silent(), lambda: listed)

    def test_another_board_takes_its_part(self) -> None:
        free = Listed("/dev/ttyACM1", 0x2341, 0x805A, "N2")
        assert list(self.of(nano("/dev/ttyACM0"), free, Listed("/dev/ttyS0")).present()) == [free, Listed("/dev/ttyS0")]

    def test_a_lone_one_is_not_said_to_be_absent(self) -> None:
        assert list(self.of(nano("/dev/ttyACM0")).present()) == [nano("/dev/ttyACM0")]

    def test_it_is_neither_held_nor_flashed(self) -> None:
        with pytest.raises(DeviceError) as caught:
            self.of(nano("/dev/ttyACM0")).hold("/dev/ttyACM0")
        assert caught.value.kind is kinds.QUARANTINED
