"""Boards that no run may use: kept in one file, and refused wherever a port of theirs would be opened.

There is no USB here: the list of ports is what a machine with USB would give, and the rest is real.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path

import pytest

from tinyhil import kinds
from tinyhil.deadline import Deadline
from tinyhil.errors import ConfigError, DeviceError, ExitCode, StorageError
from tinyhil.transport import finder, open_transport, quarantine

from .ends import PATIENCE_S, Terminal
from .test_finder import Machine, Port

TODAY = datetime.now(UTC).date()


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file with the quarantined boards, which is not there yet."""
    path = tmp_path / "shared" / "boards.json"
    monkeypatch.setenv(quarantine.VARIABLE, str(path))
    return path


def numbers() -> list[str]:
    return [entry.serial_number for entry in quarantine.entries()]


def test_boards_are_kept_with_their_reasons_until_they_are_released() -> None:
    assert quarantine.entries() == ()
    quarantine.add("B", "resets under load")
    quarantine.add("A", "broken cable", TODAY)
    quarantine.add("B", "resets at any time")
    assert [(entry.serial_number, entry.reason) for entry in quarantine.entries()] == [
        ("A", "broken cable"),
        ("B", "resets at any time"),
    ]
    assert {entry.since for entry in quarantine.entries()} == {TODAY}
    assert quarantine.release("B").reason == "resets at any time"
    assert numbers() == ["A"]


def test_a_quarantine_ends_after_its_last_day() -> None:
    quarantine.add("A", "until it is repaired", TODAY)
    assert [entry.serial_number for entry in quarantine.entries(TODAY)] == ["A"]
    assert quarantine.entries(TODAY + timedelta(1)) == ()


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: quarantine.add("A", " "),
        lambda: quarantine.add("", "no number"),
        lambda: quarantine.add("A", "over", TODAY - timedelta(1)),
        lambda: quarantine.release("A"),
    ],
)
def test_what_makes_no_sense_is_refused(wrong: Callable[[], object], file: Path) -> None:
    with pytest.raises(ConfigError):
        wrong()
    assert not file.exists()


def test_the_file_is_the_user_s_where_none_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(quarantine.VARIABLE)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert quarantine.path() == tmp_path / "state" / "tinyhil" / "quarantine.json"


BOARDS = Machine(Port("/dev/ttyACM0", "A"), Port("/dev/ttyACM1", "B"), Port("/dev/ttyS0", None))


@pytest.mark.parametrize(
    ("address", "refused"),
    [
        ("usb:A", True),
        ("/dev/ttyACM0", True),
        ("usb:B", False),
        ("/dev/ttyACM1", False),
        ("/dev/ttyS0", False),
        ("socket://localhost:1", False),
        ("unix:/tmp/x", False),
    ],
)
def test_a_board_is_known_by_its_number_whatever_its_port_is_called(address: str, refused: bool) -> None:
    quarantine.add("A", "resets under load")
    assert (quarantine.of_port(address, BOARDS) is not None) is refused


def test_a_quarantined_board_is_not_opened(terminal: Terminal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """By a name of its port that is a link, as udev makes them."""
    monkeypatch.setattr(finder, "present", Machine(Port(terminal.path, "A")))
    link = tmp_path / "board-under-test"
    link.symlink_to(terminal.path)
    quarantine.add("A", "resets under load")
    with pytest.raises(DeviceError) as caught:
        open_transport(str(link), baud=115200, deadline=Deadline.after(PATIENCE_S))
    error = caught.value
    assert (error.kind, error.exit_code) == (kinds.QUARANTINED, ExitCode.BLOCKED)
    assert all(said in error.message for said in ("serial number A", "resets under load", str(TODAY)))
    assert "tinyhil quarantine --release A" in error.hint
    with quarantine.admitted():
        open_transport(str(link), baud=115200, deadline=Deadline.after(PATIENCE_S)).close()
    with pytest.raises(DeviceError):
        quarantine.refuse(str(link))
    quarantine.release("A")
    open_transport(str(link), baud=115200, deadline=Deadline.after(PATIENCE_S)).close()


GOOD = '{"schema":1,"boards":[{"serial_number":"A","reason":"r","since":"2030-01-01"}]}'


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff", b'{"schema":2,"boards":[]}', GOOD.replace("since", "sinse").encode(), b"[" * 100_000],
)
def test_a_damaged_file_keeps_every_port_shut_and_says_what_to_do(file: Path, content: bytes) -> None:
    file.parent.mkdir()
    file.write_text(GOOD)
    assert numbers() == ["A"]
    file.write_bytes(content)
    for use in (quarantine.entries, lambda: quarantine.refuse("usb:B"), lambda: quarantine.add("C", "why")):
        with pytest.raises(DeviceError) as caught:
            use()
        assert caught.value.kind is kinds.QUARANTINE_FILE
        assert str(file) in caught.value.message
        assert str(file) in caught.value.hint
    assert file.read_bytes() == content


def test_a_file_that_cannot_be_written_is_named(file: Path) -> None:
    file.parent.mkdir()
    (file.parent / ".lock").mkdir()
    with pytest.raises(StorageError) as caught:
        quarantine.add("A", "why")
    assert quarantine.VARIABLE in caught.value.hint


def _add_many(name: str) -> None:
    for number in range(10):
        quarantine.add(f"{name}{number}", "why")


def test_two_processes_lose_nothing_of_one_another() -> None:
    context = get_context("fork")
    others = [context.Process(target=_add_many, args=(name,)) for name in "XY"]
    for other in others:
        other.start()
    for other in others:
        other.join()
    assert numbers() == sorted(f"{name}{number}" for name in "XY" for number in range(10))
