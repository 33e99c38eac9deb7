"""What several commands of one CI job leave, and the comment that is made of it."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tinyhil.report import parts
from tinyhil.report.parts import Part


def part(name: str, rank: int = 2, markdown: str = "text\n") -> Part:
    return Part(name=name, rank=rank, markdown=markdown)


def test_a_job_has_the_last_part_of_each_name_in_their_order(tmp_path: Path) -> None:
    for one in (part("b"), part("a", markdown="old"), part("a", markdown="new"), part("gate", 0)):
        parts.leave(tmp_path, "job 7", one)
    parts.leave(tmp_path, "job 6", part("c"))  # of a job before, on a computer that keeps its folders
    (tmp_path / "damaged.json").write_bytes(b"{")
    found = parts.of_job(tmp_path, "job 7")
    assert [(one.name, one.markdown) for one in found] == [("gate", "text\n"), ("a", "new"), ("b", "text\n")]


def test_names_that_are_no_utf_8_are_written_out(tmp_path: Path) -> None:
    parts.leave(tmp_path, "job", part("a\udcff"))
    (found,) = parts.of_job(tmp_path, "job")
    assert found.name == "a\\udcff"


def test_the_first_line_of_a_comment_is_its_marker() -> None:
    text = parts.comment([part("gate", 0, "### gate\n"), part("a", markdown="### run\n")], "ci/board")
    assert text == "<!-- tinyhil: ci/board -->\n### gate\n\n### run\n"


FOLDED = "### head\n\n<details><summary>a</summary>\n\nx\n\n</details>\n\nbetween\n\n<details>y</details>\n"


def test_what_is_folded_away_is_left_out_of_the_last_parts_first() -> None:
    long = FOLDED.replace("x", "x" * 40_000)
    text = parts.comment([part("a", markdown=long), part("b", markdown=long)], "n")
    assert len(text) <= parts.MOST_CHARACTERS
    first, second = text.split("### head")[1:]
    assert "<details>" in first
    assert second.split() == ["between"]


@given(st.lists(st.text(max_size=300), max_size=4), st.integers(0, 800))
def test_nothing_is_longer_than_it_may_be(texts: list[str], most: int) -> None:
    text = "\n".join(texts)
    short = parts.shortened(text, most)
    assert len(short) <= most
    assert short == text or most < len(text)
