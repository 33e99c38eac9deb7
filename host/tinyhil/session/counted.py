"""Lines that count how often the port was lost, and what the conversations on them did again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tinyhil.artifacts.retries import Retries, Tally
from tinyhil.deadline import Deadline
from tinyhil.session.lines import Line, Lines


class CountedLines:
    """Lines whose losses are counted.

    Args:
        lines: the lines.
        tally: takes the counts.
    """

    def __init__(self, lines: Lines, tally: Tally) -> None:
        self._lines = lines
        self._tally = tally
        self._name = ""

    def open(self, deadline: Deadline) -> Line:
        """See ``Lines.open``."""
        return self._counted(self._lines.open(deadline))

    def reopen(self, deadline: Deadline, check: Callable[[], None]) -> Line:
        """See ``Lines.reopen``."""
        before = self._name
        line = self._counted(self._lines.reopen(deadline, check))
        self._tally.add(Retries(ports_reopened=1, ports_renamed=int(self._name != before)))
        return line

    def _counted(self, line: Line) -> Line:
        self._name = line.transport.name
        return replace(line, tally=self._tally)
