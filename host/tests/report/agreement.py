"""What all five forms of one report have to agree on, read back from each with a parser of its own language."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from markdown_it import MarkdownIt

from tinyhil.report import files, terminal

TIME = re.compile(r"\d\s*(?:ms|us|µs|ns|s|sec|seconds?|milliseconds?|microseconds?)\b")
"""A number with a unit of time."""
NUMBER = re.compile(r"[+-]?\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?")
VOID = {"meta", "link"}


@dataclass
class Page(HTMLParser):
    """What is in a page.

    Attributes:
        figures: name and text of each element with ``data-figure``.
        rows: label and value of each row of the first table of facts.
        tags: every element with its attributes.
        text: all that is shown.
    """

    figures: list[tuple[str, str]] = field(default_factory=list)
    rows: list[tuple[str, str]] = field(default_factory=list)
    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    text: str = ""

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._open: list[tuple[str, dict[str, str | None], int]] = []
        self._facts = 0
        self._cells: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append((tag, found))
        self._facts += tag == "table" and found.get("class") == "facts"
        if tag not in VOID:
            self._open.append((tag, found, len(self.text)))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if not self._open or self._open[-1][0] != "style":
            self.text += data

    def handle_endtag(self, tag: str) -> None:
        opened, attributes, start = self._open.pop()
        assert opened == tag
        inside = self.text[start:]
        if attributes.get("data-figure"):
            self.figures.append((str(attributes["data-figure"]), inside))
        if self._facts == 1 and any(
            found.get("class") == "facts" for _, found, _ in [*self._open, (tag, attributes, 0)]
        ):
            if tag in ("th", "td"):
                self._cells.append(inside)
            elif tag == "tr":
                self.rows.append((self._cells[0], self._cells[1]))
                self._cells = []


def page(text: str) -> Page:
    """Reads a page; every element has to be closed where it was opened."""
    made = Page()
    made.feed(text)
    made.close()
    assert made._open == []
    return made


def named(value: Any, name: str = "") -> dict[str, Any]:
    """Every value of a JSON object by its name; keys of dictionaries and indices in brackets."""
    free = re.fullmatch(r"size\.sections|tool_versions|tool_sha256|link|training\.figures(\[[^]]*\])?", name)
    found = {name: value} if name else {}
    if isinstance(value, dict):
        for key, inner in value.items():
            found |= named(inner, f"{name}[{key}]" if free else f"{name}.{key}" if name else key)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            found |= named(inner, f"{name}[{index}]")
    return found


def rounds_to(text: str, value: Any) -> bool:
    """Whether a shown number is the value, or its hundredfold for percent, rounded to the digits shown."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return text in str(value)
    shown = float(text.replace(",", ""))
    mantissa, _, power = text.lower().partition("e")
    last = 10.0 ** (int(power or 0) - len(mantissa.partition(".")[2]))
    if re.fullmatch(r"[+-]?\d+", mantissa) and shown:  # %.4g drops zeros behind the point, not before it
        last = max(1.0, last)
    return any(abs(shown - scaled) <= last / 2 + 1e-9 * abs(scaled) for scaled in (value, 100 * value))


def one_line(text: str) -> str:
    return " ".join(text.split())


def check(folder: Path) -> None:
    """The five forms in a folder say the same."""
    report = files.read(folder)
    data = json.loads((folder / files.JSON).read_text(encoding="utf-8"))
    values = named(data)
    rows = [(label, one_line(text)) for label, text in terminal.rows(report)]

    html = page((folder / files.HTML).read_text(encoding="utf-8"))
    assert [(label, one_line(text)) for label, text in html.rows] == rows
    assert len(html.figures) > len(rows)
    for names, text in html.figures:
        known = [values[name] for name in ([names] if names in values else names.split())]
        if all(isinstance(value, str) for value in known):
            assert one_line(text) == one_line(known[0]), names
        else:
            for number in NUMBER.findall(text):
                assert any(rounds_to(number, value) for value in known), (names, text, known)

    tokens = MarkdownIt("commonmark").enable("table").parse((folder / files.MARKDOWN).read_text(encoding="utf-8"))
    cells = ["".join(child.content for child in token.children or ()) for token in tokens if token.type == "inline"]
    flat = [text for row in rows for text in row]
    assert any(cells[start : start + len(flat)] == flat for start in range(len(cells))), "the table of facts"
    assert report.blocked is not None or report.summary in cells

    suite = ElementTree.parse(folder / files.XML).find("testsuite")
    assert suite is not None
    properties = {item.attrib["name"]: item.attrib["value"] for item in suite.findall("properties/property")}
    for name, text in properties.items():
        value = values[name]
        assert text == (value if isinstance(value, str) else json.dumps(value))
    shown_in_facts = {name for names, _ in html.figures for name in names.split()} & set(properties)
    assert len(shown_in_facts) > 5
    state = {"pass": ("0", "0"), "fail": (suite.attrib["failures"], "0"), "blocked": ("0", "1")}[report.verdict]
    assert (suite.attrib["failures"], suite.attrib["errors"]) == state
    assert (report.verdict == "fail") == (suite.attrib["failures"] != "0")
    word = {"pass": "PASS", "fail": "FAIL", "blocked": "BLOCKED"}[report.verdict]
    assert word in cells[0]
    assert terminal.verdict(report).startswith(word)
    # What was judged is said first, in each form.
    asked = report.accuracy is not None and bool(report.accuracy.bounds)
    said = {"pass": "Passed" if asked else "Accuracy not judged", "fail": "Failed", "blocked": "Blocked"}[
        report.verdict
    ]
    assert said in report.headline == data["headline"] == properties["headline"]
    assert f"{report.headline}: " in html.text
    assert asked or report.verdict != "pass" or report.headline in cells[0]


def times(folder: Path) -> list[str]:
    """Every number with a unit of time in any of the five forms, and what is not null of those of the JSON."""
    report = files.read(folder)
    said = [f"{label} {text}" for label, text in terminal.rows(report)]
    said += [terminal.verdict(report), page((folder / files.HTML).read_text(encoding="utf-8")).text]
    said += [(folder / name).read_text(encoding="utf-8") for name in (files.JSON, files.XML, files.MARKDOWN)]
    found = [match[0] for text in said for match in TIME.finditer(text)]
    data = json.loads((folder / files.JSON).read_text(encoding="utf-8"))
    found += [name for name, value in named(data).items() if "second" in name and value is not None]
    return found
