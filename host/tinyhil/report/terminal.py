"""The report as lines for a terminal. Printing them is the command line's business."""

from __future__ import annotations

from collections.abc import Iterator

from tinyhil.compare.verdict import Report
from tinyhil.report.facts import facts


def rows(report: Report) -> Iterator[tuple[str, str]]:
    """Label and value of each line between the heading and the verdict."""
    for fact in facts(report):
        yield fact.label, fact.text


def verdict(report: Report) -> str:
    """The last line."""
    if report.verdict == "blocked":
        return f"BLOCKED  {report.summary}"
    return f"{report.verdict.upper()}  {report.recipe} on {report.target} ({report.engine}): {report.summary}"
