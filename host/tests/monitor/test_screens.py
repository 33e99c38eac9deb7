"""What the screen looks like, in sizes that people have: against files that were looked at.

``WRITE_SCREENS=1 pytest host/tests/monitor/test_screens.py`` writes them anew; look at what has changed, then commit.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinyhil.api.asking import Answer
from tinyhil.api.live_error import LiveError
from tinyhil.link.counters import Counters
from tinyhil.stream.appearance import Stamps
from tinyhil.stream.events import Came
from tinyhil.stream.series import Curve

from .grid import cells, text
from .test_app import Screen, on_screen

FILES = Path(__file__).parent / "screens"
SIZES = ((120, 40), (80, 24), (60, 24))
READABLE, DRAWN = 4.5, 3.0
"""Contrasts that WCAG 2.2 wants of text, and of what is drawn."""


def answers() -> list[Answer]:
    """What a device has answered that is right in most cases."""
    x = np.linspace(0, 6.28, 200)
    wrong = {20: 1, 70: 1, 71: 2, 120: 9}
    return [
        Answer(x[[at]], np.sin(x[[at]]) + wrong.get(at, 0) / 127, np.sin(x[[at]]), np.sin(x[[at]]), distance, None, "")
        for at in range(len(x))
        for distance in [wrong.get(at, 0)]
    ]


async def fill(screen: Screen) -> None:
    """Lines at times that are the same in each run."""
    at = screen.pane.plot_pane._start
    lines = [f"x:{x:.4f} y:{np.sin(x):.4f}\n" for x in np.arange(0, 6.28, 0.0628)]
    for number, line in enumerate(lines):
        screen.source.tell(Came(line.encode(), at + number / 50))
    screen.pane.errors.add(answers())
    screen.pane.errors.add_conversation(Counters(resends=1), 2000, 0.25)
    await screen.drawn()
    await screen.drawn()  # with the sizes that the first one has led to


def same_as_file(screen: Screen, name: str) -> None:
    """The text of the screen is that of a file, and in light colours it is the same."""
    found, path = text(screen.pilot.app), FILES / f"{name}.txt"
    if os.environ.get("WRITE_SCREENS"):
        path.write_text(found, encoding="utf-8")
    assert found == path.read_text(encoding="utf-8")


def is_readable(screen: Screen) -> None:
    """Every letter stands out from what is behind it, and so does every part of a curve."""
    seen = {cell for row in cells(screen.pilot.app) for cell in row if not cell.letter.isspace()}
    assert len({cell.colour for cell in seen}) > 3
    dim = {cell for cell in seen if cell.contrast < (READABLE if cell.letter.isalnum() else DRAWN)}
    assert not dim


X = np.linspace(0, 6.28, 100)
MODEL: dict[str, Any] = {"beside": {"reference": Curve(X, np.sin(X)), "float model": Curve(X, np.sin(X) + 0.1)}}


@pytest.mark.parametrize("size", SIZES)
def test_a_model_is_shown(size: tuple[int, int]) -> None:
    """Its demo beside its curves, then how far it is from them; dark and light."""
    name = "{}x{}".format(*size)

    async def scenario(screen: Screen) -> None:
        screen.pane.stream.stamps = Stamps(0.0, 0.0)
        await fill(screen)
        same_as_file(screen, name)
        is_readable(screen)
        dark = text(screen.pilot.app)
        await screen.press("l")
        assert text(screen.pilot.app) == dark
        is_readable(screen)
        await screen.press("d")
        same_as_file(screen, f"{name}-d")
        is_readable(screen)

    on_screen(scenario, size, errors=LiveError(), **MODEL)


@pytest.mark.parametrize("size", [(80, 24)])
def test_a_sketch_is_shown(size: tuple[int, int]) -> None:
    async def scenario(screen: Screen) -> None:
        await fill(screen)
        await screen.press("slash")
        same_as_file(screen, "sketch")
        await screen.press("l")
        is_readable(screen)

    on_screen(scenario, size)


def test_a_point_that_is_off_is_never_left_out() -> None:
    """Points of the device are drawn with room for the curve between them."""

    async def scenario(screen: Screen) -> None:
        x = np.linspace(0, 6.28, 1000)
        y = np.sin(x)
        y[[123, 800]] += (0.5, -0.5)
        screen.source.came("".join(f"x:{a:.4f} y:{b:.4f}\n" for a, b in np.stack([x, y], 1)))
        await screen.drawn()
        (points,) = [each for each in screen.pane.plot_pane.picture._datasets if hasattr(each, "marker")]
        assert 10 < len(points.x) < 60
        np.testing.assert_allclose(sorted(np.abs(points.y - np.sin(points.x)))[-2:], 0.5, atol=0.01)

    on_screen(scenario, **MODEL)
