"""ADD, SUB, MUL, MAXIMUM, MINIMUM, SQUARED_DIFFERENCE and PRELU against TFLM."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from tinyhil.chain import compile_model
from tinyhil.errors import ModelError

from .many_operators import assert_equal, random_values
from .one_operator import T, constant, model_of

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
OPTIONS = {"ADD": schema.AddOptionsT, "SUB": schema.SubOptionsT, "MUL": schema.MulOptionsT}
ACTIVATIONS = (0, 0, 1, 2, 3)
"""NONE twice, RELU, RELU_N1_TO_1, RELU6 of the schema."""


def scale(rng: np.random.Generator, lowest: float, highest: float) -> float:
    return float(np.float32(10.0 ** rng.uniform(np.log10(lowest), np.log10(highest))))


def zero(rng: np.random.Generator, dtype: str) -> int:
    return 0 if dtype == "int16" else int(rng.choice([-128, 127, 0, int(rng.integers(-128, 128))]))


def model(
    rng: np.random.Generator, name: str, dtype: str, shapes: tuple[tuple[int, ...], tuple[int, ...]], side: int
) -> bytes:
    """A random model; input ``side`` is a constant, none for 2."""
    scales = [scale(rng, 1e-6, 1e3), 0.0]
    scales[1] = scales[0] * float(rng.choice([1.0, scale(rng, 0.3, 3.0), scale(rng, 1e-5, 1e5)]))
    # Half of the models fill the range of the output, so that the last bits of the factors count.
    fills = scale(rng, 1.0, 4.0)
    if name == "MUL":
        fills *= np.iinfo(dtype).max
        result = scales[0] * scales[1] * float(rng.choice([fills, scale(rng, 1e-2, 1e6)]))
    elif name == "SQUARED_DIFFERENCE":
        result = max(scales) ** 2 * float(rng.choice([fills * 127, scale(rng, 1e-1, 1e5)]))
    else:
        result = max(scales) * float(rng.choice([fills, scale(rng, 1e-4, 1e4)]))
    if name == "PRELU":
        scales[1] = scale(rng, 1e-4, 1e-1)
        result = scales[0] * float(rng.choice([fills, scale(rng, 1e-4, 1e4)]))
    inputs = []
    for at, shape in enumerate(shapes):
        own = "int8" if name == "PRELU" and at == 1 else dtype
        if at == side:
            values = np.asarray(random_values(rng, own, shape), own)
            inputs.append(constant(values, scales[at], zero(rng, own)))
        else:
            inputs.append(T(own, shape, scales[at], zero(rng, own)))
    options = OPTIONS[name]() if name in OPTIONS else None
    if options is not None:
        # TFLM refuses bounds that are beyond 32 bits.
        options.fusedActivationFunction = int(rng.choice(ACTIVATIONS if result > 1e-8 else ACTIVATIONS[:3]))
    output = T(dtype, np.broadcast_shapes(*shapes), result, zero(rng, dtype))
    return model_of(name, inputs, [output], options, version=2)


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        *(
            (name, dtype)
            for name in ("ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM", "PRELU")
            for dtype in ("int8", "int16")
        ),
        ("SQUARED_DIFFERENCE", "int8"),
        ("MAXIMUM", "int32"),
        ("MINIMUM", "int32"),
    ],
)
def test_equals_tflm(name: str, dtype: str, chain_folder: Path) -> None:
    rng = np.random.default_rng(7)
    sides = [2, 2, 0, 1]
    models = [model(rng, name, dtype, shapes, sides[at % 4]) for at, shapes in enumerate(SHAPES * 2)]
    assert assert_equal(models, chain_folder, rng, runs=40) > 100_000


@pytest.mark.parametrize("name", ["ADD", "SUB", "MUL", "SQUARED_DIFFERENCE", "PRELU"])
def test_every_pair_of_bytes(name: str, chain_folder: Path) -> None:
    rng = np.random.default_rng(8)
    models = [model(rng, name, "int8", ((256, 1), (256,)), 2) for _ in range(8)]
    values = np.arange(-128, 128, dtype=np.int8)
    assert (
        assert_equal(models, chain_folder, rng, runs=1, values=lambda tensor: values.reshape(tensor.shape)) == 8 * 65536
    )


def simple(
    name: str, dtype: str, first: float, second: float, result: float, zero_point: int = 0, activation: int = 0
) -> bytes:
    options = OPTIONS[name](fusedActivationFunction=activation)
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
