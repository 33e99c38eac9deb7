"""What the history has of each model on each target: runs in the order of their times, with their figures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from tinyhil import kinds
from tinyhil.compare.metrics import Metric
from tinyhil.errors import ConfigError
from tinyhil.history.models import FIGURES, RUNS

LAST = 40
"""Runs that are shown of each."""
_AT_ONCE = 10_000
"""Runs that are named in one question: a database takes a limited number of parameters."""
SHORT = 8
"""Characters of a commit that tell it apart."""


@dataclass(frozen=True)
class Asked:
    """Which runs are meant.

    Attributes:
        recipe: of this recipe or model; None for all.
        targets: on these targets; none for all.
        branch: of this branch; None for all.
        last: how many of each at most, the last ones.
    """

    recipe: str | None = None
    targets: tuple[str, ...] = ()
    branch: str | None = None
    last: int = LAST

    @property
    def said(self) -> str:
        """The same in words."""
        parts = [
            "" if self.recipe is None else f"of {self.recipe}",
            f"on {' or '.join(self.targets)}" if self.targets else "",
            "" if self.branch is None else f"of the branch {self.branch}",
        ]
        return " ".join(filter(None, parts))


@dataclass(frozen=True)
class KeptRun:
    """One run, as far as the history shows it; empty texts stand for what nobody knows.

    Attributes:
        began: in UTC, without a zone.
        figures: by the name of the metric.
    """

    id: int
    began: datetime
    seconds: float | None
    host: str
    commit: str
    branch: str
    dirty: bool | None
    verdict: str
    blocked_id: str
    made_by: str
    digest: str
    model_sha256: str
    report_sha256: str
    figures: dict[str, float]

    @property
    def of_commit(self) -> str:
        """The commit, short, with a star where tracked files were changed since; its day where nobody knows it."""
        return f"{self.commit[:SHORT]}{'*' if self.dirty else ''}" if self.commit else f"{self.began:%Y-%m-%d}"


@dataclass(frozen=True)
class Series:
    """All runs of a model on a target with one engine and one scheme.

    Attributes:
        scheme: empty where every run was blocked before there was a quantized model.
        counts: how many runs there are in all, by verdict.
        runs: the last of them, the oldest first.
    """

    recipe: str
    target: str
    engine: str
    scheme: str
    counts: dict[str, int]
    runs: tuple[KeptRun, ...]

    @property
    def name(self) -> str:
        """For titles."""
        return f"{self.recipe} on {self.target} ({', '.join(filter(None, (self.engine, self.scheme)))})"

    @property
    def counted(self) -> str:
        """How many runs there are, and how many of them did not pass."""
        total = sum(self.counts.values())
        others = [f"{self.counts[verdict]:,} {said}" for verdict, said in _SAID if self.counts.get(verdict)]
        return f"{total:,} run{'' if total == 1 else 's'}" + (f", {', '.join(others)}" if others else "")

    def values(self, metric: Metric) -> list[float | None]:
        """The figure of each run."""
        return [run.figures.get(metric.name) for run in self.runs]

    def has(self, metric: Metric) -> bool:
        """Whether any run has it."""
        return any(value is not None for value in self.values(metric))


_SAID = (("fail", "failed"), ("blocked", "blocked"))
_GROUP = (RUNS.c.recipe, RUNS.c.target, RUNS.c.engine, RUNS.c.scheme)
_SHOWN = tuple(RUNS.c[name] for name in KeptRun.__dataclass_fields__ if name != "figures")


def series(connection: Connection, asked: Asked, metrics: Sequence[Metric]) -> tuple[Series, ...]:
    """What the history has, by recipe, target, engine and scheme.

    A run that was blocked before its scheme was known counts with every scheme of its engine.

    Raises:
        ConfigError: it has nothing of what is asked for.
    """
    counted = sa.select(*_GROUP, RUNS.c.verdict, sa.func.count()).where(*_wanted(asked))
    counts: dict[tuple[str, str, str, str], dict[str, int]] = {}
    for row in connection.execute(counted.group_by(*_GROUP, RUNS.c.verdict)):
        counts.setdefault((row.recipe, row.target, row.engine, row.scheme), {})[row.verdict] = row[-1]
    if not counts:
        raise ConfigError(f"the history has no run {asked.said}".rstrip(), kind=kinds.NO_HISTORY)
    with_scheme = {(recipe, target, engine) for recipe, target, engine, scheme in counts if scheme}
    rows: list[tuple[tuple[str, str, str, str], dict[str, int], list[Any]]] = []
    for (recipe, target, engine, scheme), found in sorted(counts.items()):
        same = (recipe, target, engine)
        if not scheme and same in with_scheme:
            continue
        unknown = counts.get((*same, ""), {}) if scheme else {}
        total = {verdict: found.get(verdict, 0) + unknown.get(verdict, 0) for verdict in {**found, **unknown}}
        schemes = [scheme, ""] if unknown else [scheme]
        rows.append(((*same, scheme), total, _rows(connection, asked, same, schemes)))
    figures = _figures(connection, [row.id for _, _, some in rows for row in some], [one.name for one in metrics])
    return tuple(
        Series(*key, total, tuple(KeptRun(**row._mapping, figures=figures.get(row.id, {})) for row in some))
        for key, total, some in rows
    )


def _wanted(asked: Asked) -> list[sa.ColumnElement[bool]]:
    wanted: list[sa.ColumnElement[bool]] = []
    if asked.recipe is not None:
        wanted.append(RUNS.c.recipe == asked.recipe)
    if asked.targets:
        wanted.append(RUNS.c.target.in_(asked.targets))
    if asked.branch is not None:
        wanted.append(RUNS.c.branch == asked.branch)
    return wanted


def _rows(connection: Connection, asked: Asked, same: tuple[str, str, str], schemes: Sequence[str]) -> list[Any]:
    """The last runs; each scheme by itself, so that the index has them in order."""
    rows: list[Any] = []
    for scheme in schemes:
        is_it = (column == value for column, value in zip(_GROUP, (*same, scheme), strict=True))
        last = sa.select(*_SHOWN).where(*is_it, *_wanted(asked)).order_by(RUNS.c.began.desc(), RUNS.c.id.desc())
        rows += connection.execute(last.limit(asked.last)).all()
    return sorted(rows, key=lambda row: (row.began, row.id))[-asked.last :]


def _figures(connection: Connection, runs: Sequence[int], names: Iterable[str]) -> dict[int, dict[str, float]]:
    wanted = sa.select(FIGURES.c.run_id, FIGURES.c.name, FIGURES.c.value).where(FIGURES.c.name.in_(list(names)))
    found: dict[int, dict[str, float]] = {}
    for start in range(0, len(runs), _AT_ONCE):
        some = runs[start : start + _AT_ONCE]
        for run, name, value in connection.execute(wanted.where(FIGURES.c.run_id.in_(some))).all():
            found.setdefault(run, {})[name] = value
    return found
