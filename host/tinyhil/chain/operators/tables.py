"""Functions of one int8 value as tables of 256, computed in integers as TFLM computes each value.

Every function returns the outputs for -128 .. 127. Scales are those of the model, float32 as Python floats.
Sources: gemmlowp's fixedpoint.h, TFLM's kernels/internal/reference/{hard_swish.h,integer_ops/logistic.h,
integer_ops/tanh.h}, micro/kernels/{elu,elementwise}.cc.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from tinyhil.chain.fixed_point import quantize_multiplier, round_half_away

_TOP = (1 << 31) - 1


def logistic(scale: float, zero_point: int) -> list[int]:
    """LOGISTIC; the output has the scale 1/256 and the zero point -128, whatever the model says."""

    def at(value: int) -> int:
        exponential = _exp_of_negative(-abs(value), 4)
        share = _reciprocal_of_one_plus(exponential)
        real = 1 << 30 if value == 0 else share if value > 0 else _TOP - share
        return _divide(real, 31 - 8) - 128

    return _of_scaled(scale, zero_point, at)


def tanh(scale: float, zero_point: int) -> list[int]:
    """TANH; the output has the scale 1/128 and the zero point 0, whatever the model says."""

    def at(value: int) -> int:
        real = _one_minus_over_one_plus(_exp_of_negative(-abs(value), 5)) if value else 0
        return _divide(real if value >= 0 else -real, 31 - 7)

    return _of_scaled(scale, zero_point, at)


def _of_scaled(scale: float, zero_point: int, at: Callable[[int], int]) -> list[int]:
    """``at`` of each input in fixed point with 4 integer bits, the ends of int8 beyond what that can hold."""
    multiplier, shift = quantize_multiplier(scale * (1 << 27))
    radius = math.floor(15 * (1 << 27) / 2.0**shift)
    table = []
    for value in range(-128 - zero_point, 128 - zero_point):
        if value <= -radius:
            table.append(-128)
        elif value >= radius:
            table.append(127)
        else:
            table.append(_clamp(at(_scaled(value, multiplier, shift))))
    return table


def hard_swish(scale: float, zero_point: int, output_scale: float, output_zero_point: int) -> list[int]:
    """HARD_SWISH, in int16.

    Raises:
        ValueError: the output's scale is so small that its factor is 1 or more, which TFLM refuses.
    """
    fine = scale / 128.0
    multiplier, exponent = quantize_multiplier(fine / output_scale)
    relu_multiplier, relu_exponent = quantize_multiplier(fine / (3.0 / 32768.0))
    if exponent > 0:
        raise ValueError("the factor to the output's scale is 1 or more")
    factor, relu_factor = _upper_half(multiplier), _upper_half(relu_multiplier)
    table = []
    for value in range(-128 - zero_point, 128 - zero_point):
        wide = value * 128
        relu = wide
        if relu_exponent > 0:
            relu = _clamp16(relu << (relu_exponent - 1))
        relu = _multiply16(relu, relu_factor)
        if relu_exponent > 0:
            relu = _clamp16(relu << 1)
        elif relu_exponent < 0:
            relu = _divide16(relu, -relu_exponent)
        relu = (relu + (1 << 15)) >> 1
        product = relu * _multiply16(wide, factor)
        truncated = abs(product) // (1 << 15) * (1 if product >= 0 else -1)
        table.append(_clamp(_divide16(truncated, -exponent) + output_zero_point))
    return table


def elu(scale: float, zero_point: int, output_scale: float, output_zero_point: int) -> list[int]:
    """ELU, in float32."""
    single = np.float32
    inverse = single(1) / single(output_scale)
    table = []
    with np.errstate(over="ignore", invalid="ignore"):
        for value in range(-128 - zero_point, 128 - zero_point):
            real = single(scale) * single(value)
            if real < 0:
                real = single(math.exp(float(real))) - single(1)
            quantized = float(single(_rounded(float(real * inverse))) + single(output_zero_point))
            # Beyond 32 bits the conversion to an integer gives the lowest there is.
            table.append(_clamp(int(quantized)) if abs(quantized) < 2**31 else -128)
    return table


def rsqrt(scale: float, zero_point: int, output_scale: float, output_zero_point: int) -> list[int]:
    """RSQRT of values that are at least the zero point; those below it have the output of the zero point here.

    Raises:
        ValueError: the factor to the output's scale is beyond what the arithmetic holds.
    """
    single = np.float32
    with np.errstate(over="ignore"):
        root = float(np.sqrt(single(scale)) * single(output_scale))
    multiplier, shift = quantize_multiplier(1.0 / root if root else math.inf)
    if not -31 <= shift - 20 <= 30:
        raise ValueError("the factor to the output's scale is beyond what the arithmetic holds")
    table = []
    for value in range(-128 - zero_point, 128 - zero_point):
        if value <= 0:
            table.append(127)
            continue
        inverse, inverse_shift = _inverse_root(value)
        data = _scaled(1, inverse, inverse_shift + 20)
        table.append(_clamp(_scaled(data, multiplier, shift - 20) + output_zero_point))
    return table


def _rounded(value: float) -> float:
    return float(round_half_away(value)) if math.isfinite(value) else value


def _clamp(value: int) -> int:
    return min(max(value, -128), 127)


def _clamp16(value: int) -> int:
    return min(max(value, -32768), 32767)


def _wrap32(value: int) -> int:
    return (value + (1 << 31)) % (1 << 32) - (1 << 31)


def _wrap16(value: int) -> int:
    return (value + (1 << 15)) % (1 << 16) - (1 << 15)


def _multiply(a: int, b: int) -> int:
    """Product with 31 fractional bits, halves up."""
    return (a * b + (1 << 30)) >> 31


def _divide(value: int, exponent: int) -> int:
    """By a power of two, halves away from zero."""
    half = 1 << exponent >> 1
    return (value + half) >> exponent if value >= 0 else -((-value + half) >> exponent)


def _scaled(value: int, multiplier: int, shift: int) -> int:
    return _divide(_multiply(_wrap32(value << max(shift, 0)), multiplier), max(-shift, 0))


def _upper_half(multiplier: int) -> int:
    return min((multiplier + (1 << 15)) >> 16, 32767)


def _multiply16(a: int, b: int) -> int:
    return (a * b + (1 << 14)) >> 15


def _divide16(value: int, exponent: int) -> int:
    """By a power of two in int16, where the mask of the remainder is cut to 16 bits, too."""
    mask = _wrap16((1 << exponent) - 1)
    remainder = value & mask
    threshold = (mask >> 1) + (1 if value < 0 else 0)
    return (value >> exponent) + (1 if remainder > threshold else 0)


_FACTORS = (1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242)
"""exp of -1/4, -1/2, -1 .. -16 with 31 fractional bits."""


def _exp_of_negative(value: int, integer_bits: int) -> int:
    """Exp with 31 fractional bits of ``value`` with ``integer_bits``, which is 0 or less."""
    if value == 0:
        return _TOP
    quarter = 1 << (29 - integer_bits)
    fraction = (value & (quarter - 1)) - quarter
    offset = (fraction << integer_bits) + (1 << 28)
    square = _multiply(offset, offset)
    third_power, fourth_power = _multiply(square, offset), _multiply(square, square)
    tail = _divide(_multiply(_divide(fourth_power, 2) + third_power, 715827883) + square, 1)
    result = 1895147668 + _multiply(1895147668, offset + tail)
    rest = fraction - value
    for bit, factor in enumerate(_FACTORS[: integer_bits + 2]):
        if rest & (quarter << bit):
            result = _multiply(result, factor)
    return result


def _newton(value: int) -> int:
    """2 / (1 + value) with 29 fractional bits, of ``value`` with 31."""
    half_denominator = (value + _TOP + 1) // 2
    result = 1515870810 + _multiply(half_denominator, -1010580540)
    for _ in range(3):
        result += _multiply(result, (1 << 29) - _multiply(half_denominator, result)) << 2
    return result


def _reciprocal_of_one_plus(value: int) -> int:
    return min(_newton(value) << 1, _TOP)


def _one_minus_over_one_plus(value: int) -> int:
    return min((_newton(value) - (1 << 29)) << 2, _TOP)


def _inverse_root(value: int) -> tuple[int, int]:
    """Multiplier and shift of one over the square root of an integer from 1 to 255."""
    if value == 1:
        return _TOP, 0
    pairs = (32 - value.bit_length() - 1) // 2 - 1
    shift = 11 - pairs
    number = value << 2 * pairs >> 1  # three integer bits from here
    half = _divide(number, 1)
    x = 1 << 28
    for _ in range(5):
        cube = _multiply(_multiply(x, x), x) << 6
        x = (_multiply((1 << 28) + (1 << 27), x) - _multiply(half, cube)) << 3
    x = _multiply(x, 1518500250)
    return (x << -shift, 0) if shift < 0 else (x, -shift)
