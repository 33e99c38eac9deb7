"""The gate: the runs of the present commit, held by rules against those of a branch, a commit or reports."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import msgspec
from sqlalchemy import Connection

from tinyhil import kinds, process
from tinyhil.artifacts import foreign
from tinyhil.compare import gate
from tinyhil.compare.changes import Changes, changes
from tinyhil.compare.gate import Accepted, Judged, Rule
from tinyhil.config import toml
from tinyhil.errors import BlockedError, ConfigError
from tinyhil.history import context, lookup
from tinyhil.history.lookup import Kept, Side
from tinyhil.history.models import RUNS
from tinyhil.history.series import SHORT
from tinyhil.report import changes as shown
from tinyhil.report import files

PROJECT = Path("tinyhil.toml")
"""The project's own settings, in the folder in which tinyhil is called."""
ACCEPTED = Path("tinyhil.accepted")
"""The accepted regressions, beside them."""


class _Project(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    gate: dict[str, str | dict[str, str]] = {}


@dataclass(frozen=True)
class Held:
    """One model on its target, held against its baseline.

    Attributes:
        before: the baseline.
        after: the present run.
        found: what lies between them.
        judged: each rule, applied.
    """

    before: Kept
    after: Kept
    found: Changes
    judged: tuple[Judged, ...]

    def of(self, outcome: str) -> tuple[Judged, ...]:
        """The rules of one outcome."""
        return tuple(one for one in self.judged if one.outcome == outcome)


def rules(path: Path = PROJECT) -> tuple[Rule, ...]:
    """The rules of the project: the table ``[gate]`` of its file, and the usual ones for the rest.

    Raises:
        ConfigError: the file cannot be read, or something in it is no rule.
    """
    if not path.exists():
        return gate.rules({}, str(path))
    given: dict[str, str] = {}
    for name, value in toml.load(path, _Project).gate.items():
        given |= {name: value} if isinstance(value, str) else {f"{name}.{inner}": text for inner, text in value.items()}
    return gate.rules(given, str(path))


def accepted(path: Path = ACCEPTED) -> tuple[Accepted, ...]:
    """The accepted regressions of the project; none where it has no file of them.

    Raises:
        ConfigError: the file cannot be read, or a line of it is something else.
    """
    if not path.exists():
        return ()

    def refusal(message: str) -> ConfigError:
        return ConfigError(message, hint="save it in UTF-8, a line for each", kind=kinds.WRONG_FILE)

    with foreign.reading(path, "a text file", refusal):
        text = path.read_text(encoding="utf-8")
    return gate.accepted(text, str(path))


def of_reports(path: Path) -> Side:
    """Reports that runs of the commit that is checked out have made.

    Raises:
        ConfigError: there is none.
    """
    commit, _, _ = context.git(Path())
    return lookup.of_path(path, commit)


def present(connection: Connection, recipes: Iterable[str] = ()) -> Side:
    """The last judged runs of the commit that is checked out; without git the last runs of all.

    Raises:
        BlockedError: there is none.
    """
    commit, _, _ = context.git(Path())
    if not commit:
        return lookup.newest(connection, recipes)
    found = lookup.last(connection, [RUNS.c.commit == commit, *lookup.of_recipes(recipes)])
    if not found:
        raise BlockedError(
            f"the history has no judged run of the commit {commit[:SHORT]}, which is checked out",
            hint="run it first: tinyhil run RECIPE --target NAME",
            kind=kinds.NO_BASELINE,
        )
    return found


def baseline(connection: Connection, name: str, recipes: Iterable[str], after: Side) -> Side:
    """What the present runs are held against: of a branch the last judged runs of its other commits.

    Raises:
        BlockedError: there is nothing to compare with.
    """
    now = {one.commit for one in after.values() if one.commit}
    with _without_baseline():
        return lookup.of_name(connection, name, recipes, without=now)


@contextlib.contextmanager
def _without_baseline() -> Iterator[None]:
    """What is not found is nothing to compare with: the gate is blocked, and no usage was wrong."""
    try:
        yield
    except ConfigError as error:
        raise BlockedError(error.message, hint=error.hint, kind=kinds.NO_BASELINE) from error


def hold(before: Side, after: Side, by: tuple[Rule, ...], known: tuple[Accepted, ...]) -> tuple[list[Held], list[str]]:
    """Applies the rules.

    Returns:
        What was held, and what only one side has, in a line for each side.

    Raises:
        BlockedError: the sides have nothing in common.
    """
    with _without_baseline():
        pairs, notes = lookup.pairs(before, after, exact=True)
    made = []
    for one, other in pairs:
        found = changes(one.report, other.report)
        holds = partial(_holds, one, other)
        made.append(Held(one, other, found, tuple(gate.judge(found, by, known, holds, (one.times, other.times)))))
    return made, notes


def _holds(before: Kept, after: Kept, line: Accepted) -> bool:
    """Whether a line's commit is in the history of the present run, and not yet in that of the baseline."""
    if after.commit.startswith(line.commit):
        return True
    return _is_ancestor(line.commit, after.commit) and not _is_ancestor(line.commit, before.commit)


@cache
def _is_ancestor(commit: str, of: str) -> bool:
    """As git knows it; not where it does not, such as in a shallow clone."""
    if not of:
        return False
    try:
        process.run(["git", "merge-base", "--is-ancestor", commit, of], what=f"ask git for the ancestors of {of}")
    except BlockedError:
        return False
    return True


def to_junit(found: Sequence[Held], blocked: tuple[str, str] | None = None) -> str:
    """JUnit XML: a suite for each model on its target, a test for each rule.

    Args:
        found: what was held.
        blocked: why nothing could be, and the next step.
    """
    suites = ElementTree.Element("testsuites")
    for one in found:
        said = {"broken": "failure", "incomparable": "error"}
        counts = {"tests": len(one.judged), "failures": len(one.of("broken")), "errors": len(one.of("incomparable"))}
        name = f"gate: {shown.name(one.found.after)}"
        suite = ElementTree.SubElement(
            suites, "testsuite", {"name": name, **{key: str(n) for key, n in counts.items()}}
        )
        for judged in one.judged:
            attributes = {"classname": name, "name": f"{judged.rule.metric.name} {judged.rule.text}"}
            case = ElementTree.SubElement(suite, "testcase", attributes)
            if judged.outcome in said:
                ElementTree.SubElement(case, said[judged.outcome], message=shown.of_rule(judged))
            elif judged.outcome != "kept":
                ElementTree.SubElement(case, "system-out").text = shown.of_rule(judged)
    if blocked is not None:
        suite = ElementTree.SubElement(suites, "testsuite", name="gate", tests="1", failures="0", errors="1")
        case = ElementTree.SubElement(suite, "testcase", classname="gate", name="baseline")
        ElementTree.SubElement(case, "error", message=blocked[0]).text = blocked[1]
    ElementTree.indent(suites)
    return files.as_xml(suites)


def as_values(found: list[Held]) -> list[dict[str, Any]]:
    """For JSON: each rule with what became of it."""
    return [
        {
            "recipe": one.found.after.recipe,
            "target": one.found.after.target,
            "engine": one.found.after.engine,
            "scheme": one.found.after.scheme,
            "before": one.before.commit,
            "after": one.after.commit,
            "rules": [
                {
                    "metric": judged.rule.metric.name,
                    "rule": judged.rule.text,
                    "before": judged.change.before,
                    "after": judged.change.after,
                    "outcome": judged.outcome,
                    "why": judged.change.why if judged.by is None else f"{judged.by.place}: {judged.by.reason}",
                }
                for judged in one.judged
            ],
        }
        for one in found
    ]
