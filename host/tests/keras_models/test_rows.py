"""Each model that takes rows or sequences runs exactly on an emulated Cortex-M4; the others are refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from .expected import IMAGES, REFUSED, ROWS, run_exactly, run_refused


@pytest.mark.long
def test_26_models_and_at_most_3_of_them_refused(all_models: Path) -> None:
    assert len(REFUSED) <= 3
    assert {path.stem for path in all_models.glob("*.keras")} == {*IMAGES, *ROWS, *REFUSED}
    assert len({*IMAGES, *ROWS, *REFUSED}) == 26


@pytest.mark.long
@pytest.mark.parametrize("name", ROWS)
def test_it_is_exact(all_models: Path, tmp_path: Path, name: str) -> None:
    run_exactly(name, all_models, "qemu-m4", tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_by_name_with_a_way_out(all_models: Path, tmp_path: Path, name: str) -> None:
    run_refused(name, all_models, "qemu-m4", tmp_path)
