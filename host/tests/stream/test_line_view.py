"""What is looked at stays in view, whatever comes and goes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyhil.stream.line_store import BLOCK_LINES, LineStore
from tinyhil.stream.line_view import LineView
from tinyhil.stream.query import Query

ROWS = 5


def filled(count: int, most_lines: int = 1_000_000) -> tuple[LineStore, LineView]:
    store = LineStore(most_lines)
    for number in range(count):
        store.append(b"%d" % number, 0.0)
    return store, LineView(store)


def numbers(view: LineView, rows: int = ROWS) -> list[int]:
    view.update()
    return [line.number for line in view.visible(rows)]


def test_it_goes_along_until_it_is_paused() -> None:
    store, view = filled(10)
    assert numbers(view) == [5, 6, 7, 8, 9]
    view.pause()
    for _ in range(7):
        store.append(b"", 0.0)
    assert numbers(view) == [5, 6, 7, 8, 9]
    assert (view.paused, view.missed) == (True, 7)
    view.follow()
    assert numbers(view)[-1] == 16
    assert (view.paused, view.missed) == (False, 0)


def test_scrolling_back_pauses_and_scrolling_to_the_end_does_not() -> None:
    _, view = filled(100)
    view.scroll(-3, ROWS)
    assert view.paused
    assert numbers(view) == [92, 93, 94, 95, 96]
    view.scroll(-1000, ROWS)
    assert numbers(view) == [0, 1, 2, 3, 4]
    view.scroll(-1, ROWS)
    assert numbers(view) == [0, 1, 2, 3, 4]
    view.scroll(94, ROWS)
    assert view.paused
    view.scroll(1, ROWS)
    assert not view.paused


def test_what_is_looked_at_goes_with_the_oldest() -> None:
    store, view = filled(BLOCK_LINES, most_lines=BLOCK_LINES)
    view.scroll(-BLOCK_LINES // 2, ROWS)
    for _ in range(4 * BLOCK_LINES):
        store.append(b"", 0.0)
    assert numbers(view) == list(range(store.first, store.first + ROWS))


def test_only_what_matches() -> None:
    store, view = filled(100)
    view.set_filter(Query("7"))
    assert numbers(view) == [77, 78, 79, 87, 97]
    view.scroll(-1, ROWS)
    assert numbers(view) == [76, 77, 78, 79, 87]
    store.append(b"777", 0.0)
    assert numbers(view) == [76, 77, 78, 79, 87]
    view.follow()
    assert numbers(view) == [78, 79, 87, 97, 100]
    view.set_filter(None)
    assert numbers(view) == [96, 97, 98, 99, 100]
    assert view.query is None


def test_search_goes_back_from_the_end_and_on() -> None:
    _, view = filled(100)
    assert view.find(Query("3"))
    assert numbers(view)[-1] == 93
    assert view.find(Query("3"), back=True)
    assert view.found == 83
    assert view.find(Query("3"))
    assert view.found == 93
    assert not view.find(Query("3"))
    assert not view.find(Query("none"), back=True)
    assert numbers(view)[-1] == 93


@pytest.mark.parametrize("count", [0, 1, ROWS - 1])
def test_fewer_lines_than_rows(count: int) -> None:
    _, view = filled(count)
    for by in (-1, 1, 0):
        view.scroll(by, ROWS)
        assert numbers(view) == list(range(count))
    view.pause()
    assert numbers(view) == list(range(count))


@given(
    st.lists(st.one_of(st.integers(-20, 20), st.sampled_from(["add", "pause", "follow", "filter", "all"])), max_size=30)
)
def test_the_screen_is_full_where_there_are_lines_enough(steps: list[int | str]) -> None:
    store, view = filled(12)
    for step in steps:
        if isinstance(step, int):
            view.scroll(step, ROWS)
        elif step == "add":
            store.append(b"%d" % store.end, 0.0)
        elif step == "pause":
            view.pause()
        elif step == "follow":
            view.follow()
        else:
            view.set_filter(Query("1") if step == "filter" else None)
        shown = numbers(view)
        assert len(shown) == min(ROWS, len(view))
        assert shown == sorted(set(shown))
        assert all(b"1" in store.line(number).data for number in shown) or view.query is None
