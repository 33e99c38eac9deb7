"""The order of the cells: nobody waits for what another makes while there is other work, and no board is shared."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from tinyhil.matrix import Cell
from tinyhil.matrix.schedule import Schedule

from .conftest import Planned


def names(cells: Sequence[Cell | None]) -> list[tuple[str, str] | None]:
    """Model and target of each."""
    return [None if cell is None else (cell.model, cell.target) for cell in cells]


def test_a_model_is_made_by_one_cell_while_others_make_another(planned: Planned) -> None:
    schedule = Schedule(planned(["sine", "digits"], target="native,native-asan").cells)
    sine, digits = schedule.take(), schedule.take()
    assert names([sine, digits, schedule.take()]) == [("sine", "native"), ("digits", "native"), None]
    assert sine is not None
    schedule.made(sine)
    assert names([schedule.take(), schedule.take()]) == [("sine", "native-asan"), None]


def test_what_one_cell_could_not_make_the_next_one_tries(planned: Planned) -> None:
    schedule = Schedule(planned(["sine"], target="native,native-asan,qemu-m4").cells)
    first = schedule.take()
    assert first is not None
    schedule.ended(first)
    second = schedule.take()
    assert names([second, schedule.take()]) == [("sine", "native-asan"), None]


def test_another_export_of_a_model_is_made_after_the_first_one(planned: Planned) -> None:
    """Both are made in the model's folder, which one process has at a time."""
    native, sim = planned(["sine"], target="native,sim").cells
    assert native.models == sim.models
    assert native.quantized != sim.quantized
    schedule = Schedule([native, sim])
    assert (schedule.take(), schedule.take()) == (native, None)
    schedule.made(native)
    assert schedule.take() is sim


def test_the_target_that_is_sent_most_makes_the_model(planned: Planned) -> None:
    microbit, m4, native = planned(["digits"], target="qemu-microbit,qemu-m4,native").cells
    schedule = Schedule([microbit, m4, native])
    assert schedule.take() is native
    schedule.made(native)
    assert (schedule.take(), schedule.take()) == (microbit, m4)


def test_a_board_is_one_cells_at_a_time(planned: Planned) -> None:
    """Two targets may be the same board; another kind of board is asked at the same time."""
    cells = planned(["a.tflite", "b.tflite"], target="esp32,esp32-idf,nano33ble").cells
    schedule = Schedule(cells)
    running = [cell for cell in [schedule.take() for _ in cells] if cell is not None]
    assert names(running) == [("a.tflite", "esp32"), ("b.tflite", "nano33ble")]
    for cell in running:
        schedule.made(cell)
    assert schedule.take() is None
    schedule.ended(running[0])
    assert names([schedule.take(), schedule.take()]) == [("a.tflite", "esp32-idf"), None]


@pytest.mark.parametrize("seed", range(20))
def test_every_cell_is_taken_once_whatever_the_order_of_events(planned: Planned, seed: int) -> None:
    draw = random.Random(seed)
    models, targets = ["sine", "digits", "a.tflite", "b.tflite"], "native,sim,esp32,esp32-idf,qemu-m4"
    cells = planned(models, target=targets, engine="all").cells
    schedule, running, taken = Schedule(cells), list[Cell](), list[Cell]()
    while schedule.left or running:
        while len(running) < 3 and (cell := schedule.take()) is not None:
            running.append(cell)
            taken.append(cell)
        assert running, "nothing runs, and nothing can begin"
        boards = [board for cell in running for board in cell.boards]
        assert len(boards) == len(set(boards))
        cell = draw.choice(running)
        if draw.random() < 0.7:
            schedule.made(cell)
        if draw.random() < 0.5:
            schedule.ended(cell)
            running.remove(cell)
    assert sorted(map(id, taken)) == sorted(map(id, cells))
