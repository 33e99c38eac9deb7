"""The sine's own .tflite with single bits flipped: whatever passes may, and a second verdict is no other one."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..hostile import flips
from ..hostile.run import BAD

_COUNT, _PARTS = 300, 6


@pytest.mark.long
@pytest.mark.parametrize("part", range(_PARTS))
def test_some_of_all_flips(made: Path, tmp_path: Path, part: int) -> None:
    """All of them: ``make flips``."""
    content = (made / "sine" / "model" / "int8" / "model.tflite").read_bytes()
    counts = flips.table(content, flips.flips(len(content), _COUNT)[part::_PARTS], tmp_path, twice=5)
    assert counts.total() == _COUNT // _PARTS
    assert {outcome: counts[outcome] for outcome in BAD if counts[outcome]} == {}
    assert counts["refused"] > 5, "damage is seen"
    assert counts["pass"] > 5, "other weights are another model, which may be exact"
