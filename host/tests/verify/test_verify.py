"""Two verdicts from one capture, held against their definitions in exact arithmetic."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tinyhil.affine import DType, TensorSpec, unit_of_difference
from tinyhil.artifacts.types import Array, Capture, QuantizedModel, Reals, Vectors
from tinyhil.compare.search import Example, Search
from tinyhil.compare.verdict import MOST_POINTS
from tinyhil.config.recipe import Accuracy, Fidelity
from tinyhil.errors import ConfigError
from tinyhil.targets.model import Measure
from tinyhil.verify import verify

NOTHING = Measure(unit="nothing")
ASKS_NOTHING = (Fidelity(), Accuracy())
INPUT = TensorSpec("in", DType.INT8, (1, 1), 0.5, -3)
OUTPUTS = (TensorSpec("one", DType.INT8, (1, 2), 0.75, 4), TensorSpec("two", DType.INT16, (1, 1), 0.125, 0))
FLOATS = st.floats(-100, 100, width=32)


def model_of(reference: tuple[Array, ...], floats: tuple[Reals, ...] | None) -> QuantizedModel:
    count = len(reference[0])
    return QuantizedModel(
        recipe="tiny",
        path=Path("model.tflite"),
        sha256="0" * 64,
        scheme="int8",
        inputs=(INPUT,),
        outputs=OUTPUTS[: len(reference)],
        ops=("FULLY_CONNECTED",),
        vectors=Vectors((np.arange(count, dtype=np.int8).reshape(-1, 1, 1),), reference, floats, exhaustive=False),
        key="key",
        reference="a reference 1.0",
    )


def capture_of(device: tuple[Array, ...], ticks: int | None = None) -> Capture:
    return Capture(device, ticks, 0 if ticks is None else 25_000_000, "compiled", 64, {}, {})


@st.composite
def cases(draw: st.DrawFn) -> tuple[tuple[Array, ...], tuple[Array, ...], tuple[Reals, ...]]:
    """Device, reference and float outputs of a few vectors of both outputs."""
    count = draw(st.integers(1, 8))
    shapes = [(count, *spec.shape) for spec in OUTPUTS]
    device, reference = (
        tuple(
            draw(arrays.arrays(spec.dtype.numpy, shape, elements=st.integers(*spec.dtype.limits)))
            for spec, shape in zip(OUTPUTS, shapes, strict=True)
        )
        for _ in range(2)
    )
    floats = tuple(draw(arrays.arrays(np.float64, shape, elements=FLOATS)) for shape in shapes)
    return device, reference, floats


def reals(outputs: tuple[Array, ...]) -> list[Fraction]:
    """What integers stand for, vector by vector and output by output, exactly."""
    return [
        Fraction(spec.scale) * (int(value) - spec.zero_point)
        for vector in range(len(outputs[0]))
        for spec, part in zip(OUTPUTS, outputs, strict=True)
        for value in part[vector].ravel()
    ]


def exactly(parts: tuple[Reals, ...]) -> list[Fraction]:
    return [
        Fraction(float(value)) for vector in range(len(parts[0])) for part in parts for value in part[vector].ravel()
    ]


def mean(values: list[Fraction]) -> Fraction:
    return sum(values, Fraction(0)) / len(values)


def near(value: Fraction) -> Any:
    return pytest.approx(float(value), rel=1e-12, abs=1e-9)


@given(cases(), st.booleans())
def test_the_error_split_and_the_figures(
    case: tuple[tuple[Array, ...], tuple[Array, ...], tuple[Reals, ...]], has_truth: bool
) -> None:
    device, reference, floats = case
    count = len(device[0])
    truth = np.linspace(-7, 11, count * 3).reshape(count, 3)
    found = verify(
        model_of(reference, floats),
        capture_of(device),
        NOTHING,
        ASKS_NOTHING,
        (lambda _inputs: truth) if has_truth else None,
    )
    accuracy = found.accuracy
    assert accuracy is not None
    got, expected, ideal = reals(device), reals(reference), exactly(floats)
    base = [Fraction(float(value)) for value in truth.ravel()] if has_truth else ideal

    # It telescopes: the parts add up to the whole, whatever they are.
    assert accuracy.overall is not None
    split = accuracy.overall.split
    assert split is not None
    assert (split.training is None) == (not has_truth)
    assert (split.training or 0.0) + split.quantization + split.device == pytest.approx(split.total, abs=1e-9)
    assert split.total == near(mean(got) - mean(base))
    assert split.device == near(mean(got) - mean(expected))
    assert split.quantization == near(mean(expected) - mean(ideal))
    if split.training is not None:
        assert split.training == near(mean(ideal) - mean(base))

    for figures, one, other in (
        (accuracy.overall.device_vs_float, got, ideal),
        (accuracy.overall.reference_vs_float, expected, ideal),
        (accuracy.overall.device_vs_reference, got, expected),
        (accuracy.overall.device_vs_truth, got, base),
        (accuracy.overall.float_vs_truth, ideal, base),
    ):
        if figures is None:
            assert not has_truth
            continue
        errors = [abs(a - b) for a, b in zip(one, other, strict=True)]
        assert figures.mae == near(mean(errors))
        assert figures.max_error == near(max(errors))
    assert (accuracy.overall.device_vs_truth is None) == (accuracy.overall.float_vs_truth is None) == (not has_truth)


def small() -> tuple[QuantizedModel, Capture]:
    """Two vectors of one output; the device is off by one LSB, 0.75, in one of four elements."""
    reference = (np.array([[[4, 5]], [[6, 7]]], np.int8),)
    device = (np.array([[[4, 5]], [[6, 8]]], np.int8),)
    floats = (np.array([[[0.0, 0.75]], [[1.5, 2.25]]]),)
    return model_of(reference, floats), capture_of(device)


@pytest.mark.parametrize(("tolerance", "passed"), [(0, False), (1, True)])
def test_fidelity_allows_what_the_recipe_allows(tolerance: int, passed: bool) -> None:
    model, capture = small()
    found = verify(model, capture, NOTHING, (Fidelity(max_lsb=tolerance), Accuracy()), None)
    fidelity = found.fidelity
    assert fidelity.passed is found.passed is passed
    assert (fidelity.vectors, fidelity.mismatches, fidelity.max_lsb) == (2, 0 if passed else 1, 1)
    assert (fidelity.tolerance_lsb, fidelity.exhaustive, fidelity.reference) == (tolerance, False, "a reference 1.0")
    assert [mismatch.actual for mismatch in fidelity.first_mismatches] == ([] if passed else [8.0])


@pytest.mark.parametrize("tolerance", [255, 10**30])
def test_a_tolerance_that_nothing_can_miss_is_refused(tolerance: int) -> None:
    model, capture = small()
    with pytest.raises(ConfigError, match="of type int8 cannot have larger ones than 255"):
        verify(model, capture, NOTHING, (Fidelity(max_lsb=tolerance), Accuracy()), None)
    assert verify(model, capture, NOTHING, (Fidelity(max_lsb=254), Accuracy()), None).passed


@pytest.mark.parametrize(
    ("asked", "met"),
    [
        ({}, []),
        ({"device_vs_float_mae": 0.75 / 4}, [True]),  # a limit that is just reached is met
        ({"device_vs_float_mae": 0.18}, [False]),
        ({"float_vs_truth_mae": 0.0, "device_vs_truth_mae": 0.1}, [False, True]),
        ({"float_vs_truth_mae": 0.0, "device_vs_truth_mae": 0.2, "device_vs_float_mae": 0.2}, [True, True, True]),
    ],
)
def test_accuracy_is_judged_by_the_recipes_bounds(asked: dict[str, float], met: list[bool]) -> None:
    model, capture = small()
    assert model.vectors.float_outputs is not None
    floats = model.vectors.float_outputs[0]
    found = verify(model, capture, NOTHING, (Fidelity(max_lsb=1), Accuracy(**asked)), lambda _inputs: floats)
    assert found.accuracy is not None
    assert [bound.met for bound in found.accuracy.bounds] == met
    assert found.accuracy.passed is found.passed is all(met)
    assert found.fidelity.passed
    for bound in found.accuracy.bounds:
        name, figure = bound.figure.split(".")
        assert bound.value == getattr(getattr(found.accuracy.overall, name), figure)
        assert bound.limit == asked[f"{name}_{figure}"]


def test_the_two_verdicts_stay_apart() -> None:
    """A device that is not faithful may be accurate, and the other way round; both have to hold."""
    model, capture = small()
    unfaithful = verify(model, capture, NOTHING, (Fidelity(), Accuracy(device_vs_float_mae=1.0)), None)
    assert unfaithful.accuracy is not None
    assert (unfaithful.fidelity.passed, unfaithful.accuracy.passed, unfaithful.passed) == (False, True, False)
    faithful = capture_of(model.vectors.reference)
    off = (np.full((2, 1, 2), 50.0),)
    inaccurate = verify(
        replace(model, vectors=replace(model.vectors, float_outputs=off)),
        faithful,
        NOTHING,
        (Fidelity(), Accuracy(device_vs_float_mae=1.0)),
        None,
    )
    assert inaccurate.accuracy is not None
    assert (inaccurate.fidelity.passed, inaccurate.accuracy.passed, inaccurate.passed) == (True, False, False)


def test_without_a_float_model_there_is_no_accuracy() -> None:
    model, capture = small()
    found = verify(
        replace(model, vectors=replace(model.vectors, float_outputs=None)),
        capture,
        NOTHING,
        (Fidelity(max_lsb=1), Accuracy()),
        None,
    )
    assert found.accuracy is None
    assert found.passed


def test_the_truth_is_asked_for_real_inputs() -> None:
    model, capture = small()
    seen: list[Reals] = []

    def truth(inputs: Reals) -> Reals:
        seen.append(inputs)
        return np.zeros((2, 1, 2))

    verify(model, capture, NOTHING, ASKS_NOTHING, truth)
    assert [inputs.tolist() for inputs in seen] == [[[[1.5]], [[2.0]]]]  # 0.5 * (0 + 3), 0.5 * (1 + 3)


@pytest.mark.parametrize("figure", ["device_vs_truth_mae", "float_vs_truth_mae"])
def test_a_bound_on_the_truth_needs_one(figure: str) -> None:
    model, capture = small()
    with pytest.raises(ConfigError, match=rf"bounds {figure}, but its code defines no truth\(\)"):
        verify(model, capture, NOTHING, (Fidelity(), Accuracy(**{figure: 1.0})), None)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (np.zeros((2, 1)), "gave 2 values for 2 vectors of 2 outputs"),
        (np.full((2, 2), np.nan), "NaN or infinite"),
        ("four", "ValueError"),
        (None, "gave 1 values"),
    ],
)
def test_a_truth_that_cannot_be_used(answer: Any, words: str) -> None:
    model, capture = small()
    with pytest.raises(ConfigError, match=rf"the recipe's truth\(\).*({words})"):
        verify(model, capture, NOTHING, ASKS_NOTHING, lambda _inputs: answer)


def test_a_truth_that_raises() -> None:
    model, capture = small()

    def truth(_inputs: Reals) -> Reals:
        raise KeyError("x")

    with pytest.raises(ConfigError, match=r"truth\(\) failed: KeyError: 'x'"):
        verify(model, capture, NOTHING, ASKS_NOTHING, truth)


@pytest.mark.parametrize(
    ("unit", "instructions", "microseconds"),
    [("instructions", 40.0 * 7 / 2, None), ("microseconds", None, 40.0 * 7 / 2), ("nothing", None, None)],
)
def test_a_tick_stands_for_what_the_target_says(
    unit: Any, instructions: float | None, microseconds: float | None
) -> None:
    model, capture = small()
    found = verify(model, replace(capture, ticks=7), Measure(unit=unit, per_tick=40.0), ASKS_NOTHING, None)
    assert found.instructions_per_inference == instructions
    assert found.microseconds_per_inference == microseconds


@pytest.mark.parametrize("unit", ["instructions", "microseconds", "nothing"])
def test_without_a_clock_nothing_is_measured(unit: Any) -> None:
    model, capture = small()
    found = verify(model, capture, Measure(unit=unit), ASKS_NOTHING, None)
    assert found.instructions_per_inference is None
    assert found.microseconds_per_inference is None


def test_each_output_has_figures_of_its_own_and_a_split_in_its_lsb() -> None:
    reference: tuple[Array, ...] = (np.array([[[4, 5]], [[6, 7]]], np.int8), np.array([[[80]], [[-8]]], np.int16))
    device: tuple[Array, ...] = (np.array([[[6, 7]], [[8, 9]]], np.int8), np.array([[[76]], [[-12]]], np.int16))
    floats = tuple(spec.dequantize(part) - spec.scale for spec, part in zip(OUTPUTS, reference, strict=True))
    found = verify(model_of(reference, floats), capture_of(device), NOTHING, ASKS_NOTHING, None).accuracy
    assert found is not None
    assert [each.name for each in found.outputs] == ["one", "two"]
    assert found.overall is not None
    assert found.overall.split_lsb is None  # there is no LSB of two scales
    for each, spec, lsb in zip(found.outputs, OUTPUTS, (2.0, -4.0), strict=True):
        assert each.split_lsb is not None
        assert (each.split_lsb.training, each.split_lsb.quantization, each.split_lsb.device) == (None, 1.0, lsb)
        assert each.split_lsb.total == lsb + 1.0
        assert each.split is not None
        assert each.split.device == lsb * spec.scale
        assert each.device_vs_reference.mae == abs(lsb) * spec.scale


def test_an_output_that_is_no_number_is_counted_and_meets_no_bound() -> None:
    spec = TensorSpec("out", DType.FLOAT32, (1, 1), 0.0, 0)
    reference = (np.array([[[1.0]], [[2.0]]], np.float32),)
    device = (np.array([[[1.0]], [[np.nan]]], np.float32),)
    model = replace(model_of(reference, (reference[0].astype(np.float64),)), outputs=(spec,))
    found = verify(model, capture_of(device), NOTHING, (Fidelity(), Accuracy(device_vs_float_mae=1e9)), None)
    assert found.accuracy is not None
    assert found.accuracy.overall is not None
    assert found.accuracy.overall.device_vs_float.not_finite == 1
    assert found.accuracy.overall.split is None
    assert not found.accuracy.passed
    assert not found.fidelity.passed
    assert found.points.device == (1.0, None)


def test_points_show_the_ends_and_the_worst_element_with_its_sign() -> None:
    count = 2000
    reference = (np.zeros((count, 1, 2), np.int8),)
    device = (reference[0].copy(),)
    device[0][-1] = [[3, -5]]
    model = model_of(reference, None)
    inputs = np.arange(count, dtype=np.int16).reshape(-1, 1, 1)
    wide = TensorSpec("in", DType.INT16, (1, 1), 0.5, 0)
    model = replace(model, inputs=(wide,), vectors=replace(model.vectors, inputs=(inputs,)))
    shown = verify(model, capture_of(device), NOTHING, ASKS_NOTHING, None).points
    assert len(shown.vector) == MOST_POINTS
    assert (shown.vector[0], shown.vector[-1], shown.lsb[0], shown.lsb[-1]) == (0, count - 1, 0, -5)
    assert shown.x is not None
    assert [index * 0.5 for index in shown.vector] == list(shown.x)
    assert shown.device[-1] == (3 - 4) * 0.75  # of the first element
    assert (shown.float_model, shown.truth, set(shown.like_data)) == (None, None, {True})


def test_an_input_that_a_search_has_found_wrong_is_a_mismatch_too() -> None:
    outputs = (np.zeros((2, 1, 2), np.int8),)
    model, capture = model_of(outputs, None), capture_of(outputs)
    clean = Search(seed=1, tried=512, max_lsb=2, tolerance_lsb=2, example=None)
    found = replace(clean, max_lsb=3, example=Example((), (), 3, 9))
    for search, passed in ((None, True), (clean, True), (found, False)):
        verdict = verify(model, capture, NOTHING, ASKS_NOTHING, None, search=search)
        assert (verdict.fidelity.passed, verdict.passed, verdict.fidelity.search) == (passed, passed, search)
        assert verdict.fidelity.mismatches == 0


def test_what_differences_are_counted_in() -> None:
    model, capture = small()
    assert verify(model, capture, NOTHING, ASKS_NOTHING, None).fidelity.unit == "LSB"
    floats = (np.zeros((2, 1, 2), np.float32),)
    model = replace(model_of(floats, None), outputs=(TensorSpec("one", DType.FLOAT32, (1, 2), 0.0, 0),))
    assert verify(model, capture_of(floats), NOTHING, ASKS_NOTHING, None).fidelity.unit == "ULP"


@pytest.mark.parametrize(
    ("dtypes", "unit"),
    [("INT8 INT16 INT32 UINT8", "LSB"), ("FLOAT32", "ULP"), ("FLOAT32 INT32 FLOAT32", "LSB or ULP")],
)
def test_the_unit_of_several_outputs(dtypes: str, unit: str) -> None:
    assert unit_of_difference(DType[name] for name in dtypes.split()) == unit
