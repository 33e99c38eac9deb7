"""What looks wrong with a model and its samples: said, not said, and failing a run that is strict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinyhil.affine import DType, TensorSpec
from tinyhil.artifacts.types import Calibration, Clamped, DeadChannels, QuantizedModel, Saturated, Vectors
from tinyhil.compare import health
from tinyhil.errors import ConfigError
from tinyhil.quantize.calibration import calibration, codes

SOUND = Calibration(samples=20, distinct=20, lowest=0.0, highest=6.0, inner_lowest=0.0, inner_highest=5.9)


@pytest.fixture
def model(
    tmp_path: Path, tiny_model: bytes, quantized_model: Callable[[Path, bytes], QuantizedModel]
) -> QuantizedModel:
    """A model about which there is nothing to say."""
    vectors = Vectors(
        inputs=(np.arange(9, dtype=np.int8).reshape(3, 1, 3),),
        reference=(np.arange(6, dtype=np.int8).reshape(3, 1, 2),),
        float_outputs=None,
        exhaustive=False,
    )
    made = replace(
        quantized_model(tmp_path, tiny_model),
        vectors=vectors,
        saturated=(Saturated(0, 60),),
        calibration=(SOUND,),
        codes=(200,),
    )
    assert health.findings(made) == ()
    return made


def kinds_of(model: QuantizedModel) -> list[str]:
    found = health.findings(model)
    assert all(each.cause and each.hint for each in found)
    return [each.kind for each in found]


def answering(model: QuantizedModel, outputs: Any, inputs: Any = None) -> QuantizedModel:
    """The model with other outputs, and inputs, of its vectors."""
    inputs = model.vectors.inputs if inputs is None else (np.asarray(inputs, np.int8),)
    return replace(model, vectors=replace(model.vectors, inputs=inputs, reference=(np.asarray(outputs),)))


def test_an_output_that_is_always_the_same(model: QuantizedModel) -> None:
    assert kinds_of(answering(model, np.full((3, 1, 2), 5, np.int8))) == ["constant-output"]
    nothing = np.full((3, 1, 2), np.nan, np.float32)
    assert kinds_of(answering(model, nothing)) == ["constant-output"], "NaN equals nothing, and is always the same"
    moved = np.full((3, 1, 2), 5, np.int8)
    moved[2, 0, 1] = 6
    assert kinds_of(answering(model, moved)) == []
    same = np.zeros((3, 1, 3))
    assert kinds_of(answering(model, np.full((3, 1, 2), 5, np.int8), same)) == [], "of one input nothing follows"


def test_one_output_of_several_that_is_always_the_same(model: QuantizedModel) -> None:
    both = (model.outputs[0], replace(model.outputs[0], name="stuck"))
    outputs = (model.vectors.reference[0], np.full((3, 1, 2), -128, np.int8))
    found = health.findings(replace(model, outputs=both, vectors=replace(model.vectors, reference=outputs)))
    assert [each.kind for each in found] == ["constant-output"]
    assert "'stuck'" in found[0].cause


@pytest.mark.parametrize(
    ("samples", "kinds"),
    [
        (np.linspace(0, 6, 50), []),
        (np.r_[np.linspace(0, 6, 50), 1e6], ["range-by-one-sample"]),
        (np.r_[np.linspace(0, 6, 50), -1e6], ["range-by-one-sample"]),
        (np.r_[np.linspace(0, 6, 50), 1e6, -1e6], ["range-by-one-sample"]),
        (np.r_[np.linspace(0, 6, 50), 1e6, 1e6, 1e6], ["range-by-one-sample"]),
        (np.r_[np.linspace(100, 106, 50), 30], []),
        (np.r_[np.linspace(-3, 3, 50), 8.0], []),
        (np.r_[np.linspace(-3, 3, 50), 9.5], ["range-by-one-sample"]),
        (np.r_[np.zeros(49), 0.001], ["range-by-one-sample"]),
        (np.zeros(50), ["few-samples"]),
        (np.full(50, 3.5), ["few-samples"]),
        (np.array([3.5]), ["few-samples"]),
    ],
)
def test_the_samples_that_calibrate(model: QuantizedModel, samples: Any, kinds: list[str]) -> None:
    assert kinds_of(replace(model, calibration=(calibration(samples.reshape(-1, 1)),))) == kinds


def test_an_outlier_in_one_place_of_one_sample(model: QuantizedModel) -> None:
    images = np.random.default_rng(1).random((40, 8, 8, 1))
    assert kinds_of(replace(model, calibration=(calibration(images),))) == []
    images[7, 3, 3, 0] = 50.0
    found = health.findings(replace(model, calibration=(calibration(images),)))
    assert [each.kind for each in found] == ["range-by-one-sample"]
    assert "to 50:" in found[0].cause


def test_each_input_is_looked_at(model: QuantizedModel) -> None:
    two = (model.inputs[0], replace(model.inputs[0], name="second"))
    still = calibration(np.ones((20, 3)))
    found = health.findings(replace(model, inputs=two, calibration=(SOUND, still), codes=(200, 1)))
    assert [each.kind for each in found] == ["few-samples", "few-codes"]
    assert all("'second'" in each.cause for each in found)


@pytest.mark.parametrize(("used", "kinds"), [(1, ["few-codes"]), (7, ["few-codes"]), (8, []), (None, [])])
def test_the_integers_that_samples_become(model: QuantizedModel, used: int | None, kinds: list[str]) -> None:
    assert kinds_of(replace(model, codes=(used,))) == kinds


def test_how_many_integers_samples_become() -> None:
    quantized = TensorSpec("in", DType.INT8, (1, 1), 0.5, 4)
    plain = TensorSpec("in", DType.FLOAT32, (1, 1), 0.0, 0)
    reals = np.array([[0.0], [0.1], [0.2], [0.5], [1e9]], np.float32)
    assert codes([quantized, plain], [reals, reals]) == [3, None]
    assert codes([quantized], [np.array([[1], [1], [2]], np.int8)]) == [2], "integers are codes already"


@pytest.mark.parametrize(("shares", "said"), [((0.01, 0.0), False), ((0.011, 0.0), True), ((0.5, 0.02), True)])
def test_values_that_are_cut_off(model: QuantizedModel, shares: tuple[float, ...], said: bool) -> None:
    clamped = tuple(Clamped(f"operator {at} ADD", share) for at, share in enumerate(shares))
    assert kinds_of(replace(model, clamped=clamped)) == (["clamped-values"] if said else [])


def test_what_fails_a_strict_run_and_what_is_only_worth_to_know(model: QuantizedModel) -> None:
    told = replace(model, dead=(DeadChannels("operator 0 CONV_2D", 2, 8),), targets_unused="they are no classes")
    found = health.findings(told)
    assert [(each.kind, each.level) for each in found] == [
        ("targets-not-judged", "warning"),
        ("dead-channels", "information"),
    ]
    assert health.strict(found) == ()
    over = replace(told, saturated=(Saturated(10, 60),))
    assert [each.kind for each in health.strict(health.findings(over))] == ["saturated-samples"]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_samples_that_are_no_numbers_calibrate_nothing(value: float) -> None:
    with pytest.raises(ConfigError, match="NaN or infinite"):
        calibration(np.array([[1.0], [value]]))
