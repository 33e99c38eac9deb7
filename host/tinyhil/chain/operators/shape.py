"""Operators that give the same bytes another shape."""

from __future__ import annotations

from collections.abc import Callable

from tinyhil.chain.emitter import Emitter
from tinyhil.chain.graph import Operator
from tinyhil.chain.unsupported import Unsupported


def same_bytes(operator: Operator, code: Emitter) -> None:
    """RESHAPE, SQUEEZE, EXPAND_DIMS: the output is the input in another shape, which memory does not know."""
    if operator.input(0).elements != operator.outputs[0].elements:
        raise Unsupported("has an output of another number of elements than its input")
    code.same_memory()


FUNCTIONS: dict[str, Callable[[Operator, Emitter], None]] = dict.fromkeys(
    ("RESHAPE", "SQUEEZE", "EXPAND_DIMS"), same_bytes
)
