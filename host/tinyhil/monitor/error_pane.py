"""How far the device is from the reference and the float model: agreement, a histogram, the link, differences."""

from __future__ import annotations

from collections import Counter

from rich.text import Text
from textual.widgets import Static

from tinyhil.api.asking import line_of
from tinyhil.api.live_error import Figures, LiveError
from tinyhil.monitor.plot_pane import COLOURS, COLOURS_ON_LIGHT

BINS = ((0, 0), (1, 1), (2, 3), (4, 7), (8, 15), (16, None))
"""Distances in LSB, first and last, of the rows of the histogram."""
_BAR = 16
"""Characters of the longest bar."""
_WIDTHS = (8, 10, 11, 10, 5)
"""Of the columns of the last differences."""


class ErrorPane(Static, can_focus=True):
    """Shows what was counted.

    Args:
        errors: what counts.
    """

    DEFAULT_CSS = "ErrorPane { width: 48; height: 1fr; padding: 0 1; }"

    def __init__(self, errors: LiveError) -> None:
        super().__init__()
        self._errors = errors
        self._drawn: tuple[int, float | None, bool] | None = None

    def draw(self) -> None:
        """Shows what is there by now."""
        figures = self._errors.figures()
        dark = self.app.current_theme.dark
        state = figures.answers, figures.goodput, dark
        if state != self._drawn:
            self._drawn = state
            self.update(text_of(figures, COLOURS if dark else COLOURS_ON_LIGHT))


def text_of(figures: Figures, colours: tuple[str, ...] = COLOURS) -> Text:
    """The figures in rows. All of it is ours: no text of a device is in it.

    Args:
        figures: likewise.
        colours: of bars; the first for answers that are right, the second for others.
    """
    text = Text(no_wrap=True, overflow="ellipsis")
    agreement = figures.agreement
    if agreement is None:
        text.append("device and reference", style="bold").append("\nnothing to compare yet\n")
        return text
    largest = max(figures.distances)
    text.append(f"{agreement:.2%} exact", style="bold")
    text.append(f"  of {figures.answers:,} answers\n")
    text.append(f"from reference  most {largest:,} LSB\n")
    if figures.float_mean is not None:
        text.append(f"from float  most {figures.float_largest:.4g}  mean {figures.float_mean:.4g}\n")
    text.append(_link(figures) + "\n", style="dim")
    text.append("\n")
    for label, count, bar in histogram(figures.distances):
        text.append(f"{label:>5} LSB  ").append(f"{bar:<{_BAR}}", style=colours[label != "0"])
        text.append(f"  {count:,}\n")
    text.append("\nthe last differences\n", style="bold")
    if not figures.last:
        return text.append("none\n")
    if any(len(values) != 1 for answer in figures.last for values in (answer.inputs, answer.device)):
        return text.append("\n".join(line_of(answer) for answer in figures.last))
    names = ("x", "device", "reference", "float", "LSB")
    text.append("".join(f"{name:>{width}}" for name, width in zip(names, _WIDTHS, strict=True)) + "\n", style="dim")
    for answer in figures.last:
        numbers = (answer.inputs, answer.device, answer.reference, answer.floats)
        shown = ["" if each is None else f"{each[0]:.4g}" for each in numbers]
        row = (*shown, f"{answer.distance:,}")
        text.append("".join(f"{each:>{width}}" for each, width in zip(row, _WIDTHS, strict=True)) + "\n")
    return text


def histogram(distances: Counter[int]) -> list[tuple[str, int, str]]:
    """Rows of distance, count and bar; what is there at all has a bar."""
    counts = [
        (first, last, sum(distances[each] for each in distances if first <= each and (last is None or each <= last)))
        for first, last in BINS
    ]
    most = max(count for _, _, count in counts)
    return [
        (
            str(first) if first == last else f"{first}+" if last is None else f"{first}-{last}",
            count,
            "█" * -(-count * _BAR // most) if most else "",
        )
        for first, last, count in counts
    ]


def _link(figures: Figures) -> str:
    numbers = figures.link.numbers
    if figures.goodput is None:
        return "link  not used yet"
    return f"link  {figures.goodput:,.0f} B/s  {numbers['resends']:,} resent  {numbers['rejected']:,} rejected"
