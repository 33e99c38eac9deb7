"""Values are kept in order, the last so many, and what is said of them is so."""

from __future__ import annotations

import csv
import math
import statistics
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyhil.errors import ConfigError, InputError
from tinyhil.stream.reading import Format, Reading
from tinyhil.stream.series import Curve, Series, Window, thinned
from tinyhil.stream.table import MOST_SERIES, Table
from tinyhil.stream.trigger import Condition, Trigger

VALUES = st.lists(st.floats(width=32), max_size=200)


def series_of(values: list[float], capacity: int = 50, step: float = 1.0) -> Series:
    series = Series("a", capacity=capacity)
    for index, value in enumerate(values):
        series.append(value, index * step, index)
    return series


@given(VALUES, st.integers(1, 60))
def test_the_last_are_kept(values: list[float], capacity: int) -> None:
    series = series_of(values, capacity)
    kept = values[-capacity:]
    np.testing.assert_array_equal(series.values, kept)
    np.testing.assert_array_equal(series.times, np.arange(len(values))[-capacity:])
    np.testing.assert_array_equal(series.lines, np.arange(len(values))[-capacity:])
    assert series.count == len(values)
    assert series.last == kept[-1] if kept and not math.isnan(kept[-1]) else True


def test_a_million_values_take_the_memory_of_those_that_are_kept() -> None:
    series = Series("a", capacity=1000)
    for index in range(20_000):
        series.append(float(index), float(index), index)
    assert series.held_bytes == 3 * 8 * 2 * 1000
    np.testing.assert_array_equal(series.values, np.arange(19_000, 20_000))


@given(VALUES, st.none() | st.integers(0, 60), st.none() | st.floats(0, 60))
def test_windows(values: list[float], samples: int | None, seconds: float | None) -> None:
    series = series_of(values)
    points = list(zip(series.times.tolist(), series.values.tolist(), strict=True))
    if samples is not None:
        points = points[max(0, len(points) - samples) :]
    if seconds is not None and len(series.times):
        points = [point for point in points if point[0] >= series.times[-1] - seconds]
    curve = series.curve(Window(samples, seconds))
    np.testing.assert_array_equal(np.array(points).reshape(-1, 2), np.stack(curve, 1))


def test_a_clock_that_went_back() -> None:
    series = Series("a")
    for line, at in enumerate([50.0, 51.0, 52.0, 0.0, 1.0, 2.0]):
        series.append(at, at, line)
    np.testing.assert_array_equal(series.curve(Window(seconds=1.5)).x, [1.0, 2.0])


@given(VALUES)
def test_figures(values: list[float]) -> None:
    found = series_of(values, capacity=500, step=0.5).figures()
    finite = [value for value in values if math.isfinite(value)]
    assert found.samples == len(values)
    assert found.rate == (2.0 if len(values) > 1 else 0.0)
    if not finite:
        assert math.isnan(found.low)
        assert math.isnan(found.high)
        assert math.isnan(found.mean)
        return
    assert (found.low, found.high) == (min(finite), max(finite))
    assert found.mean == pytest.approx(statistics.fmean(finite), abs=1e-9 * max(map(abs, finite)))


def test_the_value_under_a_cursor() -> None:
    assert series_of([5.0, 6.0, 7.0]).value_at(1.4) == (1.0, 6.0)
    assert series_of([]).value_at(1.4) is None


@given(st.lists(st.floats(-10, 10) | st.just(math.nan), min_size=1, max_size=2000), st.integers(1, 50))
def test_a_thinned_curve_has_the_same_extremes(values: list[float], columns: int) -> None:
    y = np.array(values)
    curve = thinned(Curve(np.arange(len(y), dtype=float), y), columns)
    assert len(curve.x) <= max(4 * columns, min(len(y), 4 * columns))
    assert (np.diff(curve.x) > 0).all()
    np.testing.assert_array_equal(curve.y, y[curve.x.astype(int)])
    if not np.isnan(y).all():
        assert np.nanmin(curve.y) == np.nanmin(y)
        assert np.nanmax(curve.y) == np.nanmax(y)


def reading(**values: float) -> Reading:
    return Reading(Format.PAIRS, tuple(values), tuple(values.values()))


def test_points_are_of_one_line() -> None:
    table = Table()
    for line, found in enumerate([reading(x=1, y=2), reading(x=3), reading(y=4), reading(x=5, y=6)]):
        table.add(found, float(line), line)
    np.testing.assert_array_equal(table.xy("x", "y"), [[1, 5], [2, 6]])
    with pytest.raises(InputError, match="no series z"):
        table.xy("x", "z")


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=60), st.integers(1, 40))
def test_points_of_full_buffers(there: list[tuple[bool, bool]], capacity: int) -> None:
    table = Table(capacity)
    table.add(reading(x=-1, y=-1), -1.0, 0)
    points = [(-1.0, -1.0, 0)]
    seen: tuple[list[int], list[int]] = ([0], [0])
    for line, (x, y) in enumerate(there, 1):
        values = {**({"x": float(line)} if x else {}), **({"y": -float(line)} if y else {})}
        table.add(reading(**values), float(line), line)
        for number, present in enumerate((x, y)):
            seen[number].extend([line] if present else [])
        if x and y:
            points.append((float(line), -float(line), line))
    kept = [point[:2] for point in points if all(point[2] in each[-capacity:] for each in seen)]
    np.testing.assert_array_equal(np.stack(table.xy("x", "y"), 1), np.array(kept).reshape(-1, 2))


