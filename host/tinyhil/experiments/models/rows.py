"""One row of the table: what became of a file on a target, computed by an engine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """What became of a run."""

    PASS = "pass"
    FAIL = "fail"
    REFUSED = "refused"
    """The file, its samples or a combination of both with the engine cannot be used: nothing was run."""
    BLOCKED = "blocked"
    """The run could not be carried out."""
    FAULT = "fault"
    """Something happened that tinyhil does not foresee."""


@dataclass(frozen=True)
class Row:
    """One row. What was not found out is None.

    Attributes:
        file: its name in the folder.
        target: name of the target.
        engine: name of the engine.
        outcome: what became of it.
        seconds: of the whole run, by the wall clock of the computer that tinyhil runs on; never of the target.
        model_sha256: of the file as it is in the folder; None where it cannot be read.
        exact: vectors without a difference beyond the tolerance.
        vectors: vectors compared.
        exhaustive: whether these are all inputs that there are.
        detectable: the least share of such inputs that a fault has to hit to be seen (``Fidelity.detectable``); None
            where all inputs were sent, or one differs.
        searched: inputs that a search tried beyond the vectors; 0 where there was no search.
        max_lsb: the largest difference of a vector; of floats in units in the last place.
        flash_bytes: of the whole image.
        ram_bytes: likewise, without the stack.
        instructions: of an inference, where the target counts them.
        microseconds: of an inference, where the target has a clock.
        cause: why it failed, was refused or blocked, in one line; empty for a pass.
        step: what to do about it, in one line; or empty.
        problems: everything that pre-flight finds, each in one line; the cause has the first.
        takers: engines that take a refused model, as ``ENGINE on TARGET``, the nearest first.
        error: id of the error's kind, see docs/errors.md; or empty.
        notes: what was said beside: how the file was rewritten, what was forced.
        report: the report's page; empty where there is none.
        found: whether the row was kept from an earlier call.
    """

    file: str
    target: str
    engine: str
    outcome: Outcome
    seconds: float
    model_sha256: str | None = None
    exact: int | None = None
    vectors: int | None = None
    exhaustive: bool | None = None
    detectable: float | None = None
    searched: int | None = None
    max_lsb: int | None = None
    flash_bytes: int | None = None
    ram_bytes: int | None = None
    instructions: float | None = None
    microseconds: float | None = None
    cause: str = ""
    step: str = ""
    problems: tuple[str, ...] = ()
    takers: tuple[str, ...] = ()
    error: str = ""
    notes: tuple[str, ...] = ()
    report: str = ""
    found: bool = False

    @property
    def reason(self) -> str:
        """Cause and next step in one line."""
        return "; ".join(filter(None, (self.cause, self.step)))


def counts(rows: Iterable[Row]) -> dict[Outcome, int]:
    """How many rows had each outcome, those that none had left out."""
    found = Counter(row.outcome for row in rows)
    return {outcome: found[outcome] for outcome in Outcome if found[outcome]}
