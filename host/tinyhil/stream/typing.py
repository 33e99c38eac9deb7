"""What is typed for a device, as the bytes that it is sent."""

from __future__ import annotations

from collections.abc import Callable

from tinyhil import kinds
from tinyhil.errors import InputError

Encoder = Callable[[str], bytes]
"""A line without its end, as bytes.

Raises:
    InputError: it stands for none.
"""


def encoder(ending: bytes, *, hexadecimal: bool = False) -> Encoder:
    """How lines are sent.

    Args:
        ending: of each line of text.
        hexadecimal: lines are bytes in hexadecimal, with blanks, commas or ``0x`` between them, and have no end.
    """
    return _bytes_of if hexadecimal else lambda line: line.encode("utf-8", "surrogateescape") + ending


LF = encoder(b"\n")
"""Text with a newline."""


def _bytes_of(line: str) -> bytes:
    words = line.lower().replace(",", " ").replace("0x", " ").split()
    try:
        return b"".join(bytes.fromhex(f"0{word}" if len(word) == 1 else word) for word in words)
    except ValueError:
        raise InputError(
            f"{line!r} is no row of bytes in hexadecimal", hint="type them so: 01 ff 0a", kind=kinds.CONFIG
        ) from None
