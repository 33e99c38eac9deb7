"""docs/recipes.md: every recipe has its section, every picture is there, and the figures are what the code computes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinyhil.config import recipe as recipes
from tinyhil.data import line

CHECKOUT = Path(__file__).parents[2]
PAGE = CHECKOUT / "docs/recipes.md"
IMAGES = PAGE.parent / "images/recipes"
MOST_BYTES = 2_000_000
"""Of all pictures together: they are in everybody's clone."""
NOWHERE = Path("no such folder")


def sections() -> dict[str, str]:
    """The text of each section by its heading."""
    _, *parts = re.split(r"^## (.+)\n", PAGE.read_text("utf-8"), flags=re.M)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def rows(section: str) -> dict[str, list[str]]:
    """The tables' rows by their first cell."""
    lines = [line.strip("| ").split(" | ") for line in sections()[section].splitlines() if line.startswith("|")]
    return {first: others for first, *others in lines}


def close(value: float, decimals: int) -> Any:
    """What the page says of a value: it may be rounded to the other side, by what another processor computes."""
    return pytest.approx(value, abs=10.0**-decimals)


def read(cells: list[str]) -> list[float]:
    return [float(cell.replace(",", "")) for cell in cells]


@pytest.mark.parametrize("name", sorted(recipes.paths(NOWHERE)))
def test_a_recipe_has_its_section(name: str) -> None:
    section = sections()[name]
    assert f"    tinyhil run {name}" in section
    assert f"    tinyhil plots {name}" in section
    assert f"| [{name}](#{name}) |" in PAGE.read_text("utf-8")


def test_no_recipe_is_named_that_is_not_there() -> None:
    known = set(recipes.paths(NOWHERE))
    named = set(re.findall(r"^\s+tinyhil \w+ ([a-z][a-z-]*)", PAGE.read_text("utf-8"), flags=re.M))
    assert named == known


def test_the_pictures_are_those_that_the_page_names() -> None:
    named = re.findall(r"!\[([^\]]+)\]\(images/recipes/([^)]+)\)", PAGE.read_text("utf-8"))
    there = [path for path in IMAGES.rglob("*") if path.is_file()]
    assert sorted(file for _, file in named) == sorted(path.relative_to(IMAGES).as_posix() for path in there)
    for path in there:
        assert path.read_bytes().startswith(b"\x89PNG\r\n"), path
    assert sum(path.stat().st_size for path in there) < MOST_BYTES


def test_what_cannot_be_measured_here_shows_nothing() -> None:
    assert "![" not in sections()["fashion"]


def test_the_guesses() -> None:
    table = rows("descent")
    for guess, (weight, bias) in {"3x - 1": (3, -1), "2x - 2": (2, -2), "2x - 1": (2, -1)}.items():
        squares = (weight * line.X + bias - line.Y) ** 2
        assert read(table[guess]) == [close(np.sqrt(squares.mean()), 2), close(np.sqrt(squares.sum()), 2)]


def descended(rate: float, decay: float = 1.0) -> tuple[float, float, float]:
    """w, b and loss after 50 steps from (10, 10), by matrices: a step is linear in (w, b)."""
    design = np.stack([line.X, np.ones_like(line.X)], axis=1)
    place = np.array([10.0, 10.0])
    for step in range(50):
        place = place - rate * decay**step * 2 / len(line.X) * design.T @ (design @ place - line.Y)
    return place[0], place[1], float(np.mean((design @ place - line.Y) ** 2))


@pytest.mark.parametrize(
    ("row", "rate", "decay", "digits"),
    [
        ("right: 0.1", 0.1, 1.0, 6),
        ("too large: 0.18", 0.18, 1.0, 0),
        ("too small: 0.002", 0.002, 1.0, 1),
        ("decaying: 0.17, times 0.97 a step", 0.17, 0.97, 5),
    ],
)
def test_the_descents(row: str, rate: float, decay: float, digits: int) -> None:
    weight, bias, loss = descended(rate, decay)
    assert read(rows("descent")[row]) == [close(weight, 3), close(bias, 3), close(loss, digits)]


def test_both_learning_rates_of_the_tape() -> None:
    table = rows("linear-tape")
    for start, rate in (("0.1,", 0.1), ("0.09,", 0.09)):
        weight, bias, _ = descended(rate)
        ((_, cells),) = [(first, cells) for first, cells in table.items() if first.startswith(start)]
        assert read(cells) == [close(weight, 3), close(bias, 3)]


def test_the_border_of_the_learning_rate() -> None:
    design = np.stack([line.X, np.ones_like(line.X)], axis=1)
    steepest = np.linalg.eigvalsh(2 / len(line.X) * design.T @ design).max()
    assert f"border is {2 / steepest:.3f}" in " ".join(sections()["descent"].split())
