"""Looks at figures while they are drawn: what they hold, and whether all their text can be read."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from tinyhil.plots import style

SLACK = 1.5
"""Pixels by which boxes may touch: they are a little larger than the letters."""


def problems(figure: Figure) -> list[str]:
    """What cannot be read: text beyond the paper, across a frame, or over other text."""
    figure.draw_without_rendering()
    outside = [*_of_axes(figure), *(text for legend in figure.legends for text in legend.get_texts())]
    if figure.get_suptitle():
        outside.append(next(text for text in figure.texts if text.get_text() == figure.get_suptitle()))
    shown = [axes for axes in figure.axes if axes.get_visible()]
    outer = [(text.get_text(), text.get_window_extent()) for text in outside]
    frames = [axes.get_window_extent() for axes in shown]
    found = [f"{text!r} is clipped" for text, box in outer if _beyond(box, figure.bbox)]
    for text, box in outer:
        found += [f"{text!r} crosses a frame" for frame in frames if _overlap(box, frame)]
    for axes, frame in zip(shown, frames, strict=True):
        for note in axes.texts:
            if note.get_visible() and _beyond(note.get_window_extent(), frame):
                found.append(f"{note.get_text()!r} leaves its frame")
    for (one, box), (other, second) in itertools.combinations(outer, 2):
        if _overlap(box, second):
            found.append(f"{one!r} lies over {other!r}")
    return found


def _of_axes(figure: Figure) -> Iterator[Text]:
    for axes in figure.axes:
        if not axes.get_visible():
            continue
        axises = (axes.xaxis, axes.yaxis)
        texts = [axes.title, *(axis.get_label() for axis in axises)]
        texts += [text for axis in axises for text in _numbers(axis)]
        yield from (text for text in texts if text.get_visible() and text.get_text())


def _numbers(axis: Axis) -> Iterator[Text]:
    """The labels of the ticks that are drawn: others exist beyond the ends."""
    low, high = sorted(axis.get_view_interval())
    for place, tick in zip(axis.get_majorticklocs(), axis.get_major_ticks(), strict=False):
        if low <= place <= high:
            yield from (label for label in (tick.label1, tick.label2) if label.get_visible())
    yield axis.get_offset_text()


def _beyond(box: Bbox, frame: Any) -> bool:
    low = box.x0 < frame.x0 - SLACK or box.y0 < frame.y0 - SLACK
    return bool(low or box.x1 > frame.x1 + SLACK or box.y1 > frame.y1 + SLACK)


def _overlap(one: Bbox, other: Bbox) -> bool:
    wide = min(one.x1, other.x1) - max(one.x0, other.x0)
    high = min(one.y1, other.y1) - max(one.y0, other.y0)
    return bool(wide > SLACK and high > SLACK)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """The figures that a test has drawn, in order; each was readable when it was.

    Their files are empty: that they are written well, and how long that takes, is the same for all.
    """
    figures: list[Figure] = []
    render = style.render

    def look(size: tuple[float, float], draw: Callable[[Figure], None]) -> Figure:
        figure = render(size, draw)
        assert problems(figure) == []
        figures.append(figure)
        return figure

    monkeypatch.setattr(style, "render", look)
    monkeypatch.setattr(Figure, "savefig", lambda *_, **__: None)
    return figures


@pytest.fixture
def stem(tmp_path: Path) -> Path:
    """Where a picture goes."""
    return tmp_path / "folder" / "picture"
