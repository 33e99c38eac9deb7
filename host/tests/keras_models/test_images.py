"""Each model that takes an image runs exactly on an emulated Cortex-M4, as it was saved."""

from __future__ import annotations

from pathlib import Path

import pytest

from .expected import IMAGES, run_exactly


@pytest.mark.long
@pytest.mark.parametrize("name", IMAGES)
def test_it_is_exact(all_models: Path, tmp_path: Path, name: str) -> None:
    run_exactly(name, all_models, "qemu-m4", tmp_path)
