"""docs/security.md names a test for each of its lines, and each of these is there."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parent
PAGE = (TESTS.parents[1] / "docs/security.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`([\w/]+\.py)::(\w+)`", PAGE)


def test_every_named_test_is_there() -> None:
    assert len(NAMED) > 25
    gone = [
        f"{file}::{name}" for file, name in NAMED if f"def {name}(" not in (TESTS / file).read_text(encoding="utf-8")
    ]
    assert gone == []


def test_every_line_of_the_tables_names_one() -> None:
    trusted = PAGE[: PAGE.index("## Firmware on an emulator")]
    rows = [line for line in trusted.splitlines() if line.startswith("| ") and not line.startswith(("| what |", "|--"))]
    assert len(rows) > 20
    assert [row for row in rows if not re.search(r"`[\w/]+\.py::\w+` \|$", row)] == []
