"""Random models of one layer: convolutions, dense layers, pools."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from ..one_operator import T, constant, model_of
from .moves import numbers

Random = np.random.Generator
_INT32 = 2


def weights(random: np.random.Generator, shape: Sequence[int], lowest: int = -128) -> npt.NDArray[np.int8]:
    """Random weights of int8, by chance with many at the ends."""
    found: npt.NDArray[np.int8] = random.integers(lowest, 127, size=tuple(shape), dtype=np.int8, endpoint=True)
    if random.integers(3) == 0:
        ends = random.random(tuple(shape)) < 0.3
        found[ends] = random.choice(np.array([lowest, 127], np.int8), size=int(ends.sum()))
    return found


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
        quantizedBiasType=_INT32 if kind == "int16x32" else 0,
    )
    shape = (rows,) if random.integers(2) else (1, rows)
    inputs = [T(shape=(*shape, depth), **source), made, *([added] if added else [])]
    return model_of("FULLY_CONNECTED", inputs, [T(shape=(*shape, units), **output)], options, version=4)


def windows(random: Random) -> tuple[list[int], dict[str, int], list[int]]:
    """Sizes of the picture, options, and sizes of the filter."""
    filters = [int(size) for size in random.integers(1, 5, 2)]
    keys = ("strideH", "strideW", "dilationHFactor", "dilationWFactor")
    options = dict(zip(keys, (int(value) for value in random.integers(1, 4, 4)), strict=True))
    if random.integers(3) == 0:
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
        options["quantizedBiasType"] = _INT32
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
