"""The last lines are kept, in the memory that was said."""

from __future__ import annotations

import sys
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyhil.stream.line_store import BLOCK_LINES, Kind, Line, LineStore


@given(
    st.lists(st.tuples(st.binary(max_size=5), st.sampled_from(Kind)), max_size=60),
    st.integers(0, 70),
    st.integers(0, 70),
)
def test_lines_come_back(lines: list[tuple[bytes, Kind]], start: int, end: int) -> None:
    store = LineStore()
    numbers = [store.append(data, float(index), kind) for index, (data, kind) in enumerate(lines)]
    assert numbers == list(range(len(lines)))
    expected = [Line(number, float(number), kind, data) for number, (data, kind) in enumerate(lines)]
    assert list(store.lines(start, end)) == expected[start:end]


def test_lines_of_full_blocks_come_back() -> None:
    store = LineStore()
    for number in range(3 * BLOCK_LINES + 7):
        store.append(b"line %d" % number, number / 8, Kind(number % 4))
    assert len(store) == 3 * BLOCK_LINES + 7
    for number in range(len(store)):
        assert store.line(number) == Line(number, number / 8, Kind(number % 4), b"line %d" % number)
    assert [block.first for block in store.blocks(BLOCK_LINES + 1)] == [BLOCK_LINES, 2 * BLOCK_LINES, 3 * BLOCK_LINES]


def test_the_oldest_go_first() -> None:
    store = LineStore(most_lines=2 * BLOCK_LINES)
    for number in range(10 * BLOCK_LINES + 3):
        store.append(b"%d" % number, 0.0)
        assert len(store) >= min(number + 1, 2 * BLOCK_LINES)
        assert len(store) <= 3 * BLOCK_LINES
    assert store.line(store.first).data == b"%d" % store.first
    for number in (store.first - 1, store.end):
        with pytest.raises(IndexError):
            store.line(number)


def test_long_lines_leave_room_for_fewer() -> None:
    store = LineStore(most_bytes=1 << 20)
    for _ in range(4 * BLOCK_LINES):
        store.append(b"a" * 1000, 0.0)
        assert store.held_bytes < (1 << 20) + BLOCK_LINES * 1100
    assert store.first > 0


def test_cleared() -> None:
    store = LineStore()
    for _ in range(BLOCK_LINES + 1):
        store.append(b"a", 0.0)
    store.clear()
    assert len(store) == 0
    assert store.held_bytes == 0
    assert store.append(b"b", 1.0) == BLOCK_LINES + 1
    assert [line.data for line in store.lines(0, 1 << 30)] == [b"b"]


def test_the_bytes_that_it_says_are_those_that_it_takes() -> None:
    """Against what Python's own allocator counts."""
    lines = 40 * BLOCK_LINES
    tracemalloc.start()
    try:
        store = LineStore()
        before, _ = tracemalloc.get_traced_memory()
        for number in range(lines):
            store.append(b"x:1.2345 y:-0.%04d" % (number % 10_000), 0.0)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sys.getsizeof(store.line(0).data) > 20
    assert after - before < 1.15 * store.held_bytes
    assert store.held_bytes < 34 * lines
