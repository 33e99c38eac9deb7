"""A model file's content as plain data."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

ITEM_BITS = {
    **dict.fromkeys(("int2",), 2),
    **dict.fromkeys(("int4", "uint4"), 4),
    **dict.fromkeys(("int8", "uint8", "bool", "float8_e4m3fn", "float8_e5m2"), 8),
    **dict.fromkeys(("int16", "uint16", "float16", "bfloat16"), 16),
    **dict.fromkeys(("int32", "uint32", "float32"), 32),
    **dict.fromkeys(("int64", "uint64", "float64", "complex64"), 64),
    "complex128": 128,
}
"""Bits of one element by element type; elements of less than a byte are packed. Those without a size are not here."""


STATEFUL = frozenset({"ASSIGN_VARIABLE", "READ_VARIABLE", "SVDF", "UNIDIRECTIONAL_SEQUENCE_LSTM", "VAR_HANDLE"})
"""Operators by which an inference depends on those before it."""


def stateful(ops: Collection[str]) -> bool:
    """Whether a model of these operators keeps something from one inference to the next."""
    return not STATEFUL.isdisjoint(ops)


@dataclass(frozen=True)
class Tensor:
    """One tensor of a graph.

    Attributes:
        index: in its graph.
        name: as in the file, which may have none.
        dtype: element type in lower case (``int8``), ``type_<n>`` for one that the schema does not know.
        shape: as in the file; -1 where it is dynamic.
        signature: the shape as it was before sizes were filled in, empty where that is the same; -1 where dynamic.
        scales: none for a tensor that is not quantized, one for quantization per tensor, more for per channel.
        zero_points: as many, or none where all are 0.
        axis: the dimension that the scales belong to, where there are several.
        constant_bytes: of its content in the file, 0 for a tensor that is computed.
        buffer: index of that content; tensors may share it.
        variable: whether it keeps its content from one inference to the next.
    """

    index: int
    name: str
    dtype: str
    shape: tuple[int, ...]
    signature: tuple[int, ...]
    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    axis: int
    constant_bytes: int
    buffer: int
    variable: bool = False

    @property
    def constant(self) -> bool:
        """Whether its content is in the file."""
        return self.constant_bytes > 0

    @property
    def dynamic(self) -> bool:
        """Whether a size is left open."""
        return any(size < 0 for size in self.shape + self.signature)

    @property
    def per_channel(self) -> bool:
        """Whether it has more than one scale."""
        return len(self.scales) > 1

    @property
    def nbytes(self) -> int:
        """Bytes of its elements, each open size taken as 1; 0 for types without a size, such as strings."""
        return (math.prod(abs(size) for size in self.shape) * ITEM_BITS.get(self.dtype, 0) + 7) // 8

    def __str__(self) -> str:
        return f"tensor {self.index} {self.name!r}"


@dataclass(frozen=True)
class Operator:
    """One operator of a graph.

    Attributes:
        index: in the order of execution.
        name: of the builtin operator: ``FULLY_CONNECTED``; ``BUILTIN_<n>`` where the schema does not know it;
            ``CUSTOM(<its name>)`` for a custom one.
        custom: whether it is a custom operator.
        version: of the operator.
        inputs: indices of tensors; -1 for an optional input that is not there.
        outputs: indices of tensors.
    """

    index: int
    name: str
    custom: bool
    version: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]

    def __str__(self) -> str:
        return f"operator {self.index} {self.name}"


@dataclass(frozen=True)
class Graph:
    """One subgraph: its tensors, its operators in the order of execution, and the tensors at its ends."""

    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]

    def of(self, indices: tuple[int, ...]) -> tuple[Tensor, ...]:
        """The tensors with these indices, without optional ones that are not there."""
        return tuple(self.tensors[index] for index in indices if index >= 0)

    @property
    def used(self) -> tuple[Tensor, ...]:
        """The tensors that an operator or an end of the graph names, in the order of their indices."""
        named = {*self.inputs, *self.outputs}
        for operator in self.operators:
            named |= {*operator.inputs, *operator.outputs}
        return tuple(tensor for tensor in self.tensors if tensor.index in named)


@dataclass(frozen=True)
class Model:
    """A model file.

    Attributes:
        size: of the file in bytes.
        graphs: the subgraphs; the first is the main one.
    """

    size: int
    graphs: tuple[Graph, ...]

    @property
    def main(self) -> Graph:
        """The subgraph that is run."""
        return self.graphs[0]

    @property
    def weight_bytes(self) -> int:
        """Bytes of all constants that are used, each counted once however many tensors share it."""
        return sum({tensor.buffer: tensor.constant_bytes for graph in self.graphs for tensor in graph.used}.values())
