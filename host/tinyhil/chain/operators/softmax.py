"""SOFTMAX and LOG_SOFTMAX."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from tinyhil.chain.emitter import Emitter
from tinyhil.chain.fixed_point import quantize_multiplier, round_half_away
from tinyhil.chain.graph import Operator, Tensor
from tinyhil.chain.operators.checks import need_scales, need_types
from tinyhil.chain.unsupported import Unsupported

_INTEGER_BITS = 5
"""Of the scaled difference between a value and the greatest of its row."""
_DEEPEST = {"int8": 4095, "int16": 65535}
"""Longest rows, by the input's type: a longer one can overflow the sum."""
_OUTPUTS = {
    ("int8", "int8"): (1 / 256, -128, 0.0),
    ("int8", "int16"): (1 / 65536, -32768, 0.001),
    ("int16", "int16"): (1 / 32768, 0, 0.001),
}
"""Scale of the output, its zero point, and by which share the scale may be off."""


def softmax(operator: Operator, code: Emitter) -> None:
    """SOFTMAX of int8 or int16 along the last dimension.

    Source: TFLM's micro/kernels/softmax_common.cc (``CalculateSoftmaxParams``).
    """
    given, result = operator.input(0), operator.outputs[0]
    types = need_types(operator, _OUTPUTS)
    need_scales(given, result)
    scale, zero_point, share = _OUTPUTS[types[0], types[1]]
    if result.zero_point != zero_point or abs(result.scale - scale) > share * scale:
        raise Unsupported(f"has an output that is not quantized with the scale {scale} and the zero point {zero_point}")
    if types[0] == "int16" and given.zero_point != 0:
        raise Unsupported(f"has an input of int16 with the zero point {given.zero_point}, only 0 is computed")
    if given.shape != result.shape or not given.shape:
        raise Unsupported(f"goes from the shape {given.shape} to {result.shape}; both must be equal, with a dimension")
    depth = given.shape[-1]
    if not 1 <= depth <= _DEEPEST[types[0]]:
        raise Unsupported(f"has rows of {depth} values, at most {_DEEPEST[types[0]]} are computed")
    beta = float(np.float32(operator.options.beta)) if operator.options is not None else 0.0
    code.header("softmax.h")
    ends = (code.input(0), code.output(), given.elements // depth, depth)
    if types[0] == "int16":
        multiplier, shift = quantize_multiplier(given.scale * beta / (10.0 / 65535.0))
        tables = code.struct("kernels::SoftmaxTables", **_tables(code))
        code.call("softmax", *ends, multiplier, shift, tables)
    else:
        code.call("softmax", *ends, code.struct("kernels::SoftmaxScaling", **_scaling(given, beta)))


def log_softmax(operator: Operator, code: Emitter) -> None:
    """LOG_SOFTMAX of int8 along the last dimension.

    Source: TFLM's micro/kernels/log_softmax.cc and ``PreprocessLogSoftmaxScalingExp``.
    """
    given, result = operator.input(0), operator.outputs[0]
    need_types(operator, (("int8", "int8"),))
    need_scales(given, result)
    if (result.scale, result.zero_point) != (16 / 256, 127):
        raise Unsupported("has an output that is not quantized with the scale 0.0625 and the zero point 127")
    depth = _depth(given, result)
    scaling = _scaling(given, 1.0)
    reverse = (1 << (31 - scaling["shift"])) / scaling["multiplier"]
    code.header("softmax.h")
    ends = (code.input(0), code.output(), given.elements // depth, depth)
    code.call("log_softmax", *ends, code.struct("kernels::SoftmaxScaling", **scaling), *quantize_multiplier(reverse))


def _depth(given: Tensor, result: Tensor) -> int:
    """The length of a row."""
    if given.shape != result.shape or not given.shape:
        raise Unsupported(f"goes from the shape {given.shape} to {result.shape}; both must be equal, with a dimension")
    depth = given.shape[-1]
    if not 1 <= depth <= _DEEPEST[given.dtype]:
        raise Unsupported(f"has rows of {depth} values, at most {_DEEPEST[given.dtype]} are computed")
    return depth


def _scaling(given: Tensor, beta: float) -> dict[str, int]:
    factor = min(beta * given.scale * (1 << (31 - _INTEGER_BITS)), (1 << 31) - 1.0)
    if factor <= 1.0:
        raise Unsupported(f"has a beta of {beta:g} and an input scale of {given.scale:g}, whose product is too small")
    multiplier, shift = quantize_multiplier(factor)
    radius = math.floor(((1 << _INTEGER_BITS) - 1) * (1 << (31 - _INTEGER_BITS)) / (1 << shift))
    return {"multiplier": multiplier, "shift": shift, "lowest_difference": -radius}


def _tables(code: Emitter) -> dict[str, str]:
    span = 65535
    exponential = _table(10.0 / span, 32767, 2.0 / span, math.exp)
    reciprocal = _table(1.0 / span, -32768, 2.0 / span, lambda value: 1.0 / (1.0 + value))
    return {"exponential": code.constant(exponential), "reciprocal": code.constant(reciprocal)}


def _table(
    scale: float, zero_point: int, output_scale: float, function: Callable[[float], float]
) -> npt.NDArray[np.int16]:
    """513 values of ``function`` over the reals that int16 stands for.

    Each is corrected by half of the error in the middle of its interval. In float32, as TFLM's
    kernels/internal/common.h (``LUTPopulateInt16``) has it.
    """
    single = np.float32
    lowest = single(single(scale) * single(-32768 - zero_point))
    highest = single(single(scale) * single(32767 - zero_point))
    step = single((highest - lowest) / single(512))
    inverse = single(
        single(65536) / (single(single(output_scale) * single(32767)) - single(single(output_scale) * single(-32768)))
    )

    def at(value: np.float32) -> np.float32:
        return single(function(float(value)))

    def rounded(value: np.float32) -> np.float32:
        return single(round_half_away(float(value)))

    table = []
    for index in range(512):
        begin = lowest + single(index) * step
        here, middle, behind = at(begin), at(begin + step / single(2)), at(lowest + single(index + 1) * step)
        sample = rounded(here * inverse)
        between = rounded((behind * inverse + sample) / single(2))
        bias = rounded((between - rounded(middle * inverse)) / single(2))
        table.append(float(sample - bias))
    table.append(float(rounded(at(highest) * inverse)))
    return np.clip(table, -32768, 32767).astype(np.int16)


FUNCTIONS: dict[str, Callable[[Operator, Emitter], None]] = {"LOG_SOFTMAX": log_softmax, "SOFTMAX": softmax}
