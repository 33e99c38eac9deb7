"""The report as one HTML page: everything in one file, without scripts, and without a request to anywhere."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import jinja2
from markupsafe import Markup

from tinyhil import templates
from tinyhil.compare.digest import digest
from tinyhil.compare.verdict import Report
from tinyhil.report import assemble, charts, tables
from tinyhil.report.catalogue import ORIGINS
from tinyhil.report.facts import Fact, Figure, Reader, facts, percent, shown
from tinyhil.report.headline import headline, judged


@dataclass(frozen=True)
class Answer:
    """One of the two verdicts, as a question and its answer.

    Attributes:
        state: ``pass``, ``fail``, or ``none`` where it was not judged.
        question: what was asked.
        answer: in a word or two.
        detail: in a line.
    """

    state: str
    question: str
    answer: str
    detail: str


@dataclass(frozen=True)
class Tile:
    """One figure that is shown large."""

    label: str
    figure: Figure
    unit: str


def to_html(report: Report) -> str:
    """The page.

    Raises:
        StorageError: the installation lacks its templates.
    """
    read = Reader(report)
    made = facts(report)
    return template("page.html.j2").render(
        report=report,
        digest=digest(report),
        words=headline(report),
        state="exact" if report.verdict == "pass" and not judged(report.accuracy) else report.verdict,
        answers=(*_preprocessing(report), _fidelity(report), _accuracy(report)),
        tiles=_tiles(report, read),
        facts=made,
        pictures=_pictures(report),
        canvas=(charts.WIDTH, charts.HEIGHT),
        points=None if report.points is None else _values(report),
        bars=() if report.accuracy is None else charts.origins(report.accuracy),
        read=read,
        features=tables.features(report, read),
        mismatches=tables.mismatches(report, read),
        example=tables.example(report, read),
        layers=tables.layers(report, read),
        bounds=tables.bounds(report, read),
        errors=tuple(tables.errors(report, read)),
        split=tables.split(report, read),
        classifier=tuple(tables.classifier(report, read)),
        confusion=tuple(tables.confusion(report, read)),
        sections=tables.sections(report, read),
        operators=tables.operators(report, read),
        training=tables.training(report, read),
        named=tuple(tables.named(report, read)),
        origins=_origins(made),
    )


@cache
def template(name: str) -> jinja2.Template:
    """A template of a page; what it shows is escaped, and control characters are written out.

    Raises:
        StorageError: the installation lacks it.
    """
    environment = templates.environment(
        "report", autoescape=True, finalize=_printable, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template(name)


def _printable(value: Any) -> Any:
    """What is shown of a value: text of a tool may have control characters, which HTML cannot hold."""
    if not isinstance(value, str) or isinstance(value, Markup) or value.isprintable():
        return value
    return "".join(letter if letter.isprintable() or letter in "\n\t" else "\ufffd" for letter in value)


def _preprocessing(report: Report) -> tuple[Answer, ...]:
    found = report.preprocessing
    if found is None:
        return ()
    question = "Preprocessing: does the firmware make of raw samples what the host does?"
    state, answer = ("pass", "Yes") if found.passed else ("fail", "No")
    if not found.features.mismatches and not found.passed:
        answer = "Yes, but the model behind it is wrong"
    return (Answer(state, question, answer, assemble.preprocessing_line(found)),)


def _fidelity(report: Report) -> Answer:
    question = "Fidelity: does the chip compute this model exactly?"
    found = report.fidelity
    if found is None:
        return Answer("none", question, "Not known", "The device gave no answers.")
    if not found.passed:
        return Answer("fail", question, "No", assemble.fidelity_line(found))
    proof = "Yes, proved over all inputs" if found.exhaustive else "Yes"
    return Answer("pass", question, proof, assemble.fidelity_line(found))


def _accuracy(report: Report) -> Answer:
    question = "Accuracy: are its answers good enough?"
    found = report.accuracy
    if report.fidelity is None:
        return Answer("none", question, "Not known", "The device gave no answers.")
    if found is None:
        return Answer("none", question, "Not judged", "There is no float model to compare with.")
    line = assemble.accuracy_line(found)
    if not found.passed:
        return Answer("fail", question, "No", line)
    return Answer("pass", question, "Yes", line) if found.bounds else Answer("none", question, "Not judged", line)


def _tiles(report: Report, read: Reader) -> tuple[Tile, ...]:
    """What most readers want to know, as far as it is known."""
    made = []
    if report.fidelity is not None:
        made.append(Tile("wrong outputs", read("fidelity/mismatches", ","), f"of {report.fidelity.vectors:,}"))
    if report.accuracy is not None:
        if report.accuracy.classifier is not None:
            made.append(Tile("accuracy on the device", percent(read, "accuracy/classifier/device/accuracy"), ""))
        elif report.accuracy.overall is not None:
            made.append(Tile("MAE, device against float", read("accuracy/overall/device_vs_float/mae", ".4f"), ""))
    if report.size is not None:
        made.append(Tile("flash", read("size/flash_bytes", ","), "B"))
        made.append(Tile("RAM", read("size/ram_bytes", ","), "B"))
    if report.instructions_per_inference is not None:
        made.append(Tile("instructions per inference", read("instructions_per_inference", ",.0f"), ""))
    if report.microseconds_per_inference is not None:
        made.append(Tile("time per inference", read("microseconds_per_inference", ",.1f"), "µs"))
    return tuple(made)


def _pictures(report: Report) -> tuple[charts.Chart, ...]:
    if report.points is None or report.fidelity is None:
        return ()
    judged = report.fidelity
    made = (
        charts.outputs(report.points),
        charts.differences(report.points, judged.tolerance_lsb, judged.unit),
    )
    return tuple(chart for chart in made if chart is not None)


def _values(report: Report) -> tuple[tuple[tuple[str, str], ...], tuple[tuple[str, ...], ...]] | None:
    """The values behind the pictures: heads with the name of each, and rows; None where there are no pictures."""
    points, judged = report.points, report.fidelity
    if points is None or judged is None:
        return None
    columns = (
        ("Vector", "vector", "d"),
        ("Input", "x", ".5g"),
        ("Truth", "truth", ".5g"),
        ("Float model", "float_model", ".5g"),
        ("Reference", "reference", ".5g"),
        ("Device", "device", ".5g"),
        (judged.unit, "lsb", "+d"),
    )
    known = [(head, name, form) for head, name, form in columns if getattr(points, name) is not None]
    rows = (
        tuple("–" if value is None else format(value, form) for value, (*_, form) in zip(row, known, strict=True))  # noqa: RUF001
        for row in zip(*(getattr(points, name) for _, name, _ in known), strict=True)
    )
    return tuple((head, f"points.{name}") for head, name, _ in known), tuple(rows)


def _origins(made: tuple[Fact, ...]) -> tuple[tuple[str, str, str], ...]:
    """Name, unit and function of each figure among the facts."""
    return tuple((name, ORIGINS[source.field].unit, ORIGINS[source.field].by) for name, source in shown(made).items())
