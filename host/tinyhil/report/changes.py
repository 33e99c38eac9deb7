"""Two reports side by side, in words: the terminal, Markdown, the page and JSON say the same of one comparison."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from tinyhil.compare.changes import Change, Changes, OperatorChange, Outcome
from tinyhil.compare.gate import Judged
from tinyhil.compare.verdict import Report
from tinyhil.plain_text import aligned
from tinyhil.report import markdown
from tinyhil.report.facts import UNITS
from tinyhil.report.page import template
from tinyhil.report.tables import Table

SCHEMA = 1
"""Of the JSON."""
_MARKS = {"better": "✅ better", "worse": "❌ worse", "equal": "equal", "incomparable": "? incomparable"}
_HEAD = ("Figure", "Before", "After", "Difference", "Outcome", "Why")
_NUMBERS = (1, 2, 3)
"""Columns that are written to the right."""
_ORDER: tuple[Outcome, ...] = ("worse", "better", "incomparable", "equal")


def name(report: Report) -> str:
    """What a report is of."""
    return f"{report.recipe} on {report.target} ({', '.join(filter(None, (report.engine, report.scheme)))})"


def title(found: Changes) -> str:
    """What two reports are of."""
    before, after = name(found.before), name(found.after)
    return before if before == after else f"{before}, then {after}"


def summary(found: Changes) -> str:
    """How many figures have which outcome, and what got worse or better."""
    counts = [f"{len(found.of(outcome))} {outcome}" for outcome in _ORDER if found.of(outcome)]
    said = ", ".join(counts) or "no figures"
    changed = [f"{one.metric.title} {difference(one)}" for one in (*found.of("worse"), *found.of("better"))]
    return f"{said}: {', '.join(changed)}" if changed else said


def difference(one: Change) -> str:
    """By how much a figure has changed; empty where it has not, or cannot be compared."""
    if one.outcome == "incomparable" or not one.difference:
        return ""
    share = f" ({one.share:+.2%})" if one.share is not None and one.metric.unit != "%" else ""
    return f"{one.metric.shown_difference(one.difference)}{share}"


def of_rule(judged: Judged) -> str:
    """What became of a rule that was not simply kept."""
    metric, change = judged.rule.metric, judged.change
    if judged.outcome == "incomparable":
        return f"{metric.title} cannot be compared: {change.why}"
    values = f"{metric.shown(change.before)}, now {metric.shown(change.after)}"
    if judged.by is None:
        return f"{metric.title} {difference(change)} is worse than {judged.rule.text} allows: {values}"
    return f"{metric.title} {difference(change)}, accepted by {judged.by.place}: {judged.by.reason}; {values}"


def figures(found: Changes) -> Table:
    """A row for each figure."""
    rows = tuple(
        (
            one.metric.title,
            one.metric.shown(one.before),
            one.metric.shown(one.after),
            difference(one),
            one.outcome,
            one.why,
        )
        for one in found.figures
    )
    return Table("figures", "Figures", _HEAD, rows)


def operators(found: Changes) -> Table | None:
    """A row for each operator; None where they cannot be compared, or there are none."""
    if not found.operators:
        return None
    rows = tuple(
        (f"{number} {one.name}", _cost(one.before), _cost(one.after), _of_operator(one), one.outcome)
        for number, one in enumerate(found.operators)
    )
    return Table("operators", f"Operators, {UNITS.get(found.unit, found.unit)}".rstrip(", "), _HEAD[:-1], rows)


def _cost(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}"


def _of_operator(one: OperatorChange) -> str:
    if one.before is None or one.after is None or one.before == one.after:
        return ""
    share = f" ({(one.after - one.before) / one.before:+.2%})" if one.before else ""
    return f"{one.after - one.before:+,.0f}{share}"


def lines(found: Changes) -> Iterator[str]:
    """For a terminal."""
    yield f"{title(found)}: {summary(found)}"
    yield from (f"  {note}" for note in found.notes)
    yield from _aligned(figures(found))
    if found.why_no_operators:
        yield f"  operators cannot be compared: {found.why_no_operators}"
    table = operators(found)
    if table is not None and any(one.outcome != "equal" for one in found.operators):
        yield f"  {table.title}:"
        yield from _aligned(table)


def _aligned(table: Table) -> Iterator[str]:
    rows = [tuple(map(str, row)) for row in table.rows]
    yield from (f"  {line}" for line in aligned(rows, _NUMBERS))


def to_markdown(found: Sequence[Changes], notes: Sequence[str] = (), heading: str = "") -> str:
    """For a comment on a pull request: what is not equal is shown, the rest is folded away.

    Args:
        found: the comparisons.
        notes: what is to be said of all of them.
        heading: the first line; by default what follows from the comparisons.
    """
    blocks = [f"### {markdown.escaped(heading or _heading(found))}", *map(markdown.escaped, notes)]
    for one in found:
        table = figures(one)
        changed = [row for row, change in zip(table.rows, one.figures, strict=True) if change.outcome != "equal"]
        blocks.append(f"**{markdown.escaped(title(one))}**: {markdown.escaped(summary(one))}")
        blocks += [f"- {markdown.escaped(note)}" for note in one.notes]
        if changed:
            blocks.append(markdown.table(table.head, [(*row[:4], _MARKS[str(row[4])], row[5]) for row in changed]))
        blocks.append(markdown.details("All figures", markdown.table(table.head, table.rows)))
        by_operator = operators(one)
        if by_operator is not None:
            blocks.append(markdown.details(by_operator.title, markdown.table(by_operator.head, by_operator.rows)))
        if one.why_no_operators:
            blocks.append(markdown.escaped(f"Operators cannot be compared: {one.why_no_operators}"))
    return "\n\n".join(blocks) + "\n"


def _heading(found: Sequence[Changes]) -> str:
    outcomes = {change.outcome for one in found for change in one.figures}
    if "worse" in outcomes:
        return "❌ Worse"
    return "✅ Nothing got worse" if outcomes & {"better", "equal"} else "? Nothing can be compared"


def to_html(found: Sequence[Changes], notes: Sequence[str] = ()) -> str:
    """One page, in one file.

    Raises:
        StorageError: the installation lacks its templates.
    """
    shown = []
    for number, one in enumerate(found, 1):
        tables = [figures(one), *(table for table in [operators(one)] if table is not None)]
        named = [replace(table, name=f"{table.name}-{number}") for table in tables]  # ids of its own for each
        shown.append((f"pair-{number}", title(one), summary(one), one, named))
    return template("changes.html.j2").render(shown=shown, notes=notes)


def as_values(found: Sequence[Changes], notes: Sequence[str] = ()) -> Any:
    """For JSON."""
    return {
        "schema": SCHEMA,
        "notes": list(notes),
        "pairs": [
            {
                "before": _side(one.before),
                "after": _side(one.after),
                "notes": list(one.notes),
                "figures": [
                    {
                        "name": change.metric.name,
                        "unit": change.metric.unit,
                        "before": change.before,
                        "after": change.after,
                        "outcome": change.outcome,
                        "why": change.why,
                    }
                    for change in one.figures
                ],
                "operators": msgspec.to_builtins(one.operators),
                "operators_unit": one.unit,
                "why_no_operators": one.why_no_operators,
            }
            for one in found
        ],
    }


def _side(report: Report) -> Any:
    names = ("verdict", "recipe", "target", "engine", "scheme", "kernels", "model_sha256", "made_by", "tool_versions")
    return {each: getattr(report, each) for each in names}
