"""One exit code for all cells; and the files: JUnit names each cell, the page leads to each report."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import msgspec
import pytest
from markdown_it import MarkdownIt

from tinyhil.compare.verdict import Accuracy, Bound
from tinyhil.errors import ExitCode
from tinyhil.experiments.models import Outcome, Row
from tinyhil.matrix import Plan, Result, as_values, exit_code, verdict, words, write
from tinyhil.matrix.junit import to_junit
from tinyhil.matrix.views import to_html, to_markdown
from tinyhil.report.files import Took

from ..history import made as runs
from .conftest import Planned

JUDGED = Accuracy(True, 100, "test set", None, (), None, (Bound("top1", 0.9, 0.8, True),))

ORDER = [
    (Outcome.FAIL, ExitCode.FAIL),
    (Outcome.FAULT, ExitCode.FAULT),
    (Outcome.REFUSED, ExitCode.USAGE),
    (Outcome.BLOCKED, ExitCode.BLOCKED),
    (Outcome.PASS, ExitCode.PASS),
]
"""As docs/matrix.md has it: the first outcome that is there counts."""


def results_of(made: Plan, outcomes: Sequence[Outcome]) -> list[Result]:
    """Of the first cells of a plan; passes and fails have a report."""
    found = []
    for cell, outcome in zip(made.cells, outcomes, strict=False):
        row = Row(cell.model, cell.target, cell.engine, outcome, 1.5)
        if outcome in (Outcome.PASS, Outcome.FAIL):
            report = replace(runs.report(), recipe=cell.run.name, target=cell.target, engine=cell.engine)
            if outcome is Outcome.FAIL:
                assert report.fidelity is not None
                fidelity = replace(report.fidelity, passed=False, mismatches=1, max_lsb=3)
                report = replace(report, verdict="fail", fidelity=fidelity)
            page = str(cell.folder / "report.html")
            row = replace(row, exact=3, vectors=3, flash_bytes=10_203, instructions=25_000.0, report=page)
            found.append(Result(cell, row, report, Took(datetime(2026, 3, 1, tzinfo=UTC), 2.25)))
        else:
            row = replace(row, cause="the line <b> is | cut", step="plug it in", error="TH-300", notes=("is hot",))
            found.append(Result(cell, row))
    return found


@pytest.fixture
def made(planned: Planned) -> Plan:
    """Six cells."""
    return planned(["sine", "a.tflite"], target="qemu-m4,sim", engine="all")


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_the_worst_outcome_counts(made: Plan, count: int) -> None:
    for chosen in itertools.combinations(ORDER, count):
        for outcomes in itertools.permutations([outcome for outcome, _ in chosen]):
            results = results_of(made, outcomes)
            assert exit_code(results) == chosen[0][1]
            assert verdict(results, count) == chosen[0][0].value


def test_blocked_is_three_only_if_no_cell_failed(made: Plan) -> None:
    blocked, failed = Outcome.BLOCKED, Outcome.FAIL
    assert exit_code(results_of(made, [Outcome.PASS, blocked, blocked])) == 3
    assert exit_code(results_of(made, [blocked, blocked, failed])) == 1


MIXED = (Outcome.PASS, Outcome.FAIL, Outcome.BLOCKED, Outcome.REFUSED, Outcome.FAULT)
"""Of six cells; the last one was not carried out."""


def test_junit_names_each_cell_and_counts_what_it_contains(made: Plan) -> None:
    suites = ElementTree.fromstring(to_junit(made.cells, results_of(made, MIXED)))
    named = [suite.attrib["name"] for suite in suites]
    assert named == [
        f"tinyhil.{model}.{place}"
        for model in ("sine", "a_tflite")
        for place in ("qemu-m4.compiled", "qemu-m4.tflm", "sim.tflm-host")
    ]
    for suite in suites:
        cases = suite.findall("testcase")
        assert int(suite.attrib["tests"]) == len(cases) > 0
        for count, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.attrib[count]) == len(suite.findall(f"testcase/{tag}"))
        assert {f"tinyhil.{case.attrib['classname']}" for case in cases} == {suite.attrib["name"]}
    for count in ("tests", "failures", "errors", "skipped"):
        assert int(suites.attrib[count]) == sum(int(suite.attrib[count]) for suite in suites)
    assert [int(suite.attrib["failures"]) for suite in suites] == [0, 1, 0, 0, 0, 0]
    assert [int(suite.attrib["errors"]) for suite in suites] == [0, 0, 1, 1, 1, 0]
    assert "not carried out" in suites[5].find("testcase/skipped").attrib["message"]  # type: ignore[union-attr]
    assert suites[2].find("testcase/error").attrib["message"] == "the line <b> is | cut"  # type: ignore[union-attr]
    assert suites[0].attrib["time"] == "2.250"


def test_the_page_has_a_cell_for_each_run_that_leads_to_its_report(made: Plan) -> None:
    page = to_html(made, results_of(made, MIXED), Path("build"))
    body = page.partition("<tbody>")[2].partition("</tbody>")[0]
    squares = re.findall(r"<td class=\"(\w+)\">(.*?)</td>", body)
    assert [state for state, _ in squares] == ["exact", "fail", "blocked", "blocked", "fail", "none"]
    links = [unquote(link) for _, square in squares for link in re.findall('href="([^"]*)"', square)]
    assert [Path("build") / link for link in links] == [cell.folder / "report.html" for cell in made.cells[:2]]
    assert "Exact. Accuracy not judged" in squares[0][1]
    assert "25,000 instr" in squares[0][1]
    assert "10,203 B flash" in squares[0][1]
    assert squares[5][1] == "not carried out"
    assert "the line &lt;b&gt; is | cut" in page
    assert "<b>" not in page
    assert "sim has no engine compiled or tflm" in page
    assert "<script" not in page
    assert not re.search(r"(?:href|src)=\"(?:https?:)?//", page)


def test_green_is_for_what_was_judged_whole(made: Plan) -> None:
    page = to_html(made, results_of(made, [Outcome.PASS] * 6), Path("build"))
    assert 'class="verdict exact"' in page
    assert 'class="pass"' not in page
    whole = [
        replace(each, report=replace(runs.report(), accuracy=JUDGED)) for each in results_of(made, [Outcome.PASS] * 6)
    ]
    page = to_html(made, whole, Path("build"))
    assert 'class="verdict pass"' in page
    assert page.count('class="pass"') == 6


def test_links_are_right_whatever_a_model_is_called(planned: Planned, tiny_model: bytes) -> None:
    Path("ä #1%.tflite").write_bytes(tiny_model)
    made = planned(["ä #1%.tflite", "a.tflite"], target="sim")
    page = to_html(made, results_of(made, [Outcome.PASS, Outcome.PASS]), Path("build"))
    links = re.findall('<a href="([^"]*)"', page)
    assert [Path("build") / unquote(link) for link in links] == [cell.folder / "report.html" for cell in made.cells]
    assert "#" not in links[0]


def test_markdown_says_first_what_is_no_pass(made: Plan) -> None:
    text = to_markdown(made, results_of(made, MIXED))
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    assert "6 runs: 1 pass, 1 fail, 1 refused, 1 blocked, 1 fault, 1 not carried out" in tokens[1].content
    assert text.index("is \\| cut") < text.index("| Model |")
    assert sum(token.type == "bullet_list_open" for token in tokens) == 1
    assert sum(token.type == "list_item_open" for token in tokens) == 4


def test_what_was_interrupted_has_no_exit_code(made: Plan) -> None:
    results = results_of(made, [Outcome.PASS, Outcome.PASS])
    assert verdict(results, 6) == "interrupted"
    assert words(results, 6) == "6 runs: 2 pass, 4 not carried out"
    values = as_values(made, results)
    assert (values["verdict"], values["exit_code"], values["planned"]) == ("interrupted", None, 6)
    assert words([], 6) == "6 runs: 6 not carried out"


def test_all_files_are_written_even_if_nothing_was_carried_out(made: Plan, tmp_path: Path) -> None:
    for results in ([], results_of(made, MIXED)):
        write(made, results, tmp_path / "build")
        values = msgspec.json.decode((tmp_path / "build/matrix.json").read_bytes())
        assert values == json.loads(json.dumps(as_values(made, results)))
        assert [cell["model"] for cell in values["cells"]] == [each.cell.model for each in results]
        names = sorted(path.name for path in (tmp_path / "build").iterdir())
        assert names == ["matrix.html", "matrix.json", "matrix.md", "matrix.xml"]
