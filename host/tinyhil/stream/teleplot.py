"""Teleplot's lines, which say what they are by their first character.

    >name:value                 >name:value§unit              >name:value|flags
    >name:milliseconds:value    >name:1000:1.5;1010:1.7       several values with their times
    >name:x:y|xy                >name:x:y:milliseconds|xy     a point of a curve

Of the flags, ``xy`` makes a curve, ``t`` a text, which has no value, and the rest (``np``, ``g``, ``clr``) are about
Teleplot's own page.
"""

from __future__ import annotations

from tinyhil.stream.numbers import is_number, number
from tinyhil.stream.reading import Format, Reading, clean

_PER_SECOND = 1000.0


def teleplot(text: str) -> Reading | None:
    """The numbers of a line of Teleplot's; None of any other line, and of one without numbers."""
    if not text.startswith(">"):
        return None
    body, _, flags = text[1:].strip().partition("|")
    body, _, unit = body.partition("§")
    name, colon, rest = body.partition(":")
    name = clean(name)
    if not name or not colon:
        return None
    points = [part.split(":") for part in rest.split(";") if part]
    if not points or not all(is_number(value) for point in points for value in point):
        return None
    if "xy" in flags.split(","):
        return _curve(name, [[number(value) for value in point] for point in points])
    if len({len(point) for point in points}) != 1 or len(points[0]) > 2:
        return None
    timed = len(points[0]) == 2
    return Reading(
        Format.TELEPLOT,
        (name,) * len(points),
        tuple(number(point[-1]) for point in points),
        (clean(unit),) * len(points) if unit else (),
        tuple(number(point[0]) / _PER_SECOND for point in points) if timed else (),
    )


def _curve(name: str, points: list[list[float]]) -> Reading | None:
    """One or more points of a curve; its two coordinates are series of their own."""
    if len({len(point) for point in points}) != 1 or len(points[0]) not in (2, 3):
        return None
    return Reading(
        Format.TELEPLOT,
        (f"{name}.x", f"{name}.y") * len(points),
        tuple(value for point in points for value in point[:2]),
        (),
        tuple(point[2] / _PER_SECOND for point in points for _ in range(2)) if len(points[0]) == 3 else (),
        curve=True,
    )
