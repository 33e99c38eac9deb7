"""Rules on how much worse a figure may get, and what a comparison is by them. Exact figures need no room for noise."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Literal

from tinyhil import kinds
from tinyhil.compare import medians
from tinyhil.compare.changes import Change, Changes
from tinyhil.compare.metrics import BY_NAME, Metric
from tinyhil.errors import ConfigError

Outcome = Literal["kept", "broken", "accepted", "incomparable"]

OFF = "off"
USUAL = {
    "flash": "+0 B",
    "ram": "+0 B",
    "arena": "+0 B",
    "stack": "+0 B",
    "instructions": "+0 %",
    "mae": "+5 %",
    "top1": "-0.5 points",
    "mismatches": "+0",
}
"""The rules where the project has no others. Accuracy varies from training to training; times need repeated runs."""
_AMOUNT = re.compile(r"([+-])\s*(\d+(?:\.\d+)?)\s*(\S*)")
_ACCURACY = "accuracy."
"""May stand before the name of a metric."""
_ROUNDING = 1e-9
"""Of the sums and quotients of doubles: 0.915 - 0.92 is a little more than -0.005."""


@dataclass(frozen=True)
class Rule:
    """How much worse one figure may get.

    Attributes:
        metric: the figure.
        allowed: by how much, not negative: in the figure's own unit, or as a share of the value before.
        relative: whether it is a share.
        text: as it is written.
    """

    metric: Metric
    allowed: float
    relative: bool
    text: str

    def keeps(self, change: Change) -> bool:
        """Whether a change, which can be compared, is within the rule."""
        difference = change.difference
        if difference is None or change.outcome in ("better", "equal"):
            return True
        allowed = self.allowed * (abs(change.before or 0.0) if self.relative else 1.0)
        return abs(difference) <= allowed or math.isclose(abs(difference), allowed, rel_tol=_ROUNDING)


@dataclass(frozen=True)
class Accepted:
    """A regression that somebody has accepted: a line of the file of accepted regressions.

    Attributes:
        commit: that has made it, or the beginning of its hash.
        recipe: of the recipe or model; ``*`` for all.
        target: on the target; ``*`` for all.
        rule: up to how much.
        reason: why.
        place: file and line.
    """

    commit: str
    recipe: str
    target: str
    rule: Rule
    reason: str
    place: str

    def is_about(self, found: Changes, change: Change) -> bool:
        """Whether it is of this figure, and allows that much."""
        of = (self.recipe in ("*", found.after.recipe)) and (self.target in ("*", found.after.target))
        return of and self.rule.metric == change.metric and self.rule.keeps(change)


@dataclass(frozen=True)
class Judged:
    """One rule, applied.

    Attributes:
        rule: the rule.
        change: of its figure.
        outcome: whether it is kept or broken; ``accepted`` if it is broken and somebody has accepted that.
        by: who has accepted it; None for nobody.
    """

    rule: Rule
    change: Change
    outcome: Outcome
    by: Accepted | None = None


def rule(name: str, text: str, place: str) -> Rule | None:
    """Reads a rule; None for one that is off.

    Args:
        name: of the metric; ``accuracy.`` may stand before it.
        text: such as ``+0 B``, ``+2 %``, ``-0.5 points`` or ``off``.
        place: where it is written, for errors.

    Raises:
        ConfigError: there is no such metric, or the text is no amount of it.
    """
    metric = BY_NAME.get(name.removeprefix(_ACCURACY))
    if metric is None:
        raise ConfigError(
            f"{place}: there is no metric {name!r}", hint=f"the metrics are {', '.join(BY_NAME)}", kind=kinds.WRONG_FILE
        )
    if text.strip() == OFF:
        return None
    sign = "+" if metric.better == "less" else "-"
    found = _AMOUNT.fullmatch(text.strip())
    own = "points" if metric.unit == "%" else metric.unit
    if found is None or found[3] not in {"%", "", own} or (found[3] == "" and own == "points"):
        raise _wrong(place, name, text, f'"{sign}0 {own}"'.replace(' "', '"') + f', "{sign}1 %" or "{OFF}"')
    if found[1] != sign:
        worse = "more" if sign == "+" else "less"
        raise _wrong(place, name, text, f"a {sign}: of {metric.name} {worse} is worse, and a rule says how much")
    amount, relative = float(found[2]), found[3] == "%"
    return Rule(metric, amount / (100.0 if relative else metric.scale), relative, text.strip())


def _wrong(place: str, name: str, text: str, wanted: str) -> ConfigError:
    return ConfigError(f"{place}: {name} = {text!r} is no rule", hint=f"write {wanted}", kind=kinds.WRONG_FILE)


def rules(given: Mapping[str, str], place: str) -> tuple[Rule, ...]:
    """The rules of a project: the usual ones, and its own in their place.

    Raises:
        ConfigError: as ``rule``.
    """
    own = {name.removeprefix(_ACCURACY): text for name, text in given.items()}
    made = (rule(name, text, place) for name, text in {**USUAL, **own}.items())
    return tuple(one for one in made if one is not None)


def accepted(text: str, name: str) -> tuple[Accepted, ...]:
    """Reads the file of accepted regressions: ``COMMIT RECIPE TARGET METRIC AMOUNT # REASON`` in each line.

    Args:
        text: of the file; empty lines, and those that begin with ``#``, say nothing.
        name: of the file, for errors.

    Raises:
        ConfigError: a line is something else.
    """
    return tuple(
        _accepted(line, f"{name}, line {number}")
        for number, line in enumerate(text.splitlines(), 1)
        if line.strip() and not line.lstrip().startswith("#")
    )


def _accepted(line: str, place: str) -> Accepted:
    said, _, reason = line.partition("#")
    fields = said.split(maxsplit=4)
    if len(fields) < 5 or not reason.strip() or not re.fullmatch("[0-9a-f]{7,64}", fields[0]):
        raise ConfigError(
            f"{place} is no accepted regression: {line.strip()!r}",
            hint="write COMMIT RECIPE TARGET METRIC AMOUNT # REASON: 1f77ce2 sine qemu-m4 flash +312 B # new table",
            kind=kinds.WRONG_FILE,
        )
    commit, recipe, target, metric, amount = fields
    made = rule(metric, amount, place)
    if made is None:
        raise _wrong(place, metric, amount, "how much is accepted")
    return Accepted(commit, recipe, target, made, reason.strip(), place)


def judge(
    found: Changes,
    by: Sequence[Rule],
    known: Sequence[Accepted] = (),
    holds: Callable[[Accepted], bool] = lambda _: True,
    times: tuple[Sequence[float], Sequence[float]] = ((), ()),
) -> Iterator[Judged]:
    """Applies rules to a comparison. A figure that neither side has is not judged.

    Args:
        known: accepted regressions.
        holds: whether an accepted one is about what lies between the two sides.
        times: microseconds of the repeated runs of both sides.
    """
    changes = {change.metric.name: change for change in found.figures}
    for one in by:
        change = changes.get(one.metric.name)
        if change is None:
            continue
        if not one.metric.exact and None not in (change.before, change.after):
            change = _of_times(one, change, *times)
        if change.outcome == "incomparable":
            yield Judged(one, change, "incomparable")
        elif change.outcome != "worse" or (one.metric.exact and one.keeps(change)):
            yield Judged(one, change, "kept")
        else:
            who = next((each for each in known if each.is_about(found, change) and holds(each)), None)
            yield Judged(one, change, "broken" if who is None else "accepted", who)


def _of_times(by: Rule, change: Change, before: Sequence[float], after: Sequence[float]) -> Change:
    """A change of times: of the medians of repeated runs, and worse only where a test of ranks says so."""
    if change.outcome == "incomparable" and change.why:
        return change
    if min(len(before), len(after)) < medians.RUNS:
        why = f"{medians.RUNS} runs of each commit are needed, there are {len(before)} and {len(after)}"
        return replace(change, outcome="incomparable", why=why)
    middles = median(before), median(after)
    allowed = by.allowed if by.relative else by.allowed / middles[0]
    slower = medians.is_slower(before, after, allowed)
    said = f"medians of {len(before)} and {len(after)} runs"
    return replace(change, before=middles[0], after=middles[1], outcome="worse" if slower else "equal", why=said)
