"""The image has to fit the chip."""

from __future__ import annotations

import pytest

from tinyhil.pytest_plugin import Dut

pytestmark = pytest.mark.hil


@pytest.fixture
def sizes(dut: Dut) -> tuple[int, int]:
    """Bytes of flash and of RAM."""
    if dut.image.flash_bytes is None or dut.image.ram_bytes is None:
        pytest.skip(f"{dut.run.target.name} runs the model file itself: there is no image")
    return dut.image.flash_bytes, dut.image.ram_bytes


def test_flash_fits(dut: Dut, sizes: tuple[int, int]) -> None:
    assert 0 < sizes[0] <= dut.run.target.chip.flash_bytes


def test_ram_fits(dut: Dut, sizes: tuple[int, int]) -> None:
    assert 0 < sizes[1] <= dut.run.target.chip.ram_bytes


def test_the_arena_is_part_of_the_ram(dut: Dut, sizes: tuple[int, int]) -> None:
    assert dut.capture.arena_bytes <= sizes[1]
