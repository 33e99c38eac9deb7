"""The report as Markdown for a comment on a pull request: short, without pictures, details folded away.

GitHub's and GitLab's flavour: tables, and ``<details>`` around Markdown that is set off by empty lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from tinyhil.compare.verdict import Report
from tinyhil.plain_text import for_log
from tinyhil.report import tables
from tinyhil.report.facts import Figure, Reader, facts
from tinyhil.report.headline import headline, judged
from tinyhil.report.tables import Bar, Cell, Table

MARKS = {"pass": "✅ PASS", "fail": "❌ FAIL", "blocked": "⛔ BLOCKED"}
"""How a verdict begins."""
_SPECIAL = re.compile(r"([\\`*_\[\]~#|])")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;", "$": "&#36;"}
"""HTML, mentions and mathematics: a backslash does not keep them off everywhere."""


def to_markdown(report: Report) -> str:
    """The comment."""
    read = Reader(report)
    made = facts(report)
    said = "" if report.verdict != "pass" or judged(report.accuracy) else f": {headline(report)}"
    blocks = [
        f"### {MARKS[report.verdict]}{escaped(said)}: {escaped(report.recipe)} on {escaped(report.target)}",
        escaped(report.summary),
    ]
    if report.blocked is not None and report.blocked.hint:
        blocks.append(f"**Next:** {escaped(report.blocked.hint)}")
    if report.forced:
        causes = "; ".join(escaped(problem.cause) for problem in report.forced)
        blocks.append(f"**⚠ Forced** in spite of: {causes}")
    for finding in report.findings:
        hint = f" **Next:** {escaped(finding.hint)}" if finding.hint else ""
        label = "**⚠ Warning:**" if finding.level == "warning" else "**Note:**"
        blocks.append(f"{label} {escaped(finding.cause)}.{hint}")
    rows = [(fact.label, fact.text) for fact in made]
    blocks.append(table(("Figure", "Value"), rows))
    folded = [
        tables.features(report, read),
        tables.mismatches(report, read),
        tables.example(report, read),
        tables.layers(report, read),
        tables.bounds(report, read),
        tables.split(report, read),
        tables.sections(report, read),
        tables.operators(report, read),
        *tables.named(report, read),
    ]
    blocks += [details(one.title, table(*_without_bars(one))) for one in folded if one is not None]
    if report.blocked is not None and report.blocked.detail:
        blocks.append(details("What was printed", _code(report.blocked.detail)))
    return "\n\n".join(blocks) + "\n"


def escaped(text: str) -> str:
    """A text that reads as it is: nothing in it is Markdown, a mention, a link or HTML."""
    line = " ".join(text.split())
    line = _SPECIAL.sub(r"\\\1", line)
    return "".join(_ENTITIES.get(letter, letter) if letter.isprintable() else "\ufffd" for letter in line)


def details(title: str, body: str) -> str:
    """Markdown that is folded away below a title."""
    return f"<details><summary>{escaped(title)}</summary>\n\n{body}\n\n</details>"


def table(head: tuple[str, ...], rows: Iterable[tuple[Cell, ...]]) -> str:
    """A table whose cells read as they are."""
    lines = [_row(head), _row(("---",) * len(head), raw=True)]
    return "\n".join([*lines, *(_row(row) for row in rows)])


def _row(cells: Iterable[Cell], *, raw: bool = False) -> str:
    texts = (cell.text if isinstance(cell, Figure) else str(cell) for cell in cells)
    return f"| {' | '.join(text if raw else escaped(text) for text in texts)} |"


def _without_bars(made: Table) -> tuple[tuple[str, ...], list[tuple[Cell, ...]]]:
    """Head and rows, without the columns that are bars."""
    kept = [index for index in range(len(made.head)) if not isinstance(made.rows[0][index], Bar)]
    return tuple(made.head[index] for index in kept), [tuple(row[index] for index in kept) for row in made.rows]


def _code(text: str) -> str:
    """A block with a fence that is longer than any in the text."""
    shown = for_log(text.rstrip())
    shown = "".join(letter if letter.isprintable() or letter in "\n\t" else "\ufffd" for letter in shown)
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{shown}\n{fence}"
