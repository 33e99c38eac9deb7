"""The plain kernels of dense layers and convolutions against TFLM, also in what bakenn would take."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from tinyhil import tflite
from tinyhil.chain import compile_model, refusals

from .both_ways import compare, values, weights
from .one_operator import Reference, T, constant, model_of

Random = np.random.Generator
INT32 = 2


@pytest.fixture
def without_bakenn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tinyhil.chain.layers.OPERATORS", frozenset())


def int4(random: Random, shape: tuple[int, ...], scale: float) -> T:
    """Weights of int4, two to a byte."""
    packed = random.integers(0, 256, (math.prod(shape) + 1) // 2, dtype=np.uint8)
    return T("int4", shape, scale, 0, values=packed)


def parameters(
    random: Random, kind: str, shape: tuple[int, ...], axis: int, terms: int, per_channel: bool, bias: bool = True
) -> tuple[T, T | None, dict[str, Any], dict[str, Any]]:
    """Weights and bias of a layer, and the quantization of input and output, so that outputs spread over their range.

    Args:
        kind: ``int8``, ``int4``, ``int16`` (64 bits are added up) or ``int16x32``.
        axis: of the output channels in the weights.
        terms: how many products an output has.
    """
    dtype = "int8" if kind in ("int8", "int4") else "int16"
    source_scale = float(10.0 ** random.uniform(-4, 1))
    channels = shape[axis]
    scales = [float(10.0 ** random.uniform(-3, -1)) for _ in range(channels)] if per_channel else 0.02
    reach = np.sqrt(terms) * 74 * (5 if kind == "int4" else 74)
    if dtype == "int16":
        reach = np.sqrt(terms) * 19000 * 74
    output_scale = float(
        source_scale * np.mean(scales) * reach / (60 if dtype == "int8" else 15000) * random.uniform(0.3, 2)
    )
    lowest = int(random.choice([-128, -127]))  # bakenn takes no -128
    made = int4(random, shape, 0.02) if kind == "int4" else constant(weights(random, shape, lowest), scales, 0, axis)
    zeros = (int(random.integers(-128, 128)), int(random.integers(-128, 128))) if dtype == "int8" else (0, 0)
    bias_type = np.int64 if kind == "int16" else np.int32
    span = int(min(reach, 2**30))
    product = (np.array(scales).reshape(-1) * source_scale).tolist()
    added = constant(random.integers(-span, span, channels).astype(bias_type), product if per_channel else product[0])
    source = {"dtype": dtype, "scale": source_scale, "zero": zeros[0]}
    output = {"dtype": dtype, "scale": output_scale, "zero": zeros[1]}
    return made, added if bias else None, source, output


def dense(random: Random, kind: str) -> bytes:
    rows, depth, units = (
        int(size) for size in (random.integers(1, 6), random.integers(1, 300), random.integers(1, 40))
    )
    per_channel = kind != "int4" and bool(random.integers(2))
    bias = bool(random.integers(3))
    made, added, source, output = parameters(random, kind, (units, depth), 0, depth, per_channel, bias)
    options = schema.FullyConnectedOptionsT(
        fusedActivationFunction=int(random.integers(4)),
        keepNumDims=True,
        quantizedBiasType=INT32 if kind == "int16x32" else 0,
    )
    shape = (rows,) if random.integers(2) else (1, rows)
    inputs = [T(shape=(*shape, depth), **source), made, *([added] if added else [])]
    return model_of("FULLY_CONNECTED", inputs, [T(shape=(*shape, units), **output)], options, version=4)


def windows(random: Random) -> tuple[list[int], dict[str, int], list[int]]:
    """Sizes of the picture, options, and sizes of the filter."""
    filters = [int(size) for size in random.integers(1, 5, 2)]
    keys = ("strideH", "strideW", "dilationHFactor", "dilationWFactor")
    options = dict(zip(keys, (int(value) for value in random.integers(1, 4, 4)), strict=True))
    if random.integers(2):
        options |= {"dilationHFactor": 1, "dilationWFactor": 1}
    options |= {"padding": int(random.integers(2)), "fusedActivationFunction": int(random.integers(4))}
    least = [(size - 1) * options[key] + 1 for size, key in zip(filters, keys[2:], strict=True)]
    sizes = [int(random.integers(low if options["padding"] else 1, low + 9)) for low in least]
    return sizes, options, filters


def made_of(sizes: list[int], options: dict[str, int], filters: list[int]) -> list[int]:
    """Sizes of the output."""
    found = []
    for size, reach, stride, dilation in zip(
        sizes,
        filters,
        (options["strideH"], options["strideW"]),
        (options["dilationHFactor"], options["dilationWFactor"]),
        strict=True,
    ):
        covered = (reach - 1) * dilation + 1
        found.append(-(-size // stride) if options["padding"] == 0 else (size - covered) // stride + 1)
    return found


def conv(random: Random, kind: str) -> bytes:
    sizes, options, filters = windows(random)
    groups = int(random.choice([1, 1, 2, 3]))
    depth, channels = groups * int(random.integers(1, 7)), groups * int(random.integers(1, 7))
    shape = (channels, *filters, depth // groups)
    per_channel = kind != "int4" and bool(random.integers(2))
    bias = bool(random.integers(3))
    made, added, source, output = parameters(random, kind, shape, 0, math.prod(shape[1:]), per_channel, bias)
    batch = int(random.integers(1, 3))
    if kind == "int16x32":
        options["quantizedBiasType"] = INT32
    inputs = [T(shape=(batch, *sizes, depth), **source), made, *([added] if added else [])]
    target = T(shape=(batch, *made_of(sizes, options, filters), channels), **output)
    return model_of("CONV_2D", inputs, [target], schema.Conv2DOptionsT(**options), version=3)


def depthwise(random: Random, kind: str) -> bytes:
    sizes, options, filters = windows(random)
    multiple, depth = int(random.integers(1, 4)), int(random.integers(1, 9))
    shape = (1, *filters, depth * multiple)
    per_channel = kind != "int4" and bool(random.integers(2))
    made, added, source, output = parameters(random, kind, shape, 3, math.prod(filters), per_channel)
    batch = int(random.integers(1, 3))
    target = T(shape=(batch, *made_of(sizes, options, filters), depth * multiple), **output)
    given = schema.DepthwiseConv2DOptionsT(**options, depthMultiplier=multiple)
    return model_of(
        "DEPTHWISE_CONV_2D", [T(shape=(batch, *sizes, depth), **source), made, added], [target], given, version=3
    )


KINDS = [
    (dense, "int8"), (dense, "int4"), (dense, "int16"), (dense, "int16x32"), (conv, "int8"), (conv, "int4"),
    (conv, "int16"), (conv, "int16x32"), (depthwise, "int8"), (depthwise, "int4"), (depthwise, "int16"),
]  # fmt: skip


@pytest.mark.usefixtures("without_bakenn")
@pytest.mark.parametrize(("make", "kind"), KINDS)
def test_a_layer_gives_what_tflm_gives(make: Callable[[Random, str], bytes], kind: str, chain_folder: Path) -> None:
    random = np.random.default_rng(10)
    compared, seen = 0, set()
    for _ in range(8):
        model = make(random, kind)
        facts = tflite.parse(model, "m").main
        (source,), (output,) = facts.of(facts.inputs), facts.of(facts.outputs)
        runs = max(20, 5000 // math.prod(output.shape))
        compared += compare(model, chain_folder, [[values(random, source.dtype, source.shape)] for _ in range(runs)])
        reference = Reference(model)
        for _ in range(5):
            seen |= set(reference.run(values(random, source.dtype, source.shape))[0].reshape(-1).tolist())
    assert compared >= 30_000
    assert len(seen) > 100  # outputs that are not all clamped


@pytest.mark.parametrize("make", [dense, conv, depthwise])
def test_a_layer_gives_what_tflm_gives_where_bakenn_is_asked_first(
    make: Callable[[Random, str], bytes], chain_folder: Path
) -> None:
    random = np.random.default_rng(15)
    compared, plain = 0, set()
    for _ in range(12):
        model = make(random, "int8")
        facts = tflite.parse(model, "m").main
        (source,), (output,) = facts.of(facts.inputs), facts.of(facts.outputs)
        runs = max(20, 2000 // math.prod(output.shape))
        compared += compare(model, chain_folder, [[values(random, "int8", source.shape)] for _ in range(runs)])
        plain.add("convolution.h" in compile_model(model, "m", cmsis=False, profile="portable32").kernels)
    assert compared >= 20_000
    assert plain == {True, False}  # both kinds of kernels were at work


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


@pytest.mark.parametrize("shape", [(3,), (2, 2), (1, 4), (1, 1), (1,)])
def test_a_dense_layer_of_bakenn_is_computed_for_every_row(shape: tuple[int, ...], chain_folder: Path) -> None:
    random = np.random.default_rng(11)
    model = dense_model((*shape, 20), weights(random, (7, 20), -127), (*shape, 7))
    compiled = compile_model(model, "m", cmsis=False, profile="portable32")
    assert compiled.kernels == ()  # bakenn's
    assert compare(model, chain_folder, [[values(random, "int8", (*shape, 20))] for _ in range(300)]) >= 2000


def test_a_dense_layer_with_a_weight_of_the_lowest_value_is_computed_by_the_plain_kernel(chain_folder: Path) -> None:
    random = np.random.default_rng(12)
    lowest = weights(random, (7, 20))
    lowest[3, 4] = -128
    model = dense_model((2, 20), lowest, (2, 7))
    assert compile_model(model, "m", cmsis=False, profile="portable32").kernels == ("convolution.h",)
    assert compare(model, chain_folder, [[values(random, "int8", (2, 20))] for _ in range(300)]) >= 4000


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
    compared = 0
    for _ in range(4):
        scales = [float(np.float32(10.0 ** random.uniform(-3, -1))) for _ in range(2)]
        product = scales[0] * scales[1]
        inputs = [T("int16", (8000, 1), scales[0]), constant(np.full((1, 1), 127, np.int8), scales[1])]
        bias = constant(np.zeros(1, np.int32), product)
        output = T("int16", (8000, 1), product * float(random.uniform(125, 140)))
        model = model_of("FULLY_CONNECTED", [*inputs, bias], [output], schema.FullyConnectedOptionsT(), version=4)
        compared += compare(model, chain_folder, [[values(random, "int16", (8000, 1))] for _ in range(5)])
    assert compared == 160_000
