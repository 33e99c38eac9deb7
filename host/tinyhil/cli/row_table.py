"""Rows of runs as lines of a terminal: names to the left, figures to the right, and why not below."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tinyhil.experiments.models import Row

STYLES = {"pass": "green", "fail": "bold red", "refused": "cyan", "blocked": "yellow", "fault": "bold red"}
"""Of each outcome."""
_TEXTS = 4
"""So many columns are words."""
_WIDTHS = (7, 13, 8, 10, 10, 17, 7)
"""Characters of each column at least, but for the first three, whose widths are those of the longest name."""


class RowTable:
    """The lines of a table whose rows may come one by one.

    Args:
        columns: their heads.
        names: the first three cells of every row that may come.
    """

    def __init__(self, columns: Sequence[str], names: Sequence[tuple[str, str, str]]) -> None:
        longest = [max(map(len, column)) for column in zip(*names, strict=True)]
        self._widths = [max(width, len(head)) for width, head in zip([*longest, *_WIDTHS], columns, strict=True)]
        self.head = self._aligned(columns)

    def lines(self, row: Row) -> Iterator[str]:
        """A line for a row, and another for what is to be said of it where it has figures as well."""
        from tinyhil.experiments import models as experiment

        texts = experiment.cells(row)
        if row.vectors is None:
            yield f"{self._aligned(texts[:_TEXTS])}  {row.reason}"
        else:
            yield self._aligned(texts)
            if row.reason:
                yield f"    {row.reason}"

    def _aligned(self, texts: Sequence[str]) -> str:
        words = [text.ljust(width) for text, width in zip(texts[:_TEXTS], self._widths, strict=False)]
        figures = zip(texts[_TEXTS:], self._widths[_TEXTS:], strict=False)
        return "  ".join([*words, *(text.rjust(width) for text, width in figures)])
