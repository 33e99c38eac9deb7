"""The values of one name: the last so many of them, with their times and the line that each is from.

A ring buffer whose content is always one piece: an array of twice the capacity is filled from its beginning, and when
it is full, its last half moves to the front. Every value is thus copied once or twice, and a view costs nothing.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

CAPACITY = 1 << 17
_BEGIN = 256
"""Values that there is room for at first; most names have few."""


class Figures(NamedTuple):
    """Of the values of a window; NaN where it has no finite one.

    Attributes:
        samples: how many values.
        low: the smallest finite one.
        high: the largest finite one.
        mean: of the finite ones.
        rate: values per second, 0 for fewer than two.
    """

    samples: int
    low: float
    high: float
    mean: float
    rate: float


@dataclass(frozen=True)
class Window:
    """Which part of a series is looked at: the last values, the last seconds, or all; the smaller where both are given.

    Attributes:
        samples: how many values, None for all.
        seconds: how long before the last one, None for as long as there are.
    """

    samples: int | None = None
    seconds: float | None = None


EVERYTHING = Window()


class Curve(NamedTuple):
    """Points to be drawn: arrays of one length, float64."""

    x: Floats
    y: Floats


class Series:
    """The last values of one name.

    Args:
        name: likewise.
        unit: empty where it has none.
        capacity: how many values are kept at least.

    Attributes:
        count: how many values there were.
        name, unit: as given.
        own_clock: whether the times are the device's, and not those at which its lines came.
    """

    def __init__(self, name: str, unit: str = "", capacity: int = CAPACITY) -> None:
        self.name = name
        self.unit = unit
        self.count = 0
        self.own_clock = False
        self._capacity = capacity
        self._room = min(_BEGIN, capacity)
        self._buffers = tuple(np.empty(2 * self._room) for _ in range(3))
        self._write = _writers(self._buffers)
        self._begin = 0
        self._end = 0
        self._in_order = True

    def append(self, value: float, at: float, line: int) -> None:
        """Adds a value.

        Args:
            value: may be NaN or infinite.
            at: its time in seconds.
            line: number of the line that it is from.
        """
        end = self._end
        if end == 2 * self._room:
            end = self._make_room()
        values, times, lines = self._write
        if end > self._begin and at < times[end - 1]:
            self._in_order = False
        values[end], times[end], lines[end] = value, at, line
        self._end = end + 1
        if self._end - self._begin > self._capacity:
            self._begin += 1
        self.count += 1

    @property
    def values(self) -> Floats:
        """The values that are kept, (count,)."""
        return self._buffers[0][self._begin : self._end]

    @property
    def times(self) -> Floats:
        """Their times in seconds, (count,)."""
        return self._buffers[1][self._begin : self._end]

    @property
    def lines(self) -> Floats:
        """Numbers of the lines that they are from, (count,)."""
        return self._buffers[2][self._begin : self._end]

    @property
    def last(self) -> float:
        """The last value; NaN where there is none."""
        return float(self._buffers[0][self._end - 1]) if self._end > self._begin else math.nan

    @property
    def held_bytes(self) -> int:
        """Bytes that it takes."""
        return sum(buffer.nbytes for buffer in self._buffers)

    def curve(self, window: Window = EVERYTHING) -> Curve:
        """The times and values of a window, not copied."""
        chosen = self._chosen(window)
        return Curve(self.times[chosen], self.values[chosen])

    def figures(self, window: Window = EVERYTHING) -> Figures:
        """What the values of a window have to say."""
        times, values = self.curve(window)
        finite = values[np.isfinite(values)]
        took = float(times.max() - times.min()) if len(times) > 1 else 0.0
        rate = (len(times) - 1) / took if took > 0 else 0.0
        if not len(finite):
            return Figures(len(values), math.nan, math.nan, math.nan, rate)
        # Divided first: the sum of large values may be none.
        mean = float((finite / len(finite)).sum())
        return Figures(len(values), float(finite.min()), float(finite.max()), mean, rate)

    def value_at(self, time: float) -> tuple[float, float] | None:
        """Time and value of the value that is closest to a time; None where there is none."""
        if self._end == self._begin:
            return None
        index = int(np.argmin(np.abs(self.times - time)))
        return float(self.times[index]), float(self.values[index])

    def clear(self) -> None:
        """Forgets all values."""
        self._begin = self._end = 0
        self._in_order = True

    def _chosen(self, window: Window) -> slice | npt.NDArray[np.intp]:
        count = self._end - self._begin
        start = 0 if window.samples is None else max(0, count - window.samples)
        if window.seconds is None or not count:
            return slice(start, None)
        since = float(self.times[-1]) - window.seconds
        if self._in_order:
            return slice(max(start, int(np.searchsorted(self.times, since))), None)
        # The device's clock went back, as after a restart: what is later than now is of another life.
        times = self.times[start:]
        return start + np.flatnonzero((times >= since) & (times <= times[-1]))

    def _make_room(self) -> int:
        """Moves the values to the front of other buffers, larger ones while there are not as many as are wanted."""
        begin, count = self._begin, self._end - self._begin
        self._room = min(2 * self._room, self._capacity)
        # New ones each time: whoever draws a view of the old ones still has them.
        buffers = tuple(np.empty(2 * self._room) for _ in range(3))
        for new, old in zip(buffers, self._buffers, strict=True):
            new[:count] = old[begin : begin + count]
        self._buffers, self._write = buffers, _writers(buffers)
        self._begin, self._end = 0, count
        self._in_order = bool((np.diff(self.times) >= 0).all())
        return count


def _writers(buffers: tuple[Floats, ...]) -> tuple[memoryview[float], ...]:
    """A faster way into arrays for single values than their own."""
    return tuple(memoryview(buffer.data).cast("B").cast("d") for buffer in buffers)


def thinned(curve: Curve, columns: int) -> Curve:
    """A curve with fewer points that looks the same: of each column of a picture first, last, lowest and highest.

    Args:
        curve: its x in order.
        columns: of the picture, at least 1.
    """
    count = len(curve.x)
    if count <= 4 * columns:
        return curve
    edges = np.linspace(0, count, columns + 1).astype(np.intp)
    kept = [edges[:-1], edges[1:] - 1]
    for fill, best in ((np.inf, np.argmin), (-np.inf, np.argmax)):
        y = np.where(np.isnan(curve.y), fill, curve.y)
        kept.append(np.array([begin + best(y[begin:end]) for begin, end in itertools.pairwise(edges)], np.intp))
    chosen = np.unique(np.concatenate(kept))
    return Curve(curve.x[chosen], curve.y[chosen])
