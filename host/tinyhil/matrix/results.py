"""What became of a cell, and of all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinyhil.compare.verdict import Report
from tinyhil.errors import ExitCode
from tinyhil.experiments.models import Row, counts
from tinyhil.experiments.models.rows import Outcome
from tinyhil.matrix.cells import Cell
from tinyhil.report.files import Took
from tinyhil.report.headline import judged

CODES = (
    (Outcome.FAIL, ExitCode.FAIL),
    (Outcome.FAULT, ExitCode.FAULT),
    (Outcome.REFUSED, ExitCode.USAGE),
    (Outcome.BLOCKED, ExitCode.BLOCKED),
)
"""What a matrix with such a cell exits with; the first one counts."""


@dataclass(frozen=True)
class Result:
    """What became of a cell.

    Attributes:
        cell: the cell.
        row: the same as a row of a table.
        report: of the run, of a blocked one too; None where there is none.
        took: when the run was carried out; None likewise.
    """

    cell: Cell
    row: Row
    report: Report | None = None
    took: Took | None = None

    @property
    def is_exact_alone(self) -> bool:
        """Whether it passes, and nothing was asked of its accuracy: that is no green."""
        return self.row.outcome is Outcome.PASS and self.report is not None and not judged(self.report.accuracy)


def worst(results: Sequence[Result]) -> tuple[Outcome, ExitCode]:
    """The outcome that counts, and the exit code that belongs to it."""
    found = {each.row.outcome for each in results}
    return next((each for each in CODES if each[0] in found), (Outcome.PASS, ExitCode.PASS))


def exit_code(results: Sequence[Result]) -> ExitCode:
    """Of all cells together."""
    return worst(results)[1]


def verdict(results: Sequence[Result], planned: int) -> str:
    """In a word: that of all cells together, or that they are not all there."""
    return "interrupted" if len(results) < planned else worst(results)[0].value


def words(results: Sequence[Result], planned: int) -> str:
    """How many cells there are, and how many had each outcome."""
    found = [f"{count} {outcome.value}" for outcome, count in counts(each.row for each in results).items()]
    if len(results) < planned:
        found.append(f"{planned - len(results)} not carried out")
    return f"{planned} run{'' if planned == 1 else 's'}: {', '.join(found)}"
