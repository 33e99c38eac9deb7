"""Lines of numbers only, with one thing between them: comma, semicolon, tab or spaces.

A line of words with as many columns right before the first row, or before any later one, has their names. Serial
Studio's frames, ``/*1,2,3*/``, are such lines too. Where semicolons are between them, numbers may have decimal commas.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from tinyhil.stream.numbers import is_number, number
from tinyhil.stream.reading import clean, unique

_SEPARATORS = (";", ",", "\t", " ")
"""In the order in which they are looked for: what separates columns comes before what may be around it."""

_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
_UNIT_IN_NAME = re.compile(r"\s*[(\[]([^()\[\]]{1,16})[)\]]$")
_NAME = re.compile(r"(?:[^\W\d]|\d+\s*[^\W\d\s])[^\x00-\x1f,;:=]*")
_MOST_COLUMNS = 256


class Row(NamedTuple):
    """Numbers in columns."""

    separator: str
    values: tuple[float, ...]


class Header(NamedTuple):
    """Names of columns, and their units, empty where they have none."""

    separator: str
    names: tuple[str, ...]
    units: tuple[str, ...]


def fields(text: str) -> tuple[str, list[str]]:
    """What separates the columns of a line, and what stands in them."""
    text = text.strip(" \r\n")
    if text.startswith("/*") and text.endswith("*/"):
        text = text[2:-2]
    separator = next((each for each in _SEPARATORS if each in text), " ")
    if separator == " ":
        return separator, text.split()
    parts = [part.strip() for part in text.split(separator)]
    if len(parts) > 1 and not parts[-1]:
        del parts[-1]  # many sketches print one behind the last value as well
    return separator, parts


def row(text: str) -> Row | None:
    """The numbers of a line; None if it has anything else."""
    separator, parts = fields(text)
    if separator == ";":
        parts = [part.replace(",", ".") if _DECIMAL_COMMA.fullmatch(part) else part for part in parts]
    if not 0 < len(parts) <= _MOST_COLUMNS or not all(map(is_number, parts)):
        return None
    return Row(separator, tuple(map(number, parts)))


def header(text: str) -> Header | None:
    """The names of columns; None if the line has anything else.

    A colon behind a name is not part of it. A single name needs one: else any word would be the name of a column.
    """
    separator, parts = fields(text)
    names, units = [], []
    for part in parts:
        name = part.strip("\"'").removesuffix(":").strip()
        if not _NAME.fullmatch(name) or is_number(name):
            return None
        unit = _UNIT_IN_NAME.search(name)
        if unit is not None and unit.start():
            name = name[: unit.start()]
        names.append(clean(name))
        units.append(clean(unit[1]) if unit is not None else "")
    if not 0 < len(names) <= _MOST_COLUMNS or (len(names) == 1 and not parts[0].endswith(":")):
        return None
    return Header(separator, unique(tuple(names)), tuple(units))


def numbered(count: int) -> tuple[str, ...]:
    """Names for columns that have none."""
    return ("value",) if count == 1 else tuple(f"column {number}" for number in range(1, count + 1))
