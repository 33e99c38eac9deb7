"""Lines of names and values, as for the Arduino Serial Plotter: ``x:1.2345 y:-0.9876``.

Besides: ``=`` for the colon, spaces around it and within names, commas, semicolons, bars and tabs between pairs, units
behind values with or without a space, values that are words (``state:RUN``, passed over), and a second value in another
unit (``Temperature: 22.10°C 71.78°F``). The whole line has to be like that: a sentence with a colon in it has no
values.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from tinyhil.stream.numbers import NUMBER, UNIT, number
from tinyhil.stream.reading import Format, Reading, clean

_WORD = r"[^\W\d][\w.\-/#\[\]()%°]*"
_NAME = re.compile(rf"(\"?{_WORD}(?: (?:{_WORD}|\d(?!\d)))*\"?)\s*[:=]\s*")
_VALUE = re.compile(rf"({NUMBER})(?: ?({UNIT})(?!\w|\s*[:=]))?(?![\w.:=+-])")
_VALUE_OF_WORDS = re.compile(r"(?![-+.\d])[^\s,;|:=]+(?![:=])")
_BETWEEN = re.compile(r"[\s,;|]+|$")


class Pairs(NamedTuple):
    """The numbers of a line, and where in it each begins and ends."""

    reading: Reading
    places: tuple[tuple[int, int], ...]


def pairs(text: str) -> Pairs | None:
    """The numbers of a line of pairs; None of any other line, and where no value is a number."""
    places: list[tuple[int, int]] = []
    names: list[str] = []
    values: list[float] = []
    units: list[str] = []
    name, at = "", 0
    while at < len(text):
        named = _NAME.match(text, at)
        if named is not None:
            name, at = clean(named[1].strip('"')), named.end()
        found = _VALUE.match(text, at)
        if found is not None:
            end, unit = found.end(), clean(found[2] or "")
            if unit and not _goes_on(text, end):
                end, unit = found.end(1), ""  # it is the next name's first word
            own = name if named is not None else f"{name} ({unit})"
            if not name or (named is None and not unit) or own in names:
                return None  # a number without a name, or two of one name
            names.append(own)
            values.append(number(found[1]))
            units.append(unit)
            places.append(found.span(1))
        else:
            found = _VALUE_OF_WORDS.match(text, at) if named is not None else None
            if found is None:
                return None
            end = found.end()
        between = _BETWEEN.match(text, end)
        if between is None:
            return None
        at = between.end()
    if not names:
        return None
    reading = Reading(Format.PAIRS, tuple(names), tuple(values), tuple(units) if any(units) else ())
    return Pairs(reading, tuple(places))


def _goes_on(text: str, end: int) -> bool:
    """Whether a line of pairs may go on at a place behind a value, or end there."""
    between = _BETWEEN.match(text, end)
    if between is None:
        return False
    at = between.end()
    return at == len(text) or _NAME.match(text, at) is not None or _VALUE.match(text, at) is not None
