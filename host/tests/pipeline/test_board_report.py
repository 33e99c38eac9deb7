"""The file about a board that is sent to us: figures are in it, and nothing that tells who sends it."""

from __future__ import annotations

import json
import os
import platform
import pwd
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tinyhil.artifacts.retries import Retries
from tinyhil.errors import DeviceError
from tinyhil.pipeline import board_report
from tinyhil.pipeline.port_check import Checked, State, check
from tinyhil.report import assemble, files
from tinyhil.report.assemble import Evidence
from tinyhil.targets import registry
from tinyhil.targets.model import Target

from ..session.bad_lines import bad_line
from .test_ports import Listed

USER, PERSON, COMPUTER, NUMBER = "annamarie", "Anna Marie Example", "annas-laptop", "5A1B2C99"
PLANTED = (USER, PERSON, COMPUTER, NUMBER, "/home", "ttyACM0", "lab.example", "/tmp", "secret-wifi")


@pytest.fixture
def board() -> Target:
    return registry.get("nano33ble")


@pytest.fixture(autouse=True)
def _somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user with a name, a home and a computer, whose kernel is named after them."""
    for name in ("USER", "LOGNAME"):
        monkeypatch.setenv(name, USER)
    monkeypatch.setenv("HOME", f"/home/{USER}")
    monkeypatch.setattr(socket, "gethostname", lambda: f"{COMPUTER}.lab.example")
    monkeypatch.setattr(platform, "release", lambda: f"6.1.0-{USER}-{COMPUTER}")
    person = type("Person", (), {"pw_name": USER, "pw_gecos": f"{PERSON},,,"})
    monkeypatch.setattr(pwd, "getpwuid", lambda _: person)


LISTED = Listed("/dev/ttyACM0", 0x2341, 0x805A, NUMBER, description=f"board of {USER}")
CHECKS = [
    Checked(
        "quarantine", State.WARNING, f"the board with the USB serial number {NUMBER} is quarantined: {PERSON} has it"
    ),
    Checked("permissions", State.OK, f"/dev/ttyACM0 may be read and written; it belongs to the group {USER}"),
    Checked("port", State.FAILED, f"socket://{COMPUTER}.lab.example:4000 and unix:/home/{USER}/x refuse", "", "TH-300"),
    Checked("boot", State.OK, f"it prints at its start: joining secret-wifi of {USER}"),
    Checked("handshake", State.FAILED, f"it prints something else\nsecret-wifi {PERSON}", "", "TH-334"),
    Checked("goodput", State.OK, "115200 baud: 10,432 B/s of tensors, 91% of 11,520, 0 requests repeated"),
    Checked("resets", State.OK, f"closed and opened 10 times on {COMPUTER}, board {NUMBER}: answered 10 times"),
]


def texts(made: dict[str, Any]) -> str:
    return board_report.in_markdown(made, json.dumps(made, indent=2))


def nothing_personal(text: str) -> None:
    assert [planted for planted in PLANTED if planted.lower() in text.lower()] == []


def written(board: Target, folder: Path) -> None:
    """A report of a run on the board, full of names."""
    error = DeviceError(f"/dev/ttyACM0 of {PERSON} is gone", hint=f"ask {USER}", detail=f"on {COMPUTER}")
    made = assemble.blocked(f"{USER}-model", board, "tflm", Evidence(retries=Retries(power_cycles=2)), error)
    named = replace(made, tool_versions={"gcc": f"12.2 ({USER}@{COMPUTER})"}, kernels="cmsis-nn 7")
    files.write(named, folder / f"{USER}-model" / board.name)


def test_nothing_tells_who_sends_it(board: Target, tmp_path: Path) -> None:
    written(board, tmp_path)
    made = board_report.board_report(board, f"usb:{NUMBER}", tmp_path, lambda: [LISTED], CHECKS)
    nothing_personal(texts(made))


def test_the_figures_are_in_it(board: Target, tmp_path: Path) -> None:
    written(board, tmp_path)
    made = board_report.board_report(board, f"usb:{NUMBER}", tmp_path, lambda: [LISTED], CHECKS)
    found = {each["name"]: each for each in made["checks"]}
    assert found["goodput"]["said"] == CHECKS[5].said
    assert (found["handshake"]["state"], found["handshake"]["id"]) == ("failed", "TH-334")
    assert made["usb"] == "2341:805a"
    assert made["target"]["name"] == "nano33ble"
    assert {"tinyhil", "python", "os", "platformio"} <= set(made["versions"])
    assert made["report"]["retries"]["power_cycles"] == 2
    assert made["report"]["blocked"] == {"id": "TH-300", "error": "DeviceError"}
    assert made["report"]["kernels"] == "cmsis-nn 7"
    text = texts(made)
    assert json.loads(text[text.index("```json\n") + 8 : text.rindex("```")]) == made


def test_of_a_real_port_nothing_is_told_either(tmp_path: Path, board: Target) -> None:
    link = tmp_path / USER
    babble = f"joining secret-wifi of {USER} on {COMPUTER}\r\n".encode()
    with bad_line(link, babble=babble):
        checks = list(check(board, str(link), present=list, seconds=0.2))
    assert any("secret-wifi" in each.said for each in checks), "the check itself shows what the device says"
    made = board_report.board_report(board, str(link), tmp_path, list, checks)
    nothing_personal(texts(made))
    assert {each["name"] for each in made["checks"]} == {each.name for each in checks}


def test_the_newest_report_of_the_target_counts(board: Target, tmp_path: Path) -> None:
    for place, (recipe, target) in enumerate([("sine", board), ("digits", board), ("sine", registry.get("esp32"))]):
        report = assemble.blocked(recipe, target, "tflm", Evidence(), DeviceError("it is gone"))
        folder = tmp_path / str(place) / "any"
        files.write(report, folder)
        os.utime(folder / files.JSON, (place, place))
    (tmp_path / "broken" / "any").mkdir(parents=True)
    (tmp_path / "broken" / "any" / files.JSON).write_text("{")
    made = board_report.board_report(board, None, tmp_path, list)
    assert made["report"]["recipe"] == "digits"
    assert made["checks"] == []


def test_without_a_report_and_without_a_port(tmp_path: Path) -> None:
    made = board_report.board_report(registry.get("sim"), None, tmp_path / "none", list)
    assert (made["report"], made["checks"], made["usb"]) == (None, [], "")
    assert "no report" in texts(made)


def test_the_name_of_a_target_of_one_s_own_is_left_out(board: Target, tmp_path: Path) -> None:
    own = msgspec.structs.replace(board, name=f"{USER}-board", title=PERSON)
    made = board_report.board_report(own, None, tmp_path, list)
    nothing_personal(texts(made))
    assert made["target"]["cpu"] == board.chip.cpu
