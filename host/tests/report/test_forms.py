"""Terminal, JSON, JUnit, Markdown and the page are made from one object: they agree, whatever it holds."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from markdown_it import MarkdownIt

from tinyhil.artifacts.types import Problem
from tinyhil.compare.verdict import Report
from tinyhil.errors import DeviceError
from tinyhil.report import assemble, facts, files, markdown
from tinyhil.report.assemble import Evidence
from tinyhil.report.page import to_html
from tinyhil.targets import registry
from tinyhil.targets.model import Measure, Target

from .agreement import check, named, page, times
from .strategies import REPORTS, TEXT

HOSTILE = "</title><script>alert(1)</script><img src=x onerror=alert(1)> \" ' & | `x` **b** [l](http://e) @you $x$\n# h"


def write(report: Report, folder: Path) -> Path:
    files.write(report, folder)
    return folder


@pytest.mark.parametrize(("max_lsb", "bound"), [(5, 100.0), (0, 100.0), (5, 0.001)])
def test_the_five_forms_agree(
    judge: Callable[..., Report], qemu_m4: Target, tmp_path: Path, max_lsb: int, bound: float
) -> None:
    check(write(judge(qemu_m4, max_lsb, device_vs_float_mae=bound), tmp_path))


def test_the_five_forms_of_a_blocked_run_agree(evidence: Evidence, qemu_m4: Target, tmp_path: Path) -> None:
    error = DeviceError("it never answered", hint="look at the cable", detail="line 1\nline 2")
    check(write(assemble.blocked("tiny", qemu_m4, "compiled", evidence, error), tmp_path))


def test_differences_of_floats_are_in_units_in_the_last_place_everywhere(
    judge: Callable[..., Report], qemu_m4: Target, tmp_path: Path
) -> None:
    integers = judge(qemu_m4)
    integers = replace(integers, accuracy=None)  # where errors in real units stand in LSB, too
    assert integers.fidelity is not None
    fidelity = replace(integers.fidelity, unit="ULP")
    floats = replace(integers, fidelity=fidelity, summary=assemble.fidelity_line(fidelity))
    folders = [write(report, tmp_path / unit) for report, unit in ((integers, "LSB"), (floats, "ULP"))]
    for form in (files.HTML, files.MARKDOWN, files.XML):
        texts = [(folder / form).read_text(encoding="utf-8") for folder in folders]
        lsb, ulp = (text.replace("LSB or ULP", "") for text in texts)  # the units of fields of any report
        assert lsb.count("LSB") >= 1
        assert "LSB" not in ulp
        assert ulp.count("ULP") == lsb.count("LSB")


def test_a_figure_that_is_changed_in_one_form_is_noticed(
    judge: Callable[..., Report], qemu_m4: Target, tmp_path: Path
) -> None:
    folder = write(judge(qemu_m4, 5), tmp_path)
    for name, old, new in (
        (files.HTML, ">10,203<", ">10,204<"),
        (files.MARKDOWN, "10,203 B", "10,204 B"),
        (files.XML, '"10203"', '"10204"'),
        (files.JSON, "10203", "10202"),
    ):
        text = (folder / name).read_text(encoding="utf-8")
        assert old in text
        (folder / name).write_text(text.replace(old, new, 1), encoding="utf-8")
        with pytest.raises(AssertionError):
            check(folder)
        (folder / name).write_text(text, encoding="utf-8")
    check(folder)


@given(REPORTS)
def test_every_figure_is_a_value_of_the_json_under_its_name(report: Report) -> None:
    values = named(json.loads(files.to_json(report)))
    for fact in facts.facts(report):
        for figure in fact.figures:
            for source in figure.sources:
                if "[" not in source.name:  # a key may hold anything, brackets too
                    assert values[source.name] == msgspec.to_builtins(source.value)


def test_every_mismatch_and_every_bound_is_shown(judge: Callable[..., Report], qemu_m4: Target) -> None:
    report = judge(qemu_m4, device_vs_float_mae=0.125, device_vs_truth_mae=100.0)
    assert report.fidelity is not None
    mismatches = range(len(report.fidelity.first_mismatches))
    assert len(mismatches) == 3
    wanted = {
        f"fidelity.first_mismatches[{index}].{name}"
        for index in mismatches
        for name in ("vector", "output", "element", "expected", "actual", "lsb")
    }
    wanted |= {f"accuracy.bounds[{index}].{name}" for index in range(2) for name in ("figure", "value", "limit", "met")}
    assert set(facts.shown(facts.facts(report))) >= wanted
    assert {name for names, _ in page(to_html(report)).figures for name in names.split()} >= wanted


@given(REPORTS)
def test_whatever_a_report_holds_it_becomes_a_page_and_a_comment(report: Report) -> None:
    known = page(to_html(report))
    assert {tag for tag, _ in known.tags} <= TAGS
    MarkdownIt("commonmark").parse(markdown.to_markdown(report))


TAGS = set(
    re.findall(
        r"\w+",
        """html head meta title link style body header main footer nav section div p h1 h2 h3 strong small span a
        ul li dl dt dd figure figcaption details summary code pre table caption thead tbody tr th td
        svg desc path text circle""",
    )
)
"""What a page consists of: nothing that fetches, runs or asks."""


def hostile(report: Report) -> Report:
    """Every text that comes from a user or a tool is an attack."""
    return replace(
        report,
        recipe=HOSTILE,
        summary=HOSTILE,
        honest_about=HOSTILE,
        kernels=HOSTILE,
        forced=(Problem(HOSTILE, HOSTILE, HOSTILE),),
        tool_versions={HOSTILE: HOSTILE},
        ops=(HOSTILE,),
    )


def test_no_text_becomes_markup(judge: Callable[..., Report], qemu_m4: Target) -> None:
    report = hostile(judge(qemu_m4, device_vs_float_mae=0.1))
    plain, attacked = page(to_html(replace(report, recipe="x", summary="x"))), page(to_html(report))
    assert {tag for tag, _ in attacked.tags} <= TAGS
    assert len(attacked.tags) == len(plain.tags)
    for _, attributes in attacked.tags:
        assert not [name for name in attributes if name.startswith("on") or name == "src"]
        assert str(attributes.get("href", "#")).startswith(("#", "data:,"))
    assert HOSTILE in attacked.text

    comment = markdown.to_markdown(report)
    for token in MarkdownIt("commonmark").enable("table").parse(comment):
        for child in token.children or ():
            assert child.type not in ("link_open", "image", "code_inline"), child
            assert child.type != "html_inline", child
    assert "@" not in comment
    assert "<script" not in comment


@given(TEXT)
def test_escaped_markdown_reads_as_the_text(text: str) -> None:
    tokens = MarkdownIt("commonmark").parse(f"x {markdown.escaped(text)} x")
    shown = "".join(letter if letter.isprintable() else "\ufffd" for letter in f"x {' '.join(text.split())} x")
    assert len(tokens) == 3
    assert "".join(child.content for child in tokens[1].children or ()) == shown


EMULATED = [name for name in registry.paths() if registry.get(name).measure.unit != "microseconds"]


@pytest.mark.parametrize("name", EMULATED)
def test_a_target_without_a_clock_shows_no_time(judge: Callable[..., Report], tmp_path: Path, name: str) -> None:
    assert times(write(judge(registry.get(name), 5, device_vs_float_mae=0.125), tmp_path)) == []


def test_a_chip_with_a_clock_shows_time(judge: Callable[..., Report], qemu_m4: Target, tmp_path: Path) -> None:
    """Which also shows that the test above can fail."""
    chip = msgspec.structs.replace(qemu_m4, measure=Measure(unit="microseconds", per_tick=0.5, method="a timer"))
    assert len(times(write(judge(chip, 5), tmp_path))) >= 4
    check(tmp_path)


def test_a_page_needs_nothing_but_itself(judge: Callable[..., Report], qemu_m4: Target) -> None:
    text = to_html(judge(qemu_m4))
    made = page(text)
    assert not {tag for tag, _ in made.tags} & {"script", "img", "iframe", "object"}
    assert "url(" not in text
    assert "@import" not in text
    policy = next(found["content"] for tag, found in made.tags if tag == "meta" and "http-equiv" in found)
    assert str(policy).startswith("default-src 'none'")
    ids = [found["id"] for _, found in made.tags if "id" in found]
    assert len(ids) == len(set(ids))
