"""QUANTIZE and DEQUANTIZE against TFLM."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinyhil.chain import compile_model
from tinyhil.errors import ModelError

from .comparing import compare
from .conftest import Amount
from .one_operator import Array, T, model_of

SIZE = 600


def zero(rng: np.random.Generator, dtype: str) -> int:
    limits = {"int8": (-128, 127), "uint8": (0, 255)}
    if dtype not in limits:
        return 0
    lowest, highest = limits[dtype]
    return int(rng.choice([lowest, highest, (lowest + highest + 1) // 2, int(rng.integers(lowest, highest))]))


def scale(rng: np.random.Generator) -> float:
    return float(np.float32(10.0 ** rng.uniform(-8, 3)))


def reals(rng: np.random.Generator, step: float) -> Array:
    """Real numbers at which rounding, saturation and overflow show, for a quantization with the scale ``step``."""
    halves = (rng.integers(-300, 300, SIZE // 2) + 0.5) * step
    wide = rng.normal(0, 1, SIZE - SIZE // 2 - 12) * step * 10.0 ** rng.uniform(-3, 7, SIZE - SIZE // 2 - 12)
    ends = [np.inf, -np.inf, np.nan, 0.0, -0.0, 1e-44, -1e-44, 1e38, -1e38, 2.0**31 * step, -(2.0**31) * step, 3.4e38]
    return rng.permutation(np.concatenate([halves, wide, ends])).astype(np.float32)


@pytest.mark.parametrize("dtype", ["int8", "int16"])
def test_real_numbers_to_integers(dtype: str, chain_folder: Path, amount: Amount) -> None:
    rng = np.random.default_rng(1)
    scales = [scale(rng) for _ in range(amount(8, 24))]
    models = [
        model_of("QUANTIZE", [T("float32", (SIZE,))], [T(dtype, (SIZE,), each, zero(rng, dtype))]) for each in scales
    ]

    compare(models, chain_folder, rng, lambda at, _: reals(rng, scales[at]), least=amount(20_000, 200_000))


REQUANTIZED = [
    ("int8", "int8"),
    ("int8", "uint8"),
    ("int8", "int16"),
    ("int8", "int32"),
    ("uint8", "int8"),
    ("int16", "int8"),
    ("int16", "int16"),
    ("int16", "int32"),
    ("int32", "int8"),
    ("int32", "int16"),
]


@pytest.mark.parametrize("types", [REQUANTIZED])
def test_integers_to_another_scale(types: list[tuple[str, str]], chain_folder: Path, amount: Amount) -> None:
    models = []
    for given, result in types:
        rng = np.random.default_rng(2)
        for at in range(amount(9, 24)):
            first = scale(rng)
            # The same scale, about the same, or any, up to the greatest and least factor.
            second = first * [1.0, 10.0 ** rng.uniform(-1, 1), 10.0 ** rng.uniform(-9, 9)][at % 3]
            ends = T(given, (SIZE,), first, zero(rng, given)), T(result, (SIZE,), second, zero(rng, result))
            models.append(model_of("QUANTIZE", [ends[0]], [ends[1]]))
    compare(models, chain_folder, np.random.default_rng(3), least=len(types) * amount(10_000, 100_000))


def test_bytes_of_the_other_sign(chain_folder: Path, amount: Amount) -> None:
    """int8 and uint8 of the same scale, zero points 128 apart: TFLM flips a bit there."""
    every = {"int8": np.arange(-128, 128).astype(np.int8), "uint8": np.arange(256).astype(np.uint8)}
    models = []
    for zero_point in range(-128, 128, amount(25, 5)):
        signed, unsigned = T("int8", (256,), 0.1, zero_point), T("uint8", (256,), 0.1, zero_point + 128)
        models += [model_of("QUANTIZE", [signed], [unsigned]), model_of("QUANTIZE", [unsigned], [signed])]
    rng = np.random.default_rng(0)
    compared = compare(models, chain_folder, rng, lambda _, tensor: every[tensor.dtype])
    assert compared == len(models) * 256


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16"])
def test_integers_to_real_numbers(dtype: str, chain_folder: Path) -> None:
    """Every value there is."""
    rng = np.random.default_rng(3)
    limits = np.iinfo(dtype)
    every = np.arange(limits.min, limits.max + 1).astype(dtype)
    scales = [scale(rng) for _ in range(8)] + [float(np.float32(each)) for each in (1e-38, 1e33, 1.0, 1e-44)]
    models = [
        model_of("DEQUANTIZE", [T(dtype, every.shape, each, zero(rng, dtype))], [T("float32", every.shape)])
        for each in scales
    ]
    compared = compare(models, chain_folder, rng, lambda *_: every)
    assert compared == len(models) * every.size


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (model_of("QUANTIZE", [T("float32", (4,))], [T("uint8", (4,), 1.0)]), "from float32 to uint8"),
        (model_of("QUANTIZE", [T("uint8", (4,), 1.0)], [T("uint8", (4,), 1.0)]), "from uint8 to uint8"),
        (model_of("QUANTIZE", [T("float32", (4,))], [T("int8", (4,))]), "not quantized by one scale"),
        (model_of("QUANTIZE", [T("int8", (4,), 1e5)], [T("int8", (4,), 1e-5)]), "too small beside it"),
        (model_of("DEQUANTIZE", [T("int32", (4,), 1.0)], [T("float32", (4,))]), "from int32 to float32"),
        (model_of("DEQUANTIZE", [T("int8", (4,), 1.0)], [T("float32", (3,))]), "from the shape"),
    ],
)
def test_what_is_refused(data: bytes, cause: str) -> None:
    with pytest.raises(ModelError, match=f"operator 0 .*{cause}"):
        compile_model(data, "the model", cmsis=False, profile="portable32")
