"""How reliable each board is, in both databases."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tinyhil import kinds
from tinyhil.artifacts.retries import Retries
from tinyhil.compare.verdict import Report
from tinyhil.errors import ConfigError
from tinyhil.history import boards, database, record
from tinyhil.history.boards import Board
from tinyhil.history.place import Place

from . import made

TARGET = "nano33ble"


def leave(place: Place, number: int, report: Report, **changed: Any) -> None:
    record.leave(report, made.context(number, **changed), place.records)


def found(place: Place, *targets: str) -> tuple[Board, ...]:
    with database.opened(place) as history, history.reading() as connection:
        return boards.boards(connection, targets)


def test_blocked_runs_and_repetitions_are_counted_for_each_board(any_place: Place) -> None:
    again = Retries(resends=2, restarts=1, flash_attempts=2)
    leave(any_place, 0, made.report(target=TARGET, retries=again), board="N1")
    leave(any_place, 1, made.report(target=TARGET, retries=Retries(flash_attempts=1)), board="N1")
    leave(any_place, 2, made.report(target=TARGET), board="N2")  # of a version that did not count
    leave(any_place, 3, replace(made.blocked(), target=TARGET), board="N2")
    leave(any_place, 4, made.failed())  # on no board
    worst, best = found(any_place)
    assert (worst.board, worst.runs, worst.blocked, worst.blocked_share, worst.repeated) == ("N2", 2, 1, 0.5, 0)
    assert (best.board, best.runs, best.blocked, best.failed, best.repeated) == ("N1", 2, 0, 0, 4)
    assert best.last == made.context(1).began.replace(tzinfo=None)
    head, first, second = boards.lines((worst, best))
    assert ("50.0%" in first, "2.00" in second, "blocked" in head) == (True, True, True)
    assert found(any_place, TARGET) == (worst, best)
    with pytest.raises(ConfigError, match="esp32") as caught:
        found(any_place, "esp32")
    assert caught.value.kind is kinds.NO_HISTORY
