"""A function for each operator that the chain computes: it tells an :class:`Emitter` what is called.

A function raises :class:`Unsupported` where it does not compute the operator as it stands.
"""

from __future__ import annotations

from collections.abc import Callable

from tinyhil.chain.emitter import Emitter
from tinyhil.chain.graph import Operator
from tinyhil.chain.operators import (
    binary,
    convolutions,
    copies,
    l2_norm,
    pictures,
    quantize,
    recurrent,
    reduce,
    shape,
    softmax,
    spread,
    unary,
)

Function = Callable[[Operator, Emitter], None]

FUNCTIONS: dict[str, Function] = {
    **binary.FUNCTIONS,
    **convolutions.FUNCTIONS,
    **copies.FUNCTIONS,
    **l2_norm.FUNCTIONS,
    **pictures.FUNCTIONS,
    **quantize.FUNCTIONS,
    **recurrent.FUNCTIONS,
    **reduce.FUNCTIONS,
    **shape.FUNCTIONS,
    **softmax.FUNCTIONS,
    **spread.FUNCTIONS,
    **unary.FUNCTIONS,
}
"""By the operator's name. Layers (convolutions, Dense, pooling) are bakenn's first, see ``tinyhil.chain.layers``."""
