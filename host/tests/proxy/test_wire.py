"""The wire against a clock of our own."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyhil.errors import ConfigError
from tinyhil.proxy.wire import BATCH_SECONDS, FIFO_BYTES, Wire

bauds = st.sampled_from([300, 9600, 115200, 921600, 3_000_000])
starts = st.sampled_from([0.0, 1.5, 86400.123, 3e7])
ROUNDING = 1e-6
"""Bytes by which the arithmetic of doubles may be off after a year of uptime (a double's step is 4 ns there)."""


def allowance(baud: int, start: float, now: float) -> float:
    """Bytes that 8N1 carries, and what the clock's own resolution may hide."""
    return float(Fraction(now) - Fraction(start)) * baud / 10 + math.ulp(now) * baud / 5 + ROUNDING


@given(baud=bauds, start=starts, steps=st.lists(st.floats(0.0, 0.05), min_size=1, max_size=200))
def test_with_data_it_is_never_too_fast_and_always_busy(baud: int, start: float, steps: list[float]) -> None:
    """The sender keeps the FIFO full; the line is looked at whenever it asks for it, and late at will."""
    wire = Wire(baud, fifo_bytes=1 << 16)
    data = itertools.cycle(range(256))
    wire.push(bytes(itertools.islice(data, wire.room)), start)
    now, arrived = start, bytearray()
    for late in steps:
        due = wire.next_due(now)
        assert due is not None
        now = max(now, due) + late
        arrived += wire.pop(now)
        wire.push(bytes(itertools.islice(data, wire.room)), now)
        carries = allowance(baud, start, now)
        assert len(arrived) <= carries
        # It falls behind the line by the byte that is under way, not by anything that grows with time.
        assert len(arrived) >= carries - 1 - 2 * math.ulp(now) * baud - 2 * ROUNDING
    assert arrived == bytes(itertools.islice(itertools.cycle(range(256)), len(arrived)))


@pytest.mark.parametrize("baud", [9600, 115200, 921600])
def test_a_minute_of_sending_fills_the_line_to_more_than_99_percent(baud: int) -> None:
    """With the proxy's FIFO, a sender that refills it whenever it is looked at, and looks that are 1 ms late."""
    wire, now, end, arrived = Wire(baud), 1000.0, 1060.0, 0
    wire.push(bytes(wire.room), now)
    while now < end:
        now = (wire.next_due(now) or now) + BATCH_SECONDS
        arrived += len(wire.pop(now))
        wire.push(bytes(wire.room), now)
    line = (now - 1000.0) * baud / 10
    assert 0.99 * line <= arrived <= line + ROUNDING


@given(baud=bauds, start=starts, size=st.integers(1, FIFO_BYTES))
def test_a_burst_arrives_when_its_last_stop_bit_has(baud: int, start: float, size: int) -> None:
    wire = Wire(baud)
    wire.push(bytes(size), start)
    now, arrived, looks = start, 0, 0
    while (due := wire.next_due(now)) is not None:
        assert due > now
        now = due
        arrived += len(wire.pop(now))
        looks += 1
    assert arrived == size
    assert now == pytest.approx(start + size * 10 / baud, abs=2 * math.ulp(now))
    assert looks <= 1 + math.ceil(size * 10 / baud / BATCH_SECONDS)


def test_time_that_it_idles_is_not_made_up_for() -> None:
    wire = Wire(10_000)  # a byte a millisecond
    wire.push(b"ab", 5.0)
    wire.push(b"cd", 5.5)  # nobody has looked since, but "ab" was through at 5.002
    assert wire.pop(5.5) == b"ab"
    assert wire.pop(5.5005) == b""
    assert wire.pop(5.5015) == b"c"
    assert wire.pop(9.0) == b"d"
    assert wire.next_due(9.0) is None
    wire.push(b"e", 9.5)
    assert wire.pop(9.5005) == b""
    assert wire.pop(9.5015) == b"e"


def test_a_byte_under_way_is_not_there_yet() -> None:
    wire = Wire(10)
    wire.push(b"ab", 0.0)
    assert [wire.pop(now) for now in (0.999, 1.0, 1.999, 2.0)] == [b"", b"a", b"", b"b"]


def test_the_fifo_is_finite() -> None:
    wire = Wire(10, fifo_bytes=3)
    wire.push(b"abc", 0.0)
    assert wire.room == 0
    with pytest.raises(ValueError, match="room for 0"):
        wire.push(b"d", 0.5)
    assert wire.pop(1.0) == b"a"
    assert wire.room == 1


def test_a_wire_has_a_rate() -> None:
    with pytest.raises(ConfigError, match="0 baud"):
        Wire(0)
