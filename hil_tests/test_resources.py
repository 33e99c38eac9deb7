"""The image has to fit the chip."""

from __future__ import annotations

import pytest

from tinyhil.pytest_plugin import Dut

pytestmark = pytest.mark.hil


def test_flash_fits(dut: Dut) -> None:
    assert 0 < dut.image.flash_bytes <= dut.run.target.chip.flash_bytes


def test_ram_fits(dut: Dut) -> None:
    assert 0 < dut.image.ram_bytes <= dut.run.target.chip.ram_bytes


def test_the_arena_is_part_of_the_ram(dut: Dut) -> None:
    assert dut.capture.arena_bytes <= dut.image.ram_bytes
