"""Writes and reads ``report.json`` (the truth), and writes what is made from it.

``report.xml`` is JUnit, for CI systems; ``report.md`` a comment for a pull request; ``report.html`` a page for people.
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import msgspec

from tinyhil import kinds
from tinyhil.artifacts import foreign, store
from tinyhil.compare import health
from tinyhil.compare.verdict import SCHEMA, Report
from tinyhil.errors import ConfigError
from tinyhil.plain_text import for_log
from tinyhil.report import assemble, terminal
from tinyhil.report.contradictions import contradictions
from tinyhil.report.facts import facts, shown
from tinyhil.report.markdown import to_markdown
from tinyhil.report.page import to_html

JSON = "report.json"
XML = "report.xml"
MARKDOWN = "report.md"
HTML = "report.html"
NAMES = (JSON, XML, MARKDOWN, HTML)

_NOT_XML = re.compile("[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot carry (the complement of its production Char), or should not: a tool's output may have any of it.
"""


@dataclass(frozen=True)
class Took:
    """When a run was carried out. It is no part of what was found, so it is in no form but JUnit's.

    Attributes:
        began: when, in UTC.
        seconds: until it was judged or blocked.
    """

    began: datetime
    seconds: float

    @property
    def attributes(self) -> dict[str, str]:
        """Of the element testsuite: seconds, and ISO 8601 without a zone, as its schema has it."""
        return {"timestamp": self.began.astimezone(UTC).strftime(_TIMESTAMP), "time": f"{self.seconds:.3f}"}


class Watch:
    """Takes the time of a run, from the moment on in which it is made."""

    def __init__(self) -> None:
        self._began, self._clock = datetime.now(UTC), time.monotonic()

    @property
    def took(self) -> Took:
        """When it began, and how long it has taken until now."""
        return Took(self._began, time.monotonic() - self._clock)


_TIMESTAMP = "%Y-%m-%dT%H:%M:%S"


def to_json(report: Report) -> str:
    """The report as indented JSON, keys in the order of the classes."""
    return json.dumps(carried(msgspec.to_builtins(report)), indent=2) + "\n"


def carried(value: Any) -> Any:
    """The same with what no reader of JSON takes written out: lone surrogates, from names that are no UTF-8."""
    if isinstance(value, str):
        return value.encode(errors="backslashreplace").decode()
    if isinstance(value, dict):
        return {carried(key): carried(inner) for key, inner in value.items()}
    return [carried(inner) for inner in value] if isinstance(value, (list, tuple)) else value


def from_json(text: str, name: str) -> Report:
    """Reads a report back.

    Raises:
        ConfigError: it is not a report of this version, or contradicts itself.
    """
    report = decoded(text, name)
    for wrong in contradictions(report):
        raise ConfigError(
            f"{name} contradicts itself: {wrong}",
            hint="make it again with tinyhil run; it was changed or damaged after it was written",
            kind=kinds.CONTRADICTORY_REPORT,
        )
    with foreign.reading(name, "a report that agrees with itself", _refusal):
        for form in (terminal.rows, to_html, to_markdown, to_junit):
            list(form(report))
    return report


def decoded(text: str, name: str) -> Report:
    """Reads a report back, whatever it says.

    Raises:
        ConfigError: it is not a report of this version.
    """
    with foreign.reading(name, "a report of this version of tinyhil", _refusal):
        report = msgspec.json.decode(text.encode(), type=Report)
    if report.schema != SCHEMA:
        raise _refusal(f"{name} is not a report of this version of tinyhil: schema {report.schema}, known is {SCHEMA}")
    return report


def _refusal(message: str) -> ConfigError:
    return ConfigError(message, hint="make it again: tinyhil run RECIPE|FILE", kind=kinds.OTHER_VERSION)


def schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of ``report.json``."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **msgspec.json.schema(Report)}


