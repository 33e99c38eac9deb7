"""What is on a screen, cell by cell: read from the SVG that Textual draws of it, so that no font plays a part."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from typing import Any

from textual.app import App
from textual.color import Color

_WIDTH, _HEIGHT = 12.2, 24.4
"""Of a cell in the SVG."""
_FILL = re.compile(r"\.[\w-]+?-(r\d+) \{ fill: (#[0-9a-f]{6})")
_RECT = re.compile(r'<rect fill="(#[0-9a-f]{6})" x="([\d.]+)" y="([\d.]+)" width="([\d.]+)"')
_TEXT = re.compile(r'<text class="[\w-]+?-(r\d+)" x="([\d.]+)" [^>]*-line-(\d+)\)">([^<]*)</text>')


@dataclass(frozen=True)
class Cell:
    """One character, its colour and what is behind it."""

    letter: str
    colour: str
    ground: str

    @property
    def contrast(self) -> float:
        """As WCAG 2 defines it: 1 for no difference, 21 for black on white."""
        first, second = sorted((_luminance(self.colour), _luminance(self.ground)))
        return (second + 0.05) / (first + 0.05)


def _luminance(colour: str) -> float:
    parts = [part / 255 for part in Color.parse(colour).rgb]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def cells(app: App[Any]) -> list[list[Cell]]:
    """The rows of the screen."""
    svg = app.export_screenshot()
    columns, rows = app.size
    colours = dict(_FILL.findall(svg))
    grounds = [["#000000"] * columns for _ in range(rows)]
    for colour, x, y, width in _RECT.findall(svg):
        begin, row = round(float(x) / _WIDTH), round((float(y) - 1.5) / _HEIGHT)
        grounds[row][begin : begin + round(float(width) / _WIDTH)] = [colour] * round(float(width) / _WIDTH)
    table = [
        [Cell(" ", grounds[row][column], grounds[row][column]) for column in range(columns)] for row in range(rows)
    ]
    for name, x, line, content in _TEXT.findall(svg):
        for place, letter in enumerate(unescape(content).rstrip("\n"), round(float(x) / _WIDTH)):
            table[int(line)][place] = Cell(letter.replace("\xa0", " "), colours[name], grounds[int(line)][place])
    return table


def text(app: App[Any]) -> str:
    """The screen as it is read, without what is empty at the ends of its rows."""
    return "\n".join("".join(cell.letter for cell in row).rstrip() for row in cells(app)) + "\n"
