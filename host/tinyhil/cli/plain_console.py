"""A console on which only our own styles reach the terminal: what a text brings along is written out.

So are commands of CI systems, which read what is printed in their jobs.
"""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from tinyhil.plain_text import for_log


class PlainConsole(Console):
    """A console that writes control characters out, wherever they come from: a device, a name, a tool's output."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """As ``Console.render``, through which everything goes that is shown."""
        for segment in super().render(renderable, options):
            text, style, control = segment
            yield segment if control else Segment(for_log(text), style)