def to_junit(report: Report, took: Took | None = None) -> str:
    """The report as JUnit XML: one test case per verdict; a blocked run is an error, not a failure.

    The properties are the hashes, and each figure that the other forms show, by its name and not rounded. All that the
    run took is the time of its first case: one run makes both verdicts.
    """
    cases: list[tuple[str, str | None]] = []
    if report.preprocessing is not None:
        line = assemble.preprocessing_line(report.preprocessing)
        cases.append(("preprocessing", None if report.preprocessing.passed else line))
    if report.fidelity is not None:
        line = assemble.fidelity_line(report.fidelity)
        cases.append(("fidelity", None if report.fidelity.passed else line))
    skipped = None
    if report.accuracy is not None and (report.accuracy.bounds or not report.accuracy.passed):
        line = assemble.accuracy_line(report.accuracy)
        cases.append(("accuracy", None if report.accuracy.passed else line))
    elif report.accuracy is not None:
        skipped = assemble.accuracy_line(report.accuracy)
    if report.strict:
        against = health.strict(report.findings)
        cases.append(("health", "; ".join(each.cause for each in against) if against else None))
    errors = 1 if report.blocked else 0
    failures = sum(failure is not None for _, failure in cases)
    suites = ElementTree.Element("testsuites")
    suite = ElementTree.SubElement(
        suites,
        "testsuite",
        name=f"tinyhil.{report.recipe}.{report.target}",
        tests=str(len(cases) + errors + (skipped is not None)),
        failures=str(failures),
        errors=str(errors),
        skipped=str(int(skipped is not None)),
    )
    if took is not None:
        suite.attrib.update(took.attributes)
    properties = ElementTree.SubElement(suite, "properties")
    values = {
        name: getattr(report, name)
        for name in ("headline", "engine", "model_sha256", "project_sha256", "firmware_sha256", "made_by")
    }
    values |= {name: source.value for name, source in shown(facts(report)).items()}
    for name, value in values.items():
        if value is not None:
            text = value if isinstance(value, str) else json.dumps(value)
            ElementTree.SubElement(properties, "property", name=name, value=text)
    if skipped is not None:
        case = ElementTree.SubElement(suite, "testcase", classname=f"{report.recipe}.{report.target}", name="accuracy")
        ElementTree.SubElement(case, "skipped", message=skipped)
    for name, failure in cases:
        case = ElementTree.SubElement(suite, "testcase", classname=f"{report.recipe}.{report.target}", name=name)
        if failure is not None:
            ElementTree.SubElement(case, "failure", message=failure)
    if report.blocked is not None:
        case = ElementTree.SubElement(suite, "testcase", classname=f"{report.recipe}.{report.target}", name="run")
        error = ElementTree.SubElement(case, "error", type=report.blocked.error, message=report.blocked.cause)
        error.text = f"{report.blocked.hint}\n{report.blocked.detail}"
    for number, case in enumerate(suite.iter("testcase")):
        if took is not None:
            case.set("time", took.attributes["time"] if number == 0 else "0.000")
    ElementTree.indent(suites)
    return as_xml(suites)


def as_xml(suites: ElementTree.Element) -> str:
    """JUnit's file, without what XML cannot carry."""
    return _NOT_XML.sub("", ElementTree.tostring(suites, encoding="unicode", xml_declaration=True)) + "\n"


def write(report: Report, folder: Path, took: Took | None = None) -> None:
    """Writes all files; those for people first, so that whoever finds ``report.json`` finds them too.

    Args:
        took: when the run was carried out; None for what the files say that are there, whose report it is.

    Raises:
        StorageError: the folder cannot be written.
    """
    took = took or _said_before(folder)
    store.write_text(folder / HTML, for_log(to_html(report)))
    store.write_text(folder / MARKDOWN, to_markdown(report))
    store.write_text(folder / XML, to_junit(report, took))
    store.write_text(folder / JSON, to_json(report))


def _said_before(folder: Path) -> Took | None:
    try:
        return time_of((folder / XML).read_bytes())
    except OSError:
        return None


def time_of(junit: bytes) -> Took | None:
    """When a run was carried out, as its JUnit file says; None where it does not say."""
    try:
        suite = ElementTree.fromstring(junit).find("testsuite")
        said = {} if suite is None else suite.attrib
        return Took(datetime.strptime(said["timestamp"], _TIMESTAMP).replace(tzinfo=UTC), float(said["time"]))
    except (ElementTree.ParseError, LookupError, ValueError):
        return None


def read(folder: Path) -> Report:
    """Reads the report of an earlier run.

    Raises:
        ConfigError: there is none, or it is damaged.
    """
    path = folder / JSON
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise _refusal(f"{path} is not a report: {error}") from error
    except OSError as error:
        raise ConfigError(
            f"there is no report in {folder}", hint="make one with tinyhil run RECIPE", kind=kinds.NO_REPORT
        ) from error
    return from_json(text, str(path))
