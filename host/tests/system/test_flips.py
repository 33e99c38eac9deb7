"""The sine's own .tflite with single bits flipped: whatever passes may, and a second verdict is no other one."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..hostile import flips
from ..hostile.run import BAD


@pytest.mark.long
def test_some_of_all_flips(made: Path, tmp_path: Path) -> None:
    """All of them: ``make flips``."""
    content = (made / "sine" / "model" / "int8" / "model.tflite").read_bytes()
    counts = flips.table(content, flips.flips(len(content), 300), tmp_path, twice=5)
    assert counts.total() == 300
    assert {outcome: counts[outcome] for outcome in BAD if counts[outcome]} == {}
    assert counts["refused"] > 30, "damage is seen"
    assert counts["pass"] > 30, "other weights are another model, which may be exact"
