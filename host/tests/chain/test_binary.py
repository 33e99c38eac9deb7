"""ADD, SUB, MUL, MAXIMUM, MINIMUM, SQUARED_DIFFERENCE and PRELU against TFLM."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinyhil.chain import compile_model
from tinyhil.errors import ModelError

from .comparing import compare
from .conftest import Amount
from .makers.elements import BINARY_OPTIONS, of_two, scale_between
from .one_operator import T, model_of

SHAPES: list[tuple[tuple[int, ...], tuple[int, ...]]] = [
    ((1, 4, 5, 8), (1, 4, 5, 8)),
    ((1, 300), (1, 300)),
    ((7,), (7,)),
    ((), ()),
    ((1, 1), (1, 1)),
    ((1, 4, 5, 8), (8,)),
    ((5, 1), (1, 4, 5, 8)),
    ((1, 4, 5, 8), ()),
    ((1,), (3, 7)),
    ((2, 1, 5), (1, 4, 1)),
    ((2, 1, 3, 1, 5), (1, 2, 1, 4, 1)),
    ((4, 1, 1, 6), (1, 5, 3, 1)),
    ((2, 3, 4), (2, 3, 1)),
    ((2, 3, 1, 2, 3), (3, 4, 2, 1)),
]


@pytest.mark.parametrize(
    ("names", "dtype"),
    [
        (("ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM", "PRELU", "SQUARED_DIFFERENCE"), "int8"),
        (("ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM", "PRELU"), "int16"),
        (("MAXIMUM", "MINIMUM"), "int32"),
    ],
)
def test_equals_tflm(names: tuple[str, ...], dtype: str, chain_folder: Path, amount: Amount) -> None:
    sides = [2, 2, 0, 1]
    models = []
    for name in names:
        rng = np.random.default_rng(7)
        models += [of_two(rng, name, dtype, shapes, sides[at % 4]) for at, shapes in enumerate(SHAPES * amount(1, 2))]
    compare(models, chain_folder, np.random.default_rng(8), least=len(names) * amount(15_000, 100_000))


@pytest.mark.parametrize("names", [("ADD", "SUB", "MUL", "SQUARED_DIFFERENCE", "PRELU")])
def test_every_pair_of_bytes(names: tuple[str, ...], chain_folder: Path, amount: Amount) -> None:
    rng = np.random.default_rng(8)
    models = [of_two(rng, name, "int8", ((256, 1), (256,)), 2) for name in names for _ in range(amount(2, 8))]
    values = np.arange(-128, 128, dtype=np.int8)
    compared = compare(models, chain_folder, rng, lambda _, tensor: values.reshape(tensor.shape))
    assert compared == len(models) * 65536


@pytest.mark.parametrize("name", ["ADD", "SUB"])
def test_the_last_bits_of_inputs_that_cancel(name: str, chain_folder: Path) -> None:
    """Outputs so fine that they show how each input was rounded to the common scale."""
    rng = np.random.default_rng(9)
    models = []
    for _ in range(6):
        scales = [0.1, 0.1 * float(rng.uniform(0.2, 0.9))]
        ends = [T("int16", shape, each) for shape, each in zip([(64, 1), (64,)], rng.permutation(scales), strict=True)]
        output = T("int16", (64, 64), 0.1 / 2**12 * float(rng.uniform(0.6, 1.4)))
        models.append(model_of(name, ends, [output], BINARY_OPTIONS[name](), version=2))
    values = np.arange(-32, 32, dtype=np.int16)
    compare(models, chain_folder, rng, lambda _, tensor: values.reshape(tensor.shape))


def test_the_last_bits_of_the_factor_of_a_product(chain_folder: Path) -> None:
    """Outputs at the end of int16 tell a factor from one that was rounded to float32."""
    rng = np.random.default_rng(11)
    models = []
    for _ in range(6):
        scales = [scale_between(rng, 1e-3, 1.0) for _ in range(2)]
        ends = [T("int16", shape, each) for shape, each in zip([(64, 1), (64,)], scales, strict=True)]
        output = T("int16", (64, 64), scales[0] * scales[1] * 32767 * float(rng.uniform(1.0, 1.3)))
        models.append(model_of("MUL", ends, [output], BINARY_OPTIONS["MUL"](), version=2))
    values = np.arange(32767 - 63, 32768, dtype=np.int16)
    compare(models, chain_folder, rng, lambda _, tensor: values.reshape(tensor.shape))


def simple(
    name: str, dtype: str, first: float, second: float, result: float, zero_point: int = 0, activation: int = 0
) -> bytes:
    options = BINARY_OPTIONS[name](fusedActivationFunction=activation)
    output = T(dtype, (2, 3), result, zero_point)
    return model_of(name, [T(dtype, (2, 3), first), T(dtype, (2, 3), second)], [output], options, version=2)


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (simple("ADD", "uint8", 1.0, 1.0, 1.0), "ADD goes from uint8 and uint8 to uint8"),
        (simple("ADD", "int8", 1.0, 1.0, 1e-6), "ADD has an output scale that is too small"),
        (simple("SUB", "int8", 1.0, 1.0, 1e-6), "SUB has an output scale that is too small"),
        (simple("ADD", "int16", 1.0, 1.0, 1.0, 3), "ADD has a tensor .'t2'. of int16 whose zero point is not 0"),
        (simple("MUL", "int8", 1.0, 1.0, 1.0, 0, 4), "MUL is fused with the activation 4"),
        (simple("MUL", "int8", 1e-6, 1e-6, 1e-9, 0, 3), "MUL has an output scale of 1e-09, at which 6"),
        (simple("MUL", "int8", 1e6, 1e6, 1.0), "MUL has an output scale that is too small"),
        (model_of("MAXIMUM", [T("int8", (2, 3)), T("int8", (2,))], [T("int8", (2, 3))]), "combines the shapes"),
        (model_of("MAXIMUM", [T("int64", (2,)), T("int64", (2,))], [T("int64", (2,))]), "goes from int64 and int64"),
        (
            model_of("MINIMUM", [T("int8", (2, 1) * 4), T("int8", (1, 2) * 4)], [T("int8", (2,) * 8)]),
            "along 8 dimensions",
        ),
        (
            model_of("SQUARED_DIFFERENCE", [T("int16", (2,), 1.0), T("int16", (2,), 1.0)], [T("int16", (2,), 1.0)]),
            "goes from int16 and int16",
        ),
        (model_of("ADD", [T("int8", (2,)), T("int8", (2,))], [T("int8", (2,))]), "not quantized by one scale"),
    ],
)
def test_what_is_refused(data: bytes, cause: str) -> None:
    with pytest.raises(ModelError, match=f"operator 0 .*{cause}"):
        compile_model(data, "the model", cmsis=False, profile="portable32")
