"""Transposed convolutions, pools, linear resizing and products of matrices against TFLM."""

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

from .both_ways import compare, values
from .one_operator import Reference, T, constant, model_of
from .test_convolutions import parameters
from .test_copies import numbers

Random = np.random.Generator


def transpose_conv(random: Random, dtype: str) -> bytes:
    filters, strides, sizes = ([int(size) for size in random.integers(1, most, 2)] for most in (5, 4, 7))
    padding, depth, channels = int(random.integers(2)), int(random.integers(1, 9)), int(random.integers(1, 7))
    if padding:
        output = [(size - 1) * stride + reach for size, stride, reach in zip(sizes, strides, filters, strict=True)]
    else:
        output = [size * stride for size, stride in zip(sizes, strides, strict=True)]
    shape = (channels, *filters, depth)
    terms = math.prod(shape[1:])
    made, added, source, target = parameters(random, dtype, shape, 0, terms, bool(random.integers(2)))
    if dtype == "int16" and random.integers(2):
        added = constant(random.integers(-30000, 30000, channels).astype(np.int16), 1.0)
    batch = int(random.integers(1, 3))
    inputs: list[T | None] = [numbers([batch, *output, channels]), made, T(shape=(batch, *sizes, depth), **source)]
    if random.integers(3):
        inputs.append(added)
    options = schema.TransposeConvOptionsT(
        strideH=strides[0], strideW=strides[1], padding=padding, fusedActivationFunction=int(random.integers(4))
    )
    return model_of("TRANSPOSE_CONV", inputs, [T(shape=(batch, *output, channels), **target)], options, version=3)


def pool(name: str) -> Callable[[Random, str], bytes]:
    def make(random: Random, dtype: str) -> bytes:
        filters, strides = ([int(size) for size in random.integers(1, most, 2)] for most in (6, 4))
        padding, batch, depth = int(random.integers(2)), int(random.integers(1, 3)), int(random.integers(1, 9))
        sizes = [int(random.integers(reach if padding else 1, reach + 9)) for reach in filters]
        made = [
            (size - reach) // stride + 1 if padding else -(-size // stride)
            for size, reach, stride in zip(sizes, filters, strides, strict=True)
        ]
        scale, zero = (0.05, int(random.integers(-128, 128))) if dtype == "int8" else (0.0005, 0)
        options = schema.Pool2DOptionsT(
            padding=padding, strideH=strides[0], strideW=strides[1], filterHeight=filters[0], filterWidth=filters[1],
            fusedActivationFunction=int(random.integers(4)),
        )  # fmt: skip
        source, output = (T(dtype, (batch, *size, depth), scale, zero) for size in (sizes, made))
        return model_of(name, [source], [output], options)

    return make


def resize(random: Random, dtype: str) -> bytes:
    shape = tuple(int(size) for size in random.integers(1, 9, 4))
    wanted = [int(size) for size in random.integers(1, 20, 2)]
    corners = bool(random.integers(2))
    options = schema.ResizeBilinearOptionsT(
        alignCorners=corners, halfPixelCenters=not corners and bool(random.integers(2))
    )
    output = T(dtype, (shape[0], *wanted, shape[3]), 0.05, 3)
    return model_of("RESIZE_BILINEAR", [T(dtype, shape, 0.05, 3), numbers(wanted)], [output], options)


def matmul(random: Random, dtype: str) -> bytes:
    rows, columns, depth = (int(size) for size in random.integers(1, 12, 3))
    batches = [int(size) for size in random.integers(1, 4, random.integers(0, 4))]
    transposed = [bool(random.integers(2)) for _ in range(2)]
    ends = [(depth, rows) if transposed[0] else (rows, depth), (columns, depth) if transposed[1] else (depth, columns)]
    shapes = []
    for end in ends:
        own = [1 if random.integers(4) == 0 else size for size in batches]
        shapes.append((*own[int(random.integers(len(own) + 1)) if random.integers(3) == 0 else 0 :], *end))
    rank = max(map(len, shapes))
    full = [(1,) * (rank - len(shape)) + shape for shape in shapes]
    made = [max(pair) for pair in zip(full[0][:-2], full[1][:-2], strict=True)]
    scales = [float(np.float32(10.0 ** random.uniform(-3, 0))) for _ in range(2)]
    zeros = [int(zero) for zero in random.integers(-128, 128, 3)] if dtype == "int8" else [0, 0, 0]
    reach = np.sqrt(depth) * (74**2 / 60 if dtype == "int8" else 19000**2 / 15000)
    output = T(dtype, (*made, rows, columns), float(scales[0] * scales[1] * reach), zeros[2])
    inputs = [T(dtype, shape, scale, zero) for shape, scale, zero in zip(shapes, scales, zeros, strict=False)]
    options = schema.BatchMatMulOptionsT(adjX=transposed[0], adjY=transposed[1])
    return model_of("BATCH_MATMUL", inputs, [output], options, version=4)


