"""How reliable each board is: how many of its runs were blocked, and how often something had to be done again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from tinyhil import kinds
from tinyhil.errors import ConfigError
from tinyhil.history.models import RUNS
from tinyhil.plain_text import aligned


@dataclass(frozen=True)
class Board:
    """One board, as one target on one computer.

    Attributes:
        board: serial number of its USB device, or its port; empty where nobody knows which board it was.
        runs: how many there are.
        failed: of them.
        blocked: of them.
        repeated: how often something was done again in all of them.
        last: when the last one began, in UTC, without a zone.
    """

    board: str
    target: str
    host: str
    runs: int
    failed: int
    blocked: int
    repeated: int
    last: datetime

    @property
    def blocked_share(self) -> float:
        """Blocked runs as a share of all."""
        return self.blocked / self.runs


def boards(connection: Connection, targets: Sequence[str] = ()) -> tuple[Board, ...]:
    """Every board that the history has runs of, those first whose runs are blocked most often.

    Args:
        targets: of these only; none for all.

    Raises:
        ConfigError: the history has no run on a board.
    """
    group = (RUNS.c.board, RUNS.c.target, RUNS.c.host)
    wanted = [RUNS.c.board.is_not(None), *([RUNS.c.target.in_(targets)] if targets else [])]
    counted = (
        sa.func.count().label("runs"),
        *(sa.func.count().filter(RUNS.c.verdict == verdict).label(name) for verdict, name in _VERDICTS),
        sa.func.coalesce(sa.func.sum(RUNS.c.repeated), 0).label("repeated"),
        sa.func.max(RUNS.c.began).label("last"),
    )
    rows = connection.execute(sa.select(*group, *counted).where(*wanted).group_by(*group)).all()
    if not rows:
        raise ConfigError(
            f"the history has no run on a board {' or '.join(targets)}".rstrip(),
            kind=kinds.NO_HISTORY,
        )
    found = [Board(**row._mapping) for row in rows]
    return tuple(sorted(found, key=lambda one: (-one.blocked_share, one.target, one.board, one.host)))


_VERDICTS = (("fail", "failed"), ("blocked", "blocked"))
_NUMBERS = range(3, 8)
"""Columns that are written to the right."""


def lines(found: Sequence[Board]) -> Iterator[str]:
    """For a terminal."""
    head = ("board", "target", "computer", "runs", "failed", "blocked", "repeated", "per run", "last, UTC")
    rows = [
        (
            one.board or "unknown",
            one.target,
            one.host,
            f"{one.runs:,}",
            f"{one.failed:,}",
            f"{one.blocked:,} ({one.blocked_share:.1%})",
            f"{one.repeated:,}",
            f"{one.repeated / one.runs:.2f}",
            f"{one.last:%Y-%m-%d %H:%M}",
        )
        for one in found
    ]
    yield from aligned([head, *rows], _NUMBERS)
