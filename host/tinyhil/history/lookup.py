"""The reports that a name stands for: of files and folders, or of the history by commit or branch."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from tinyhil import kinds, process
from tinyhil.artifacts import foreign
from tinyhil.compare.verdict import Report
from tinyhil.errors import BlockedError, ConfigError
from tinyhil.history import importing
from tinyhil.history.models import FIGURES, REPORTS, RUNS
from tinyhil.history.series import SHORT
from tinyhil.report import files

Key = tuple[str, str, str, str]
"""Recipe, target, engine, scheme."""
_TIME = "microseconds"
_NAMED = 3
"""Things at most that are named where only one side has them."""
_HASH = re.compile(r"[0-9a-f]{7,64}")
_GROUP = (RUNS.c.recipe, RUNS.c.target, RUNS.c.engine, RUNS.c.scheme)


@dataclass(frozen=True)
class Kept:
    """A report of one run.

    Attributes:
        report: the report.
        commit: of the run; empty where nobody knows.
        began: when, in UTC, without a zone; None where nobody knows.
        dirty: whether tracked files differed from the commit.
        times: microseconds per inference of all its runs of the same commit, this one among them.
    """

    report: Report
    commit: str = ""
    began: datetime | None = None
    dirty: bool = False
    times: tuple[float, ...] = ()

    @property
    def key(self) -> Key:
        """What it is of."""
        return (self.report.recipe, self.report.target, self.report.engine, self.report.scheme or "")

    @property
    def said(self) -> str:
        """Its commit, or its day."""
        if self.commit:
            return f"{self.commit[:SHORT]}{'*' if self.dirty else ''}"
        return "" if self.began is None else f"{self.began:%Y-%m-%d %H:%M}"


Side = Mapping[Key, Kept]
"""Reports of different things."""


def of_path(path: Path, commit: str = "") -> Side:
    """The reports of a report.json, or of all in a folder or archive; of several of one thing the last.

    Args:
        commit: of those that do not say it.

    Raises:
        ConfigError: there is none.
    """
    found = importing.find([path], commit)
    for name, why_not in found.refused.items():
        if not name.endswith(".zip"):  # which may be anything, in a folder
            step = f"make {name} again with tinyhil run, or remove it"
            raise ConfigError(why_not, hint=step, kind=kinds.OTHER_VERSION)
    if not found.records:
        raise ConfigError(f"there is no report in {path}", kind=kinds.NO_REPORT)
    records = sorted(found.records, key=lambda one: one[0].context.began)
    times: dict[Key, list[float]] = {}
    side: dict[Key, Kept] = {}
    for one, name in records:
        kept = Kept(one.decoded(name), one.context.commit, one.context.began, bool(one.context.dirty))
        side[kept.key] = kept
        if kept.report.microseconds_per_inference is not None:
            times.setdefault(kept.key, []).append(kept.report.microseconds_per_inference)
    return {key: replace(kept, times=tuple(times.get(key, ()))) for key, kept in side.items()}


def of_name(connection: Connection, name: str, recipes: Iterable[str] = (), without: Iterable[str] = ()) -> Side:
    """The last judged runs of a branch; or else of a commit, as git or the history know it; or of a target or engine.

    Runs with changes that are not committed are none of a branch or a commit.

    Args:
        name: a branch; a tag, a commit or the beginning of one, or what else git takes for one; a target; an engine.
        recipes: of these only; none for all.
        without: commits whose runs are not meant, whatever names them.

    Raises:
        ConfigError: the history has none.
    """
    clean = [RUNS.c.commit.not_in(list(without)), RUNS.c.dirty.is_not(True), *of_recipes(recipes)]
    found = last(connection, [RUNS.c.branch == name, *clean])
    commit = "" if found else full_commit(name)
    if commit:
        found = last(connection, [RUNS.c.commit == commit, *clean])
    if not found and _HASH.fullmatch(name):
        found = last(connection, [RUNS.c.commit.startswith(name, autoescape=True), *clean])
    for column in () if commit else (RUNS.c.target, RUNS.c.engine):
        found = found or last(connection, [column == name, *clean[:1], *of_recipes(recipes)])
    if not found:
        of = f"{name} ({commit[:SHORT]})" if commit else f"the branch, commit, target or engine {name!r}"
        raise ConfigError(
            f"the history has no judged run of {of}" + ("" if commit else ", and there is no such file"),
            hint="run it there first, or import its reports: tinyhil history import PATH --commit HASH --branch NAME",
            kind=kinds.NO_HISTORY,
        )
    return found


def newest(connection: Connection, recipes: Iterable[str] = ()) -> Side:
    """The last judged run of each, with changes or without.

    Raises:
        ConfigError: the history has none.
    """
    found = last(connection, of_recipes(recipes))
    if not found:
        raise ConfigError(f"the history has no judged run of {', '.join(recipes) or 'anything'}", kind=kinds.NO_HISTORY)
    return found


def last(connection: Connection, wanted: Iterable[sa.ColumnElement[bool]]) -> Side:
    """The last judged run of each model on each target, of those that are wanted."""
    judged = [RUNS.c.verdict != "blocked", *wanted]
    newest = sa.select(*_GROUP, sa.func.max(RUNS.c.began).label("began")).where(*judged).group_by(*_GROUP).subquery()
    same = [RUNS.c[column.key] == newest.c[column.key] for column in (*_GROUP, RUNS.c.began)]
    rows = connection.execute(
        sa.select(RUNS.c.commit, RUNS.c.began, RUNS.c.dirty, RUNS.c.id, REPORTS.c.content)
        .join(newest, sa.and_(*same))
        .join(REPORTS, REPORTS.c.sha256 == RUNS.c.report_sha256)
        .where(*judged)
        .order_by(RUNS.c.id)
    )
    kept = [_kept(row) for row in rows]
    if not kept:
        return {}
    times = _times(connection, judged, {one.commit for one in kept})
    return {one.key: replace(one, times=times.get((*one.key, one.commit, one.dirty), ())) for one in kept}


def _times(
    connection: Connection, judged: Sequence[sa.ColumnElement[bool]], commits: Iterable[str]
) -> dict[tuple[str, str, str, str, str, bool], tuple[float, ...]]:
    """Microseconds of all judged runs of some commits, in their order, by what they are of."""
    rows = connection.execute(
        sa.select(*_GROUP, RUNS.c.commit, RUNS.c.dirty, FIGURES.c.value)
        .join(FIGURES, FIGURES.c.run_id == RUNS.c.id)
        .where(*judged, RUNS.c.commit.in_(list(commits)), FIGURES.c.name == _TIME)
        .order_by(RUNS.c.began, RUNS.c.id)
    )
    found: dict[tuple[str, str, str, str, str, bool], list[float]] = {}
    for row in rows:
        key = (row.recipe, row.target, row.engine, row.scheme, row.commit, bool(row.dirty))
        found.setdefault(key, []).append(row.value)
    return {key: tuple(times) for key, times in found.items()}


def _kept(row: sa.Row[Any]) -> Kept:
    name = f"the report of run {row.id} in the history"
    with foreign.reading(name, "a report", _refusal):
        text = zlib.decompress(row.content).decode()
    return Kept(files.decoded(text, name), row.commit, row.began, bool(row.dirty))


def _refusal(message: str) -> ConfigError:
    return ConfigError(message, hint="import the report again, into another history", kind=kinds.OTHER_VERSION)


def of_recipes(recipes: Iterable[str]) -> list[sa.ColumnElement[bool]]:
    """What runs of some recipes are; nothing for all."""
    named = list(recipes)
    return [RUNS.c.recipe.in_(named)] if named else []


def full_commit(name: str) -> str:
    """The whole hash of the commit that git takes a name for; empty where it knows none."""
    try:
        said = process.run(
            ["git", "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"],
            what=f"ask git for the commit {name}",
        )
    except BlockedError:
        return ""
    found = said.strip()
    return found if _HASH.fullmatch(found) else ""


def pairs(before: Side, after: Side, *, exact: bool = False) -> tuple[list[tuple[Kept, Kept]], list[str]]:
    """What belongs together: reports of the same recipe, target, engine and scheme.

    Where all of one side is on one target, and all of the other on another one, reports of two targets belong together;
    likewise of engines, schemes and recipes. So do two single reports, whatever they are of.

    Args:
        exact: whether only those of the same recipe, target, engine and scheme belong together.

    Returns:
        The pairs, and of what only one side has a report, in a line for each side.

    Raises:
        ConfigError: the sides have nothing in common.
    """
    apart = [] if exact else [place for place in range(4) if _is_of_two(place, before, after)]
    there, others = _without(apart, before), _without(apart, after)
    sides = (("first", there, others), ("second", others, there))
    alone = (_alone(which, [one[key].key for key in one if key not in other]) for which, one, other in sides)
    notes = [line for line in alone if line]
    if not there.keys() & others.keys():
        raise ConfigError(
            f"nothing is on both sides: {'; '.join(notes)}",
            hint="name two reports, or runs of the same recipe, target, engine and scheme",
            kind=kinds.NO_HISTORY,
        )
    return [(there[key], others[key]) for key in there if key in others], notes


def _is_of_two(place: int, before: Side, after: Side) -> bool:
    """Whether one part of the keys is the same in each side, and differs between them."""
    one, other = ({key[place] for key in side} for side in (before, after))
    return len(one) == len(other) == 1 and one != other


def _without(places: Sequence[int], side: Side) -> dict[tuple[str, ...], Kept]:
    """A side by its keys without some parts of them."""
    return {tuple(part for place, part in enumerate(key) if place not in places): one for key, one in side.items()}


def _alone(which: str, keys: Sequence[Key]) -> str:
    """What only one side has a report of; empty for nothing."""
    named = [f"{recipe} on {target} ({', '.join(filter(None, rest))})" for recipe, target, *rest in keys[:_NAMED]]
    more = [f"{len(keys) - _NAMED} more"] if len(keys) > _NAMED else []
    return f"only the {which} has {', '.join([*named, *more])}" if keys else ""
