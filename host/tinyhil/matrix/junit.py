"""A matrix as JUnit XML: one suite for each cell, which has the cell's name and what JUnit has of its run."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree

from tinyhil.matrix.cells import Cell
from tinyhil.matrix.results import Result
from tinyhil.report import files

_COUNTS = ("tests", "failures", "errors", "skipped")


def to_junit(cells: Sequence[Cell], results: Sequence[Result]) -> str:
    """The file. A cell without a report is an error, and one that was not carried out is skipped."""
    found = {each.cell: each for each in results}
    suites = ElementTree.Element("testsuites", name="tinyhil")
    for cell in cells:
        suites.append(_suite(cell, found.get(cell)))
    for name in _COUNTS:
        suites.set(name, str(sum(int(suite.attrib[name]) for suite in suites)))
    suites.set("time", f"{sum(float(suite.get('time', 0)) for suite in suites):.3f}")
    ElementTree.indent(suites)
    return files.as_xml(suites)


def _suite(cell: Cell, result: Result | None) -> ElementTree.Element:
    """That of the run's own file, by the cell's name: two engines of one target are two suites."""
    if result is None or result.report is None:
        return _without(cell, result)
    suite = ElementTree.fromstring(files.to_junit(result.report, result.took)).find("testsuite")
    assert suite is not None
    suite.set("name", _name(cell))
    for case in suite.iter("testcase"):
        case.set("classname", _class(cell))
    return suite


def _without(cell: Cell, result: Result | None) -> ElementTree.Element:
    suite = ElementTree.Element("testsuite", name=_name(cell), tests="1", failures="0")
    suite.set("errors", str(int(result is not None)))
    suite.set("skipped", str(int(result is None)))
    case = ElementTree.SubElement(suite, "testcase", classname=_class(cell), name="run")
    if result is None:
        ElementTree.SubElement(case, "skipped", message="not carried out: it was interrupted")
        return suite
    time = f"{result.row.seconds:.3f}"
    suite.set("time", time)
    case.set("time", time)
    error = ElementTree.SubElement(case, "error", type=result.row.outcome.value, message=result.row.cause)
    error.text = " ".join(filter(None, (result.row.error, result.row.step)))
    return suite


def _name(cell: Cell) -> str:
    return f"tinyhil.{_class(cell)}"


def _class(cell: Cell) -> str:
    """Dots are between its parts; a model's own would be taken for such, as that of its suffix."""
    return ".".join(part.replace(".", "_") for part in (cell.model, cell.target, cell.engine))
