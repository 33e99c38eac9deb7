"""The digest of a verdict: what was judged and found of it is inside, how it came about is outside."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from hypothesis import given, settings

from tinyhil.compare.digest import JUDGED, digest
from tinyhil.compare.verdict import Report

from ..report.strategies import REPORTS

OUTSIDE = {
    "schema",
    "honest_about",
    "measured_by",
    "tool_versions",
    "tool_sha256",
    "made_by",
    "link",
    "bisection",
    "scope",
    "findings",
    "line",
    "retries",
    "strict",
    "headline",
    "source_sha256",
    "samples_sha256",
    "raw_sha256",
    "prepare_sha256",
    "test_data_sha256",
}


def test_every_field_of_the_report_is_inside_or_outside_on_purpose() -> None:
    assert {field.name for field in fields(Report)} == {*JUDGED, "preprocessing", *OUTSIDE}
    assert not OUTSIDE & set(JUDGED)


@given(REPORTS)
@settings(max_examples=20)
def test_the_way_that_it_came_about_changes_nothing(report: Report) -> None:
    other = replace(report, line="uart", tool_versions={"gcc": "13"}, tool_sha256={}, made_by="tinyhil 9", link={})
    assert digest(other) == digest(report)


@pytest.mark.parametrize(
    "change", [{"verdict": "blocked"}, {"model_sha256": "0"}, {"firmware_sha256": "0"}, {"engine": "x"}]
)
@given(report=REPORTS)
@settings(max_examples=5)
def test_what_was_found_changes_it(change: dict[str, str], report: Report) -> None:
    if replace(report, **change) != report:  # type: ignore[arg-type]
        assert digest(replace(report, **change)) != digest(report)  # type: ignore[arg-type]
