"""Functions of each element by itself: RELU and its kin, LOGISTIC, TANH, HARD_SWISH, ELU, ABS, RSQRT.

Of EXP, LOG, NEG, SQRT and SQUARE TFLM takes real numbers only.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tinyhil.chain.emitter import Emitter
from tinyhil.chain.fixed_point import quantize_multiplier, round_half_away
from tinyhil.chain.graph import Operator, Tensor
from tinyhil.chain.operators import tables
from tinyhil.chain.operators.checks import need_scales, need_types
from tinyhil.chain.unsupported import Unsupported

_BYTES = (("int8", "int8"),)
_BOTH = (("int8", "int8"), ("int16", "int16"))


def relu(operator: Operator, code: Emitter) -> None:
    """RELU: the input in the output's scale, at least the zero point."""
    given, result = _ends(operator, _BOTH)
    lowest, highest = _limits(result)
    multiplier, shift = _factor(given, result)
    code.header("quantize.h")
    ends = (code.input(0), code.output(), result.elements)
    bounds = (max(lowest, result.zero_point), highest)
    code.call("requantize", *ends, -given.zero_point, multiplier, shift, result.zero_point, *bounds)


def relu6(operator: Operator, code: Emitter) -> None:
    """RELU6: the integers as they stand, clamped by the input's quantization. TFLM does not look at the output's."""
    given, result = _ends(operator, _BOTH)
    lowest, highest = _limits(given)
    six = round_half_away(float(np.float32(6.0) / np.float32(given.scale))) + given.zero_point
    code.header("unary.h")
    ends = (code.input(0), code.output(), result.elements)
    code.call("clamp_all", *ends, given.zero_point, min(max(six, lowest), highest))


def leaky_relu(operator: Operator, code: Emitter) -> None:
    """LEAKY_RELU. Source: TFLM's micro/kernels/leaky_relu_common.cc."""
    given, result = _ends(operator, _BOTH)
    lowest, highest = _limits(result)
    multiplier, shift = _factor(given, result)
    alpha = float(np.float32(operator.options.alpha)) if operator.options is not None else 0.0
    slope = given.scale * alpha / result.scale
    alpha_multiplier, alpha_shift = quantize_multiplier(abs(slope))
    if alpha_shift > 30:
        raise Unsupported(f"has an alpha of {alpha:g} that is too large for its scales")
    code.header("unary.h")
    parameters = code.struct(
        "kernels::LeakyRelu",
        offset=-given.zero_point,
        multiplier=multiplier,
        shift=shift,
        alpha_multiplier=alpha_multiplier,
        alpha_shift=alpha_shift,
        alpha_sign=-1 if slope < 0 else 1,
        zero_point=result.zero_point,
        lowest=lowest,
        highest=highest,
    )
    code.call("leaky_relu", code.input(0), code.output(), result.elements, parameters)


def absolute(operator: Operator, code: Emitter) -> None:
    """ABS. Source: TFLM's micro/kernels/elementwise.cc."""
    given, result = _ends(operator, _BOTH)
    multiplier, shift = _factor(given, result)
    code.header("unary.h")
    ends = (code.input(0), code.output(), result.elements)
    code.call("absolute", *ends, -given.zero_point, multiplier, shift, result.zero_point, *_limits(result))


def logistic(operator: Operator, code: Emitter) -> None:
    """LOGISTIC: of int8 by a table, of int16 by the kernel's."""
    given, result = _ends(operator, _BOTH)
    if given.dtype == "int16":
        _squash16(operator, code, "logistic", (0,))
        return
    if result.zero_point != -128:
        raise Unsupported(f"has an output with the zero point {result.zero_point}, only -128 is computed")
    _look_up(operator, code, tables.logistic(_sigmoid_scale(given), given.zero_point))


def tanh(operator: Operator, code: Emitter) -> None:
    """TANH: of int8 by a table, of int16 by the kernel's."""
    given, _ = _ends(operator, _BOTH)
    if given.dtype == "int16":
        _squash16(operator, code, "tanh", (0, 1))
        return
    _look_up(operator, code, tables.tanh(_sigmoid_scale(given), given.zero_point))


