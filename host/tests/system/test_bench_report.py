"""The command bench-report: one file, which takes the place of no other."""

from __future__ import annotations

import json

from .cli import Cli


def test_one_file_about_a_board(tinyhil: Cli) -> None:
    done = tinyhil("bench-report", "--target", "nano33ble", "--json", "-")
    assert done.code == 0, done.err
    written = tinyhil.cwd / "bench-report-nano33ble.md"
    made = json.loads(done.out)
    assert made["target"]["cpu"] in written.read_text()
    assert "not checked" in done.err
    written.write_text("notes of mine")
    again = tinyhil("bench-report", "--target", "nano33ble")
    assert again.code == 2
    assert "--output" in again.err
    assert written.read_text() == "notes of mine"
