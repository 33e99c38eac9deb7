"""Cuts a model after one of its operators: what that operator computes becomes the output, what comes later goes.

The graph need not be a chain. Kept are the operators that the cut's output is computed from, in their order, and no
others; a prefix is so the smallest model that computes it. Tensors, contents and operator codes that nothing names any
more go too, as do signatures and metadata, which speak of the whole. Every kept content stays as it is to the byte.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tinyhil.errors import ModelError
from tinyhil.tflite.model import Graph
from tinyhil.tflite.objects import pack, unpack
from tinyhil.tflite.reader import parse

_TENSORS = ("inputs", "outputs", "intermediates")
"""Where an operator names tensors."""
EVERY = -1
"""Instead of an operator: every one of them."""
_ABSENT = -1
"""An optional input that is not there."""


@dataclass(frozen=True)
class Prefix:
    """A model that was cut.

    Attributes:
        data: content of its file.
        operator: index, in the whole model, of the operator whose outputs are its outputs; ``EVERY`` where all of
            them are.
        operators: indices of those that were kept, in the order of execution.
        inputs: positions, among the inputs of the whole model, of those that it still takes, in their order.
    """

    data: bytes
    operator: int
    operators: tuple[int, ...]
    inputs: tuple[int, ...]


def sources(graph: Graph) -> tuple[frozenset[int], ...]:
    """For each operator, the operators whose outputs it reads."""
    made_by = {tensor: operator.index for operator in graph.operators for tensor in operator.outputs}
    return tuple(
        frozenset(made_by[tensor] for tensor in operator.inputs if made_by.get(tensor, operator.index) < operator.index)
        for operator in graph.operators
    )


def ancestry(before: Sequence[frozenset[int]], operator: int) -> frozenset[int]:
    """An operator and all that it is computed from.

    Args:
        before: as :func:`sources` gives them.
    """
    found = {operator}
    waiting = [operator]
    while waiting:
        more = before[waiting.pop()] - found
        found |= more
        waiting += more
    return frozenset(found)


def cut(data: bytes, operator: int, name: str) -> Prefix:
    """The model up to an operator.

    Where that is the last one and nothing would go, the prefix is the file as it is.

    Args:
        data: the file's content.
        operator: index of the operator in the order of execution, from 0.
        name: how to call the file in messages.

    Raises:
        IndexError: it has no such operator.
        ModelError: it is not a TFLite model, is damaged, or has several subgraphs.
    """
    model = parse(data, name)
    if len(model.graphs) != 1:
        raise ModelError(
            f"{name} has {len(model.graphs)} subgraphs, only one can be cut",
            hint="export the model without loops and branches, which make subgraphs",
        )
    graph = model.main
    outputs = graph.operators[operator].outputs
    kept = tuple(sorted(ancestry(sources(graph), operator)))
    if len(kept) == len(graph.operators) and outputs == graph.outputs:
        return Prefix(data, operator, kept, tuple(range(len(graph.inputs))))
    read = {tensor for index in kept for tensor in graph.operators[index].inputs}
    inputs = tuple(position for position, tensor in enumerate(graph.inputs) if tensor in read)
    unpacked = unpack(data, name)
    _shrink(unpacked, kept, [graph.inputs[position] for position in inputs], outputs)
    return Prefix(pack(unpacked), operator, kept, inputs)


def with_outputs(data: bytes, outputs: Sequence[int], name: str) -> Prefix:
    """The whole model, with other tensors as its outputs: what it computes inside can so be seen from outside.

    Args:
        data: the file's content.
        outputs: indices of tensors of its one graph.
        name: how to call the file in messages.

    Raises:
        ModelError: it is not a TFLite model, is damaged, or has several subgraphs.
    """
    model = parse(data, name)
    if len(model.graphs) != 1:
        raise ModelError(
            f"{name} has {len(model.graphs)} subgraphs, only one can be opened",
            hint="export the model without loops and branches, which make subgraphs",
        )
    unpacked = unpack(data, name)
    unpacked.subgraphs[0].outputs = list(outputs)
    unpacked.signatureDefs = None
    return Prefix(pack(unpacked), EVERY, tuple(range(len(model.main.operators))), tuple(range(len(model.main.inputs))))


def _shrink(model: Any, kept: Sequence[int], inputs: Sequence[int], outputs: Sequence[int]) -> None:
    """Leaves in a ``ModelT`` the operators ``kept``, between the tensors ``inputs`` and ``outputs``."""
    graph = model.subgraphs[0]
    graph.operators = [graph.operators[index] for index in kept]
    named = {*inputs, *outputs}
    for operator in graph.operators:
        for where in _TENSORS:
            named.update(_indices(operator, where))
    tensors = _renumbered(named - {_ABSENT})
    graph.tensors = [graph.tensors[index] for index in tensors]
    graph.inputs = [tensors[index] for index in inputs]
    graph.outputs = [tensors[index] for index in outputs]
    for operator in graph.operators:
        for where in _TENSORS:
            if getattr(operator, where) is not None:
                setattr(operator, where, [tensors.get(index, _ABSENT) for index in _indices(operator, where)])
    # The first buffer is empty by convention: it belongs to what is computed.
    buffers = _renumbered({0, *(tensor.buffer for tensor in graph.tensors)})
    model.buffers = [model.buffers[index] for index in buffers]
    for tensor in graph.tensors:
        tensor.buffer = buffers[tensor.buffer]
    codes = _renumbered(operator.opcodeIndex for operator in graph.operators)
    model.operatorCodes = [model.operatorCodes[index] for index in codes]
    for operator in graph.operators:
        operator.opcodeIndex = codes[operator.opcodeIndex]
    model.signatureDefs = model.metadata = model.metadataBuffer = None


def _indices(operator: Any, where: str) -> list[int]:
    found = getattr(operator, where)
    return [] if found is None else [int(index) for index in found]


def _renumbered(kept: Iterable[int]) -> dict[int, int]:
    """New index by old one, in the order of the old ones."""
    return {old: new for new, old in enumerate(sorted({int(index) for index in kept}))}
