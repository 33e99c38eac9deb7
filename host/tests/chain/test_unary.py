"""Functions of each element by itself against TFLM: every value of int8, and of int16."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from tinyhil.chain import compile_model
from tinyhil.errors import ModelError

from .many_operators import assert_equal
from .one_operator import Array, T, model_of


def every(dtype: str) -> Array:
    limits = np.iinfo(dtype)
    return np.arange(limits.min, limits.max + 1).astype(dtype)


def zero(rng: np.random.Generator, dtype: str) -> int:
    return 0 if dtype == "int16" else int(rng.choice([-128, 127, 0, int(rng.integers(-128, 128))]))


def model(rng: np.random.Generator, name: str, dtype: str) -> bytes:
    """A random model of what TFLM takes."""
    lowest, highest = {"LOGISTIC": (-6, 3), "TANH": (-6, 3), "RSQRT": (-4, 3)}.get(name, (-8, 3))
    first = float(np.float32(10.0 ** rng.uniform(lowest, highest)))
    second = first * [1.0, 10.0 ** rng.uniform(-1, 1), 10.0 ** rng.uniform(-7, 7)][int(rng.integers(3))]
    zeros = zero(rng, dtype), zero(rng, dtype)
    options = None
    if dtype == "int16" and name in ("LOGISTIC", "TANH"):
        first, second = 10.0 ** rng.uniform(-7, 0.4), 1 / 32768
    elif name == "LEAKY_RELU":
        options = schema.LeakyReluOptionsT(alpha=float(rng.choice([0.0, 0.01, 0.3, 1.0, 1.7, -0.2])))
    elif name == "LOGISTIC":
        second, zeros = 1 / 256, (zeros[0], -128)
    elif name == "TANH":
        second, zeros = 1 / 128, (zeros[0], 0)
    elif name == "HARD_SWISH":
        first = float(np.float32(10.0 ** rng.uniform(-4, 1)))
        second = first * 10.0 ** float(rng.choice([rng.uniform(-2, 0), rng.uniform(-2, 5)]))
    elif name == "ELU":
        # Half of the models have their positive outputs between two integers.
        first = float(np.float32(10.0 ** rng.uniform(-4, 0)))
        second = first * float(rng.choice([10.0 ** rng.uniform(-2, 2), 1.0 / (int(rng.integers(20)) + 0.5)]))
    elif name == "RSQRT":
        second = float(np.float32(10.0 ** rng.uniform(-4, 0))) / first**0.5
        zeros = (-128, zeros[1])
    shape = every(dtype).shape
    return model_of(name, [T(dtype, shape, first, zeros[0])], [T(dtype, shape, second, zeros[1])], options)


@pytest.mark.parametrize(
    "name", ["ABS", "ELU", "HARD_SWISH", "LEAKY_RELU", "LOGISTIC", "RELU", "RELU6", "RSQRT", "TANH"]
)
def test_every_byte(name: str, chain_folder: Path) -> None:
    rng = np.random.default_rng(4)
    models = [model(rng, name, "int8") for _ in range(60)]
    assert assert_equal(models, chain_folder, rng, runs=1, values=lambda _: every("int8")) == 60 * 256


def test_hard_swish_of_factors_between_two_multipliers(chain_folder: Path) -> None:
    """TFLM rounds its factors to 16 bits: just between two it shows in which precision they came about."""
    rng = np.random.default_rng(6)
    models = []
    for _ in range(150):
        first = float(np.float32(10.0 ** rng.uniform(-3, 0.5)))
        second = first / 128 / ((int(rng.integers(1 << 14, 1 << 15)) + 0.5) / 2.0 ** int(rng.integers(16, 22)))
        ends = T("int8", (256,), first, zero(rng, "int8")), T("int8", (256,), second, zero(rng, "int8"))
        models.append(model_of("HARD_SWISH", [ends[0]], [ends[1]]))
    assert assert_equal(models, chain_folder, rng, runs=1, values=lambda _: every("int8")) == 150 * 256


@pytest.mark.parametrize("name", ["ABS", "LEAKY_RELU", "LOGISTIC", "RELU", "RELU6", "TANH"])
def test_every_value_of_int16(name: str, chain_folder: Path) -> None:
    rng = np.random.default_rng(5)
    models = [model(rng, name, "int16") for _ in range(12)]
    assert assert_equal(models, chain_folder, rng, runs=1, values=lambda _: every("int16")) == 12 * 65536


@pytest.mark.parametrize("name", ["LOGISTIC", "TANH"])
def test_scales_close_to_a_power_of_two(name: str, chain_folder: Path) -> None:
    """TFLM takes some of them to be that power."""
    scales = [2.0**power * off for power in (-13, -12, -11, -10) for off in (1.0, 1.0005, 0.9996, 1.001)]
    shape = every("int16").shape
    models = [model_of(name, [T("int16", shape, scale)], [T("int16", shape, 2.0**-15)]) for scale in scales]
    rng = np.random.default_rng(0)
    assert assert_equal(models, chain_folder, rng, runs=1, values=lambda _: every("int16")) == 16 * 65536


def simple(
    name: str, dtype: str = "int8", zeros: tuple[int, int] = (0, 0), scales: tuple[float, float] = (1.0, 1.0)
) -> bytes:
    return model_of(name, [T(dtype, (4,), scales[0], zeros[0])], [T(dtype, (4,), scales[1], zeros[1])])


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (simple("LOGISTIC"), "LOGISTIC has an output with the zero point 0"),
        (simple("LOGISTIC", scales=(1e-9, 1 / 256), zeros=(0, -128)), "LOGISTIC has an input scale of 1e-09"),
        (simple("TANH", "int16"), "TANH has an output scale of 1"),
        (simple("LOGISTIC", "int16", scales=(3.0, 2.0**-15)), "LOGISTIC has an input scale of 3, at most"),
        (simple("ELU", "int16"), "ELU goes from int16 to int16"),
        (simple("RSQRT"), "RSQRT has an input with the zero point 0"),
        (simple("RSQRT", zeros=(-128, 0), scales=(1.0, 1e-20)), "RSQRT has scales that TFLM does not take"),
        (simple("HARD_SWISH", scales=(1.0, 1e-4)), "HARD_SWISH has scales that TFLM does not take"),
        (simple("RELU", scales=(1e5, 1e-5)), "RELU goes from the scale 100000 to 1e-05"),
        (simple("ABS", "int16", zeros=(1, 0)), "ABS has a tensor .'t0'. of int16 whose zero point is not 0"),
        (model_of("RELU", [T("int8", (4,))], [T("int8", (4,))]), "RELU has a tensor .* not quantized"),
        (simple("EXP"), "EXP is not computed"),
        (simple("NEG"), "NEG is not computed"),
    ],
)
def test_what_is_refused(data: bytes, cause: str) -> None:
    with pytest.raises(ModelError, match=f"operator 0 {cause}"):
        compile_model(data, "the model", cmsis=False, profile="portable32")
