"""All series of a stream by name, points of two of them, and their export."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tinyhil import kinds
from tinyhil.artifacts import store
from tinyhil.errors import InputError
from tinyhil.stream.reading import Reading
from tinyhil.stream.series import CAPACITY, EVERYTHING, Curve, Floats, Series, Window
from tinyhil.stream.trigger import Trigger

MOST_SERIES = 256
"""Names that are kept; noise, or a counter in a name, may make any number."""

_TIME = "time"
_FORMS = (".csv", ".npz")


def refuse_other_form(path: Path) -> None:
    """Returns where series can be written to a file of this name.

    Raises:
        InputError: it ends otherwise.
    """
    if path.suffix.lower() not in _FORMS:
        raise InputError(f"{path} is neither .csv nor .npz", hint="name the file so", kind=kinds.CONFIG)


class Table:
    """The series of a stream.

    Args:
        capacity: how many values of each name are kept.

    Attributes:
        series: by name, in the order in which the names came.
        curves: names of x and y of what the device itself calls a curve.
        triggers: that watch them.
        left_out: values whose name came when there were ``MOST_SERIES`` already.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.series: dict[str, Series] = {}
        self.curves: set[tuple[str, str]] = set()
        self.triggers: list[Trigger] = []
        self.left_out = 0
        self._capacity = capacity

    def add(self, reading: Reading, at: float, line: int) -> list[Trigger]:
        """Adds the numbers of a line.

        Args:
            reading: likewise.
            at: when the line came, in seconds; where the reading has times of the device, those count.
            line: its number.

        Returns:
            The triggers that it has fired.
        """
        names, values, times = reading.names, reading.values, reading.times
        if reading.curve:
            self.curves.add((names[0], names[1]))
        fired = []
        for index, name in enumerate(names):
            series = self.series.get(name) or self._new(name, reading.units[index] if reading.units else "")
            if series is None:
                self.left_out += 1
                continue
            when = at
            if times:
                when, series.own_clock = times[index], True
            series.append(values[index], when, line)
            if self.triggers:
                fired += [each for each in self.triggers if each.name == name and each.take(values[index], when)]
        return fired

    @property
    def held_bytes(self) -> int:
        """Bytes that the series take."""
        return sum(series.held_bytes for series in self.series.values())

    def xy(self, x: str, y: str, window: Window = EVERYTHING) -> Curve:
        """The points whose coordinates came in one line, in the order in which they came.

        Args:
            x, y: names of the series.
            window: of the series ``y``.

        Raises:
            InputError: there is no such series.
        """
        across, up = self._named(x), self._named(y)
        chosen = up._chosen(window)
        lines, values = up.lines[chosen], up.values[chosen]
        if len(lines) == len(across.lines) and np.array_equal(lines, across.lines):
            return Curve(across.values, values)
        _, first, second = np.intersect1d(across.lines, lines, return_indices=True)
        return Curve(across.values[first], values[second])

    def arrays(self, names: list[str] | None = None, window: Window = EVERYTHING) -> dict[str, Floats]:
        """Times and values of series, as ``numpy.savez`` takes them: ``NAME`` and ``NAME time``.

        Raises:
            InputError: there is no such series.
        """
        found: dict[str, Floats] = {}
        for name in self.series if names is None else names:
            found[f"{name} {_TIME}"], found[name] = self._named(name).curve(window)
        return found

    def rows(self, names: list[str] | None = None, window: Window = EVERYTHING) -> Iterator[tuple[str, ...]]:
        """A table: first its header, then a row for each line that had a value, in the order of the lines.

        The first column is the time of the row's first value; a value that is not there is left empty.

        Raises:
            InputError: there is no such series.
        """
        chosen = [self._named(name) for name in (self.series if names is None else names)]
        yield (_TIME, *(f"{each.name} ({each.unit})" if each.unit else each.name for each in chosen))
        parts = []
        for column, each in enumerate(chosen):
            part = each._chosen(window)
            lines = each.lines[part]
            # A line may have several values of one name; each is a row of its own.
            place = np.arange(len(lines)) - np.searchsorted(lines, lines)
            parts.append(np.stack([lines, place, np.full(len(lines), column), each.times[part], each.values[part]], 1))
        if not parts:
            return
        entries = np.concatenate(parts)
        entries = entries[np.lexsort((entries[:, 2], entries[:, 1], entries[:, 0]))]
        row, key = [""] * (len(chosen) + 1), (-1.0, -1.0)
        for line, place, column, at, value in entries.tolist():
            if (line, place) != key:
                if key[0] >= 0:
                    yield tuple(row)
                row, key = [repr(at), *([""] * len(chosen))], (line, place)
            row[int(column) + 1] = repr(value)
        if key[0] >= 0:
            yield tuple(row)

    def export(self, path: Path, names: list[str] | None = None, window: Window = EVERYTHING) -> None:
        """Writes a .csv or .npz file, as its name ends.

        Raises:
            InputError: there is no such series, or the name ends otherwise.
            StorageError: the file cannot be written.
        """
        refuse_other_form(path)
        if path.suffix.lower() == ".npz":
            content = io.BytesIO()
            np.savez(content, allow_pickle=False, **self.arrays(names, window))
            data = content.getvalue()
        else:
            text = io.StringIO()
            csv.writer(text, lineterminator="\n").writerows(self.rows(names, window))
            data = text.getvalue().encode()
        store.write_bytes(path, data)

    def clear(self) -> None:
        """Forgets all values and names."""
        self.series.clear()
        self.curves.clear()

    def _named(self, name: str) -> Series:
        found = self.series.get(name)
        if found is None:
            known = ", ".join(self.series) or "none"
            raise InputError(f"there is no series {name}", hint=f"there are: {known}", kind=kinds.UNKNOWN_NAME)
        return found

    def _new(self, name: str, unit: str) -> Series | None:
        if len(self.series) >= MOST_SERIES:
            return None
        made = self.series[name] = Series(name, unit, self._capacity)
        return made
