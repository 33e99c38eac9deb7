"""Lines of JSON: one object or list on each, whose numbers are named by the way to them: ``imu.x``, ``adc[1]``."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

from tinyhil.stream.reading import Format, Reading, clean, unique

_DEEPEST = 8
_MOST_VALUES = 256


def json_line(text: str) -> Reading | None:
    """The numbers of a line of JSON; None of any other line, and of one without numbers.

    True and false are 1 and 0. NaN and Infinity, which are no JSON, are taken as Python and Arduino's libraries write
    them.
    """
    text = text.strip()
    if not text or text[0] + text[-1] not in ("{}", "[]"):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    leaves = []
    for leaf in _leaves(found, "", 0):
        leaves.append(leaf)
        if len(leaves) > _MOST_VALUES:
            return None
    if not leaves:
        return None
    return Reading(Format.JSON, unique(tuple(name for name, _ in leaves)), tuple(value for _, value in leaves))


def _leaves(value: Any, name: str, depth: int) -> Iterator[tuple[str, float]]:
    if depth > _DEEPEST:
        return
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _leaves(part, f"{name}.{key}" if name else key, depth + 1)
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _leaves(part, f"{name}[{index}]", depth + 1)
    elif isinstance(value, bool | int | float):
        yield clean(name) or "value", _real(value)


def _real(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.copysign(math.inf, value)