def test_names_without_end_take_bounded_memory() -> None:
    table = Table()
    for number in range(MOST_SERIES + 10):
        table.add(reading(**{f"n{number}": 1.0}), 0.0, number)
    assert len(table.series) == MOST_SERIES
    assert table.left_out == 10


def test_times_of_the_device_count() -> None:
    table = Table()
    table.add(Reading(Format.TELEPLOT, ("v", "v"), (1.5, 1.7), times=(1.0, 1.01)), 99.0, 0)
    np.testing.assert_array_equal(table.series["v"].times, [1.0, 1.01])


def test_export(tmp_path: Path) -> None:
    table = Table()
    table.add(Reading(Format.PAIRS, ("x", "y"), (1.0, math.nan), ("V", "")), 0.5, 0)
    table.add(reading(y=2.5), 1.5, 1)
    table.add(Reading(Format.TELEPLOT, ("x", "x"), (3.0, 4.0)), 2.5, 2)
    table.export(tmp_path / "a.csv")
    with (tmp_path / "a.csv").open(newline="") as stream:
        assert list(csv.reader(stream)) == [
            ["time", "x (V)", "y"],
            ["0.5", "1.0", "nan"],
            ["1.5", "", "2.5"],
            ["2.5", "3.0", ""],
            ["2.5", "4.0", ""],
        ]
    table.export(tmp_path / "a.npz", window=Window(samples=1))
    with np.load(tmp_path / "a.npz") as arrays:
        assert {name: part.tolist() for name, part in arrays.items()} == {
            "x": [4.0],
            "x time": [2.5],
            "y": [2.5],
            "y time": [1.5],
        }
    with pytest.raises(InputError, match="neither"):
        table.export(tmp_path / "a.txt")
    with pytest.raises(InputError, match="no series z"):
        table.export(tmp_path / "b.csv", ["z"])
    Table().export(tmp_path / "none.csv")
    assert (tmp_path / "none.csv").read_text() == "time\n"


@pytest.mark.parametrize(
    ("condition", "values", "fires_at"),
    [
        (Condition.RISING, [5, 1, 2, 3, 9], 3),
        (Condition.RISING, [3, 4], None),
        (Condition.FALLING, [1, 5, 3, 1], 2),
        (Condition.EDGE, [5, 1], 1),
        (Condition.EDGE, [1, math.nan, 5], 2),
        (Condition.ABOVE, [1, math.nan, 3], 2),
        (Condition.ABOVE, [7], 0),
        (Condition.BELOW, [4, math.inf, 3], 2),
        (Condition.BELOW, [4, math.nan], None),
    ],
)
def test_a_trigger_fires_once(condition: Condition, values: list[float], fires_at: int | None) -> None:
    trigger = Trigger("a", condition, 3.0)
    fired = [index for index, value in enumerate(values * 3) if trigger.take(value, float(index))][:1]
    first = [index for index in fired if index < len(values)]
    assert first == ([] if fires_at is None else [fires_at])


@given(st.integers(0, 10), st.integers(0, 10), st.integers(1, 30))
def test_a_trigger_keeps_what_was_around_it(before: int, after: int, at: int) -> None:
    trigger = Trigger("a", Condition.RISING, 0.5, before=before, after=after)
    assert len(trigger.curve.x) == 0
    for index in range(60):
        trigger.take(float(index >= at), float(index))
        assert trigger.done == (index >= at + after)
    np.testing.assert_array_equal(trigger.curve.x, np.arange(max(0, at - before), at + after + 1))
    assert trigger.fired_at == at
    trigger.arm()
    assert not trigger.fired
    assert not trigger.take(1.0, 0.0)


def test_a_table_tells_its_triggers() -> None:
    table = Table()
    trigger = Trigger("y", Condition.ABOVE, 2.0)
    table.triggers.append(trigger)
    assert table.add(reading(x=9, y=1), 0.0, 0) == []
    assert table.add(reading(x=9, y=2), 1.0, 1) == [trigger]


def test_a_trigger_that_cannot_fire() -> None:
    for level, before in ((math.nan, 1), (1.0, -1)):
        with pytest.raises(ConfigError, match="cannot fire"):
            Trigger("a", Condition.EDGE, level, before=before)
