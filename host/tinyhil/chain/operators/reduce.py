"""MEAN, SUM, REDUCE_MAX, REDUCE_MIN, ARG_MAX, ARG_MIN."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from tinyhil.chain.emitter import Emitter
from tinyhil.chain.fixed_point import quantize_multiplier
from tinyhil.chain.graph import Operator, Tensor
from tinyhil.chain.operators.checks import need_scales, need_types
from tinyhil.chain.unsupported import Unsupported

_MOST_LOOPS = 3
"""Of each kind: the arrays of ``Reduction`` in firmware/lib/kernels/reduce.h."""


def mean(operator: Operator, code: Emitter) -> None:
    """MEAN of int8 or int16. Source: TFLM's kernels/internal/reference/reduce.h (``QuantizedMeanOrSum``)."""
    multiplier, shift = _factor(operator)
    count = _count(operator)
    moved = min(count.bit_length() - 1, 32, 31 + shift)
    _sum(operator, code, (multiplier << moved) // count, shift - moved)


def total(operator: Operator, code: Emitter) -> None:
    """SUM of int8 or int16."""
    _sum(operator, code, *_factor(operator))


def _factor(operator: Operator) -> tuple[int, int]:
    need_types(operator, (("int8", "int8"), ("int16", "int16")))
    given, result = operator.input(0), operator.outputs[0]
    need_scales(given, result)
    multiplier, shift = quantize_multiplier(given.scale / result.scale)
    if shift > 30:
        raise Unsupported(f"goes from the scale {given.scale:g} to {result.scale:g}, which is too small beside it")
    return multiplier, shift


def _sum(operator: Operator, code: Emitter, multiplier: int, shift: int) -> None:
    given, result = operator.input(0), operator.outputs[0]
    start = _wrapped(-given.zero_point * _count(operator))
    limits = np.iinfo(result.dtype)
    ends = _ends(operator, code)
    code.call("sum", *ends, start, multiplier, shift, result.zero_point, int(limits.min), int(limits.max))


def maximum(operator: Operator, code: Emitter) -> None:
    """REDUCE_MAX of int8."""
    _extreme(operator, code, "reduce_max", -128)


def minimum(operator: Operator, code: Emitter) -> None:
    """REDUCE_MIN of int8."""
    _extreme(operator, code, "reduce_min", 127)


def _extreme(operator: Operator, code: Emitter, function: str, start: int) -> None:
    need_types(operator, (("int8", "int8"),))
    given, result = operator.input(0), operator.outputs[0]
    if (given.scale, given.zero_point) != (result.scale, result.zero_point):
        raise Unsupported("has an output of another quantization than its input")
    code.call(function, *_ends(operator, code), start)


def arg_max(operator: Operator, code: Emitter) -> None:
    """ARG_MAX of int8: the first of the greatest values."""
    _arg_extreme(operator, code, 1)


def arg_min(operator: Operator, code: Emitter) -> None:
    """ARG_MIN of int8: the first of the least values."""
    _arg_extreme(operator, code, -1)


def _arg_extreme(operator: Operator, code: Emitter, sign: int) -> None:
    need_types(operator, (("int8", "int32"),))
    given, result = operator.input(0), operator.outputs[0]
    axes = _axes(operator)
    if len(axes) != 1:
        raise Unsupported(f"has {len(axes)} axes, one is computed")
    axis = axes[0]
    outer, count, inner = math.prod(given.shape[:axis]), given.shape[axis], math.prod(given.shape[axis + 1 :])
    if result.elements != outer * inner or given.elements == 0:
        raise Unsupported(f"goes from the shape {given.shape} to {result.shape} along the axis {axis}")
    code.header("reduce.h")
    code.call("arg_extreme", code.input(0), code.output(), outer, count, inner, sign)


def _axes(operator: Operator) -> tuple[int, ...]:
    """The axes, each once, counted from the first dimension, in order."""
    given, axes = operator.input(0), operator.input(1)
    if axes.values is None or axes.dtype != "int32":
        raise Unsupported("has axes that are no constant of int32")
    rank = len(given.shape)
    found = {int(axis) + (rank if axis < 0 else 0) for axis in axes.values.reshape(-1).tolist()}
    if not found <= set(range(rank)):
        raise Unsupported(f"has axes {axes.values.reshape(-1).tolist()} for an input of {rank} dimensions")
    return tuple(sorted(found))


def _count(operator: Operator) -> int:
    """How many elements one output comes from."""
    count = math.prod(operator.input(0).shape[axis] for axis in _axes(operator))
    if count == 0:
        raise Unsupported("reduces a dimension of no elements")
    return count


def _ends(operator: Operator, code: Emitter) -> tuple[str, str, str]:
    """The shape, the input and the output for the kernels."""
    given, result = operator.input(0), operator.outputs[0]
    if result.elements * _count(operator) != given.elements or given.elements == 0:
        raise Unsupported(f"reduces the shape {given.shape} to {result.shape}")
    code.header("reduce.h")
    return _shape(given, _axes(operator), code), code.input(0), code.output()


def _shape(given: Tensor, axes: tuple[int, ...], code: Emitter) -> str:
    """A constant ``kernels::Reduction``."""
    loops: dict[bool, list[tuple[int, int]]] = {False: [], True: []}
    step, last = 1, None
    for dimension in reversed(range(len(given.shape))):
        size, reduced = given.shape[dimension], dimension in axes
        if size == 1:
            continue
        if reduced == last:
            inner, distance = loops[reduced].pop()
            loops[reduced].append((inner * size, distance))
        else:
            loops[reduced].append((size, step))
        step, last = step * size, reduced
    fields = {}
    for name, found in (("kept", loops[False]), ("reduced", loops[True])):
        if len(found) > _MOST_LOOPS:
            raise Unsupported(f"reduces {len(found)} separate groups of dimensions, at most {_MOST_LOOPS} are computed")
        padded = [(1, 0)] * (_MOST_LOOPS - len(found)) + found[::-1]
        fields[name] = _array([size for size, _ in padded])
        fields[f"{name}_steps"] = _array([distance for _, distance in padded])
    return code.struct("kernels::Reduction", **fields)


def _array(values: list[int]) -> str:
    return f"{{{', '.join(str(value) for value in values)}}}"


def _wrapped(value: int) -> int:
    return (value + (1 << 31)) % (1 << 32) - (1 << 31)


FUNCTIONS: dict[str, Callable[[Operator, Emitter], None]] = {
    "ARG_MAX": arg_max,
    "ARG_MIN": arg_min,
    "MEAN": mean,
    "REDUCE_MAX": maximum,
    "REDUCE_MIN": minimum,
    "SUM": total,
}
