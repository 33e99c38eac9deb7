"""Colours that a device sends, kept; everything else that a terminal would obey, written out.

The only commands that are understood are SGR's, ``ESC [ ... m``, and of these only what makes text look different:
nothing that hides it or makes it blink. A line begins plain, whatever the one before has left on.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import NamedTuple

from tinyhil.plain_text import plain

_SGR = re.compile("\x1b\\[([0-9;:]{0,64})m")
_RESET = "\x1b[0m"

Colour = int | tuple[int, int, int] | None
"""Number of the palette of 256, red, green and blue, or that of the terminal."""


class Style(NamedTuple):
    """What a piece of text looks like."""

    foreground: Colour = None
    background: Colour = None
    bold: bool = False
    dim: bool = False
    italic: bool = False
    underline: bool = False
    reverse: bool = False
    strike: bool = False


PLAIN = Style()

_ON = {1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "reverse", 9: "strike"}
_OFF = {22: ("bold", "dim"), 23: ("italic",), 24: ("underline",), 27: ("reverse",), 29: ("strike",)}


class Span(NamedTuple):
    """A piece of text of one style, which may be shown as it is."""

    text: str
    style: Style


def spans(text: str) -> list[Span]:
    """The pieces of a line; joined they are ``shown`` of it."""
    if "\x1b" not in text:
        return [Span(plain(text), PLAIN)] if text else []
    found: list[Span] = []
    style, at = PLAIN, 0
    for command in _SGR.finditer(text):
        _add(found, text[at : command.start()], style)
        style, at = _changed(style, command[1]), command.end()
    _add(found, text[at:], style)
    return found


def shown(text: str) -> str:
    """A line as it is read, without colours."""
    return plain(_SGR.sub("", text) if "\x1b" in text else text)


def coloured(pieces: list[Span]) -> str:
    """Pieces as a terminal takes them: with commands of our own making, and plain again at the end."""
    return "".join(f"{_command(style)}{text}{_RESET}" if style != PLAIN else text for text, style in pieces)


def _add(found: list[Span], text: str, style: Style) -> None:
    if not text:
        return
    if found and found[-1].style == style:
        found[-1] = Span(found[-1].text + plain(text), style)
    else:
        found.append(Span(plain(text), style))


def _changed(style: Style, parameters: str) -> Style:
    codes = iter(int(code or 0) for code in re.split("[;:]", parameters))
    for code in codes:
        if code == 0:
            style = PLAIN
        elif code in _ON:
            style = style._replace(**{_ON[code]: True})
        elif code in _OFF:
            style = style._replace(**dict.fromkeys(_OFF[code], False))
        elif code in (38, 48):
            colour = _extended(codes)
            if colour is None:
                break
            style = style._replace(foreground=colour) if code == 38 else style._replace(background=colour)
        elif code in (39, 49):
            style = style._replace(foreground=None) if code == 39 else style._replace(background=None)
        elif 30 <= code <= 37 or 90 <= code <= 97:
            style = style._replace(foreground=code - 30 if code < 90 else code - 82)
        elif 40 <= code <= 47 or 100 <= code <= 107:
            style = style._replace(background=code - 40 if code < 100 else code - 92)
    return style


def _extended(codes: Iterator[int]) -> Colour:
    """The colour behind 38 or 48; None where it is none."""
    form = next(codes, None)
    count = {5: 1, 2: 3}.get(form or 0, 0)
    values = list(itertools.islice(codes, count))
    if not values or max(values) > 255:
        return None
    if form == 5:
        return values[0]
    return (values[0], values[1], values[2]) if len(values) == 3 else None


def _command(style: Style) -> str:
    codes = [str(code) for code, name in _ON.items() if getattr(style, name)]
    codes += _colour_codes(38, style.foreground) + _colour_codes(48, style.background)
    return f"\x1b[{';'.join(codes)}m"


def _colour_codes(code: int, colour: Colour) -> list[str]:
    if colour is None:
        return []
    return [str(code), "5", str(colour)] if isinstance(colour, int) else [str(code), "2", *map(str, colour)]
