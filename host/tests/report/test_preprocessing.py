"""The verdict on the preprocessing of a user's own firmware, in every form of the report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from tinyhil.compare.digest import digest
from tinyhil.compare.fidelity import Mismatch
from tinyhil.compare.preprocessing import Apart, Preprocessing
from tinyhil.compare.verdict import Report
from tinyhil.errors import ConfigError
from tinyhil.report import assemble, files, terminal
from tinyhil.report.markdown import to_markdown
from tinyhil.report.page import to_html
from tinyhil.targets.model import Target

Judge = Callable[..., Report]
NONE = Apart(0, 0)
EXACT = Preprocessing(True, 64, 0, "LSB", "prepare() of prepare.py", NONE, NONE, NONE, (), 1234.0)
FIRST = Mismatch(7, 0, 2, expected=-7.0, actual=-10.0, lsb=-3)
DIFFERS = replace(EXACT, passed=False, features=Apart(5, 3), end_to_end=Apart(4, 9), first_mismatches=(FIRST,))
WRONG_MODEL = replace(EXACT, passed=False, model=Apart(2, 8), end_to_end=Apart(2, 8))


@pytest.fixture
def judged(judge: Judge, qemu_m4: Target) -> Callable[[Preprocessing | None], Report]:
    """A run whose model is right."""
    return lambda found: judge(qemu_m4, 5, preprocessing=found)


@pytest.mark.parametrize(
    ("found", "verdict", "said"),
    [
        (None, "pass", "3/3 outputs"),
        (EXACT, "pass", "preprocessing of 64 raw samples exact; 3/3 outputs"),
        (DIFFERS, "fail", "preprocessing differs in 5 of 64 raw samples, by up to 3 LSB, and the model does not; "),
        (WRONG_MODEL, "fail", "raw samples exact; the model differs in 2 of the host's features; "),
    ],
)
def test_it_is_a_part_of_the_verdict(judged: Judge, found: Preprocessing | None, verdict: str, said: str) -> None:
    report = judged(found)
    assert report.verdict == verdict
    assert said in report.summary
    assert files.from_json(files.to_json(report), "report.json") == report
    cases = {case.attrib["name"]: case for case in ElementTree.fromstring(files.to_junit(report)).iter("testcase")}
    assert ("preprocessing" in cases) == (found is not None)
    failed = {name for name, case in cases.items() if case.find("failure") is not None}
    assert failed == (set() if verdict == "pass" else {"preprocessing"}), "the model itself is right"


def test_the_first_samples_that_differ_are_named_in_every_form(judged: Judge) -> None:
    report = judged(DIFFERS)
    lines = [text for _, text in terminal.rows(report)]
    assert "raw sample 7, input 0[2]: host -7, device -10 (-3 LSB)" in lines
    assert "4 of 64 outputs for the device's own features differ, by at most 9 LSB from the reference" in lines
    for form in (to_markdown(report), to_html(report)):
        assert "Where the preprocessing differs" in form
    names = {each.attrib["name"] for each in ElementTree.fromstring(files.to_junit(report)).iter("property")}
    assert {"preprocessing.features.mismatches", "preprocessing.first_mismatches[0].lsb"} <= names


def test_only_where_there_is_some_it_is_part_of_the_digest(judged: Judge) -> None:
    without = digest(judged(None))
    assert digest(replace(judged(None), preprocessing=None)) == without
    assert len({without, digest(judged(EXACT)), digest(judged(DIFFERS))}) == 3


@pytest.mark.parametrize(
    "changes",
    [
        {"passed": True},
        {"first_mismatches": ()},
        {"features": Apart(65, 3)},
        {"features": Apart(5, 0)},
        {"features": Apart(0, 3)},
        {"first_mismatches": (replace(FIRST, vector=64),)},
        {"first_mismatches": (replace(FIRST, lsb=4),)},
        {"end_to_end": Apart(65, 1)},
    ],
    ids=str,
)
def test_what_contradicts_itself_is_refused(judged: Judge, changes: dict[str, object]) -> None:
    report = replace(judged(DIFFERS), headline="")
    wrong = replace(report, preprocessing=replace(DIFFERS, **changes))  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="contradicts itself"):
        files.from_json(files.to_json(wrong), "report.json")


def test_differences_that_are_allowed_are_said(judged: Judge) -> None:
    found = replace(EXACT, tolerance_lsb=2, features=Apart(0, 1))
    assert assemble.preprocessing_line(found) == "preprocessing of 64 raw samples within 2 LSB"
    texts = dict(terminal.rows(judged(found)))
    assert texts["preprocessing"].startswith("64 raw samples, features differ by at most 1 LSB, allowed are 2")
