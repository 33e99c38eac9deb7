"""How a stage says what it is doing, without knowing who listens.

Stages never print: only command line and pytest plugin do. They are handed a :class:`Reporter`; :class:`Silent` is
for tests and library use.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Reporter(Protocol):
    """What a stage may tell while it works."""

    def progress(self, done: int, total: int, note: str = "") -> None:
        """``done`` of ``total`` steps of the current stage are behind us."""

    def command(self, argv: Sequence[str]) -> None:
        """A program is about to be started with these arguments."""

    def text(self, line: str) -> None:
        """A line worth seeing with ``-v``: a tool's output, or what a sketch printed."""


class Silent:
    """A reporter that nobody listens to."""

    def progress(self, done: int, total: int, note: str = "") -> None:
        """Ignores it."""

    def command(self, argv: Sequence[str]) -> None:
        """Ignores it."""

    def text(self, line: str) -> None:
        """Ignores it."""
