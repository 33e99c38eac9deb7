"""Whoever is blamed has brought the difference in: over random graphs, with differences that are masked."""

from __future__ import annotations

import math
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from tinyhil.compare.blame import DIFFERS, EXACT, UNKNOWN, Blame, search


class Case(NamedTuple):
    before: list[frozenset[int]]
    answers: list[bool | None]
    start: int


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A graph, faults in some operators, what hides a difference that comes in, and outputs that cannot be had."""
    count = draw(st.integers(1, 12))
    before: list[frozenset[int]] = [frozenset()]
    for index in range(1, count):
        before.append(draw(st.frozensets(st.integers(0, index - 1), max_size=3)))
    wrong: list[bool] = []
    for index in range(count):
        faulty, hides = draw(st.integers(0, 5)) == 0, draw(st.integers(0, 3)) == 0
        wrong.append(faulty or (not hides and any(wrong[each] for each in before[index])))
    hidden = [draw(st.integers(0, 4)) == 0 for _ in range(count)]
    answers = [UNKNOWN if hide else differs for hide, differs in zip(hidden, wrong, strict=True)]
    return Case(before, answers, draw(st.integers(0, count - 1)))


@given(cases())
def test_what_is_claimed_was_seen(case: Case) -> None:
    asked: list[int] = []

    def ask(operator: int) -> bool | None:
        asked.append(operator)
        return case.answers[operator]

    found = search(case.before, case.start, ask)
    assert len(asked) == len(set(asked))
    if found is None:
        assert case.answers[case.start] is EXACT
        return
    assert found.operator in found.suspects
    behind = {case.start}
    for operator in range(case.start, -1, -1):
        if operator in behind:
            behind |= case.before[operator]
    assert set(found.suspects) | set(asked) <= behind
    assert case.answers[found.operator] is not EXACT
    if found.operator != case.start:
        assert case.answers[found.operator] is DIFFERS
    assert set(found.suspects) - {found.operator} <= {each for each in asked if case.answers[each] is UNKNOWN}
    # Every way into the suspects from outside comes from something that was asked and was exact.
    outside = {each for suspect in found.suspects for each in case.before[suspect]} - set(found.suspects)
    assert outside == set(found.reads)
    assert all(each in asked and case.answers[each] is EXACT for each in outside)


@given(st.integers(1, 200), st.data())
def test_in_a_chain_it_is_binary_search(count: int, data: st.DataObject) -> None:
    fault = data.draw(st.integers(0, count - 1))
    before = [frozenset({index - 1}) if index else frozenset() for index in range(count)]
    asked: list[int] = []

    def ask(operator: int) -> bool | None:
        asked.append(operator)
        return operator >= fault

    reads = (fault - 1,) if fault else ()
    assert search(before, count - 1, ask) == Blame(fault, (fault,), reads)
    assert len(asked) <= math.ceil(math.log2(count)) + 2


def test_a_branch_that_is_exact_clears_nobody_else() -> None:
    """Operator 1 is wrong; 2 stands beside it, is exact, and lies between them in the order of execution."""
    before = [frozenset[int](), frozenset({0}), frozenset({0}), frozenset({1, 2})]
    wrong = [False, True, False, True]
    assert search(before, 3, lambda operator: wrong[operator]) == Blame(1, (1,), (0,))


def test_a_difference_that_was_masked_is_followed() -> None:
    """0 is wrong, 1 hides it on the way to 2, and 3 reads both ends: what is exact behind 0 does not clear it."""
    before = [frozenset[int](), frozenset({0}), frozenset({1}), frozenset({0, 2})]
    wrong = [True, False, False, True]
    asked: list[int] = []

    def ask(operator: int) -> bool:
        asked.append(operator)
        return wrong[operator]

    assert search(before, 3, ask) == Blame(0, (0,), ())
    assert asked[:2] == [1, 2], "the search was not led astray, so this shows nothing"


def test_who_cannot_be_asked_stays_a_suspect() -> None:
    before = [frozenset({index - 1}) if index else frozenset() for index in range(4)]
    answers = [EXACT, UNKNOWN, DIFFERS, DIFFERS]
    assert search(before, 3, lambda operator: answers[operator]) == Blame(2, (1, 2), (0,))
