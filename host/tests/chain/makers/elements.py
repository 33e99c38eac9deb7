"""Random models of one operator on each element by itself: of two inputs, of one, and between types."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Any

import numpy as np
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from tinyhil import tflite

from ..comparing import random_values
from ..one_operator import Array, T, constant, model_of

Random = np.random.Generator


BINARY_OPTIONS = {"ADD": schema.AddOptionsT, "SUB": schema.SubOptionsT, "MUL": schema.MulOptionsT}
_ACTIVATIONS = (0, 0, 1, 2, 3)
"""NONE twice, RELU, RELU_N1_TO_1, RELU6 of the schema."""


def scale_between(rng: np.random.Generator, lowest: float, highest: float) -> float:
    return float(np.float32(10.0 ** rng.uniform(np.log10(lowest), np.log10(highest))))


def zero(rng: np.random.Generator, dtype: str) -> int:
    return 0 if dtype == "int16" else int(rng.choice([-128, 127, 0, int(rng.integers(-128, 128))]))


def of_two(
    rng: np.random.Generator, name: str, dtype: str, shapes: tuple[tuple[int, ...], tuple[int, ...]], side: int
) -> bytes:
    """A random model; input ``side`` is a constant, none for 2."""
    scales = [scale_between(rng, 1e-6, 1e3), 0.0]
    scales[1] = scales[0] * float(rng.choice([1.0, scale_between(rng, 0.3, 3.0), scale_between(rng, 1e-5, 1e5)]))
    # Half of the models fill the range of the output, so that the last bits of the factors count.
    fills = scale_between(rng, 1.0, 4.0)
    if name == "MUL":
        fills *= np.iinfo(dtype).max
        result = scales[0] * scales[1] * float(rng.choice([fills, scale_between(rng, 1e-2, 1e6)]))
    elif name == "SQUARED_DIFFERENCE":
        result = max(scales) ** 2 * float(rng.choice([fills * 127, scale_between(rng, 1e-1, 1e5)]))
    else:
        result = max(scales) * float(rng.choice([fills, scale_between(rng, 1e-4, 1e4)]))
    if name == "PRELU":
        scales[1] = scale_between(rng, 1e-4, 1e-1)
        result = scales[0] * float(rng.choice([fills, scale_between(rng, 1e-4, 1e4)]))
    inputs = []
    for at, shape in enumerate(shapes):
        own = "int8" if name == "PRELU" and at == 1 else dtype
        if at == side:
            values = np.asarray(random_values(rng, own, shape), own)
            inputs.append(constant(values, scales[at], zero(rng, own)))
        else:
            inputs.append(T(own, shape, scales[at], zero(rng, own)))
    options = BINARY_OPTIONS[name]() if name in BINARY_OPTIONS else None
    if options is not None:
        # TFLM refuses bounds that are beyond 32 bits.
        options.fusedActivationFunction = int(rng.choice(_ACTIVATIONS if result > 1e-8 else _ACTIVATIONS[:3]))
    output = T(dtype, np.broadcast_shapes(*shapes), result, zero(rng, dtype))
    return model_of(name, inputs, [output], options, version=2)


def every(dtype: str) -> Array:
    limits = np.iinfo(dtype)
    return np.arange(limits.min, limits.max + 1).astype(dtype)


def of_one(rng: np.random.Generator, name: str, dtype: str) -> bytes:
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


def of_floats(names: Sequence[str], given: T, made: T, options: Any = None) -> bytes:
    """A path of functions in float32 from int8 to int8, as TensorFlow's converter leaves it in a quantized model.

    Args:
        options: of the first function.
    """
    model: Any = tflite.unpack(model_of("DEQUANTIZE", [given], [T("float32", given.shape)]), "m")
    end: Any = tflite.unpack(model_of("QUANTIZE", [T("float32", made.shape)], [made]), "m").subgraphs[0].tensors[1]
    graph = model.subgraphs[0]
    for name in (*names, "QUANTIZE"):
        code = getattr(schema.BuiltinOperator, name)
        model.operatorCodes.append(schema.OperatorCodeT(builtinCode=code, deprecatedBuiltinCode=code, version=1))
        source, at = len(graph.tensors) - 1, len(model.operatorCodes) - 1
        operator = schema.OperatorT(opcodeIndex=at, inputs=[source], outputs=[source + 1])
        if options is not None and at == 1:
            operator.builtinOptions = options
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, type(options).__name__.removesuffix("T"))
        graph.operators.append(operator)
        tensor = end if name == "QUANTIZE" else copy(graph.tensors[1])
        tensor.name = f"t{source + 1}"
        graph.tensors.append(tensor)
    graph.outputs = [len(graph.tensors) - 1]
    return tflite.pack(model)


def of_a_float(random: Random, name: str) -> bytes:
    """A random path of one function, half of them with an output that uses its range."""
    given = scale_between(random, 1e-4, 1.0)
    made = scale_between(random, 3e-3, 3e-2) if random.integers(2) else given * scale_between(random, 1e-2, 1e2)
    options = schema.LeakyReluOptionsT(alpha=float(random.choice([0.1, 0.3, -0.2]))) if name == "LEAKY_RELU" else None
    ends = T("int8", (256,), given, zero(random, "int8")), T("int8", (256,), made, zero(random, "int8"))
    return of_floats([name], *ends, options)
