"""Each picture shows what it was given, and can be read whatever that is."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from tinyhil.plots import confusion, curves, linear, predictions, quantization, style

LONG = "a model whose title is very long, longer than anybody would like to read on a single line of a picture"


def line(axes: Axes, label: str) -> Line2D:
    return next(one for one in axes.get_lines() if one.get_label() == label)


def points(axes: Axes, label: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in np.asarray(line(axes, label).get_xydata())]


def legend(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


# --- training curves


def test_loss_by_epoch(stem: Path, drawn: list[Figure]) -> None:
    written = curves.loss([curves.Curves("A model", [3.0, 2.0, 1.0], [4.0, 3.0, 2.0], kept_epoch=2)], stem)
    assert [path.name for path in written] == ["picture.png", "picture.svg"]
    (axes,) = drawn[0].axes
    assert points(axes, "training") == [(1, 3), (2, 2), (3, 1)]
    assert points(axes, "validation") == [(1, 4), (2, 3), (3, 2)]
    assert axes.get_title() == "Loss\nA model"
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("Epoch", "Loss (mean squared error)")
    assert axes.get_ylim()[0] == 0
    assert legend(drawn[0]) == ["training", "validation", "epoch whose weights were kept"]


def test_the_first_epochs_are_left_out(stem: Path, drawn: list[Figure]) -> None:
    values = np.geomspace(1e3, 1e-3, 600)
    curves.loss([curves.Curves("", values, kept_epoch=50)], stem, skip=100, name="mse")
    (axes,) = drawn[0].axes
    shown = points(axes, "training")
    assert [x for x, _ in shown] == list(range(101, 601))
    assert [y for _, y in shown] == values[100:].tolist()
    assert axes.get_title() == "Loss after the first 100 epochs"
    assert legend(drawn[0]) == ["training"]


def test_models_side_by_side_share_the_scale(stem: Path, drawn: list[Figure]) -> None:
    base = curves.Curves("Base", np.full(1000, 0.4), np.full(1000, 0.5))
    curves.mae([base, curves.Curves("Improved", np.full(600, 0.01))], stem, unit="V")
    left, right = drawn[0].axes
    assert left.get_ylim() == right.get_ylim()
    assert [axes.get_title() for axes in (left, right)] == ["Base", "Improved"]
    assert left.get_ylabel() == "Mean absolute error (V)"
    assert drawn[0].get_suptitle() == "Mean absolute error"
    assert legend(drawn[0]) == ["training", "validation"]


def test_a_trace_has_a_panel_for_each_series(stem: Path, drawn: list[Figure]) -> None:
    curves.trace({"loss": [1e4, 10, 1], "w": [10, -2, 2], "b": [3, 2, 1], "rate": [0.5]}, stem, title="Trace")
    shown = [axes for axes in drawn[0].axes if axes.get_visible()]
    assert [axes.get_title() for axes in shown] == ["loss (logarithmic)", "w", "b", "rate"]
    assert [axes.get_yscale() for axes in shown] == ["log", "linear", "linear", "linear"]
    ((x, y),) = [np.asarray(one.get_xydata()).T.tolist() for one in shown[1].get_lines()]
    assert (x, y) == ([0, 1, 2], [10, -2, 2])
    assert drawn[0].get_suptitle() == "Trace"


@pytest.mark.parametrize("count", [1, 2, 3, 12])
def test_any_trace_can_be_read(stem: Path, drawn: list[Figure], count: int) -> None:
    curves.trace({f"{LONG} {index}": np.geomspace(1e9, 1e-9, 200) for index in range(count)}, stem, title=LONG)
    assert len(drawn) == 1


@pytest.mark.parametrize("series", [{}, {"loss": []}])
def test_no_trace_to_show(stem: Path, series: dict[str, list[float]]) -> None:
    with pytest.raises(ValueError, match="no step"):
        curves.trace(series, stem)


def test_accuracy_in_percent(stem: Path, drawn: list[Figure]) -> None:
    curves.accuracy([curves.Curves("digits", [0.5, 0.75])], stem)
    assert points(drawn[0].axes[0], "training") == [(1, 50), (2, 75)]
    assert drawn[0].axes[0].get_ylabel() == "Accuracy (%)"


@pytest.mark.parametrize(
    "values",
    [
        [1.0],
        [0.0, 0.0],
        [1e-12, 1e-13],
        [1e30, 1e35, math.inf, math.nan],
        np.geomspace(1, 1e-6, 5000).tolist(),
        [123456.789] * 3,
    ],
)
@pytest.mark.parametrize("panels", [1, 2, 3])
def test_any_curve_can_be_read(stem: Path, drawn: list[Figure], values: list[float], panels: int) -> None:
    curves.loss([curves.Curves(LONG, values, values[::-1], kept_epoch=1)] * panels, stem)
    assert len(drawn[0].axes) == panels


def test_a_single_epoch_is_seen(stem: Path, drawn: list[Figure]) -> None:
    curves.loss([curves.Curves("", [1.0])], stem)
    assert line(drawn[0].axes[0], "training").get_marker() == "o"


@pytest.mark.parametrize(
    ("panels", "skip"), [([], 0), ([curves.Curves("", [1.0, 2.0])], 2), ([curves.Curves("", [])], 0)]
)
def test_no_epoch_to_show(stem: Path, panels: list[curves.Curves], skip: int) -> None:
    with pytest.raises(ValueError, match="no epoch"):
        curves.loss(panels, stem, skip=skip)


# --- predictions

X = np.array([3.0, 1.0, 2.0])
MODEL = predictions.Predictions("A model", X**2, X, X**2 + 1, X**2 + 2, X**2 + 3)
BASE = predictions.Predictions("A base model", X**2, X, X)


def test_predictions_over_the_input(stem: Path, drawn: list[Figure]) -> None:
    predictions.over_input([MODEL], stem, x_label="x (rad)", y_label="y (V)")
    (axes,) = drawn[0].axes
    assert points(axes, "actual") == [(3, 9), (1, 1), (2, 4)]
    for more, label in enumerate(("float model", "integer reference", "device"), start=1):
        assert points(axes, label) == [(1, 1 + more), (2, 4 + more), (3, 9 + more)]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("x (rad)", "y (V)")
    assert legend(drawn[0]) == ["actual", "float model", "integer reference", "device"]


def test_base_and_improved_side_by_side(stem: Path, drawn: list[Figure]) -> None:
    predictions.over_input([BASE, MODEL], stem)
    left, right = drawn[0].axes
    assert left.get_ylim() == right.get_ylim()
    assert [axes.get_title() for axes in (left, right)] == ["A base model", "A model"]
    assert not any(one.get_label() == "device" for one in left.get_lines())


def test_where_they_agree_all_marks_are_seen(stem: Path, drawn: list[Figure]) -> None:
    """What is drawn later is smaller."""
    predictions.over_input([MODEL], stem)
    axes = drawn[0].axes[0]
    reference, model, device = (line(axes, label) for label in ("integer reference", "float model", "device"))
    assert reference.get_zorder() < model.get_zorder() < device.get_zorder()
    assert reference.get_markersize() > model.get_linewidth() > device.get_markersize()


def test_predictions_over_what_is_true(stem: Path, drawn: list[Figure]) -> None:
    predictions.against_actual([MODEL, BASE], stem, unit="V")
    left, right = drawn[0].axes
    assert points(left, "device") == [(9, 12), (1, 4), (4, 7)]
    for axes in (left, right):
        assert axes.get_xlim() == axes.get_ylim()
        (low, _), (_, high) = points(axes, "predicted = actual")
        assert (low, high) == axes.get_xlim()
        assert low < 1
        assert high > 12
        assert axes.get_xlabel() == "Actual (V)"


@pytest.mark.parametrize("actual", [[0.0], [1e9, 1e9], [-1e-9, 1e-9], [0.0, math.nan], [math.nan]])
def test_any_prediction_can_be_read(stem: Path, drawn: list[Figure], actual: list[float]) -> None:
    one = predictions.Predictions(LONG, actual, actual, actual, actual, actual)
    predictions.over_input([one, one], stem)
    predictions.against_actual([one], stem)
    predictions.against_actual([one, one], stem, unit="a unit")
    assert len(drawn) == 3


def test_no_prediction_to_show(stem: Path) -> None:
    with pytest.raises(ValueError, match="inputs"):
        predictions.over_input([predictions.Predictions("", [1.0])], stem)
    with pytest.raises(ValueError, match="inputs"):
        predictions.over_input([], stem)
    with pytest.raises(ValueError, match="nothing"):
        predictions.against_actual([], stem)


# --- confusion matrix


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


@pytest.mark.parametrize("classes", [1, 2, 3, 10, 30, 31])
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


def luminance(colour: Any) -> float:
    rgb = np.asarray(matplotlib.colors.to_rgb(colour))
    linear_rgb = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(linear_rgb @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize(("counts", "names"), [([[1]], ["a", "b"]), ([], []), ([[1, 2]], ["a"])])
def test_no_matrix_to_show(stem: Path, counts: Any, names: list[str]) -> None:
    with pytest.raises(ValueError, match="matrix"):
        confusion.confusion_matrix(counts, names, stem)


# --- lines and descent

LESSON_X = np.arange(-1.0, 5.0)
LESSON_Y = 2 * LESSON_X - 1


def descend(rate: float, steps: int, decay: float = 0.0) -> Any:
    """Gradient descent on the mean squared error from w = b = 10."""
    w = b = 10.0
    path = [(w, b)]
    with np.errstate(over="ignore", invalid="ignore"):
        for step in range(steps):
            error = w * LESSON_X + b - LESSON_Y
            now = rate / (1 + decay * step)
            w, b = w - now * 2 * float((error * LESSON_X).mean()), b - now * 2 * float(error.mean())
            path.append((w, b))
    return np.array(path)


def test_guesses_with_both_errors(stem: Path, drawn: list[Figure]) -> None:
    guesses = [linear.Line("3x - 1", 3, -1), linear.Line("2x - 2", 2, -2), linear.Line("2x - 1", 2, -1)]
    linear.guesses(LESSON_X, LESSON_Y, guesses, stem)
    assert legend(drawn[0]) == [
        "3x - 1: RMSD 2.27, root of the summed squares 5.57",
        "2x - 2: RMSD 1.00, root of the summed squares 2.45",
        "2x - 1: RMSD 0.00, root of the summed squares 0.00",
        "data",
    ]
    axes = drawn[0].axes[0]
    assert points(axes, legend(drawn[0])[0]) == [(-1, -4), (4, 11)]
    assert points(axes, "data") == list(zip(LESSON_X.tolist(), LESSON_Y.tolist(), strict=True))


def test_descents_at_several_rates(stem: Path, drawn: list[Figure]) -> None:
    rates = {"right": (0.1, 0.0), "too large": (0.18, 0.0), "too small": (0.005, 0.0), "decaying": (0.17, 0.1)}
    paths = [linear.Descent(label, descend(rate, 50, decay)) for label, (rate, decay) in rates.items()]
    linear.descent(LESSON_X, LESSON_Y, paths, stem)
    panels = drawn[0].axes[:4]
    assert [axes.get_title().split("\n")[0] for axes in panels] == list(rates)
    for axes, one in zip(panels, paths, strict=True):
        whole = [tuple(point) for point in np.asarray(one.path).tolist()]
        assert points(axes, "path") == (whole[:13] if one.label == "too large" else whole)
        assert points(axes, "minimum")[0] == pytest.approx((2, -1))
        assert points(axes, "start") == [(10, 10)]
    assert "first 12 drawn" in panels[1].get_title()
    assert "loss 0.000614 after 50 steps" in panels[0].get_title()
    assert legend(drawn[0]) == ["path", "start", "minimum"]


def test_the_map_holds_the_minimum_the_starts_and_what_comes_down(stem: Path, drawn: list[Figure]) -> None:
    path = descend(0.1, 50)
    linear.descent(LESSON_X, LESSON_Y, [linear.Descent("a", path), linear.Descent("b", [(-3, 4)])], stem)
    axes = drawn[0].axes[0]
    for x, y in [*path.tolist(), (-3, 4), (2, -1)]:
        assert axes.get_xlim()[0] < x < axes.get_xlim()[1]
        assert axes.get_ylim()[0] < y < axes.get_ylim()[1]


@pytest.mark.parametrize("count", [1, 3])
def test_any_descent_can_be_read(stem: Path, drawn: list[Figure], count: int) -> None:
    every = [
        [(2.0, -1.0)],  # it starts at the minimum
        [(1e6, 1e6), (2, -1)],
        [(10, 10), (-1e200, 1e200), (1e250, 1e250)],
        [(10, 10), (math.inf, 0), (math.nan, math.nan)],
        descend(0.3, 2000),
    ]
    for turn in range(len(every)):
        paths = [linear.Descent(LONG, every[(turn + index) % len(every)]) for index in range(count)]
        linear.descent(LESSON_X, LESSON_Y, paths, stem)
    assert len(drawn) == len(every)


def test_no_descent_to_show(stem: Path) -> None:
    for paths in ([], [linear.Descent("", [(math.nan, 1.0)])]):
        with pytest.raises(ValueError, match="no path"):
            linear.descent(LESSON_X, LESSON_Y, paths, stem)


# --- quantization


def sticks(axes: Axes) -> Any:
    (found,) = (one for one in axes.collections if isinstance(one, LineCollection))
    return np.array(found.get_segments())


def test_error_per_input(stem: Path, drawn: list[Figure]) -> None:
    errors = [
        quantization.LsbError("Device - reference", [0, 0, 0], tolerance=0),
        quantization.LsbError("Reference - float", [0.5, 0.0, -1.5], tolerance=2),
    ]
    quantization.lsb_error(errors, stem, inputs=X, x_label="x (rad)")
    upper, lower = drawn[0].axes
    assert upper.get_title() == "Device - reference\n0 LSB at all 3 inputs (tolerance 0)"
    assert lower.get_title() == "Reference - float\nup to 1.5 LSB, not 0 at 2 of 3 inputs (tolerance 2)"
    assert sticks(lower)[:, 1].tolist() == [[1, 0], [2, -1.5], [3, 0.5]]
    assert lower.get_xlabel() == "x (rad)"
    assert lower.get_ylim()[1] > 2
    assert legend(drawn[0]) == ["tolerance"]


def test_one_wrong_input_of_65536_is_seen(stem: Path, drawn: list[Figure]) -> None:
    for place in (0, 12345, 65535):
        values = np.zeros(65536)
        values[place] = -3
        quantization.lsb_error([quantization.LsbError("Device - reference", values, 0)], stem)
        ends = sticks(drawn[-1].axes[0])
        assert len(ends) == quantization.MOST_STICKS
        wrong = ends[ends[:, :, 1].min(axis=1) == -3]
        assert len(wrong) == 1
        assert wrong[0, 0, 0] == pytest.approx(place, abs=65536 / quantization.MOST_STICKS)


@pytest.mark.parametrize("values", [[0.0], [1e6, -3], [0.001] * 5, list(range(-128, 128))])
@pytest.mark.parametrize("panels", [1, 2, 3])
def test_any_error_can_be_read(stem: Path, drawn: list[Figure], values: list[float], panels: int) -> None:
    quantization.lsb_error([quantization.LsbError(LONG, values, 1)] * panels, stem)
    assert len(drawn[0].axes) == panels


def test_no_error_to_show(stem: Path) -> None:
    for errors in ([], [quantization.LsbError("", [])]):
        with pytest.raises(ValueError, match="no error"):
            quantization.lsb_error(errors, stem)
    with pytest.raises(ValueError, match="each input"):
        quantization.lsb_error([quantization.LsbError("", [1, 2])], stem, inputs=[1.0])


def bars(axes: Axes) -> list[tuple[float, float]]:
    """Start and length of each."""
    return [(bar.get_x(), bar.get_width()) for bar in axes.patches if isinstance(bar, Rectangle)]


def test_error_cut_off_and_saturation_of_tensors(stem: Path, drawn: list[Figure]) -> None:
    tensors = [
        quantization.TensorUse("input", 0.02, 0.0, 0.25, 0.5),
        quantization.TensorUse("output", math.nan, 0.125, 0.0, 0.0),
    ]
    quantization.calibration(tensors, stem)
    error, outside, ends = drawn[0].axes
    assert bars(error) == [(0, 2), (0, 0)]
    assert [text.get_text() for text in error.texts] == ["2", ""]  # what is not known is not 0
    assert bars(outside) == [(0, 0), (0, 12.5)]
    assert bars(ends) == [(0, 25), (0, 0), (25, 50), (0, 0)]
    assert [label.get_text() for label in error.get_yticklabels()] == ["input", "output"]
    assert [text.get_text() for text in ends.texts] == ["75", "0"]
    low, high = error.get_ylim()
    assert low > high  # the input is at the top


@pytest.mark.parametrize("count", [1, 3, 20])
def test_any_calibration_can_be_read(stem: Path, drawn: list[Figure], count: int) -> None:
    shares = np.linspace(0, 1, count).tolist()
    quantization.calibration([quantization.TensorUse(LONG, share, share, share, 1 - share) for share in shares], stem)
    quantization.calibration([quantization.TensorUse("t", 123.4, 1e-5, 0.0, 1e-5)] * count, stem)
    assert len(drawn) == 2
    assert all(len(text.get_text()) < 30 for text in drawn[0].axes[0].get_yticklabels())


def test_of_many_tensors_the_worst_are_shown_in_their_order(stem: Path, drawn: list[Figure]) -> None:
    errors = [math.nan, *np.random.default_rng(1).permutation(299).tolist()]
    uses = [quantization.TensorUse(f"{place}", error, 0.0, 0.0, 0.0) for place, error in enumerate(errors)]
    quantization.calibration(uses, stem)
    most = quantization.MOST_TENSORS
    expected = [str(place) for place, error in enumerate(errors) if error >= 299 - most]
    assert [label.get_text() for label in drawn[0].axes[0].get_yticklabels()] == expected
    assert drawn[0].get_suptitle().endswith(f"the {most} of 300 tensors with the largest error")


def test_no_tensor_to_show(stem: Path) -> None:
    with pytest.raises(ValueError, match="no tensor"):
        quantization.calibration([], stem)


def test_colours_of_the_roles_are_apart() -> None:
    """By lightness, so that a print without colour shows them as well."""
    for roles in ((style.TRAINING, style.VALIDATION), (style.FLOAT, style.REFERENCE), (style.FLOAT, style.DEVICE)):
        one, other = sorted(luminance(role["color"]) for role in roles)
        assert (other + 0.05) / (one + 0.05) > 1.5
