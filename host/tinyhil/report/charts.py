"""The geometry of the page's charts: values of the report turned into places on a small canvas.

Colours and lettering are the template's business (templates/report/charts.html.j2). A canvas is small, so that its
lettering can be read on a phone, where it is shown at about nine tenths of its size.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeGuard

from tinyhil.compare.regression import LARGEST
from tinyhil.compare.verdict import Accuracy, Points

WIDTH, HEIGHT = 400, 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 8, 10, 40
_TICKS = 5
"""About as many on an axis."""
_LABELS = 4
"""Commits at most that are written at an axis."""
_WIDE_LEFT, _WIDE_RIGHT = 96, 34
"""Where numbers at the axis are long, and commits below the last run."""

_SHAPES = {"float": "m-3-3l6 6m0-6l-6 6", "reference": "m-3 0h6", "apart": "m-2-2h4v4h-4z"}
_DOT = "h0"
"""Marks differ by more than their colour. A dot is a line of no length with round ends."""

Value = float | None


class Tick(NamedTuple):
    """A number at an axis, and where it stands."""

    at: float
    text: str


@dataclass(frozen=True)
class Axis:
    """A range of values, laid out from ``start`` to ``end`` on the canvas."""

    low: float
    high: float
    start: float
    end: float
    ticks: tuple[Tick, ...]

    def place(self, value: float) -> float:
        """Where a value lies, in hundredths at best: more would only make the page longer."""
        return round(self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start), 2)


@dataclass(frozen=True)
class Series:
    """Marks that belong together.

    Attributes:
        role: ``truth``, ``float``, ``reference``, ``device`` or ``apart``: decides colour and mark.
        label: for the legend.
        line: SVG path data of a line; empty where there are only marks.
        marks: SVG path data of single marks, in the shape of the role; empty where there is only a line.
    """

    role: str
    label: str
    line: str = ""
    marks: str = ""

    @property
    def shape(self) -> str:
        """SVG path data of one mark, from its middle."""
        return _SHAPES.get(self.role, _DOT)


@dataclass(frozen=True)
class Chart:
    """One picture.

    Attributes:
        name: for its HTML ids.
        title: what it is.
        description: what is to be seen, in words: for who cannot see it.
        x_label: of the horizontal axis.
        y_label: of the vertical axis.
        x: horizontal axis.
        y: vertical axis.
        band: top and bottom of what is allowed, in places on the canvas.
        series: in the order in which they are drawn.
    """

    name: str
    title: str
    description: str
    x_label: str
    y_label: str
    x: Axis
    y: Axis
    band: tuple[float, float] | None
    series: tuple[Series, ...]


@dataclass(frozen=True)
class Bar:
    """One bar of a bar chart; its length is a share of the longest."""

    label: str
    role: str
    figure: str
    share: float


def outputs(points: Points) -> Chart | None:
    """What was predicted beside what is true: over the input where that is a number, else one against the other.

    None where not one value is a finite number.
    """
    return _curves(points, points.x) if points.x is not None else _scatter(points)


def _curves(points: Points, x: Sequence[float]) -> Chart | None:
    lines = (("truth", "truth", points.truth), ("float", "float model", points.float_model))
    known = [(role, label, values) for role, label, values in lines if values is not None]
    across = _horizontal(x)
    up = _vertical([*points.device, *points.reference, *(value for *_, values in known for value in values)])
    if across is None or up is None:
        return None
    order = sorted(range(len(x)), key=lambda index: x[index])
    curves = [
        Series(role, label, _line([(x[i], values[i]) for i in order], across, up)) for role, label, values in known
    ]
    return Chart(
        name="outputs",
        title="Output over input",
        description=_compared(points, [label for _, label, _ in known]),
        x_label="input, real units",
        y_label="output, real units",
        x=across,
        y=up,
        band=None,
        series=(*curves, *_answers(points, x, across, up)),
    )


def _scatter(points: Points) -> Chart | None:
    if points.truth is not None:
        actual, name, floats = points.truth, "truth", points.float_model
    elif points.float_model is not None:
        actual, name, floats = points.float_model, "float model", None
    else:
        actual, name, floats = points.reference, "integer reference", None
    everything = [*actual, *points.device, *points.reference, *(floats or ())]
    across, up = _horizontal(everything), _vertical(everything)
    if across is None or up is None:
        return None
    diagonal = _line([(across.low, up.low), (across.high, up.high)], across, up)
    series = [Series("truth", f"where it equals the {name}", diagonal)]
    if floats is not None:
        series.append(
            Series("float", "float model", marks=_marks("float", list(zip(actual, floats, strict=True)), across, up))
        )
    return Chart(
        name="outputs",
        title=f"Device against the {name}",
        description=_compared(points, [name] if floats is None else [name, "float model"]),
        x_label=f"{name}, real units",
        y_label="device, real units",
        x=across,
        y=up,
        band=None,
        series=(*series, *_answers(points, actual, across, up)),
    )


def _answers(points: Points, x: Sequence[Value], across: Axis, up: Axis) -> list[Series]:
    """The device's marks, and the reference's where they are not in the same place."""
    groups = (
        ("reference", "integer reference, where the device differs", points.reference, [bool(e) for e in points.lsb]),
        ("apart", "device, inputs unlike the data", points.device, [not like for like in points.like_data]),
        ("device", "device", points.device, points.like_data),
    )
    made = []
    for role, label, values, chosen in groups:
        some = [(at, value) for at, value, is_so in zip(x, values, chosen, strict=True) if is_so]
        if some:
            made.append(Series(role, label, marks=_marks(role, some, across, up)))
    return made


def differences(points: Points, tolerance: int, unit: str) -> Chart | None:
    """The error of each input in ``unit``: a stem from zero for each vector that is not exact; None without vectors."""
    place = points.x if points.x is not None else [float(index) for index in points.vector]
    across = _horizontal(place)
    if across is None:
        return None
    largest = max(1, tolerance, *(abs(value) for value in points.lsb))
    up = _axis(-1.1 * largest, 1.1 * largest, HEIGHT - _BOTTOM, _TOP, whole=True)
    zero = up.place(0)
    wrong = [(at, value) for at, value in zip(place, points.lsb, strict=True) if value]
    stems = "".join(f"M{across.place(at)} {zero}V{up.place(value)}" for at, value in wrong)
    count = len(points.lsb)
    if wrong:
        most = max((value for _, value in wrong), key=abs)
        found = (
            f"{len(wrong):,} of {count:,} inputs shown differ from the integer reference, at most by {most:+,} {unit}."
        )
    else:
        found = f"All {count:,} inputs shown lie on zero: the device equals the integer reference."
    allowed = f" Up to {tolerance:,} {unit} are allowed." if tolerance else ""
    marks = _marks("device", list(zip(place, points.lsb, strict=True)), across, up)
    return Chart(
        name="differences",
        title=f"Error of each input in {unit}",
        description=found + allowed,
        x_label="input, real units" if points.x is not None else "vector",
        y_label=f"device minus reference, {unit}",
        x=across,
        y=up,
        band=(up.place(tolerance), up.place(-tolerance)) if tolerance else None,
        series=(Series("device", "device minus reference", stems, marks),),
    )


class Place(NamedTuple):
    """One run on a curve over runs.

    Attributes:
        label: such as its commit.
        value: None where it has none.
        passed: whether its verdict was a pass.
    """

    label: str
    value: Value
    passed: bool


def over_runs(name: str, title: str, unit: str, places: Sequence[Place]) -> Chart | None:
    """One figure over runs, the oldest first, at even distances; None where no run has it."""
    known = [place.value for place in places if _drawable(place.value)]
    across = _spanning([float(index) for index in range(len(places))], _WIDE_LEFT, WIDTH - _WIDE_RIGHT)
    whole = all(float(value).is_integer() for value in known)
    up = _spanning(known, HEIGHT - _BOTTOM, _TOP, whole=whole, exact=True)
    if across is None or up is None:
        return None
    step = -(-len(places) // _LABELS)
    labelled = range(len(places) - 1, -1, -step)  # the last one always
    ticks = tuple(Tick(across.place(index), places[index].label) for index in reversed(labelled))
    values = [(float(index), place.value) for index, place in enumerate(places)]
    passed = [one for one, place in zip(values, places, strict=True) if place.passed]
    others = [one for one, place in zip(values, places, strict=True) if not place.passed]
    series = [Series("device", title, _line(values, across, up), _marks("device", passed, across, up))]
    if any(_drawable(value) for _, value in others):
        series.append(Series("apart", "runs that did not pass", marks=_marks("apart", others, across, up)))
    form = ",.0f" if whole else ",.6g"
    said = f"From {known[0]:{form}} to {known[-1]:{form}}" if len(known) > 1 else f"{known[0]:{form}}"
    return Chart(
        name=name,
        title=title,
        description=f"{said}{f' {unit}' if unit else ''} over {len(known):,} runs.",
        x_label="commit, the oldest first",
        y_label=f"{title}, {unit}" if unit else title,
        x=replace(across, ticks=ticks),
        y=up,
        band=None,
        series=tuple(series),
    )


def origins(accuracy: Accuracy) -> tuple[Bar, ...]:
    """The mean absolute error by origin, as far as it is known."""
    found = accuracy.overall
    if found is None:
        return ()
    parts = [
        ("Training", "truth", "accuracy/overall/float_vs_truth/mae", found.float_vs_truth),
        ("Quantization", "float", "accuracy/overall/reference_vs_float/mae", found.reference_vs_float),
        ("Device", "device", "accuracy/overall/device_vs_reference/mae", found.device_vs_reference),
    ]
    known = [(label, role, path, part.mae) for label, role, path, part in parts if part is not None]
    longest = max((mae for *_, mae in known if mae is not None), default=0.0)
    return tuple(Bar(label, role, path, share(mae, longest)) for label, role, path, mae in known)


def share(value: float | None, longest: float) -> float:
    """The length of a bar in percent of the longest."""
    return round(100.0 * max(0.0, value) / longest, 2) if value and longest > 0 else 0.0


def _compared(points: Points, with_what: list[str]) -> str:
    """What the chart shows, in words."""
    said = f"{len(points.vector):,} outputs of the device"
    if with_what:
        said += f", with the {' and the '.join(with_what)}"
    wrong = sum(1 for value in points.lsb if value)
    if wrong:
        return f"{said}. {wrong:,} of them differ from the integer reference."
    return f"{said}. Every one of them equals the integer reference."


def _horizontal(values: Sequence[Value]) -> Axis | None:
    return _spanning(values, _LEFT, WIDTH - _RIGHT)


def _vertical(values: Sequence[Value]) -> Axis | None:
    return _spanning(values, HEIGHT - _BOTTOM, _TOP)


def _spanning(
    values: Sequence[Value], start: float, end: float, *, whole: bool = False, exact: bool = False
) -> Axis | None:
    """An axis with room for all values that can be drawn; None where there are none."""
    drawn = [value for value in values if _drawable(value)]
    if not drawn:
        return None
    low, high = min(drawn), max(drawn)
    room = 0.04 * (high - low) or max(abs(high), 1.0) / 2
    return _axis(low - room, high + room, start, end, whole=whole, exact=exact)


def _drawable(value: Value) -> TypeGuard[float]:
    return value is not None and abs(value) <= LARGEST


def _axis(low: float, high: float, start: float, end: float, *, whole: bool = False, exact: bool = False) -> Axis:
    """An axis with ticks: at whole numbers where they are ``whole``, with all their digits where they are ``exact``."""
    step = _step((high - low) / _TICKS, whole=whole)
    digits = max(0, -math.floor(math.log10(step)))
    axis = Axis(low, high, start, end, ())
    numbers = [count * step for count in range(math.ceil(low / step), math.floor(high / step) + 1)]
    return replace(
        axis, ticks=tuple(Tick(axis.place(number), _text(number, digits, exact=exact)) for number in numbers)
    )


def _text(number: float, digits: int, *, exact: bool) -> str:
    short = abs(number) >= 1e6 or digits > 4
    return f"{number:.2g}" if short and not exact else f"{number:,.{digits}f}"


def _step(least: float, *, whole: bool) -> float:
    """The next of 1, 2, 5, 10, ... that is at least so much."""
    power = 10.0 ** math.floor(math.log10(least))
    step = next((factor * power for factor in (1, 2, 5) if factor * power >= least), 10 * power)
    return max(1.0, step) if whole else step


def _line(places: Sequence[tuple[Value, Value]], across: Axis, up: Axis) -> str:
    """A line through the places; it is interrupted where a value cannot be drawn."""
    made, pen = [], "M"
    for x, y in places:
        if _drawable(x) and _drawable(y):
            made.append(f"{pen}{across.place(x)} {up.place(y)}")
            pen = "L"
        else:
            pen = "M"
    return "".join(made)


def _marks(role: str, places: Sequence[tuple[Value, Value]], across: Axis, up: Axis) -> str:
    shape = _SHAPES.get(role, _DOT)
    drawn = [(x, y) for x, y in places if _drawable(x) and _drawable(y)]
    return "".join(f"M{across.place(x)} {up.place(y)}{shape}" for x, y in drawn)
