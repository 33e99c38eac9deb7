"""The command quarantine, and what becomes of a run on a board that is in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tinyhil import kinds
from tinyhil.transport import quarantine

from .cli import Cli


@pytest.fixture(autouse=True)
def _own_list(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(quarantine.VARIABLE, str(tmp_path / "boards.json"))


def test_a_board_is_kept_out_of_runs_until_it_is_released(tinyhil: Cli) -> None:
    assert tinyhil("quarantine", "N1", "--reason", "resets under load", "--until", "2999-12-31").code == 0
    listed = tinyhil("quarantine", "--list", "--json", "-")
    (board,) = json.loads(listed.out)
    assert (board["serial_number"], board["reason"], board["until"]) == ("N1", "resets under load", "2999-12-31")
    assert "resets under load" in listed.err
    run = tinyhil("run", "sine", "--target", "nano33ble", "--port", "usb:N1")
    assert run.code == 3
    assert kinds.QUARANTINED.id in run.err
    assert "--release N1" in run.err
    assert tinyhil("quarantine", "--release", "N1").code == 0
    assert quarantine.entries() == ()


@pytest.mark.parametrize("arguments", [["N1"], ["--reason", "x"], ["N1", "--list"], ["--release", "N1"]])
def test_wrong_usage(tinyhil: Cli, arguments: list[str]) -> None:
    done = tinyhil("quarantine", *arguments)
    assert (done.code, done.out) == (2, "")
    assert "next:" in done.err
