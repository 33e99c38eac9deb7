"""report.json is the truth, report.xml the same for CI systems; both are made from one object."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tinyhil.compare import health
from tinyhil.compare.verdict import SCHEMA, Blocked, Bound, Report
from tinyhil.errors import ConfigError, DeviceError, StorageError
from tinyhil.report import assemble, files
from tinyhil.report.assemble import Evidence
from tinyhil.targets.model import Target

from .strategies import REPORTS, TEXT

COMMITTED = Path(__file__).parents[3] / "docs" / "report.schema.json"
REGENERATE = (
    "python -c 'import json; from tinyhil.report import files; "
    f"print(json.dumps(files.schema(), indent=2))' > docs/{COMMITTED.name}"
)
VALIDATOR = jsonschema.Draft202012Validator(files.schema())
_CODES = (*range(0x20), *range(0x7F, 0xA0), 0xFFFE, 0xFFFF)
NOT_XML = "".join(chr(code) for code in _CODES if chr(code) not in "\t\n\r") + "\ud800\udfff"
"""What XML 1.0 has no way to carry, https://www.w3.org/TR/xml/#charsets, and what it says should be avoided."""


@pytest.fixture
def report(judge: Callable[..., Report], qemu_m4: Target) -> Report:
    return judge(qemu_m4, device_vs_float_mae=0.001)


@given(REPORTS)
def test_a_report_is_read_as_it_was_written(report: Report) -> None:
    assert files.decoded(files.to_json(report), "report.json") == report


@given(REPORTS)
def test_a_report_is_valid_by_the_schema(report: Report) -> None:
    VALIDATOR.validate(json.loads(files.to_json(report)))


