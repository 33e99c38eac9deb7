"""Texts from elsewhere (devices, names, files) as they may be shown: without what a terminal takes for a command."""

from __future__ import annotations

import re

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\u200e\u200f]")
"""Control characters of C0 and C1 but for tab and newline, and those that turn the direction of writing."""


def plain(text: str) -> str:
    r"""A text with control characters written out: ESC becomes ``\x1b``. Lines and tabs stay, ends of lines are LF."""
    return _CONTROL.sub(lambda found: _written(found[0]), text.replace("\r\n", "\n"))


def _written(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
