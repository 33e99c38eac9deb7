"""Texts from elsewhere (devices, names, files) as they may be shown: without what a terminal or a CI system obeys."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Sequence

_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Control characters of C0 and C1 but for tab and newline, those that turn the direction of writing, and what UTF-8
cannot carry: bytes of a file's name that are no UTF-8 reach Python as lone surrogates."""
_COMMAND = re.compile(r"^([^\S\n]*):(?=:)|#(?=#\w*(?:\[|\Z))", re.MULTILINE)
"""What a CI system takes for a command: at the beginning of a line of its log (``::error::``, GitHub), or anywhere in
it (``##[error]``, GitHub; ``##vso[...]``, Azure; ``##teamcity[...]``), or its beginning where a line is written in
pieces."""


def plain(text: str) -> str:
    r"""A text with control characters written out: ESC becomes ``\x1b``. Lines and tabs stay, ends of lines are LF."""
    return _CONTROL.sub(lambda found: _written(found[0]), text.replace("\r\n", "\n"))


def for_log(text: str) -> str:
    r"""As ``plain``, and with what would be a command in the log of a CI system: ``::error`` becomes ``\x3a:error``."""
    return _COMMAND.sub(lambda found: (found[1] or "") + _written(found[0][-1]), plain(text))


def _written(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def aligned(rows: Sequence[Sequence[str]], right: Container[int] = ()) -> Iterator[str]:
    """Rows as lines whose columns stand below each other, with two blanks between them.

    Args:
        rows: of one length.
        right: the columns whose cells stand at the right, from 0; such as numbers.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join(cells).rstrip()
