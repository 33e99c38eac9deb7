"""The plain kernels of dense layers and convolutions against TFLM, also in what bakenn would take."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from tinyhil.chain import compile_model, refusals

from .comparing import compare, joined
from .conftest import Amount
from .makers.layers import conv, dense, depthwise, weights
from .one_operator import T, constant, model_of

Random = np.random.Generator


KINDS = [
    (dense, "int8"), (dense, "int4"), (dense, "int16"), (dense, "int16x32"), (conv, "int8"), (conv, "int4"),
    (conv, "int16"), (conv, "int16x32"), (depthwise, "int8"), (depthwise, "int4"), (depthwise, "int16"),
]  # fmt: skip


@pytest.mark.usefixtures("without_bakenn")
@pytest.mark.parametrize(("make", "kind"), KINDS)
def test_a_layer_gives_what_tflm_gives(
    make: Callable[[Random, str], bytes], kind: str, chain_folder: Path, amount: Amount
) -> None:
    random = np.random.default_rng(10)
    seen: set[int] = set()
    models = [make(random, kind) for _ in range(amount(3, 24))]
    compare(models, chain_folder, random, least=amount(7_000, 200_000), seen=seen)
    assert len(seen) > amount(1, 100)  # outputs that are not all clamped


@pytest.mark.parametrize("make", [dense, conv, depthwise])
def test_a_layer_gives_what_tflm_gives_where_bakenn_is_asked_first(
    make: Callable[[Random, str], bytes], chain_folder: Path, amount: Amount
) -> None:
    random = np.random.default_rng(15)
    models = [make(random, "int8") for _ in range(amount(16, 48))]
    made = compile_model(joined(models), "m", cmsis=False, profile="portable32")
    assert "convolution.h" in made.kernels  # both kinds of kernels are at work
    assert "bknn_model.c" in made.files
    compare(models, chain_folder, random, least=amount(4_000, 100_000))


def dense_model(
    source: tuple[int, ...],
    weights_: np.ndarray[Any, Any],
    output: tuple[int, ...],
    keep: bool = True,
    scale: Any = 0.02,
) -> bytes:
    bias = constant(np.arange(weights_.shape[0], dtype=np.int32) * 100, 0.001 if isinstance(scale, float) else None)
    options = schema.FullyConnectedOptionsT(keepNumDims=True)
    inputs = [T("int8", source, 0.05, 3), constant(weights_, scale), bias]
    return model_of("FULLY_CONNECTED", inputs, [T("int8", output, 0.5, -4)], options, version=4)


def test_a_dense_layer_of_bakenn_is_computed_for_every_row(chain_folder: Path) -> None:
    random = np.random.default_rng(11)
    shapes: list[tuple[int, ...]] = [(3,), (2, 2), (1, 4), (1, 1), (1,)]
    models = [dense_model((*shape, 20), weights(random, (7, 20), -127), (*shape, 7)) for shape in shapes]
    assert compile_model(joined(models), "m", cmsis=False, profile="portable32").kernels == ()  # bakenn's
    compare(models, chain_folder, random, least=20_000)


def test_a_dense_layer_with_a_weight_of_the_lowest_value_is_computed_by_the_plain_kernel(chain_folder: Path) -> None:
    random = np.random.default_rng(12)
    lowest = weights(random, (7, 20))
    lowest[3, 4] = -128
    model = dense_model((2, 20), lowest, (2, 7))
    assert compile_model(model, "m", cmsis=False, profile="portable32").kernels == ("convolution.h",)
    compare([model], chain_folder, random, least=4000)


ONES = np.ones((4, 6), np.int8)
PICTURE = T("int8", (1, 5, 5, 2), 0.1, 0)
FILTERS = constant(np.ones((3, 2, 2, 2), np.int8), 0.1)
CONV = {"strideH": 1, "strideW": 1, "padding": 1}


@pytest.mark.parametrize(
    ("model", "cause"),
    [
        (dense_model((2, 6), ONES, (3, 4)), "another size"),
        (dense_model((1, 6), ONES, (1, 4), scale=[0.1] * 3), "along another dimension"),
        (dense_model((1, 6), ONES.astype(np.int16), (1, 4)), "weights of int16"),
        (
            model_of(
                "FULLY_CONNECTED", [T("float32", (1, 6)), constant(ONES.astype(np.float32))], [T("float32", (1, 4))]
            ),
            "is of float32",
        ),
        (
            model_of(
                "FULLY_CONNECTED",
                [T("int8", (1, 6), 0.05), constant(ONES, 0.1), constant(np.ones(4, np.int32), 0.5)],
                [T("int8", (1, 4), 0.5)],
            ),
            "another scale than its input times its weights",
        ),
        (
            model_of("CONV_2D", [PICTURE, FILTERS], [T("int8", (1, 5, 5, 3), 0.1)], schema.Conv2DOptionsT(**CONV)),
            "another shape than its filters make",
        ),
        (
            model_of(
                "CONV_2D", [T("int8", (1, 5, 5, 3), 0.1), FILTERS], [T("int8", (1, 4, 4, 3), 0.1)],
                schema.Conv2DOptionsT(**CONV),
            ),
            "that its groups do not divide",
        ),
        (
            model_of(
                "DEPTHWISE_CONV_2D",
                [
                    T("int16", (1, 5, 5, 2), 0.1), constant(np.ones((1, 2, 2, 2), np.int8), 0.1),
                    constant(np.ones(2, np.int32), 0.01),
                ],
                [T("int16", (1, 4, 4, 2), 0.1)],
                schema.DepthwiseConv2DOptionsT(**CONV, depthMultiplier=1),
            ),
            "bias of int32 for activations of int16",
        ),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("without_bakenn")
def test_a_layer_that_tflm_does_not_compute_is_refused(model: bytes, cause: str) -> None:
    (problem,) = refusals(model, cmsis=False, profile="portable32")
    assert cause in problem.cause


@pytest.mark.usefixtures("without_bakenn")
def test_the_factor_of_a_dense_layer_is_computed_in_double_as_tflm_does(chain_folder: Path) -> None:
    # Outputs of 16 bits with sums of 32 tell a factor from one whose product of scales was rounded to float32 first.
    random = np.random.default_rng(13)
    models = []
    for _ in range(4):
        scales = [float(np.float32(10.0 ** random.uniform(-3, -1))) for _ in range(2)]
        product = scales[0] * scales[1]
        inputs = [T("int16", (8000, 1), scales[0]), constant(np.full((1, 1), 127, np.int8), scales[1])]
        bias = constant(np.zeros(1, np.int32), product)
        output = T("int16", (8000, 1), product * float(random.uniform(125, 140)))
        options = schema.FullyConnectedOptionsT()
        models.append(model_of("FULLY_CONNECTED", [*inputs, bias], [output], options, version=4))
    compare(models, chain_folder, random, least=160_000)
