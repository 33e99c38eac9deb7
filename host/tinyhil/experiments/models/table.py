"""Rows as cells: the same columns in a terminal and in Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from tinyhil.compare.fidelity import CONFIDENCE
from tinyhil.experiments.models.rows import Row, counts
from tinyhil.report.markdown import escaped

COLUMNS = (
    *("file", "target", "engine", "verdict"),
    *("exact", "searched", "flash B", "RAM B", "per inference", "host s"),
)
"""What each cell says; the last one is the only one that the host's clock is in."""
_TEXTS = 4
"""So many columns are words; the others are figures."""
_NOTHING = "-"
_REASON = "why not"


def cells(row: Row) -> tuple[str, ...]:
    """The texts of ``COLUMNS``."""
    exact = _NOTHING if row.vectors is None else f"{row.exact:,}/{row.vectors:,}"
    return (
        *(row.file, row.target, row.engine, row.outcome.upper()),
        exact,
        *map(_number, (row.searched, row.flash_bytes, row.ram_bytes)),
        _inference(row),
        f"{row.seconds:.1f}",
    )


def words(rows: Sequence[Row]) -> str:
    """How many rows there are, and how many had each outcome; what those exclude that are exact over a sample."""
    found = ", ".join(f"{count} {outcome.value}" for outcome, count in counts(rows).items())
    files = len({row.file for row in rows})
    counted = f"{files} file{'' if files == 1 else 's'}, {len(rows)} row{'' if len(rows) == 1 else 's'}"
    return f"{counted}: {found or 'none'}{_excluded(rows)}"


def _excluded(rows: Sequence[Row]) -> str:
    """What the smallest sample excludes; nothing where there is none."""
    shares = [row.detectable for row in rows if row.detectable is not None]
    if not shares:
        return ""
    share = f"{100 * max(shares):.2g} % of such inputs"
    return f"; where inputs were left out, a fault that hits {share} is seen with a probability of {CONFIDENCE:.0%}"


def markdown(rows: Sequence[Row]) -> str:
    """The table in GitHub's and GitLab's flavour, and below it how many rows had each outcome."""
    heads = (*COLUMNS, _REASON)
    lines = [_line(heads), _line(["---"] * _TEXTS + ["---:"] * (len(COLUMNS) - _TEXTS) + ["---"])]
    lines += [_line([*(escaped(cell) for cell in cells(row)), escaped(row.reason)]) for row in rows]
    return "\n".join([*lines, "", words(rows)]) + "\n"


def _line(texts: Sequence[str]) -> str:
    return f"| {' | '.join(texts)} |"


def _inference(row: Row) -> str:
    """What one took: instructions on an emulator, microseconds on a board."""
    if row.instructions is not None:
        return f"{row.instructions:,.0f} instr"
    return _NOTHING if row.microseconds is None else f"{row.microseconds:,.0f} us"


def _number(value: float | None) -> str:
    return _NOTHING if value is None else f"{value:,.0f}"