CASES = [
    (transpose_conv, "int8"), (transpose_conv, "int16"), (pool("AVERAGE_POOL_2D"), "int8"),
    (pool("AVERAGE_POOL_2D"), "int16"), (pool("MAX_POOL_2D"), "int8"), (pool("MAX_POOL_2D"), "int16"),
    (resize, "int8"), (matmul, "int8"), (matmul, "int16"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "dtype"), CASES)
def test_a_picture_comes_out_as_tflm_makes_it(
    make: Callable[[Random, str], bytes], dtype: str, chain_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tinyhil.chain.layers.OPERATORS", frozenset())  # pools are bakenn's where it takes them
    random = np.random.default_rng(14)
    compared, seen = 0, set()
    for _ in range(12):
        model = make(random, dtype)
        facts = tflite.parse(model, "m").main
        runs = max(20, 10_000 // math.prod(facts.of(facts.outputs)[0].shape))
        sources = facts.of(facts.inputs)
        given = [[values(random, source.dtype, source.shape) for source in sources] for _ in range(runs)]
        compared += compare(model, chain_folder, given)
        seen |= set(Reference(model).run(*given[-1])[0].reshape(-1).tolist())
    assert compared >= 100_000
    assert len(seen) > 100  # outputs that are not all clamped


@pytest.mark.parametrize("name", ["AVERAGE_POOL_2D", "MAX_POOL_2D"])
def test_a_pool_gives_what_tflm_gives_where_bakenn_is_asked_first(name: str, chain_folder: Path) -> None:
    random = np.random.default_rng(16)
    compared, plain = 0, set()
    for _ in range(12):
        model = pool(name)(random, "int8")
        facts = tflite.parse(model, "m").main
        (source,), (output,) = facts.of(facts.inputs), facts.of(facts.outputs)
        runs = max(20, 2000 // math.prod(output.shape))
        compared += compare(model, chain_folder, [[values(random, "int8", source.shape)] for _ in range(runs)])
        plain.add("pool.h" in compile_model(model, "m", cmsis=False, profile="portable32").kernels)
    assert compared >= 20_000
    assert plain == {True, False}  # both kinds of kernels were at work


PICTURE = T("int8", (1, 4, 4, 2), 0.1, 0)
POOL = {"strideH": 2, "strideW": 2, "filterHeight": 2, "filterWidth": 2, "padding": 1}


@pytest.mark.parametrize(
    ("name", "inputs", "output", "options", "cause"),
    [
        (
            "AVERAGE_POOL_2D", [PICTURE], T("int8", (1, 2, 2, 2), 0.2, 0), schema.Pool2DOptionsT(**POOL),
            "quantized otherwise than its input",
        ),
        ("MAX_POOL_2D", [PICTURE], PICTURE, schema.Pool2DOptionsT(**POOL), "another shape than its windows make"),
        (
            "MAX_POOL_2D", [T("float32", (1, 4, 4, 2))], T("float32", (1, 2, 2, 2)), schema.Pool2DOptionsT(**POOL),
            "is of float32",
        ),
        (
            "RESIZE_BILINEAR", [T("int16", (1, 2, 2, 1), 0.1), numbers([4, 4])], T("int16", (1, 4, 4, 1), 0.1), None,
            "is of int16",
        ),
        (
            "BATCH_MATMUL", [T("int8", (2, 3), 0.1), T("int8", (2, 3), 0.1)], T("int8", (2, 3), 0.1), None,
            "matrices that do not fit",
        ),
        (
            "BATCH_MATMUL", [T("int16", (2, 3), 0.1, 1), T("int16", (3, 2), 0.1)], T("int16", (2, 2), 0.1), None,
            "zero point",
        ),
        (
            "TRANSPOSE_CONV",
            [
                numbers([1, 4, 4, 2]), constant(np.ones((2, 2, 2, 2), np.int8), 0.1), T("int16", (1, 4, 4, 2), 0.1),
                constant(np.ones(2, np.int32), 0.01),
            ],
            T("int16", (1, 4, 4, 2), 0.1), schema.TransposeConvOptionsT(strideH=1, strideW=1),
            "bias of int32 for activations of int16",
        ),
    ],
)  # fmt: skip
def test_a_picture_that_tflm_does_not_make_is_refused(
    name: str, inputs: list[T], output: T, options: Any, cause: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tinyhil.chain.layers.OPERATORS", frozenset())
    (refusal,) = refusals(model_of(name, inputs, [output], options), cmsis=False, profile="portable32")
    assert cause in refusal.cause
