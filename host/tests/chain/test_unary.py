"""Functions of each element by itself against TFLM: every value of int8, and of int16."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinyhil.chain import compile_model
from tinyhil.errors import ModelError

from .comparing import compare
from .conftest import Amount
from .makers.elements import every, of_one, zero
from .one_operator import T, model_of


@pytest.mark.parametrize(
    "names", [("ABS", "ELU", "HARD_SWISH", "LEAKY_RELU", "LOGISTIC", "RELU", "RELU6", "RSQRT", "TANH")]
)
def test_every_byte(names: tuple[str, ...], chain_folder: Path, amount: Amount) -> None:
    models = []
    for name in names:
        rng = np.random.default_rng(4)
        models += [of_one(rng, name, "int8") for _ in range(amount(7, 60))]
    compared = compare(models, chain_folder, np.random.default_rng(0), lambda *_: every("int8"))
    assert compared == len(models) * 256


def test_hard_swish_of_factors_between_two_multipliers(chain_folder: Path, amount: Amount) -> None:
    """TFLM rounds its factors to 16 bits: just between two it shows in which precision they came about."""
    rng = np.random.default_rng(6)
    models = []
    for _ in range(amount(10, 150)):
        first = float(np.float32(10.0 ** rng.uniform(-3, 0.5)))
        second = first / 128 / ((int(rng.integers(1 << 14, 1 << 15)) + 0.5) / 2.0 ** int(rng.integers(16, 22)))
        ends = T("int8", (256,), first, zero(rng, "int8")), T("int8", (256,), second, zero(rng, "int8"))
        models.append(model_of("HARD_SWISH", [ends[0]], [ends[1]]))
    assert compare(models, chain_folder, rng, lambda *_: every("int8")) == len(models) * 256


@pytest.mark.parametrize("names", [("ABS", "LEAKY_RELU", "LOGISTIC", "RELU", "RELU6", "TANH")])
def test_every_value_of_int16(names: tuple[str, ...], chain_folder: Path, amount: Amount) -> None:
    models = []
    for name in names:
        rng = np.random.default_rng(5)
        models += [of_one(rng, name, "int16") for _ in range(amount(1, 12))]
    compared = compare(models, chain_folder, np.random.default_rng(0), lambda *_: every("int16"))
    assert compared == len(models) * 65536


@pytest.mark.parametrize("name", ["LOGISTIC", "TANH"])
def test_scales_close_to_a_power_of_two(name: str, chain_folder: Path, amount: Amount) -> None:
    """TFLM takes some of them to be that power."""
    scales = [
        2.0**power * off for power in (-12, -13, -11, -10)[: amount(1, 4)] for off in (1.0, 1.0005, 0.9996, 1.001)
    ]
    shape = every("int16").shape
    models = [model_of(name, [T("int16", shape, scale)], [T("int16", shape, 2.0**-15)]) for scale in scales]
    rng = np.random.default_rng(0)
    assert compare(models, chain_folder, rng, lambda *_: every("int16")) == len(models) * 65536


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
        (simple("EXP"), "EXP is computed between a DEQUANTIZE"),
        (simple("NEG"), "NEG is computed between a DEQUANTIZE"),
    ],
)
def test_what_is_refused(data: bytes, cause: str) -> None:
    with pytest.raises(ModelError, match=f"operator 0 {cause}"):
        compile_model(data, "the model", cmsis=False, profile="portable32")
