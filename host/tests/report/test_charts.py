"""The charts' geometry: everything lies on the canvas, lines break where there is no number, words say what is seen."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given

from tinyhil.compare.verdict import Points
from tinyhil.report import charts
from tinyhil.report.charts import HEIGHT, WIDTH, Axis, Chart

from .strategies import POINTS

CURVE = Points(
    vector=(0, 1, 2, 3),
    x=(3.0, 0.0, 1.0, 2.0),
    reference=(0.75, 0.0, 0.25, 0.5),
    device=(0.75, 0.0, 0.5, None),
    float_model=(0.7, 0.1, 0.2, 0.6),
    truth=(0.8, 0.0, None, 0.5),
    lsb=(0, 0, 2, -3),
    like_data=(True, True, True, False),
)


def moves(path: str) -> list[tuple[str, float, float]]:
    """Absolute moves and lines of path data."""
    found = re.findall(r"([ML])(-?[\d.]+) (-?[\d.]+)", path)
    return [(letter, float(x), float(y)) for letter, x, y in found]


def every_place(chart: Chart) -> list[tuple[float, float]]:
    return [(x, y) for one in chart.series for path in (one.line, one.marks) for _, x, y in moves(path)]


def value(axis: Axis, place: float) -> float:
    return axis.low + (place - axis.start) / (axis.end - axis.start) * (axis.high - axis.low)


@given(POINTS)
def test_everything_lies_on_the_canvas(points: Points) -> None:
    for chart in (charts.outputs(points), charts.differences(points, 1, "LSB")):
        if chart is None:
            continue
        for x, y in every_place(chart):
            assert 0 <= x <= WIDTH
            assert 0 <= y <= HEIGHT
        for axis in (chart.x, chart.y):
            places = [tick.at for tick in axis.ticks]
            assert places in (sorted(places), sorted(places, reverse=True))
            assert all(min(axis.start, axis.end) <= place <= max(axis.start, axis.end) for place in places)
            assert 1 <= len(places) <= 12


def test_a_curve_is_drawn_in_the_order_of_its_inputs_and_breaks_where_there_is_no_number() -> None:
    chart = charts.outputs(CURVE)
    assert chart is not None
    truth, floats = (next(one for one in chart.series if one.role == role) for role in ("truth", "float"))
    drawn = [(letter, value(chart.x, x), value(chart.y, y)) for letter, x, y in moves(truth.line)]
    assert [letter for letter, *_ in drawn] == ["M", "M", "L"]
    assert [x for _, x, _ in drawn] == pytest.approx([0.0, 2.0, 3.0], abs=0.01)
    assert [y for *_, y in drawn] == pytest.approx([0.0, 0.5, 0.8], abs=0.01)
    assert [value(chart.x, x) for _, x, _ in moves(floats.line)] == pytest.approx([0.0, 1.0, 2.0, 3.0], abs=0.01)


def test_the_device_s_marks_are_where_its_answers_are() -> None:
    chart = charts.outputs(CURVE)
    assert chart is not None
    marks = {one.role: [(value(chart.x, x), value(chart.y, y)) for _, x, y in moves(one.marks)] for one in chart.series}
    assert marks["device"] == [pytest.approx(place, abs=0.01) for place in ((3.0, 0.75), (0.0, 0.0), (1.0, 0.5))]
    assert marks["apart"] == []  # its only answer is not a number
    assert marks["reference"] == [pytest.approx(place, abs=0.01) for place in ((1.0, 0.25), (2.0, 0.5))]
    assert "2 of them differ" in chart.description


def test_without_a_single_input_the_device_is_drawn_against_what_is_known() -> None:
    against = []
    scattered = replace(CURVE, x=None)
    without_truth = replace(scattered, truth=None)
    for points in (scattered, without_truth, replace(without_truth, float_model=None)):
        chart = charts.outputs(points)
        assert chart is not None
        assert (chart.x.low, chart.x.high) == (chart.y.low, chart.y.high)
        against.append(chart.title.removeprefix("Device against the "))
    assert against == ["truth", "float model", "integer reference"]


def test_the_error_of_each_input_is_a_stem_from_zero() -> None:
    chart = charts.differences(CURVE, 1, "LSB")
    assert chart is not None
    stems = re.findall(r"M([\d.]+) ([\d.]+)V([\d.]+)", chart.series[0].line)
    ends = [(value(chart.x, float(x)), value(chart.y, float(a)), value(chart.y, float(b))) for x, a, b in stems]
    assert ends == [pytest.approx(end, abs=0.03) for end in ((1.0, 0.0, 2.0), (2.0, 0.0, -3.0))]
    assert chart.band is not None
    assert [value(chart.y, edge) for edge in chart.band] == pytest.approx([1.0, -1.0], abs=0.03)
    assert "2 of 4 inputs shown differ" in chart.description
    assert "at most by -3 LSB" in chart.description
    exact = charts.differences(replace(CURVE, lsb=(0, 0, 0, 0)), 0, "LSB")
    assert exact is not None
    assert (exact.band, exact.series[0].line) == (None, "")
    assert exact.description.startswith("All 4 inputs shown lie on zero")
    assert [tick.text for tick in exact.y.ticks] == ["-1", "0", "1"]


def test_what_cannot_be_drawn_is_no_chart() -> None:
    nothing = (None, None, None, None)
    empty = replace(CURVE, x=None, truth=nothing, float_model=nothing, device=nothing, reference=nothing)
    assert charts.outputs(empty) is None
