"""What CI systems show beside a change: the right problems, in forms that their readers take."""

from __future__ import annotations

import re
from typing import Any, get_args

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from tinyhil.compare import metrics
from tinyhil.compare.health import Finding
from tinyhil.compare.verdict import Report
from tinyhil.report.openmetrics import to_openmetrics
from tinyhil.report.problems import Problem, Severity, of_report, to_code_quality

from ..history import made

CODE_QUALITY: Any = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "description": {"type": "string", "minLength": 1},
            "check_name": {"type": "string", "minLength": 1},
            "fingerprint": {"type": "string", "minLength": 1},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "pattern": "^(?!\\./|/).+"},
                    "lines": {
                        "type": "object",
                        "required": ["begin"],
                        "properties": {"begin": {"type": "integer", "minimum": 1}},
                        "additionalProperties": False,
                    },
                },
                "additionalProperties": False,
            },
        },
        "additionalProperties": False,
    },
}
"""The fields that https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format requires, and no more."""


@pytest.mark.parametrize(
    ("report", "checks"),
    [
        (made.report(), []),
        (made.failed(), [("fidelity", "critical")]),
        (made.blocked(), [("run", "blocker")]),
        (made.report(findings=(Finding("dead-channels", "a", "b"),)), [("health/dead-channels", "minor")]),
        (made.report(findings=(Finding("dead-channels", "a", "b", "information"),)), []),
    ],
    ids=["pass", "fail", "blocked", "warning", "note"],
)
def test_a_run_s_problems_are_its_verdict_and_its_warnings(report: Report, checks: list[tuple[str, str]]) -> None:
    found = list(of_report(report, "recipes/tiny.toml"))
    assert [(one.check, one.severity) for one in found] == checks
    assert all(one.file == "recipes/tiny.toml" and one.about == "tiny on qemu-m4" for one in found)


PROBLEMS = st.builds(
    Problem,
    check=st.text(max_size=9),
    about=st.text(max_size=9),
    text=st.text(max_size=30),
    severity=st.sampled_from(get_args(Severity)),
    file=st.sampled_from(["", "recipes/tiny.toml"]),
)


@given(st.lists(PROBLEMS, max_size=4))
def test_code_quality_is_what_gitlab_reads(found: list[Problem]) -> None:
    values = to_code_quality(found, ".gitlab-ci.yml")
    jsonschema.validate(values, CODE_QUALITY)
    assert [one["severity"] for one in values] == [one.severity for one in found]


def test_the_same_problem_is_known_again_by_its_fingerprint() -> None:
    """GitLab shows the problems of a branch whose fingerprints the other branch does not have."""
    one, larger = (Problem("gate/flash", "tiny on m4", f"flash +{size} B", "major", "a.toml") for size in (1, 2))
    other = Problem("gate/ram", "tiny on m4", "RAM +1 B", "major", "a.toml")
    marks = [each["fingerprint"] for each in to_code_quality((one, larger, other), "x")]
    assert marks[0] == marks[1] != marks[2]


LABELS = st.dictionaries(st.sampled_from(["recipe", "target"]), st.text(st.characters(exclude_categories=["Cs"])))
FIGURES = st.dictionaries(st.sampled_from(list(metrics.BY_NAME)), st.floats(allow_nan=False, allow_infinity=False))


@given(st.lists(st.tuples(LABELS, FIGURES), max_size=4, unique_by=lambda one: tuple(sorted(one[0].items()))))
def test_figures_are_read_back_by_the_parser_of_prometheus(
    found: list[tuple[dict[str, str], dict[str, float]]],
) -> None:
    families = list(text_string_to_metric_families(to_openmetrics(found)))
    read = {
        (family.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }
    wanted = [(tuple(sorted(labels.items())), name, value) for labels, some in found for name, value in some.items()]
    assert len(read) == len(wanted)
    for labels, name, value in wanted:
        (key,) = [key for key in read if key[1] == labels and re.fullmatch(rf"tinyhil_{name}(_bytes|_ratio)?", key[0])]
        assert read[key] == value


def test_the_unit_is_in_the_name() -> None:
    text = to_openmetrics([({"recipe": "tiny"}, metrics.figures(made.report()))])
    assert f'tinyhil_flash_bytes{{recipe="tiny"}} {float(made.FLASH)!r}\n' in text
    assert "# UNIT tinyhil_flash_bytes bytes\n" in text
    assert text.endswith("# EOF\n")
