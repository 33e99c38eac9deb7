"""Which operator brings a difference in: a search that asks as few of them as it can.

What can be asked of an operator is whether its output differs, given the right inputs of the model. An operator whose
output differs while all that it reads is exact has brought the difference in. In a chain the search for one is binary
search. In any graph it is the same idea (as ``git bisect`` has it for merges): of all operators that a differing one is
computed from, the one is asked whose answer halves the rest.

A difference may be masked on its way, by a ReLU or by saturation, so "exact here, hence exact before" is how the search
chooses, and never what it claims: before an operator is named, all that it reads has been asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

DIFFERS, EXACT, UNKNOWN = True, False, None
"""What an operator that is asked may answer; unknown: its output cannot be had."""

Ask = Callable[[int], bool | None]


@dataclass(frozen=True)
class Blame:
    """What a search has found.

    Attributes:
        operator: whose output differs.
        suspects: it, and those before it whose output cannot be had, in the order of execution: one of them brings the
            difference in. All that they read from others is exact.
        reads: those others.
    """

    operator: int
    suspects: tuple[int, ...]
    reads: tuple[int, ...]


def search(before: Sequence[frozenset[int]], start: int, ask: Ask) -> Blame | None:
    """The operator that brings in the difference at ``start``.

    Args:
        before: for each operator, those whose outputs it reads, all of lower indices.
        start: an operator that is said to differ.
        ask: whether an operator's output differs, None where it cannot be had. Asked once at most for each.

    Returns:
        None if the output of ``start`` turns out to be exact, and so is all that it reads.
    """
    return _Search(before, ask).run(start)


class _Search:
    def __init__(self, before: Sequence[frozenset[int]], ask: Ask) -> None:
        self._before = before
        self._ask = ask
        self._answers: dict[int, bool | None] = {}
        self._above: list[frozenset[int]] = []  # an operator, and all that it is computed from
        for operator, reads in enumerate(before):
            self._above.append(frozenset({operator}).union(*(self._above[each] for each in reads)))

    def run(self, start: int) -> Blame | None:
        differing = start
        while True:
            differing = self._narrowed(differing)
            reads, unknown = self._read_by(differing)
            masked = [operator for operator in sorted(reads) if self._outcome(operator) is DIFFERS]
            if not masked:
                break
            differing = masked[0]
        if self._outcome(differing) is EXACT:
            return None
        return Blame(differing, tuple(sorted({differing, *unknown})), tuple(sorted(reads)))

    def _outcome(self, operator: int) -> bool | None:
        if operator not in self._answers:
            self._answers[operator] = self._ask(operator)
        return self._answers[operator]

    def _narrowed(self, differing: int) -> int:
        """A differing operator before which all was asked, or lies before something exact."""
        while True:
            exact = [operator for operator, answer in self._answers.items() if answer is EXACT]
            cleared = frozenset(self._answers).union(*(self._above[operator] for operator in exact))
            left = self._above[differing] - {differing} - cleared
            if not left:
                return differing
            # Asking an operator leaves those above it or the others; the earlier of two that are as good.
            middle = min(sorted(left), key=lambda each: abs(2 * len(self._above[each] & left) - 1 - len(left)))
            if self._outcome(middle) is DIFFERS:
                differing = middle

    def _read_by(self, operator: int) -> tuple[set[int], set[int]]:
        """What ``operator`` reads; where an output cannot be had, what is read for it instead, and whose it is."""
        known: set[int] = set()
        unknown: set[int] = set()
        waiting = sorted(self._before[operator])
        while waiting:
            each = waiting.pop()
            if self._outcome(each) is not UNKNOWN:
                known.add(each)
            elif each not in unknown:
                unknown.add(each)
                waiting += sorted(self._before[each])
        return known, unknown
