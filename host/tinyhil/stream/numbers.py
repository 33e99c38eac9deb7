"""Numbers as sketches print them."""

from __future__ import annotations

import math
import re

NUMBER = r"[+-]?(?:(?!0[xX])(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|(?i:nan|inf(?:inity)?|ovf)(?!\w))"
"""A regular expression for one number. ``ovf`` is what Arduino's Print makes of a float that is too large for it. What
begins like a hexadecimal number is none: it is an address or a flag, and its first zero no value."""

UNIT = r"[*°%µμΩA-Za-z][\w*°%µμΩ/²³^·]*"
"""A regular expression for a unit behind a number: ``C``, ``°C``, ``*C``, ``%``, ``m/s²``."""

_WHOLE = re.compile(NUMBER, re.ASCII)


def is_number(text: str) -> bool:
    """Whether a text is one number and nothing else."""
    return _WHOLE.fullmatch(text) is not None


def number(text: str) -> float:
    """The value of a text that ``NUMBER`` matches."""
    try:
        return float(text)
    except ValueError:  # ovf
        return -math.inf if text.startswith("-") else math.inf
