"""A comparison in its four forms: each shows every figure that is not equal, with its reason."""

from __future__ import annotations

import json
import re

from hypothesis import given, settings
from markdown_it import MarkdownIt

from tinyhil.compare.changes import Changes, changes
from tinyhil.compare.verdict import Report
from tinyhil.report import changes as shown

from ..history import made
from .strategies import REPORTS

FOUND = changes(made.report(), made.report(flash=made.FLASH + 312, instructions=made.INSTRUCTIONS * 1.04))


def forms(found: Changes) -> list[str]:
    values = json.dumps(shown.as_values([found]))
    return ["\n".join(shown.lines(found)), shown.to_markdown([found]), shown.to_html([found]), values]


def test_every_form_shows_the_312_bytes_and_the_4_percent() -> None:
    for text in forms(FOUND)[:3]:
        assert "+312 B" in text
        assert "+4.00%" in text
    flash = next(one for one in json.loads(forms(FOUND)[3])["pairs"][0]["figures"] if one["name"] == "flash")
    assert (flash["before"], flash["after"], flash["outcome"]) == (made.FLASH, made.FLASH + 312, "worse")


def test_the_comment_shows_what_changed_and_folds_the_rest_away() -> None:
    text = shown.to_markdown([FOUND])
    above, _, _ = text.partition("<details>")
    assert above.startswith("### ❌ Worse")
    assert ("flash" in above, "RAM" in above, "RAM" in text) == (True, False, True)
    equal = shown.to_markdown([changes(made.report(), made.report())])
    assert equal.startswith("### ✅ Nothing got worse")
    assert shown.to_markdown([changes(made.report(), made.blocked())]).startswith("### ? Nothing can be compared")
    assert shown.to_markdown([FOUND], heading="✅ PASS").startswith("### ✅ PASS")


def test_what_cannot_be_compared_has_its_reason_in_every_form() -> None:
    found = changes(made.report(), made.report(target="qemu-m33"))
    assert all("qemu-m33" in text and "the target differs" in text for text in forms(found))


@given(REPORTS, REPORTS)
@settings(max_examples=20)
def test_any_two_reports_have_all_forms(before: Report, after: Report) -> None:
    found = changes(before, after)
    text, markdown, html, values = forms(found)
    assert len(text.splitlines()) > len(found.figures)
    assert "<script" not in html
    assert not re.findall(r"(?:src|href)=\"(?!#|data:,)", html)
    assert len(json.loads(values)["pairs"][0]["figures"]) == len(found.figures)
    rendered = MarkdownIt("commonmark", {"html": True}).enable("table").render(markdown)
    assert "<img" not in rendered
