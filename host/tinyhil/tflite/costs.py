"""What each operator of a model takes by its file alone: multiply-accumulates, weights, and memory while it runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinyhil.tflite.macs import operator_macs
from tinyhil.tflite.model import Graph


@dataclass(frozen=True)
class OperatorFacts:
    """One operator.

    Attributes:
        operator: its index, in the order of execution.
        name: of the builtin operator.
        macs: multiply-accumulates of one inference.
        weight_bytes: of the constants that it reads; those of several operators count for the first one.
        live_bytes: of all tensors that are needed while it runs: those it reads and writes, and those for later.
    """

    operator: int
    name: str
    macs: int
    weight_bytes: int
    live_bytes: int


def operator_facts(graph: Graph) -> tuple[OperatorFacts, ...]:
    """The facts of all operators of a graph, in the order of execution."""
    first, last = _lives(graph)
    counted: set[int] = set()
    found = []
    for operator in graph.operators:
        weights = {tensor.buffer: tensor.constant_bytes for tensor in graph.of(operator.inputs) if tensor.constant}
        live = sum(
            tensor.nbytes
            for tensor in graph.tensors
            if tensor.index in first and first[tensor.index] <= operator.index <= last[tensor.index]
        )
        found.append(
            OperatorFacts(
                operator.index,
                operator.name,
                operator_macs(graph, operator),
                sum(size for buffer, size in weights.items() if buffer not in counted),
                live,
            )
        )
        counted |= set(weights)
    return tuple(found)


def in_order(names: Sequence[str], facts: Sequence[OperatorFacts]) -> tuple[OperatorFacts | None, ...]:
    """The operators that an engine has named, which leaves out those that it does not compute.

    Args:
        names: of operators, in the order of execution.

    Returns:
        For each name the operator that it belongs to, None from the first on that the model does not have.
    """
    found: list[OperatorFacts | None] = []
    rest = iter(facts)
    for name in names:
        found.append(next((each for each in rest if each.name == name), None))
    return tuple(found)


def _lives(graph: Graph) -> tuple[dict[int, int], dict[int, int]]:
    """The first and the last operator during which each computed tensor is needed."""
    first = dict.fromkeys(graph.inputs, 0)
    last = dict.fromkeys(graph.inputs, 0)
    for operator in graph.operators:
        for tensor in graph.of(operator.outputs):
            first.setdefault(tensor.index, operator.index)
            last[tensor.index] = operator.index
        for tensor in graph.of(operator.inputs):
            if tensor.index in first:
                last[tensor.index] = operator.index
    return first, last | dict.fromkeys(graph.outputs, len(graph.operators))
