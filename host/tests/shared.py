"""Folders that are dear to make, made once for all workers of a test run."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest


class Shared:
    """Makes each folder once, whichever worker needs it first; the others wait for it.

    Nobody writes into such a folder later: a test that changes something works on a copy.
    """

    def __init__(self, base: Path) -> None:
        self._base = base

    def __call__(self, name: str, make: Callable[[Path], object]) -> Path:
        """The folder ``name``, filled by ``make`` unless that has been done; what fails is tried again by the next."""
        made, begun = self._base / name, self._base / f"{name}.begun"
        with (self._base / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not made.exists():
                shutil.rmtree(begun, ignore_errors=True)
                begun.mkdir()
                make(begun)
                begun.rename(made)
        return made


def of_run(factory: pytest.TempPathFactory) -> Shared:
    """For the whole run of pytest, whether or not it has workers."""
    base = factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shared"
    folder.mkdir(exist_ok=True)
    return Shared(folder)
