"""L2_NORMALIZATION."""

from __future__ import annotations

from collections.abc import Callable

from tinyhil.chain.emitter import Emitter
from tinyhil.chain.graph import Operator
from tinyhil.chain.operators.checks import need_scales, need_types
from tinyhil.chain.unsupported import Unsupported

_DEEPEST = 33000
"""A longer row can overflow the sum of squares."""


def l2_norm(operator: Operator, code: Emitter) -> None:
    """L2_NORMALIZATION of int8 along the last dimension.

    TFLM takes the output to have the scale 1/128 and the zero point 0, whatever the model says.
    Source: TFLM's micro/kernels/l2norm.cc.
    """
    need_types(operator, (("int8", "int8"),))
    given, result = operator.input(0), operator.outputs[0]
    need_scales(given)
    if given.shape != result.shape or not 1 <= len(given.shape) <= 4 or 0 in given.shape:
        raise Unsupported(f"goes from the shape {given.shape} to {result.shape}, which must be equal, of 1 to 4 sizes")
    depth = given.shape[-1]
    if depth > _DEEPEST:
        raise Unsupported(f"has rows of {depth} values, at most {_DEEPEST} are computed")
    if operator.options is not None and operator.options.fusedActivationFunction:
        raise Unsupported(f"is fused with the activation {operator.options.fusedActivationFunction}")
    code.header("l2_norm.h")
    code.call("l2_norm", code.input(0), code.output(), given.elements // depth, depth, given.zero_point)


FUNCTIONS: dict[str, Callable[[Operator, Emitter], None]] = {"L2_NORMALIZATION": l2_norm}
