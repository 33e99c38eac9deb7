"""Rows as text."""

from __future__ import annotations

from dataclasses import replace

from markdown_it import MarkdownIt

from tinyhil.compare.fidelity import detectable
from tinyhil.experiments.models import COLUMNS, Outcome, Row, cells, counts, markdown, words

PASSED = Row(
    file="a_b.tflite",
    target="qemu-m4",
    engine="compiled",
    outcome=Outcome.PASS,
    seconds=1.25,
    exact=1261,
    vectors=1261,
    searched=256,
    flash_bytes=275896,
    ram_bytes=5388,
    instructions=791627.6,
)
REFUSED = Row("c.tflite", "sim", "tflm-host", Outcome.REFUSED, 0.04, cause="<b>|`x`", step="--engine tflm takes it")


def test_a_row_has_a_cell_for_every_column() -> None:
    assert dict(zip(COLUMNS, cells(PASSED), strict=True)) == {
        "file": "a_b.tflite",
        "target": "qemu-m4",
        "engine": "compiled",
        "verdict": "PASS",
        "exact": "1,261/1,261",
        "searched": "256",
        "flash B": "275,896",
        "RAM B": "5,388",
        "per inference": "791,628 instr",
        "host s": "1.2",
    }
    board = dict(zip(COLUMNS, cells(replace(PASSED, instructions=None, microseconds=311.7)), strict=True))
    assert board["per inference"] == "312 us"
    assert set(cells(REFUSED)[4:-1]) == {"-"}


def test_markdown_is_one_table_that_reads_as_it_was_written() -> None:
    text = markdown([PASSED, REFUSED])
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    texts = [token.content for token in tokens if token.type == "inline"]
    plain = ["".join(child.content for child in token.children or ()) for token in tokens if token.type == "inline"]
    columns = len(COLUMNS) + 1
    assert len(texts) == 3 * columns + 1
    assert plain[columns : 2 * columns] == [*cells(PASSED), ""]
    assert plain[2 * columns : 3 * columns] == [*cells(REFUSED), "<b>|`x`; --engine tflm takes it"]
    assert plain[-1] == words([PASSED, REFUSED]) == "2 files, 2 rows: 1 pass, 1 refused"


def test_the_smallest_sample_says_what_the_table_excludes() -> None:
    small, large = (replace(PASSED, detectable=detectable(count)) for count in (32, 1261))
    assert words([large, small, PASSED]).endswith(
        "a fault that hits 8.9 % of such inputs is seen with a probability of 95%"
    )


def test_outcomes_are_counted_in_their_order() -> None:
    rows = [REFUSED, PASSED, REFUSED]
    assert list(counts(rows).items()) == [(Outcome.PASS, 1), (Outcome.REFUSED, 2)]
    assert words([]) == "0 files, 0 rows: none"
