"""A check of a port: what is there, and each fault of a line found and named, on real pseudo-terminals."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tinyhil import kinds
from tinyhil.link.frames import longest_wire
from tinyhil.pipeline.port_check import Checked, State, check, goodput, line, place
from tinyhil.proxy import FaultProxy, Faults
from tinyhil.session import ask
from tinyhil.targets import registry
from tinyhil.targets.model import Target
from tinyhil.targets.wire import Power
from tinyhil.transport import finder, quarantine

from ..session import bad_lines
from ..session.bad_lines import bad_line

ALWAYS = {"permissions", "ids", "port", "control lines", "handshake"}
"""What is checked at every port that can be opened."""


def only(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Leaves out the other checks of the line, which take long where frames get lost."""
    for other in {"every_byte", "longest_frame"} - {name}:
        monkeypatch.setattr(line, other, lambda *_, other=other: Checked(other, State.SKIPPED, ""))
    if name != "quality":
        monkeypatch.setattr(line, "quality", lambda *_: iter(()))
    monkeypatch.setattr("tinyhil.pipeline.port_check.steps.goodput", lambda *_: iter(()))
    monkeypatch.setattr("tinyhil.pipeline.port_check.steps.RESETS", 1)


@dataclass
class Listed:
    """A port as the system lists it."""

    device: str
    vid: int | None = 0x2341
    pid: int | None = 0x805A
    serial_number: str | None = None
    location: str | None = None


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(goodput, "_SECONDS", 0.1)


@pytest.fixture
def fast() -> Target:
    """A target that is a process."""
    return registry.get("native")


def found(target: Target, port: str, seconds: float = 2.0, patience: float = 0.2) -> dict[str, Checked]:
    listed = list(check(target, port, present=list, seconds=seconds, patience=patience))
    assert len({each.name for each in listed}) == len(listed), "something is said twice"
    assert all(each.next_step for each in listed if each.state in (State.FAILED, State.WARNING))
    assert all(kinds.of_id(each.id) for each in listed if each.id)
    return {each.name: each for each in listed}


def failed(checks: dict[str, Checked]) -> dict[str, str]:
    """The ids of what has failed."""
    return {name: each.id for name, each in checks.items() if each.state is State.FAILED}


def test_a_sound_line(tmp_path: Path, fast: Target) -> None:
    with bad_line(tmp_path / "port") as board:
        checks = found(fast, str(tmp_path / "port"))
        assert board.role.goodbyes == 1, "at the end, for each counts as a start"
    assert set(checks) == {*ALWAYS, "boot", "bytes", "longest frame", "line", "goodput", "resets"}
    assert failed(checks) == {}
    assert {name for name, each in checks.items() if each.state is State.WARNING} <= {"goodput"}
    assert "256 values" in checks["bytes"].said
    assert f"{longest_wire(1024)} bytes arrive" in checks["longest frame"].said
    assert "answered 10 times, 1 starts" in checks["resets"].said


LINES: list[tuple[dict[str, Any], str, str, str, str]] = [
    ({"change": bad_lines.flow_control}, "every_byte", "bytes", "TH-339", r": 11 13$"),
    ({"change": bad_lines.returns_added}, "every_byte", "bytes", "TH-337", r": 0a$"),
    ({"longest": 256}, "longest_frame", "longest frame", "TH-361", r"more than 25[5-8] bytes get lost"),
]


@pytest.mark.parametrize(("of_line", "check_of", "name", "wanted", "said"), LINES, ids=["xon", "cr", "256"])
def test_what_a_line_loses(
    tmp_path: Path,
    fast: Target,
    monkeypatch: pytest.MonkeyPatch,
    of_line: dict[str, Any],
    check_of: str,
    name: str,
    wanted: str,
    said: str,
) -> None:
    only(monkeypatch, check_of)
    with bad_line(tmp_path / "port", harmless=True, **of_line):
        checks = found(fast, str(tmp_path / "port"))
    assert failed(checks) == {name: wanted}
    assert re.search(said, checks[name].said)


QUICK: list[tuple[str, Faults]] = [
    ("line: damaged", Faults(bit_flip=0.001)),
    ("line: lost", Faults(drop_frame=0.15)),
    ("line: double", Faults(duplicate_frame=0.3)),
    ("line: inserted", Faults(insert_garbage=0.3)),
    ("line: broken", Faults(disconnect_every=30)),
    ("line: restarts", Faults(reset_every=31)),
]
LONG: list[tuple[str, Faults]] = [
    ("line: damaged", Faults(truncate_frame=0.15)),
    ("line: lost", Faults(lose_block=0.1)),
    ("line: slow", Faults(delay=0.05)),
    ("line: uneven", Faults(stall_every=200, stall_seconds=0.15)),
]
FAULTS = [*QUICK, *(pytest.param(*case, marks=pytest.mark.long) for case in LONG)]


