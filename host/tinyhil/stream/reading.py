"""The numbers of one line."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from tinyhil.plain_text import plain

LONGEST_NAME = 64
"""Characters of a name or a unit: legends have no room for more, and noise may have any number."""


class Format(Enum):
    """How a line has its numbers."""

    PAIRS = "name:value"
    COLUMNS = "columns"
    TELEPLOT = "Teleplot"
    JSON = "JSON"


class Reading(NamedTuple):
    """The numbers of one line.

    Attributes:
        format: likewise.
        names: of the values; a name may be there more than once, in the order of time.
        values: as many.
        units: as many, empty where there is none; or nothing at all where no value has one.
        times: as many, in seconds of the device's clock; or nothing at all where the line has no times.
        curve: whether the first two names are x and y of one curve.
    """

    format: Format
    names: tuple[str, ...]
    values: tuple[float, ...]
    units: tuple[str, ...] = ()
    times: tuple[float, ...] = ()
    curve: bool = False


def clean(name: str) -> str:
    """A name or a unit as it may be shown: one line, nothing that a terminal obeys, not too long."""
    return plain(" ".join(name.split()))[:LONGEST_NAME]


def unique(names: tuple[str, ...]) -> tuple[str, ...]:
    """Names of which no two are the same: the second ``a`` becomes ``a 2``."""
    taken: set[str] = set()
    made = []
    for name in names:
        free, count = name, 1
        while free in taken:
            count += 1
            free = f"{name} {count}"
        taken.add(free)
        made.append(free)
    return tuple(made)
