"""What the history shows: the same of both databases, on the terminal, on the page and to other programs."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyhil import kinds
from tinyhil.compare import metrics
from tinyhil.compare.metrics import METRICS, Metric
from tinyhil.compare.verdict import Report
from tinyhil.errors import ConfigError
from tinyhil.history import database, lines, page, record
from tinyhil.history.export import FORMATS, as_values, export
from tinyhil.history.place import Place
from tinyhil.history.series import Asked, Series, series
from tinyhil.report.facts import Reader

from . import made

USUAL = metrics.chosen(())
EVERY = Asked()
GROWN, SLOWER = 312, 0.04
"""What the third run is larger and slower than those before."""


def kept(place: Place, asked: Asked = EVERY, chosen: Sequence[Metric] = USUAL) -> tuple[Series, ...]:
    with database.opened(place) as history, history.reading() as connection:
        return series(connection, asked, chosen)


def leave(place: Place, *reports: Report) -> None:
    for number, report in enumerate(reports):
        record.leave(report, made.context(number), place.records)


THREE = (
    made.report(),
    made.failed(),
    made.report(flash=made.FLASH + GROWN, instructions=made.INSTRUCTIONS * (1 + SLOWER)),
)


def test_both_databases_give_the_same_answers(any_place: Place) -> None:
    leave(any_place, *THREE, made.blocked(), made.blocked("other"), made.report(target="sim", scheme="float32"))
    found = kept(any_place)
    assert [(one.recipe, one.target, one.scheme, one.counts) for one in found] == [
        ("other", "qemu-m4", "", {"blocked": 1}),
        ("tiny", "qemu-m4", "int8", {"pass": 2, "fail": 1, "blocked": 1}),
        ("tiny", "sim", "float32", {"pass": 1}),
    ]
    flash = metrics.BY_NAME["flash"]
    assert found[1].values(flash) == [made.FLASH, made.FLASH, made.FLASH + GROWN, None]
    assert [run.verdict for run in found[1].runs] == ["pass", "fail", "pass", "blocked"]
    assert [run.commit for run in found[1].runs] == [*made.COMMITS, made.COMMITS[-1]]


def test_what_is_asked_for_is_what_is_shown(place: Place) -> None:
    leave(place, *THREE, made.report(target="sim"), made.report(recipe="other"))
    record.leave(made.report(), made.context(9, branch="feature"), place.records)
    assert [one.name for one in kept(place, Asked("other"))] == ["other on qemu-m4 (compiled, int8)"]
    assert [one.target for one in kept(place, Asked("tiny", ("sim",)))] == ["sim"]
    (feature,) = kept(place, Asked(branch="feature"))
    assert [run.branch for run in feature.runs] == ["feature"]
    (_, last, _) = kept(place, Asked(last=2))
    assert (len(last.runs), last.counts) == (2, {"pass": 3, "fail": 1})
    assert last.runs[-1].branch == "feature"
    with pytest.raises(ConfigError, match="of nothing on sim of the branch x") as caught:
        kept(place, Asked("nothing", ("sim",), "x"))
    assert caught.value.kind is kinds.NO_HISTORY


def test_every_metric_is_at_its_path_in_the_report() -> None:
    """By the report's own reader of paths, which raises where there is none."""
    report = made.report()
    for metric in METRICS:
        try:
            value = Reader(report).source(metric.path).value
        except (TypeError, ValueError):  # a part of the report that this one does not have
            assert metric.path.startswith(("accuracy/", "resources/"))
            value = None
        assert metric.of(report) == value


def test_an_unknown_metric_is_named() -> None:
    assert [metric.name for metric in metrics.chosen(["flash, mae", "flash"])] == ["flash", "mae"]
    with pytest.raises(ConfigError, match="'size'"):
        metrics.chosen(["flash,size"])


VALUES = st.lists(st.none() | st.floats(allow_nan=False, allow_infinity=False), max_size=60)


@given(VALUES)
def test_a_sparkline_has_a_character_for_each_run_and_keeps_their_order(values: list[float | None]) -> None:
    drawn = lines.sparkline(values)
    assert len(drawn) in (len(values), 0)
    there = [(value, bar) for value, bar in zip(values, drawn, strict=False) if value is not None]
    assert all((bar == " ") == (value is None) for value, bar in zip(values, drawn, strict=False))
    assert all(a[1] <= b[1] for a in there for b in there if a[0] <= b[0])


