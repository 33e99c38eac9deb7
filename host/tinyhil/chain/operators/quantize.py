"""QUANTIZE and DEQUANTIZE."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tinyhil.chain.emitter import Emitter
from tinyhil.chain.fixed_point import quantize_multiplier
from tinyhil.chain.graph import Operator, Tensor
from tinyhil.chain.operators.checks import need_scales, need_types
from tinyhil.chain.unsupported import Unsupported

_QUANTIZED = (
    ("float32", "int8"),
    ("float32", "int16"),
    ("int8", "int8"),
    ("int8", "uint8"),
    ("int8", "int16"),
    ("int8", "int32"),
    ("uint8", "int8"),
    ("int16", "int8"),
    ("int16", "int16"),
    ("int16", "int32"),
    ("int32", "int8"),
    ("int32", "int16"),
)
"""What TFLM takes."""
_DEQUANTIZED = (("int8", "float32"), ("uint8", "float32"), ("int16", "float32"))


def quantize(operator: Operator, code: Emitter) -> None:
    """QUANTIZE of real numbers, or of integers to another scale.

    Source: TFLM's micro/kernels/quantize_common.cc.
    """
    given, result = _ends(operator, _QUANTIZED)
    need_scales(result)
    code.header("quantize.h")
    ends = (code.input(0), code.output(), result.elements)
    limits = np.iinfo(result.dtype)
    bounds = (int(limits.min), int(limits.max))
    if given.dtype == "float32":
        code.call("quantize", *ends, result.scale, result.zero_point, *bounds)
        return
    need_scales(given)
    multiplier, shift = quantize_multiplier(given.scale / result.scale)
    if shift > 30:
        raise Unsupported(f"goes from the scale {given.scale:g} to {result.scale:g}, which is too small beside it")
    code.call("requantize", *ends, -given.zero_point, multiplier, shift, result.zero_point, *bounds)


def dequantize(operator: Operator, code: Emitter) -> None:
    """DEQUANTIZE to real numbers. Source: TFLM's micro/kernels/dequantize_common.cc."""
    given, _ = _ends(operator, _DEQUANTIZED)
    need_scales(given)
    code.header("quantize.h")
    code.call("dequantize", code.input(0), code.output(), given.elements, given.scale, given.zero_point)


def _ends(operator: Operator, allowed: tuple[tuple[str, str], ...]) -> tuple[Tensor, Tensor]:
    need_types(operator, allowed)
    given, result = operator.input(0), operator.outputs[0]
    if given.elements != result.elements:
        raise Unsupported(f"goes from the shape {given.shape} to {result.shape}")
    return given, result


FUNCTIONS: dict[str, Callable[[Operator, Emitter], None]] = {"DEQUANTIZE": dequantize, "QUANTIZE": quantize}
