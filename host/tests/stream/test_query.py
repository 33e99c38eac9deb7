"""What is looked for is found, and quickly where that can be."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyhil.errors import ConfigError
from tinyhil.stream.appearance import text_of
from tinyhil.stream.line_store import BLOCK_LINES, Kind, LineStore
from tinyhil.stream.query import Filter, Query, search, search_back

LETTERS = st.text(st.sampled_from("abAB12 x\\\t\x1b[mé\x07\u202e"), max_size=8)


def store_of(lines: list[str]) -> LineStore:
    store = LineStore()
    for line in lines:
        store.append(line.encode(), 0.0)
    return store


@given(st.lists(LETTERS, max_size=8), LETTERS, st.booleans(), st.booleans())
def test_as_python_finds_it(lines: list[str], text: str, case: bool, inverted: bool) -> None:
    """Also in full blocks, whose bytes may tell that nothing is in them."""
    store = store_of([*lines, *[""] * (BLOCK_LINES - len(lines)), *lines])
    pattern = re.compile(re.escape(text), 0 if case else re.IGNORECASE)
    expected = [
        line.number for line in store.lines(0, store.end) if (pattern.search(text_of(line)) is None) is inverted
    ]
    query = Query(text, case=case, inverted=inverted)
    assert list(search(store, query, 0)) == expected
    for before in (0, 3, store.end):
        earlier = [number for number in expected if number < before]
        assert search_back(store, query, before) == (earlier[-1] if earlier else None)


def test_what_is_written_out_is_found_as_it_is_shown() -> None:
    store = store_of(["bell\x07X", "plain"] + [""] * BLOCK_LINES)
    assert list(search(store, Query("x07X"), 0)) == [0]
    assert list(search(store, Query("07X"), 0)) == [0]


def test_colours_are_no_part_of_the_words() -> None:
    store = store_of(["t\x1b[31mEM\x1b[0mp: 3"] + [""] * BLOCK_LINES)
    assert list(search(store, Query("tEMp"), 0)) == [0]


@pytest.mark.parametrize(("text", "found"), [("temp", [0, 1]), ("Temp", [1]), ("t.mp", [])])
def test_case_counts_where_the_words_have_a_capital(text: str, found: list[int]) -> None:
    assert list(search(store_of(["temp 1", "Temp 2", "other"]), Query(text), 0)) == found


def test_regular_expressions() -> None:
    store = store_of(["x:1", "y:2", "x:3"])
    assert list(search(store, Query(r"^x:\d$", regex=True), 0)) == [0, 2]
    assert list(search(store, Query(r"^x", regex=True), 1, 2)) == []
    with pytest.raises(ConfigError, match="is no regular expression"):
        Query("(", regex=True)


def test_where_it_is_found() -> None:
    assert Query("ab").places("ab cab") == [(0, 2), (4, 6)]
    assert Query("a*", regex=True).places("baab") == [(1, 3)]


def test_frames_are_found_by_what_they_are_shown_as() -> None:
    store = LineStore()
    store.append(b"\x84\x01\0\0\0", 0.0, Kind.FRAME)
    for _ in range(BLOCK_LINES):
        store.append(b"", 0.0)
    assert list(search(store, Query("CLEARED"), 0)) == [0]


def test_a_filter_keeps_up() -> None:
    store = LineStore(most_lines=2 * BLOCK_LINES)
    store.append(b"A", 0.0)
    kept = Filter(store, Query("A"))
    for number in range(1, 6 * BLOCK_LINES):
        store.append(b"A" if number % 10 == 0 else b"B", 0.0)
        if number % 700 == 0:
            kept.update(500)
            assert kept.pending == max(0, store.end - max(kept._looked_at, store.first))
    while kept.pending:
        kept.update(500)
    expected = [number for number in range(store.first, store.end) if number % 10 == 0]
    assert [kept[place] for place in range(len(kept))] == expected
    assert kept[kept.place(store.end - 25)] == next(each for each in expected if each >= store.end - 25)
