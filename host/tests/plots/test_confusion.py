"""A confusion matrix shows the counts in their places, and can be read however many classes there are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from tinyhil.plots import confusion

from .look import LONG, luminance


def test_counts_in_their_places(stem: Path, drawn: list[Figure]) -> None:
    confusion.confusion_matrix([[3, 1], [2, 6]], ["dog", "cat"], stem, title="Pets")
    axes, bar = drawn[0].axes
    assert {text.get_position(): text.get_text() for text in axes.texts} == {
        (0, 0): "3",
        (1, 0): "1",
        (0, 1): "2",
        (1, 1): "6",
    }
    assert np.asarray(axes.images[0].get_array()).tolist() == [[75, 25], [25, 75]]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["dog", "cat"]
    assert axes.get_title() == "Pets"
    assert bar.get_ylabel() == "Share of the true class (%)"


def test_a_class_without_vectors(stem: Path, drawn: list[Figure]) -> None:
    confusion.confusion_matrix([[0, 0], [2, 6]], ["dog", "cat"], stem)
    assert np.asarray(drawn[0].axes[0].images[0].get_array()).tolist() == [[0, 0], [25, 75]]


@pytest.mark.parametrize("classes", [1, 3, 31, *(pytest.param(many, marks=pytest.mark.long) for many in (2, 10, 30))])
@pytest.mark.parametrize("name", ["{}", "Ankle boot {}", LONG + "{}"])
def test_any_confusion_can_be_read(stem: Path, drawn: list[Figure], classes: int, name: str) -> None:
    counts = np.full((classes, classes), 12) + 10**5 * np.eye(classes, dtype=int)
    confusion.confusion_matrix(counts, [name.format(index) for index in range(classes)], stem, title=LONG)
    assert len(drawn[0].axes[0].texts) == (classes**2 if classes <= confusion.MOST_NUMBERED else 0)


def test_numbers_stand_out_against_their_colour(stem: Path, drawn: list[Figure]) -> None:
    """By the contrast that WCAG 2.1 wants of text (success criterion 1.4.3)."""
    counts = [[share if column == row else 0 for column in range(20)] for row, share in enumerate(range(5, 101, 5))]
    for row in range(20):
        counts[row][(row + 1) % 20] = 100 - counts[row][row]
    confusion.confusion_matrix(counts, [str(share) for share in range(20)], stem)
    for figure in drawn:
        axes = figure.axes[0]
        for text in axes.texts:
            column, row = (int(x) for x in text.get_position())
            shade = axes.images[0].to_rgba(np.asarray(axes.images[0].get_array()))[row, column]
            one, other = luminance(shade), luminance(text.get_color())
            assert (max(one, other) + 0.05) / (min(one, other) + 0.05) >= 4.5, text.get_text()


@pytest.mark.parametrize(("counts", "names"), [([[1]], ["a", "b"]), ([], []), ([[1, 2]], ["a"])])
def test_no_matrix_to_show(stem: Path, counts: Any, names: list[str]) -> None:
    with pytest.raises(ValueError, match="matrix"):
        confusion.confusion_matrix(counts, names, stem)
