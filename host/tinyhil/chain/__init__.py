"""The engine ``compiled``: a model as C++ that calls one operator after the other, in one planned memory.

:func:`compile_model` makes the sources, :func:`refusals` says what keeps it from that. Each operator is either a layer
that bakenn compiles, or a call of one of our kernels (``firmware/lib/kernels``), which compute what TensorFlow Lite
Micro computes, bit for bit. ``operators`` has a function for each operator, which says what is called with which
constants; ``memory`` gives every tensor its place.
"""

from tinyhil.chain.asked import Asked, Refused, ask, sources_sha256
from tinyhil.chain.compile import OPERATORS, Compiled, Refusal, compile_model, memory_bytes, refusals
from tinyhil.chain.profiles import extension
from tinyhil.chain.unsupported import Unsupported

__all__ = [
    "OPERATORS",
    "Asked",
    "Compiled",
    "Refusal",
    "Refused",
    "Unsupported",
    "ask",
    "compile_model",
    "extension",
    "memory_bytes",
    "refusals",
    "sources_sha256",
]
