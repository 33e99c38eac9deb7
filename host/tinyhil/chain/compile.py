"""From a model file to the sources of its chain."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from tinyhil import tflite
from tinyhil.chain import floats, memory, single, source
from tinyhil.chain import layers as bakenn_layers
from tinyhil.chain.emitter import Emitter
from tinyhil.chain.graph import Graph, Operator, Tensor, read
from tinyhil.chain.layers import Layers
from tinyhil.chain.operators import FUNCTIONS
from tinyhil.chain.unsupported import Unsupported
from tinyhil.errors import ModelError

OPERATORS = frozenset(bakenn_layers.OPERATORS | set(FUNCTIONS) | floats.FUNCTIONS)
"""The names of all operators that are computed in some form."""


@dataclass(frozen=True)
class Compiled:
    """A compiled model.

    Attributes:
        files: its sources, by path.
        kernels: file names of the kernels of firmware/lib/kernels that they include, with what those include.
        memory_bytes: working memory, without state.
    """

    files: Mapping[str, bytes]
    kernels: tuple[str, ...]
    memory_bytes: int


def compile_model(data: bytes, name: str, *, cmsis: bool, profile: str) -> Compiled:
    """Compiles a model.

    Args:
        data: content of the .tflite file.
        name: how to call it in messages.
        cmsis: whether CMSIS-NN's kernels are used where there are some.
        profile: bakenn's name of the CPU.

    Raises:
        ModelError: it is no model, or one of its operators cannot be computed.
    """
    tflite.parse(data, name)  # with the model's name in what it says
    graph, layers, codes, refused = _emitted(data, cmsis, profile)
    if refused:
        operator, error = refused[0]
        raise ModelError(f"the engine 'compiled' cannot compute {name}: {operator} {error.cause}", hint=error.hint)
    places = memory.places(graph, codes)
    return Compiled(
        files=source.write(graph, codes, places, bool(layers.steps)) | layers.files(),
        kernels=tuple(sorted({header for code in codes for header in code.headers})),
        memory_bytes=places.size,
    )


@dataclass(frozen=True)
class Refusal:
    """An operator that the chain does not compute, as it stands in the model."""

    operator: Operator
    cause: str
    hint: str


def refusals(data: bytes, *, cmsis: bool, profile: str) -> tuple[Refusal, ...]:
    """What keeps the chain from computing a model, operator by operator; nothing where nothing does.

    Raises:
        ModelError: it is no model.
    """
    *_, refused = _emitted(data, cmsis, profile)
    return tuple(Refusal(operator, error.cause, error.hint) for operator, error in refused)


def memory_bytes(data: bytes, *, cmsis: bool, profile: str) -> int:
    """Working memory of a model that has no refusals, in bytes, without state."""
    graph, _, codes, _ = _emitted(data, cmsis, profile)
    return memory.places(graph, codes).size


@lru_cache(maxsize=2)
def _emitted(
    data: bytes, cmsis: bool, profile: str
) -> tuple[Graph, Layers, list[Emitter], list[tuple[Operator, Unsupported]]]:
    """The code of all operators: pre-flight asks for it, and rendering right after it."""
    graph, layers = floats.joined(read(data, "the model")), Layers(cmsis, profile)
    codes, refused = [], []
    users = Counter(tensor.index for operator in graph.operators for tensor in _variables(operator))
    for operator in graph.operators:
        code = Emitter(operator)
        try:
            _operator(operator, code, layers)
            if any(users[tensor.index] > 1 for tensor in _variables(operator)):
                raise Unsupported("shares its state with another operator")
            if _variables(operator) and not code.states:
                raise Unsupported("reads a variable tensor")
        except Unsupported as error:
            refused.append((operator, error))
        codes.append(code)
    return graph, layers, codes, refused


def _variables(operator: Operator) -> list[Tensor]:
    return [tensor for tensor in operator.inputs if tensor is not None and tensor.variable]


def _operator(operator: Operator, code: Emitter, layers: Layers) -> None:
    """Bakenn's layer where it takes the operator, else our own function."""
    _require_sound(operator)
    try:
        _compiled(operator, code, layers)
    except _UNSOUND as error:  # a file may have anything where an operator expects its tensors and options
        raise Unsupported("does not have the tensors and options that it should", "export the model again") from error


_UNSOUND = (AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError, ZeroDivisionError)


def _require_sound(operator: Operator) -> None:
    """What every operator needs, and a damaged file may lack."""
    if not operator.outputs:
        raise Unsupported("has no output", "export the model again")
    for tensor in (*operator.inputs, *operator.outputs):
        if tensor is None:
            continue
        if not all(0.0 < scale < math.inf for scale in tensor.scales):
            raise Unsupported(f"has a tensor ({tensor.name!r}) with a scale that is not above zero and finite")
        if any(size < 1 for size in tensor.shape):
            raise Unsupported(f"has a tensor ({tensor.name!r}) of no elements, of shape {tensor.shape}")


def _compiled(operator: Operator, code: Emitter, layers: Layers) -> None:
    own = floats.look_up if operator.path else FUNCTIONS.get(operator.name)
    if operator.name in bakenn_layers.OPERATORS:
        try:
            layers.add(operator, single.model_of(operator), code)
            return
        except (Unsupported, ModelError):
            if own is None:
                raise
    if own is None and operator.name in floats.FUNCTIONS:
        raise Unsupported("is computed between a DEQUANTIZE from int8 and a QUANTIZE to int8 only")
    if own is None:
        raise Unsupported("is not computed")
    own(operator, code)
