"""ADD, SUB, MUL, MAXIMUM, MINIMUM, SQUARED_DIFFERENCE, PRELU of two tensors, element by element."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tinyhil.chain.emitter import Emitter
from tinyhil.chain.fixed_point import quantize_multiplier
from tinyhil.chain.graph import Operator, Tensor
from tinyhil.chain.operators.broadcast import broadcast
from tinyhil.chain.operators.checks import fused_range, need_scales, need_types
from tinyhil.chain.unsupported import Unsupported

_QUANTIZED = (("int8", "int8", "int8"), ("int16", "int16", "int16"))


@dataclass(frozen=True)
class _Factors:
    """Real factors of both inputs to their common scale, and from there to the output's."""

    first: float
    second: float
    result: float


def add(operator: Operator, code: Emitter) -> None:
    """ADD and SUB of int8 or int16. Source: TFLM's micro/kernels/add_common.cc, in double.

    TFLM's sub_common.cc of August 2026 divides in float32; its host build of October 2026, the reference, does not.
    """
    sign = -1 if operator.name == "SUB" else 1
    first, second, output = _quantized(operator)
    left = 15 if output.dtype == "int16" else 20  # bits of precision that both inputs are given
    twice = 2 * max(first.scale, second.scale)
    factors = _Factors(first.scale / twice, second.scale / twice, twice / ((1 << left) * output.scale))
    if not 0.0 < factors.result < 1.0:
        raise Unsupported("has an output scale that is too small beside those of its inputs")
    multiplier, shift = quantize_multiplier(factors.result)
    if shift > 0:
        raise Unsupported("has an output scale that is too small beside those of its inputs")
    if shift < -30:  # every sum is below a half
        multiplier, shift = 0, 0
    _common_scale(operator, code, "add", factors, left, sign, (multiplier, shift), _range(operator))


def squared_difference(operator: Operator, code: Emitter) -> None:
    """SQUARED_DIFFERENCE of int8. Source: TFLM's micro/kernels/squared_difference.cc."""
    need_types(operator, _QUANTIZED[:1], 2)
    first, second, output = _quantized(operator)
    left = 7
    twice = 2.0 * max(first.scale, second.scale)
    result = (twice * twice) / float(np.float32(1 << left * 2) * np.float32(output.scale))
    factors = _Factors(first.scale / twice, second.scale / twice, result)
    _common_scale(operator, code, "squared_difference", factors, left, -1, _multiplier(result), (-128, 127))


def _common_scale(
    operator: Operator,
    code: Emitter,
    function: str,
    factors: _Factors,
    left: int,
    sign: int,
    result: tuple[int, int],
    bounds: tuple[int, int],
) -> None:
    """Calls a kernel that takes the input with the greater scale first; ``sign`` is that of the second input."""
    wide, narrow, factor = operator.input(0), operator.input(1), factors.second
    wide_sign, narrow_sign = 1, sign
    if factors.second > factors.first:
        wide, narrow, factor = narrow, wide, factors.first
        wide_sign, narrow_sign = sign, 1
    multiplier, shift = quantize_multiplier(factor)
    if shift < -30:  # every value is below a half
        multiplier, shift = 0, 0
    code.header("binary.h")
    shape = broadcast(operator, code, wide, narrow)
    scale = code.struct(
        "kernels::CommonScale",
        wide_factor=wide_sign << left >> 1,
        wide_start=-wide.zero_point * (wide_sign << left >> 1),
        narrow_factor=2 << left,
        narrow_start=-narrow.zero_point * (2 << left),
        narrow_multiplier=multiplier,
        narrow_right=-shift,
        narrow_sign=narrow_sign,
        multiplier=result[0],
        shift=result[1],
        offset=operator.outputs[0].zero_point,
        lowest=bounds[0],
        highest=bounds[1],
    )
    position = operator.inputs.index
    code.call(function, shape, code.input(position(wide)), code.input(position(narrow)), code.output(), scale)


def multiply(operator: Operator, code: Emitter) -> None:
    """MUL of int8 or int16. Source: TFLM's micro/kernels/mul_common.cc."""
    first, second, output = _quantized(operator)
    multiplier, shift = _multiplier(first.scale * second.scale / output.scale)
    lowest, highest = _range(operator)
    code.header("binary.h")
    shape = broadcast(operator, code, first, second)
    product = code.struct(
        "kernels::Product",
        offset1=-first.zero_point,
        offset2=-second.zero_point,
        multiplier=multiplier,
        shift=shift,
        offset=output.zero_point,
        lowest=lowest,
        highest=highest,
    )
    code.call("multiply", shape, code.input(0), code.input(1), code.output(), product)


def prelu(operator: Operator, code: Emitter) -> None:
    """PRELU of int8, or of int16 with slopes of int8. Source: TFLM's micro/kernels/prelu_common.cc."""
    need_types(operator, (("int8", "int8", "int8"), ("int16", "int8", "int16")), 2)
    given, alpha, result = _need_quantized(operator.input(0), operator.input(1), operator.outputs[0])
    multiplier, shift = _multiplier(given.scale / result.scale)
    alpha_multiplier, alpha_shift = _multiplier(given.scale * alpha.scale / result.scale)
    limits = np.iinfo(result.dtype)
    code.header("binary.h")
    shape = broadcast(operator, code, given, alpha)
    parameters = code.struct(
        "kernels::Prelu",
        offset=-given.zero_point,
        alpha_offset=-alpha.zero_point,
        multiplier=multiplier,
        shift=shift,
        alpha_multiplier=alpha_multiplier,
        alpha_shift=alpha_shift,
        zero_point=result.zero_point,
        lowest=int(limits.min),
        highest=int(limits.max),
    )
    code.call("prelu", shape, code.input(0), code.input(1), code.output(), parameters)


def select(operator: Operator, code: Emitter) -> None:
    """MAXIMUM and MINIMUM of the integers as they stand.

    Whatever they stand for: TFLM asks that all scales are equal, unseen.
    """
    need_types(operator, (*_QUANTIZED, ("int32", "int32", "int32")), 2)
    code.header("binary.h")
    shape = broadcast(operator, code, operator.input(0), operator.input(1))
    code.call(operator.name.lower(), shape, code.input(0), code.input(1), code.output())


def _quantized(operator: Operator) -> tuple[Tensor, ...]:
    need_types(operator, _QUANTIZED, 2)
    return _need_quantized(operator.input(0), operator.input(1), operator.outputs[0])


def _need_quantized(*tensors: Tensor) -> tuple[Tensor, ...]:
    need_scales(*tensors)
    for tensor in tensors:
        if tensor.dtype == "int16" and tensor.zero_point != 0:
            raise Unsupported(f"has a tensor ({tensor.name!r}) of int16 whose zero point is not 0")
    return tensors


def _multiplier(factor: float) -> tuple[int, int]:
    multiplier, shift = quantize_multiplier(factor)
    if shift > 30:
        raise Unsupported("has an output scale that is too small beside those of its inputs")
    return multiplier, shift


def _range(operator: Operator) -> tuple[int, int]:
    activation = operator.options.fusedActivationFunction if operator.options is not None else 0
    return fused_range(activation, operator.outputs[0])


FUNCTIONS: dict[str, Callable[[Operator, Emitter], None]] = {
    "ADD": add,
    "MAXIMUM": select,
    "MINIMUM": select,
    "MUL": multiply,
    "PRELU": prelu,
    "SQUARED_DIFFERENCE": squared_difference,
    "SUB": add,
}
