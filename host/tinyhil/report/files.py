"""Writes and reads ``report.json`` (the truth), and writes what is made from it.

``report.xml`` is JUnit, for CI systems; ``report.md`` a comment for a pull request; ``report.html`` a page for people.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import msgspec

from tinyhil import kinds
from tinyhil.artifacts import foreign, store
from tinyhil.compare.verdict import SCHEMA, Report
from tinyhil.errors import ConfigError
from tinyhil.report import assemble
from tinyhil.report.facts import facts, shown
from tinyhil.report.markdown import to_markdown
from tinyhil.report.page import to_html

JSON = "report.json"
XML = "report.xml"
MARKDOWN = "report.md"
HTML = "report.html"

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot carry (the complement of its production Char): a tool's output may have any of it."""


def to_json(report: Report) -> str:
    """The report as indented JSON, keys in the order of the classes."""
    return json.dumps(msgspec.to_builtins(report), indent=2) + "\n"


def from_json(text: str, name: str) -> Report:
    """Reads a report back.

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


def to_junit(report: Report) -> str:
    """The report as JUnit XML: one test case per verdict; a blocked run is an error, not a failure.

    The properties are the hashes, and each figure that the other forms show, by its name and not rounded.
    """
    cases: list[tuple[str, str | None]] = []
    if report.fidelity is not None:
        line = assemble.fidelity_line(report.fidelity)
        cases.append(("fidelity", None if report.fidelity.passed else line))
    if report.accuracy is not None:
        line = assemble.accuracy_line(report.accuracy)
        cases.append(("accuracy", None if report.accuracy.passed else line))
    errors = 1 if report.blocked else 0
    failures = sum(1 for _, failure in cases if failure)
    suites = ElementTree.Element("testsuites")
    suite = ElementTree.SubElement(
        suites,
        "testsuite",
        name=f"tinyhil.{report.recipe}.{report.target}",
        tests=str(len(cases) + errors),
        failures=str(failures),
        errors=str(errors),
    )
    properties = ElementTree.SubElement(suite, "properties")
    values = {
        name: getattr(report, name)
        for name in ("engine", "model_sha256", "project_sha256", "firmware_sha256", "made_by")
    }
    values |= {name: source.value for name, source in shown(facts(report)).items()}
    for name, value in values.items():
        if value is not None:
            text = value if isinstance(value, str) else json.dumps(value)
            ElementTree.SubElement(properties, "property", name=name, value=text)
    for name, failure in cases:
        case = ElementTree.SubElement(suite, "testcase", classname=f"{report.recipe}.{report.target}", name=name)
        if failure is not None:
            ElementTree.SubElement(case, "failure", message=failure)
    if report.blocked is not None:
        case = ElementTree.SubElement(suite, "testcase", classname=f"{report.recipe}.{report.target}", name="run")
        error = ElementTree.SubElement(case, "error", type=report.blocked.error, message=report.blocked.cause)
        error.text = f"{report.blocked.hint}\n{report.blocked.detail}"
    ElementTree.indent(suites)
    return _NOT_XML.sub("", ElementTree.tostring(suites, encoding="unicode", xml_declaration=True)) + "\n"


def write(report: Report, folder: Path) -> None:
    """Writes all files; those for people first, so that whoever finds ``report.json`` finds them too.

    Raises:
        StorageError: the folder cannot be written.
    """
    store.write_text(folder / HTML, to_html(report))
    store.write_text(folder / MARKDOWN, to_markdown(report))
    store.write_text(folder / XML, to_junit(report))
    store.write_text(folder / JSON, to_json(report))


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
