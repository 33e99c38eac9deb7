"""The stages of one run: each is carried out once, told to the observer, and its artifact remembered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from tinyhil.pipeline.observer import Observer
from tinyhil.progress import Reporter

_A = TypeVar("_A")

Work = Callable[[Reporter], tuple[_A, bool, str]]
"""Makes an artifact: returns it, whether it was found rather than made, and a line about it."""


class Stages:
    """The stages of one run.

    Args:
        observer: told of each stage as it begins and ends.
    """

    def __init__(self, observer: Observer) -> None:
        self.observer = observer
        self._made: dict[str, Any] = {}

    def once(self, name: str, work: Work[_A]) -> _A:
        """The artifact of the stage ``name``: made by ``work`` the first time, remembered from then on.

        One that raises is not remembered, and is tried again when it is asked for again.
        """
        if name not in self._made:
            with self.observer.stage(name) as reporter:
                made, found, note = work(reporter)
                self.observer.result(note, found=found)
            self._made[name] = made
        return cast(_A, self._made[name])
