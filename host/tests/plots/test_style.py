"""What holds of every picture: its files, its bytes, its lettering."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import matplotlib
import pytest
from matplotlib.figure import Figure

from tinyhil.errors import MissingToolError, StorageError
from tinyhil.plots import curves, style

from .conftest import problems
from .look import luminance

SIZE = (4.0, 3.0)


def plain(figure: Figure) -> None:
    axes = figure.subplots()
    axes.plot([1, 2, 3], [3, 1, 2], label="a line")
    axes.set_title("Title")
    style.legend(figure, axes)


def test_a_picture_is_a_png_and_an_svg(stem: Path) -> None:
    written = style.save(stem, SIZE, plain)
    assert written == (stem.parent / "picture.png", stem.parent / "picture.svg")
    png = written.png.read_bytes()
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = (int.from_bytes(png[at : at + 4], "big") for at in (16, 20))
    assert (width, height) == (SIZE[0] * style.DPI, SIZE[1] * style.DPI)
    root = ElementTree.parse(written.svg).getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"


def test_what_looks_like_a_suffix_belongs_to_the_name(stem: Path) -> None:
    written = style.save(stem.with_name("rate-0.1"), SIZE, plain)
    assert [path.name for path in written] == ["rate-0.1.png", "rate-0.1.svg"]


def test_the_same_picture_has_the_same_bytes(stem: Path, tmp_path: Path, child_environment: dict[str, str]) -> None:
    """Also in another process, on another day, with the user's own settings of matplotlib."""
    first = curves.loss([curves.Curves("a", [3, 2, 1], [3, 2, 2])], stem)
    settings = tmp_path / "matplotlibrc"
    settings.write_text("font.size: 20\nsvg.fonttype: none\naxes.facecolor: red\nsavefig.bbox: tight\n")
    code = (
        "import sys; from pathlib import Path; from tinyhil.plots import curves;"
        "curves.loss([curves.Curves('a', [3, 2, 1], [3, 2, 2])], Path(sys.argv[1]))"
    )
    environment = {**child_environment, "MATPLOTLIBRC": str(settings), "PYTHONHASHSEED": "7", "SOURCE_DATE_EPOCH": "99"}
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "other")], check=True, env=environment)
    assert first.png.read_bytes() == (tmp_path / "other.png").read_bytes()
    assert first.svg.read_bytes() == (tmp_path / "other.svg").read_bytes()
    assert b"date" not in first.svg.read_bytes()
    assert matplotlib.__version__.encode() not in first.png.read_bytes() + first.svg.read_bytes()


def test_an_svg_needs_no_font_and_nothing_from_elsewhere(stem: Path) -> None:
    text = style.save(stem, SIZE, plain).svg.read_text(encoding="utf-8")
    assert "<text" not in text
    assert set(re.findall(r'(?:xlink:)?href="([^#][^"]*)"', text)) == set()


def test_matplotlib_is_imported_only_when_a_picture_is_drawn(stem: Path, child_environment: dict[str, str]) -> None:
    code = (
        "import sys; from pathlib import Path;"
        "from tinyhil.plots import confusion, curves, linear, predictions, quantization;"
        "assert 'matplotlib' not in sys.modules;"
        "curves.loss([curves.Curves('a', [1, 2])], Path(sys.argv[1]));"
        "assert 'matplotlib' in sys.modules; assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, str(stem)], check=True, env=child_environment)


def test_the_users_settings_are_left_as_they_were(stem: Path) -> None:
    before = dict(matplotlib.rcParams)
    style.save(stem, SIZE, plain)
    assert dict(matplotlib.rcParams) == before


def test_without_matplotlib_it_is_asked_for(stem: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingToolError, match="matplotlib") as caught:
        style.save(stem, SIZE, plain)
    assert "pip install" in caught.value.hint


def test_a_folder_that_cannot_be_written(stem: Path) -> None:
    stem.parent.write_text("a file")
    with pytest.raises(StorageError):
        style.save(stem, SIZE, plain)


@pytest.mark.parametrize("count", [1, 2, 3, 5, 7])
@pytest.mark.parametrize("letters", [3, 25, 60])
def test_a_legend_fits_the_width(stem: Path, drawn: list[Figure], count: int, letters: int) -> None:
    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for index in range(count):
            axes.plot([0, 1], label=f"{index}{'m' * (letters - 1)}")
            axes.plot([1, 0], label=f"{index}{'m' * (letters - 1)}")  # the same again
        style.legend(figure, axes)

    style.save(stem, (8.0, 4.0), draw)
    assert len(drawn[0].legends) == 1
    assert len(drawn[0].legends[0].get_texts()) == count


def test_no_entries_no_legend(stem: Path, drawn: list[Figure]) -> None:
    style.save(stem, SIZE, lambda figure: style.legend(figure, figure.subplots()))
    assert drawn[0].legends == []


def test_dollars_underscores_and_letters_that_the_font_has_not(stem: Path, drawn: list[Figure]) -> None:
    def draw(figure: Figure) -> None:
        figure.subplots().set_title("$\\frac$ x_1 ^ 数字")

    style.save(stem, SIZE, draw)
    assert drawn[0].axes[0].get_title() == "$\\frac$ x_1 ^ 数字"


@pytest.mark.parametrize("inches", [2.0, 4.0, 8.0])
def test_a_title_is_broken_where_the_paper_ends(stem: Path, drawn: list[Figure], inches: float) -> None:
    text = "An improved model with three layers of sixteen, wide MMMM WWWW and all that " * 2

    def draw(figure: Figure) -> None:
        figure.subplots()
        figure.suptitle(style.title(text, inches))

    style.save(stem, (inches, 4.0), draw)
    assert drawn[0].get_suptitle().split() == text.split()


@pytest.mark.parametrize(
    ("name", "letters", "expected"),
    [("dense", 5, "dense"), ("dense_1", 7, "dense_1"), ("abcdefgh", 5, "ab…gh"), ("abcdefgh", 6, "ab…fgh")],
)
def test_a_long_name_keeps_both_ends(name: str, letters: int, expected: str) -> None:
    assert style.short(name, letters) == expected


def _too_wide(figure: Figure) -> None:
    figure.subplots().set_title("m" * 200)


def _across(figure: Figure) -> None:
    figure.subplots().set_title("Title", y=0.5)


def _over(figure: Figure) -> None:
    axes = figure.subplots()
    axes.set_xticks([0, 0.001], ["first", "second"])
    axes.set_xlim(0, 1)


def _leaves(figure: Figure) -> None:
    figure.subplots().text(0.98, 0.5, "a long note")


@pytest.mark.parametrize(
    ("draw", "complaint"),
    [
        (_too_wide, "is clipped"),
        (_across, "crosses a frame"),
        (_over, "lies over"),
        (_leaves, "leaves its frame"),
    ],
)
def test_what_cannot_be_read_is_found(draw: Callable[[Figure], None], complaint: str) -> None:
    """The check of all the other tests finds what it is for."""
    assert any(complaint in one for one in problems(style.render(SIZE, draw)))


def test_colours_of_the_roles_are_apart() -> None:
    """By lightness, so that a print without colour shows them as well."""
    for roles in ((style.TRAINING, style.VALIDATION), (style.FLOAT, style.REFERENCE), (style.FLOAT, style.DEVICE)):
        one, other = sorted(luminance(role["color"]) for role in roles)
        assert (other + 0.05) / (one + 0.05) > 1.5
