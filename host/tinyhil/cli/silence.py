"""A word every now and then, where nothing can move on the screen: what is being done, and for how long."""

from __future__ import annotations

import threading
import time
from typing import Self

from tinyhil.cli.plain_console import PlainConsole

SILENCE_S = 1.2
"""After so many seconds without a word, one is said."""


class Silence:
    """Breaks the silence on standard error, so that what is on standard output stays as it is; a context manager.

    Args:
        what: what is being done.
    """

    def __init__(self, what: str = "") -> None:
        self._console = PlainConsole(stderr=True)
        self._what = what
        self._began = self._said = time.monotonic()
        self._over = threading.Event()
        self._watch = threading.Thread(target=self._break, name="silence", daemon=True)

    def __enter__(self) -> Self:
        self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._watch.join()

    def begin(self, what: str) -> None:
        """Something else is being done from now on."""
        self._what, self._began = what, time.monotonic()

    def said(self) -> None:
        """Somebody else has just said something."""
        self._said = time.monotonic()

    def _break(self) -> None:
        while not self._over.wait(SILENCE_S / 3):
            now = time.monotonic()
            if now - self._said >= SILENCE_S:
                self._said = now
                word = f"... {self._what}, {now - self._began:.0f} s"
                self._console.print(word, markup=False, soft_wrap=True, highlight=False)
