"""Who is told of the stages of a run."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Protocol

from tinyhil.progress import Reporter, Silent


class Observer(Protocol):
    """Who is told of the stages."""

    def stage(self, name: str) -> contextlib.AbstractContextManager[Reporter]:
        """A stage begins; it ends with the context."""

    def result(self, note: str, *, found: bool) -> None:
        """What the current stage has made, and whether it was found rather than made."""

    def announcement(self, text: str) -> None:
        """What the current stage is about to do, said before it begins: how much, and about how long."""

    def warning(self, text: str) -> None:
        """What the user should know although the run goes on."""


class SilentObserver:
    """An observer that nobody listens to."""

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[Reporter]:
        """Ignores it."""
        yield Silent()

    def result(self, note: str, *, found: bool) -> None:
        """Ignores it."""

    def announcement(self, text: str) -> None:
        """Ignores it."""

    def warning(self, text: str) -> None:
        """Ignores it."""


class NestedObserver:
    """Tells of the stages of a run within a stage of another one: as lines of text, which ``-v`` shows."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._name = ""

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[Reporter]:
        """A stage begins."""
        self._name = name
        yield self._reporter

    def result(self, note: str, *, found: bool) -> None:
        """What it has made."""
        self._reporter.text(f"{self._name}: {'unchanged, ' if found else ''}{note}")

    def announcement(self, text: str) -> None:
        """What it is about to do."""
        self._reporter.text(f"{self._name}: {text}")

    def warning(self, text: str) -> None:
        """What the outer run has told as a warning already."""
        self._reporter.text(text)