def test_the_lines_name_the_commit_of_the_last_change(place: Place) -> None:
    leave(place, *THREE, made.blocked())
    (one,) = kept(place)
    head, *rows = lines.table(one, USUAL)
    assert "4 runs, 1 failed, 1 blocked" in head
    assert head.endswith("blocked (TH-320)")
    said = {row.split()[0]: row for row in rows}
    assert list(said) == ["flash", "ram", "instructions", "mismatches"]
    assert f"+{GROWN} B" in said["flash"]
    assert said["flash"].endswith(f"with {made.COMMITS[2][:8]}")
    assert f"{SLOWER:+.2%}" in said["instructions"]
    assert said["ram"].endswith("the same in 3 runs")


def test_the_page_has_every_run_and_a_curve_of_every_figure(place: Place) -> None:
    leave(place, *THREE, made.blocked(), made.report(recipe="<script>x</script>"))
    found = kept(place)
    html = page.to_html(found, USUAL, "of all")
    assert "<script" not in html
    assert not re.findall(r"(?:src|href)=\"(?!#|data:,)", html)
    assert html.count("<figure") == sum(one.has(metric) for one in found for metric in USUAL)
    assert html.count('<tr><th scope="row">') == sum(len(one.runs) for one in found)
    assert f"{made.FLASH + GROWN:,}" in html
    assert made.COMMITS[2][:8] in html
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert len(ids) == len(set(ids))


BMF: Any = {
    "type": "object",
    "patternProperties": {
        ".+": {
            "type": "object",
            "patternProperties": {
                "^[a-z0-9-]+$": {
                    "type": "object",
                    "properties": {name: {"type": "number"} for name in ("value", "lower_value", "upper_value")},
                    "required": ["value"],
                    "additionalProperties": False,
                }
            },
            "additionalProperties": False,
        }
    },
}
"""https://bencher.dev/docs/reference/bencher-metric-format/, and no more than it; measures by their slugs."""


def test_bencher_gets_the_last_judged_run_of_each(place: Place) -> None:
    leave(place, *THREE, made.blocked(), made.report(target="sim"))
    values = json.loads(export(kept(place), USUAL, "bencher"))
    jsonschema.validate(values, BMF)
    assert list(values) == ["tiny/qemu-m4/compiled/int8", "tiny/sim/compiled/int8"]
    assert values["tiny/qemu-m4/compiled/int8"]["flash"] == {"value": made.FLASH + GROWN}


def test_github_action_benchmark_gets_figures_of_one_direction(place: Place) -> None:
    leave(place, *THREE)
    found = kept(place)
    less = metrics.chosen(["flash,instructions"])
    values = json.loads(export(found, less, "github-action-benchmark"))
    assert [set(one) for one in values] == [{"name", "unit", "value", "extra"}] * 2
    assert values[0]["value"] == made.FLASH + GROWN
    with pytest.raises(ConfigError, match="one direction") as caught:
        export(found, metrics.chosen(["flash,top1"]), "github-action-benchmark")
    assert caught.value.kind is kinds.CONTRADICTION


def test_csv_and_json_have_every_run(place: Place) -> None:
    leave(place, *THREE, made.blocked())
    found = kept(place)
    rows = list(csv.DictReader(io.StringIO(export(found, USUAL, "csv"))))
    runs = json.loads(export(found, USUAL, "json"))["series"][0]["runs"]
    assert len(rows) == len(runs) == 4
    for row, run in zip(rows, runs, strict=True):
        assert {name: float(row[name]) for name in run["figures"]} == run["figures"]
        assert (row["began"], row["commit"], row["verdict"]) == (run["began"], run["commit"], run["verdict"])
        assert row["began"].endswith("Z")
    assert json.loads(json.dumps(as_values(found, USUAL))) == json.loads(export(found, USUAL, "json"))
    with pytest.raises(ConfigError, match="yaml"):
        export(found, USUAL, "yaml")
    assert all(export(found, metrics.chosen(["flash"]), form) for form in FORMATS)


def test_a_spreadsheet_takes_no_cell_for_a_formula(place: Place) -> None:
    record.leave(made.report(recipe="=1+1"), made.context(branch="=cmd"), place.records)
    (row,) = list(csv.reader(io.StringIO(export(kept(place), USUAL, "csv"))))[1:]
    assert not [cell for cell in row if cell[:1] in ("=", "+", "@")]
