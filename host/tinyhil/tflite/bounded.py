"""Which tensors are kept from the ends of their types by what makes them: values there are then no values cut off."""

from __future__ import annotations

from typing import Any

from tinyhil.tflite.model import Operator
from tinyhil.tflite.objects import unpack
from tinyhil.tflite.reader import parse

Bounded = tuple[bool, bool]
"""From below, and from above."""

_NEITHER, _BELOW, _ABOVE, _BOTH = (False, False), (True, False), (False, True), (True, True)
_FUSED = {1: _BELOW, 2: _BOTH, 3: _BOTH, 4: _BOTH}
"""The schema's activations: RELU, RELU_N1_TO_1, RELU6, TANH."""
_OWN = {
    **dict.fromkeys(("ABS", "ELU", "EXP", "RELU", "RSQRT", "SQRT", "SQUARE", "SQUARED_DIFFERENCE"), _BELOW),
    **dict.fromkeys(("LOG_SOFTMAX", "LOGISTIC", "L2_NORMALIZATION", "RELU6", "SOFTMAX", "TANH", "SIN", "COS"), _BOTH),
    "HARD_SWISH": _BELOW,
    "MAXIMUM": _BELOW,
    "MINIMUM": _ABOVE,
}
"""Operators whose results have a bound of their own."""
_MOVES = frozenset(
    {
        *("BATCH_TO_SPACE_ND", "BROADCAST_TO", "CONCATENATION", "DEPTH_TO_SPACE", "EXPAND_DIMS", "GATHER", "GATHER_ND"),
        *("MAX_POOL_2D", "MIRROR_PAD", "PACK", "PAD", "PADV2", "REDUCE_MAX", "REDUCE_MIN", "RESHAPE"),
        *("RESIZE_NEAREST_NEIGHBOR", "REVERSE_V2", "SELECT_V2", "SLICE", "SPACE_TO_BATCH_ND", "SPACE_TO_DEPTH"),
        *("SPLIT", "SPLIT_V", "SQUEEZE", "STRIDED_SLICE", "TRANSPOSE", "UNPACK"),
    }
)
"""Operators that only choose among the values of their inputs: what lies at an end lay there before."""


def bounded(data: bytes, name: str) -> dict[int, Bounded]:
    """How the tensors that operators make are bounded, by their index.

    An activation that follows as an operator of its own (MINIMUM after MAXIMUM) bounds what it is given, too.

    Args:
        data: the file's content.
        name: how to call it in messages.

    Raises:
        ModelError: it is not a TFLite model, or damaged.
    """
    graph, objects = parse(data, name).main, unpack(data, name).subgraphs[0].operators
    found: dict[int, Bounded] = dict.fromkeys(graph.inputs, _BOTH)  # what is cut off there is told of the samples
    for operator, raw in zip(graph.operators, objects, strict=True):
        made = _of(operator, raw.builtinOptions, found)
        found |= dict.fromkeys(operator.outputs, made)
    return found


def _of(operator: Operator, options: Any, found: dict[int, Bounded]) -> Bounded:
    if operator.name in _MOVES:
        given = [found[index] for index in operator.inputs if index in found]
        return all(each[0] for each in given), all(each[1] for each in given)
    below, above = _FUSED.get(int(getattr(options, "fusedActivationFunction", 0) or 0), _NEITHER)
    own = _OWN.get(operator.name, _NEITHER)
    if operator.name in ("MAXIMUM", "MINIMUM"):
        given = [found[index] for index in operator.inputs if index in found]
        own = own[0] or any(each[0] for each in given), own[1] or any(each[1] for each in given)
    return below or own[0], above or own[1]
