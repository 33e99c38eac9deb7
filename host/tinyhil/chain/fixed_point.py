"""Real factors as the integers that the kernels multiply by, exactly as TensorFlow Lite Micro prepares them.

Source: tensorflow/lite/kernels/internal/quantization_util.cc (``QuantizeMultiplier`` and what stands beside it).
"""

from __future__ import annotations

import math


def quantize_multiplier(factor: float) -> tuple[int, int]:
    """``factor`` as a multiplier of 31 fractional bits and a shift to the left: ``factor = m * 2**(shift - 31)``.

    Args:
        factor: at least 0, a double.

    Returns:
        The multiplier, 0 or 2**30 .. 2**31 - 1, and the shift, at least -31.
    """
    if factor == 0.0:
        return 0, 0
    fraction, shift = math.frexp(factor)
    multiplier = round_half_away(fraction * (1 << 31))
    if multiplier == 1 << 31:
        multiplier //= 2
        shift += 1
    if shift < -31:
        return 0, 0
    return multiplier, shift


def round_half_away(value: float) -> int:
    """The nearest integer, halves away from zero: ``std::round`` and ``TfLiteRound``."""
    return int(math.copysign(math.floor(abs(value) + 0.5), value)) if abs(value) < 2**52 else int(value)


def activation_range(activation: int, dtype: str, scale: float, zero_point: int) -> tuple[int, int]:
    """The lowest and highest integer that a fused activation leaves of an output.

    Args:
        activation: value of the schema's ``ActivationFunctionType``.
        dtype: ``int8``, ``uint8``, ``int16`` or ``int32``.

    Raises:
        ValueError: the activation is not one that clamps.
    """
    limits = {"int8": (-128, 127), "uint8": (0, 255), "int16": (-32768, 32767), "int32": (-(2**31), 2**31 - 1)}
    lowest, highest = limits[dtype]

    def quantized(real: float) -> int:
        return zero_point + round_half_away(_float32(real / scale))

    if activation == 0:  # NONE
        return lowest, highest
    if activation == 1:  # RELU
        return max(lowest, quantized(0.0)), highest
    if activation == 2:  # RELU_N1_TO_1
        return max(lowest, quantized(-1.0)), min(highest, quantized(1.0))
    if activation == 3:  # RELU6
        return max(lowest, quantized(0.0)), min(highest, quantized(6.0))
    raise ValueError(f"activation {activation} does not clamp")


def _float32(value: float) -> float:
    """TFLM divides floats here; a double quotient of two float32 rounded to float32 is the float32 quotient."""
    import numpy as np

    return float(np.float32(value))
