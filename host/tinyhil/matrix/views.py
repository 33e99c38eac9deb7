"""A matrix for people: one page, in one file, and Markdown for a comment on a pull request."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from tinyhil.experiments.models import COLUMNS, cells
from tinyhil.experiments.models.rows import Outcome, Row
from tinyhil.matrix.cells import Cell, Plan
from tinyhil.matrix.results import Result, verdict, words
from tinyhil.report import markdown
from tinyhil.report.headline import headline
from tinyhil.report.page import template
from tinyhil.report.tables import Table

HEAD = ("model", *COLUMNS[1:])
"""Of the table with a row for each cell."""
_ABSENT = "not carried out"
_STATES = {"fail": "fail", "fault": "fail"}
"""Roles of the page's style, but for a pass; the others are those of what is no verdict."""
_MARKS = {**markdown.MARKS, "refused": "⛔ REFUSED", "fault": "❌ FAULT", "interrupted": "⛔ INTERRUPTED"}


@dataclass(frozen=True)
class Square:
    """One cell of the page's grid.

    Attributes:
        state: a role of the page's style.
        outcome: in a word or two.
        figures: what its run has measured.
        link: to its report, from the folder of the page; empty where there is none.
    """

    state: str
    outcome: str
    figures: tuple[str, ...] = ()
    link: str = ""


def to_html(made: Plan, results: Sequence[Result], folder: Path) -> str:
    """The page.

    Args:
        made: what was to be run.
        results: what became of it so far.
        folder: the page's; reports are linked from there.

    Raises:
        StorageError: the installation lacks its templates.
    """
    grid = [(model, [_square(each, found, folder) for each, found in line]) for model, line in _grid(made, results)]
    outcome = verdict(results, len(made.cells))
    return template("matrix.html.j2").render(
        state=_state(outcome, exact_alone=any(each.is_exact_alone for each in results)),
        outcome=outcome.upper(),
        words=words(results, len(made.cells)),
        left_out=made.left_out,
        head=_placements(made),
        grid=grid,
        reasons=[(each.cell.title, each.row) for each in results if each.row.outcome is not Outcome.PASS],
        warnings=[(each.cell.title, note) for each in results for note in each.row.notes],
        runs=Table("runs", "Runs", HEAD, tuple(cells(each.row) for each in results)) if results else None,
    )


def to_markdown(made: Plan, results: Sequence[Result]) -> str:
    """The comment: what is no pass first, then the grid; a row for each run is folded away."""
    mark = _MARKS[verdict(results, len(made.cells))]
    blocks = [f"### {mark}: {markdown.escaped(words(results, len(made.cells)))}"]
    reasons = [each for each in results if each.row.outcome is not Outcome.PASS]
    blocks += [f"- **{markdown.escaped(each.cell.title)}**: {markdown.escaped(each.row.reason)}" for each in reasons]
    head = ("Model", *(f"{target} ({engine})" for target, engine in _placements(made)))
    rows = [
        (model, *(_ABSENT if found is None else _short(found.row) for _, found in line))
        for model, line in _grid(made, results)
    ]
    blocks.append(markdown.table(head, rows))
    if made.left_out:
        blocks.append(markdown.escaped(f"Left out: {'; '.join(made.left_out)}"))
    if results:
        blocks.append(markdown.details("Runs", markdown.table(HEAD, [cells(each.row) for each in results])))
    return "\n\n".join(blocks) + "\n"


def _short(row: Row) -> str:
    figures = _figures(row)
    return f"{_MARKS[row.outcome].split()[0]} {', '.join(figures) or row.outcome}"


def _placements(made: Plan) -> list[tuple[str, str]]:
    return list(dict.fromkeys((cell.target, cell.engine) for cell in made.cells))


def _grid(made: Plan, results: Sequence[Result]) -> list[tuple[str, list[tuple[Cell, Result | None]]]]:
    """A line for each model, as wide as there are placements: every model is run on each."""
    found = {each.cell: each for each in results}
    lines: dict[str, list[tuple[Cell, Result | None]]] = {}
    for cell in made.cells:
        lines.setdefault(cell.model, []).append((cell, found.get(cell)))
    return list(lines.items())


def _square(cell: Cell, result: Result | None, folder: Path) -> Square:
    if result is None:
        return Square("none", _ABSENT)
    row = result.row
    link = quote(os.fsencode(os.path.relpath(row.report, folder))) if row.report else ""
    alone = () if result.report is None or not result.is_exact_alone else (headline(result.report),)
    state = _state(row.outcome, exact_alone=result.is_exact_alone)
    return Square(state, row.outcome.upper(), (*alone, *_figures(row)), link)


def _state(outcome: str, *, exact_alone: bool) -> str:
    """The role of an outcome in the page's style."""
    if outcome == Outcome.PASS:
        return "exact" if exact_alone else "pass"
    return _STATES.get(outcome, "blocked")


def _figures(row: Row) -> tuple[str, ...]:
    """Of one inference, and of the image: those figures that do not depend on this computer."""
    found = cells(row)
    named = dict(zip(COLUMNS, found, strict=True))
    wanted = ((named["per inference"], ""), (named["flash B"], " B flash"))
    return tuple(f"{text}{unit}" for text, unit in wanted if text != "-")