def _squash16(operator: Operator, code: Emitter, function: str, exact: tuple[int, ...]) -> None:
    """Source: TFLM's micro/kernels/logistic_common.cc and tanh.cc.

    Args:
        exact: powers of two, times 2^-12, that an input's scale is taken to be when it is close to one.
    """
    given, result = operator.input(0), operator.outputs[0]
    if _power(result.scale) != -15:
        raise Unsupported(f"has an output scale of {result.scale:g}, only 2^-15 is computed")
    power = _power(given.scale)
    if power is not None and power + 12 in exact:
        multiplier, right = 3 << (power + 12), 0
    else:
        factor, right = given.scale * 4096.0 * 3.0, 0
        while factor <= 32767.0 / 2.0 and right <= 30:
            factor, right = factor * 2.0, right + 1
        multiplier = int(factor)
    if multiplier > 32767:
        raise Unsupported(f"has an input scale of {given.scale:g}, at most 2.66 is computed")
    code.header("sigmoid16.h")
    code.header("squash16.h")
    code.call(function, code.input(0), code.output(), result.elements, multiplier, right)


def _power(scale: float) -> int | None:
    """The power of two that a scale is, up to a thousandth of the exponent, in float32."""
    single = np.float32
    power = single(np.log(single(scale))) * (single(1) / single(np.log(single(2))))
    whole = round_half_away(float(power))
    return whole if abs(float(power) - whole) < 1e-3 else None


def hard_swish(operator: Operator, code: Emitter) -> None:
    """HARD_SWISH by a table."""
    _table_of_both(operator, code, tables.hard_swish)


def elu(operator: Operator, code: Emitter) -> None:
    """ELU by a table."""
    _table_of_both(operator, code, tables.elu)


def rsqrt(operator: Operator, code: Emitter) -> None:
    """RSQRT by a table."""
    given, _ = _ends(operator, _BYTES)
    if given.zero_point != -128:
        raise Unsupported(
            f"has an input with the zero point {given.zero_point}; TFLM stops at a value below it, so it has to be -128"
        )
    _table_of_both(operator, code, tables.rsqrt)


def _table_of_both(operator: Operator, code: Emitter, table: Callable[[float, int, float, int], list[int]]) -> None:
    given, result = _ends(operator, _BYTES)
    try:
        outputs = table(given.scale, given.zero_point, result.scale, result.zero_point)
    except ValueError as error:
        raise Unsupported(f"has scales that TFLM does not take: {error}") from error
    _look_up(operator, code, outputs)


def _look_up(operator: Operator, code: Emitter, outputs: list[int]) -> None:
    code.header("unary.h")
    table = code.constant(np.array(outputs, np.int8))
    code.call("look_up", code.input(0), code.output(), operator.outputs[0].elements, table)


def _ends(operator: Operator, allowed: tuple[tuple[str, str], ...]) -> tuple[Tensor, Tensor]:
    need_types(operator, allowed)
    given, result = operator.input(0), operator.outputs[0]
    need_scales(given, result)
    if given.elements != result.elements:
        raise Unsupported(f"goes from the shape {given.shape} to {result.shape}")
    for tensor in (given, result):
        if tensor.dtype == "int16" and tensor.zero_point != 0:
            raise Unsupported(f"has a tensor ({tensor.name!r}) of int16 whose zero point is not 0")
    return given, result


def _limits(tensor: Tensor) -> tuple[int, int]:
    limits = np.iinfo(tensor.dtype)
    return int(limits.min), int(limits.max)


def _factor(given: Tensor, result: Tensor) -> tuple[int, int]:
    """From the input's scale to the output's, in double.

    TFLM's sources of August 2026 divide in float32; its host build of October 2026, the reference, does not.
    """
    multiplier, shift = quantize_multiplier(given.scale / result.scale)
    if shift > 30:
        raise Unsupported(f"goes from the scale {given.scale:g} to {result.scale:g}, which is too small beside it")
    return multiplier, shift


def _sigmoid_scale(given: Tensor) -> float:
    if given.scale < 2.0**-27:
        raise Unsupported(f"has an input scale of {given.scale:g}, at least 2^-27 is computed")
    return given.scale


FUNCTIONS: dict[str, Callable[[Operator, Emitter], None]] = {
    "ABS": absolute,
    "ELU": elu,
    "HARD_SWISH": hard_swish,
    "LEAKY_RELU": leaky_relu,
    "LOGISTIC": logistic,
    "RELU": relu,
    "RELU6": relu6,
    "RSQRT": rsqrt,
    "TANH": tanh,
}
