"""What a check of a port has found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tinyhil.errors import TinyhilError


class State(StrEnum):
    """How a check went."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Checked:
    """One thing that was looked at.

    Attributes:
        name: of the check, such as ``permissions``; that of a fault begins with it: ``line: damaged``.
        state: how it went.
        said: what was found, in words.
        next_step: what to do; empty where there is nothing to do.
        id: of the kind of error, see docs/errors.md; empty where there is none.
    """

    name: str
    state: State
    said: str
    next_step: str = ""
    id: str = ""


def failed(name: str, error: TinyhilError) -> Checked:
    """A check that an error has ended."""
    return Checked(name, State.FAILED, error.message, error.hint, error.kind.id)
