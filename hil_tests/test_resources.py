"""The image has to fit the chip, and what runs has to keep to its memory."""

from __future__ import annotations

import pytest

from tinyhil.artifacts.types import Resources
from tinyhil.pytest_plugin import Dut
from tinyhil.session import Session


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


@pytest.fixture
def used(dut: Dut, session: Session) -> Resources:
    """The memory in use when all vectors were computed."""
    session.infer(*dut.model.vectors.inputs)
    used = session.usage()
    assert used is not None, "this version's firmware knows the question"
    return used


def test_the_engine_keeps_to_its_arena(used: Resources) -> None:
    assert used.arena_overrun == 0


def test_the_stack_is_large_enough(dut: Dut, used: Resources) -> None:
    if used.stack_used is None or used.stack_bytes is None:
        pytest.skip(f"{dut.run.target.name} cannot tell how much of its stack is used")
    assert 0 < used.stack_used < used.stack_bytes
