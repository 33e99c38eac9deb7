"""Curves as an SVG, drawn by hand: no package is needed for it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from xml.sax.saxutils import escape

import numpy as np

from tinyhil.stream.series import Curve, Floats

WIDTH, HEIGHT = 960, 540
_LEFT, _RIGHT, _TOP, _BOTTOM = 80, 20, 20, 48
_ROW = 20
"""Of the legend."""
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Of Okabe and Ito, which people with any colour vision can tell apart."""
_TICKS = 6
_LARGEST = 1e300


def drawing(curves: Mapping[str, Curve], across: str, *, points: bool = False) -> str:
    """A picture of curves with axes and a legend.

    Args:
        curves: by name; points that are not finite leave a gap.
        across: what the axis of x is called.
        points: draws points in place of lines, as for one series over another.
    """
    finite = {name: _finite(curve) for name, curve in curves.items()}
    x_low, x_high = _range([x for x, _ in finite.values()])
    y_low, y_high = _range([y for _, y in finite.values()])
    height = HEIGHT + _ROW * len(curves)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" '
        'font-family="sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
    ]
    right, bottom = WIDTH - _RIGHT, HEIGHT - _BOTTOM

    def place(x: float, y: float) -> tuple[float, float]:
        # Divided first: the difference of large numbers may be none.
        return (
            _LEFT + (right - _LEFT) * _share(x, x_low, x_high),
            bottom - (bottom - _TOP) * _share(y, y_low, y_high),
        )

    for value in _ticks(x_low, x_high):
        at, _ = place(value, y_low)
        parts.append(f'<path d="M{at:.1f} {_TOP}V{bottom}" stroke="#ddd"/>')
        parts.append(f'<text x="{at:.1f}" y="{bottom + 18}" text-anchor="middle">{value:g}</text>')
    for value in _ticks(y_low, y_high):
        _, at = place(x_low, value)
        parts.append(f'<path d="M{_LEFT} {at:.1f}H{right}" stroke="#ddd"/>')
        parts.append(f'<text x="{_LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{value:g}</text>')
    parts.append(f'<text x="{(_LEFT + right) // 2}" y="{bottom + 38}" text-anchor="middle">{escape(across)}</text>')
    for index, (name, curve) in enumerate(finite.items()):
        colour, row = COLOURS[index % len(COLOURS)], HEIGHT + _ROW * index
        parts.append(_marks(curve, place, colour) if points else _line(curve, place, colour))
        parts.append(f'<path d="M{_LEFT} {row}h24" stroke="{colour}" stroke-width="3"/>')
        parts.append(f'<text x="{_LEFT + 32}" y="{row + 4}">{escape(name)}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _finite(curve: Curve) -> Curve:
    """NaN wherever a point cannot be drawn."""
    x, y = (np.where(np.abs(part) <= _LARGEST, part, np.nan) for part in curve)
    gone = np.isnan(x) | np.isnan(y)
    return Curve(np.where(gone, np.nan, x), np.where(gone, np.nan, y))


def _range(parts: list[Floats]) -> tuple[float, float]:
    values = np.concatenate(parts)
    values = values[np.isfinite(values)]
    if not len(values):
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    if high - low <= 1e-9 * max(abs(low), abs(high)) or high == low:
        room = abs(low) * 1e-3 or 1.0
        return low - room, high + room
    return low, high


def _share(value: float, low: float, high: float) -> float:
    return (value / 2 - low / 2) / (high / 2 - low / 2)


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers within a range."""
    span = high / _TICKS - low / _TICKS
    power = 10.0 ** math.floor(math.log10(span))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= span)
    first, last = math.ceil(low / step), math.floor(high / step)
    return [number * step for number in range(first, last + 1)]


def _line(curve: Curve, place: Callable[[float, float], tuple[float, float]], colour: str) -> str:
    path, begun = [], False
    for x, y in zip(curve.x.tolist(), curve.y.tolist(), strict=True):
        if x != x:
            begun = False
            continue
        path.append(f"{'L' if begun else 'M'}{'{:.1f} {:.1f}'.format(*place(x, y))}")
        begun = True
    return f'<path d="{"".join(path)}" fill="none" stroke="{colour}" stroke-width="1.5" stroke-linejoin="round"/>'


def _marks(curve: Curve, place: Callable[[float, float], tuple[float, float]], colour: str) -> str:
    points = [place(x, y) for x, y in zip(curve.x.tolist(), curve.y.tolist(), strict=True) if x == x]
    return "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2" fill="{colour}"/>' for x, y in points)