def _paths(value: Any, so_far: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The path of every key of a JSON object, however deep."""
    if not isinstance(value, dict):
        return []
    return [path for key, inner in value.items() for path in ((*so_far, key), *_paths(inner, (*so_far, key)))]


def test_the_schema_misses_nothing(report: Report) -> None:
    """Each key that is left out, and each that holds something else, makes a report invalid."""
    whole = json.loads(files.to_json(report))
    VALIDATOR.validate(whole)
    free = {"sections", "tool_versions", "tool_sha256", "link"}  # their keys are names
    paths = [path for path in _paths(whole) if not free & set(path[:-1])]
    assert len(paths) > 40
    added = {"line", "scope", "findings", "strict", "headline", "source_sha256", "samples_sha256", "retries"}
    added |= {
        "preprocessing",
        "raw_sha256",
        "prepare_sha256",
        "test_data_sha256",
        "not_finite",
        "detectable",
        "unit",
    }  # by a later version: reports of the one before lack it, and are read
    for path in paths:
        for change in ("drop", "replace") if path[-1] not in added else ("replace",):
            data = json.loads(files.to_json(report))
            parent = data
            for name in path[:-1]:
                parent = parent[name]
            if change == "drop":
                del parent[path[-1]]
            else:
                parent[path[-1]] = [[]]
            assert not VALIDATOR.is_valid(data), path
            with pytest.raises(ConfigError, match=r"report\.json is not a report"):
                files.from_json(json.dumps(data), "report.json")


def test_the_schema_is_the_committed_one() -> None:
    jsonschema.Draft202012Validator.check_schema(files.schema())
    # As text: a merge that leaves a key twice is still read as JSON.
    written = json.dumps(files.schema(), indent=2) + "\n"
    assert COMMITTED.read_text(encoding="utf-8") == written, f"make it again: {REGENERATE}"


def test_the_report_has_what_machines_rely_on(report: Report) -> None:
    data = json.loads(files.to_json(report))
    for path in (
        *("verdict", "target", "engine", "model_sha256", "firmware_sha256", "tool_versions"),
        *("fidelity.vectors", "fidelity.mismatches", "fidelity.max_lsb"),
        *("accuracy.overall.device_vs_float.mae", "accuracy.overall.device_vs_truth.mae"),
        *("size.flash_bytes", "size.ram_bytes", "instructions_per_inference"),
    ):
        value = data
        for key in path.split("."):
            value = value[key]
        assert value is not None, path


@pytest.mark.parametrize(
    ("old", "new"),
    [(f'"schema": {SCHEMA}', f'"schema": {SCHEMA + 1}'), ('"verdict": "fail"', '"verdict": "maybe"'), ("{", "[")],
)
def test_what_is_no_report_of_this_version(report: Report, old: str, new: str) -> None:
    text = files.to_json(report)
    assert old in text
    with pytest.raises(ConfigError, match=r"old\.json is not a report of this version"):
        files.from_json(text.replace(old, new, 1), "old.json")


def test_writing_and_reading(tmp_path: Path, report: Report) -> None:
    folder = tmp_path / "sine" / "qemu-m4"
    files.write(report, folder)
    assert {path.name for path in folder.iterdir()} == {files.JSON, files.XML, files.MARKDOWN, files.HTML}
    assert files.read(folder) == report
    other = replace(report, target="native")
    files.write(other, folder)
    assert files.read(folder) == other


def test_there_is_no_report_yet(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no report in") as caught:
        files.read(tmp_path)
    assert str(tmp_path) in caught.value.message
    assert "tinyhil run" in caught.value.hint


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"{}", b'{"schema": 1'])
def test_a_damaged_report(tmp_path: Path, content: bytes) -> None:
    (tmp_path / files.JSON).write_bytes(content)
    with pytest.raises(ConfigError, match="is not a report") as caught:
        files.read(tmp_path)
    assert str(tmp_path / files.JSON) in caught.value.message


def test_a_folder_that_cannot_be_written(tmp_path: Path, report: Report) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError):
        files.write(report, tmp_path / "file" / "below")


def _suite(text: str) -> ElementTree.Element:
    suite = ElementTree.fromstring(text).find("testsuite")
    assert suite is not None
    return suite


@given(REPORTS)
def test_junit_counts_what_it_contains(report: Report) -> None:
    suite = _suite(files.to_junit(report))
    cases = suite.findall("testcase")
    assert int(suite.attrib["tests"]) == len(cases)
    assert int(suite.attrib["failures"]) == len(suite.findall("testcase/failure"))
    assert int(suite.attrib["errors"]) == len(suite.findall("testcase/error"))
    expected = {
        "preprocessing": report.preprocessing is not None,
        "fidelity": report.fidelity is not None,
        "accuracy": report.accuracy is not None,
        "health": report.strict,
        "run": report.blocked is not None,
    }
    assert sorted(case.attrib["name"] for case in cases) == sorted(name for name, there in expected.items() if there)
    assert int(suite.attrib["skipped"]) == len(suite.findall("testcase/skipped"))
    for case in cases:
        judged = getattr(report, case.attrib["name"], None)
        failed = bool(health.strict(report.findings)) if case.attrib["name"] == "health" else False
        assert (case.find("failure") is not None) == (failed or (judged is not None and not judged.passed))
        asked = report.accuracy is not None and (report.accuracy.bounds or not report.accuracy.passed)
        assert (case.find("skipped") is not None) == (case.attrib["name"] == "accuracy" and not asked)
        assert (case.find("error") is not None) == (case.attrib["name"] == "run")


def test_junit_of_a_failed_run(report: Report) -> None:
    suite = _suite(files.to_junit(report))
    assert suite.attrib["name"] == "tinyhil.tiny.qemu-m4"
    assert report.fidelity is not None
    messages = [failure.attrib["message"] for failure in suite.findall("testcase/failure")]
    assert messages == [assemble.fidelity_line(report.fidelity), assemble.accuracy_line(report.accuracy)]
    properties = {item.attrib["name"]: item.attrib["value"] for item in suite.findall("properties/property")}
    assert (
        properties.items()
        >= {
            "engine": report.engine,
            "model_sha256": report.model_sha256,
            "project_sha256": report.project_sha256,
            "firmware_sha256": report.firmware_sha256,
            "fidelity.mismatches": str(report.fidelity.mismatches),
        }.items()
    )


def test_junit_of_a_blocked_run(qemu_m4: Target) -> None:
    error = DeviceError("it never <answered>", hint='say "hello" & wait', detail="line 1\nline 2")
    suite = _suite(files.to_junit(assemble.blocked("tiny", qemu_m4, "compiled", Evidence(), error)))
    assert (suite.attrib["tests"], suite.attrib["failures"], suite.attrib["errors"]) == ("1", "0", "1")
    found = suite.find("testcase/error")
    assert found is not None
    assert found.attrib == {"type": "DeviceError", "message": "it never <answered>"}
    assert found.text == 'say "hello" & wait\nline 1\nline 2'


@given(st.sampled_from(["error", "cause", "hint", "detail"]), TEXT | st.text(NOT_XML + "ab\n", max_size=20))
@example("cause", NOT_XML)
@example("detail", NOT_XML)
@example("detail", "\x1b[31merror:\x1b[0m \u00fc \U0001f600 \x7f \x85")
def test_no_output_of_a_tool_breaks_the_xml(field: str, text: str) -> None:
    blocked = replace(Blocked(error="ToolError", cause="cause", hint="hint", detail="detail"), **{field: text})
    report = replace(_EMPTY, blocked=blocked)
    written = files.to_junit(report).encode("utf-8")
    found = ElementTree.fromstring(written).find("testsuite/testcase/error")
    assert found is not None
    kept = "".join(char for char in text if char not in NOT_XML)
    if field in ("error", "cause"):
        assert found.attrib["type" if field == "error" else "message"] == kept
    else:
        # A parser reads a carriage return as a newline: https://www.w3.org/TR/xml/#sec-line-ends
        assert kept.replace("\r\n", "\n").replace("\r", "\n") in (found.text or "")


RAW = "a\x1b[2Jb\x9b31mc\x07d\x7fe\udcfff\u202eg\u061c\n::error::h | `i` <script>j</script> \r\ud83d"


def test_no_form_has_a_control_character(report: Report, tmp_path: Path) -> None:
    named = replace(report, recipe=RAW, summary=RAW, ops=(RAW,), blocked=Blocked(RAW, RAW, RAW, RAW))
    files.write(named, tmp_path)
    for name in files.NAMES:
        text = (tmp_path / name).read_text(encoding="utf-8")
        assert not set(text) & set("\x1b\x9b\x07\x7f"), name
        if name in (files.MARKDOWN, files.HTML):
            assert not set(text) & set("\u202e\u061c"), name
            assert not re.search(r"(?m)^\s*::", text)
        if name == files.HTML:
            assert "<script>j" not in text
    # A machine reads each.
    ElementTree.parse(tmp_path / files.XML)
    kept = files.decoded((tmp_path / files.JSON).read_text(encoding="utf-8"), files.JSON)
    assert kept.summary == RAW.encode(errors="backslashreplace").decode()


def test_junit_says_when_the_run_was_and_a_digest_does_not(report: Report, tmp_path: Path) -> None:
    took = files.Took(datetime(2024, 2, 29, 1, 2, 3, tzinfo=UTC), 4.5678)
    files.write(report, tmp_path, took)
    text = (tmp_path / files.XML).read_text(encoding="utf-8")
    suite = _suite(text)
    assert (suite.attrib["timestamp"], suite.attrib["time"]) == ("2024-02-29T01:02:03", "4.568")
    assert [case.attrib["time"] for case in suite.findall("testcase")] == ["4.568", "0.000"]
    for name in (files.JSON, files.MARKDOWN, files.HTML):
        assert "4.56" not in (tmp_path / name).read_text(encoding="utf-8")
    # Written again with what was found later, it is still of that run.
    files.write(files.read(tmp_path), tmp_path)
    assert (tmp_path / files.XML).read_text(encoding="utf-8") == text
    assert "time" not in _suite(files.to_junit(report)).attrib


@pytest.mark.parametrize("hours", [-11, 0, 5])
def test_junit_of_a_run_without_a_verdict_says_when_it_was_too(tmp_path: Path, hours: int) -> None:
    """In UTC, as consumers take it, wherever it was."""
    began = datetime(2024, 2, 29, 12, 0, 0, 999_999, tzinfo=timezone(timedelta(hours=hours)))
    blocked = replace(_EMPTY, blocked=Blocked("DeviceError", "it never answered", "look at the cable", ""))
    files.write(blocked, tmp_path, files.Took(began, 0.0))
    suite = _suite((tmp_path / files.XML).read_text(encoding="utf-8"))
    assert datetime.fromisoformat(suite.attrib["timestamp"] + "Z") == began.replace(microsecond=0)
    assert suite.attrib["time"] == "0.000"


_EMPTY = Report(
    schema=SCHEMA,
    verdict="blocked",
    summary="",
    recipe="tiny",
    target="qemu-m4",
    honest_about="",
    engine="compiled",
    kernels=None,
    scheme=None,
    ops=(),
    forced=(),
    training=None,
    fidelity=None,
    litert=None,
    accuracy=None,
    points=None,
    size=None,
    instructions_per_inference=None,
    microseconds_per_inference=None,
    speed=None,
    resources=None,
    operators=(),
    measured_by=None,
    model_sha256=None,
    project_sha256=None,
    firmware_sha256=None,
    tool_versions={},
    tool_sha256={},
    made_by="tinyhil 0",
    link={},
    blocked=None,
    bisection=None,
)


def test_figures_are_written_in_full(report: Report) -> None:
    """Rounding is for people; a machine gets every bit."""
    assert report.accuracy is not None
    bound = Bound("device_vs_float.mae", 1 / 3, 1.0, met=True)
    third = replace(report, accuracy=replace(report.accuracy, bounds=(bound,)))
    read = files.decoded(files.to_json(third), "report.json")
    assert read.accuracy is not None
    assert read.accuracy.bounds == (bound,)
    assert math.nextafter(1 / 3, 1) != 1 / 3