@pytest.mark.parametrize(("name", "faults"), FAULTS)
def test_each_fault_of_a_line_is_found_and_named(
    tmp_path: Path, fast: Target, monkeypatch: pytest.MonkeyPatch, name: str, faults: Faults
) -> None:
    only(monkeypatch, "quality")
    slow = faults.delay > 0 or faults.stall_every > 0
    monkeypatch.setattr(line, "_FRAMES", 16 if slow else 60)
    monkeypatch.setattr(line, "_SINGLE", 8)
    patience = 0.5 if slow else 0.04
    with bad_line(tmp_path / "port", harmless=True) as board:
        reset = board.role.restart if faults.reset_every else None
        with FaultProxy(str(tmp_path / "port"), faults, seed=3, reset=reset) as proxy:
            checks = found(fast, proxy.port, patience=patience)
    assert checks.get(name) is not None, {each.name: each.said for each in checks.values()}
    assert checks[name].state in (State.FAILED, State.WARNING)


def test_nobody_answers(tmp_path: Path, fast: Target) -> None:
    with bad_line(tmp_path / "port", babble=bad_lines.DOWNLOAD):
        checks = found(fast, str(tmp_path / "port"), 0.2)
    assert set(checks) == {*ALWAYS, "line"}
    assert failed(checks) == {"handshake": kinds.BOOT_LOADER.id}
    assert "waiting for download" in checks["handshake"].said
    assert checks["line"].state is State.SKIPPED


def test_there_is_no_port(tmp_path: Path, fast: Target) -> None:
    checks = found(fast, str(tmp_path / "nothing"))
    assert list(checks) == ["permissions"]
    assert checks["permissions"].state is State.FAILED


@pytest.fixture
def forbidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that this user may not open; root may open everything."""
    monkeypatch.setattr(os, "access", lambda *_: False)


def test_permissions_come_with_a_group_and_rules(tmp_path: Path, forbidden: None) -> None:
    board = registry.get("nano33ble")
    (checked,) = found(board, "/dev/null").values()
    assert (checked.name, checked.state) == ("permissions", State.FAILED)
    assert "usermod -aG" in checked.next_step
    assert board.upload is not None
    for rule, usb in zip(place.udev_rules(board.upload.usb), board.upload.usb, strict=True):
        assert rule in checked.next_step
        vendor, product = usb.split(":")
        assert f'ATTRS{{idVendor}}=="{vendor}"' in rule
        assert f'ATTRS{{idProduct}}=="{product}"' in rule


@pytest.mark.parametrize(("pid", "state"), [(0x805A, State.OK), (0x1234, State.WARNING)])
def test_the_usb_id_is_held_against_the_target(tmp_path: Path, pid: int, state: State) -> None:
    port = str(tmp_path / "port")
    assert place.ids(port, registry.get("nano33ble"), lambda: [Listed(port, pid=pid)]).state is state


def test_other_control_lines_are_tried(tmp_path: Path, fast: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a board without the two transistors, whose reset is held by DTR."""
    real = ask.ask

    def held(*given: Any, controls: tuple[bool, bool]) -> ask.Heard:
        return real(*given, controls=controls) if controls == (False, True) else ask.Heard(None, "silence")

    monkeypatch.setattr("tinyhil.pipeline.port_check.steps.ask", held)
    with bad_line(tmp_path / "port"):
        checks = found(fast, str(tmp_path / "port"))
    assert checks["control lines"].state is State.FAILED
    assert "link.dtr = false and link.rts = true" in checks["control lines"].next_step


def test_a_board_in_quarantine_is_checked_and_said_to_be_in_it(
    tmp_path: Path, fast: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    only(monkeypatch, "nothing")
    port = str(tmp_path / "port")
    monkeypatch.setenv(quarantine.VARIABLE, str(tmp_path / "boards.json"))
    quarantine.add("N1", "resets under load")
    monkeypatch.setattr(finder, "present", lambda: [Listed(port, serial_number="N1")])
    with bad_line(tmp_path / "port"):
        checks = {each.name: each for each in check(fast, port, present=finder.present)}
        assert checks["handshake"].state is State.OK
    assert checks["quarantine"].state is State.WARNING
    assert "resets under load" in checks["quarantine"].said
    assert not quarantine._admitted.get()


@pytest.mark.parametrize(("program", "state"), [("sh", State.OK), ("no-such-hub", State.WARNING)])
def test_what_switches_power_is_looked_for_and_not_run(program: str, state: State) -> None:
    checked = place.power(Power(off=(program, "-c", "exit 1"), on=("sh",)))
    assert checked.state is state
    assert program in checked.said
