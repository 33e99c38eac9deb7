"""Gives everything in the working memory its place, so that what is not needed at the same time shares it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tinyhil.chain.emitter import Emitter
from tinyhil.chain.graph import Graph, Tensor

ALIGNMENT = 16
"""Of every block, in bytes: what CMSIS-NN and bakenn ask for at most."""


@dataclass(frozen=True)
class Block:
    """Something that needs memory for some of the steps.

    Attributes:
        size: in bytes.
        first, last: the steps, both included, in which its content is needed.
    """

    size: int
    first: int
    last: int

    def meets(self, other: Block) -> bool:
        """Whether both are needed in one of the steps."""
        return self.first <= other.last and other.first <= self.last


@dataclass(frozen=True)
class Plan:
    """Where each block is.

    Attributes:
        offsets: of the blocks, in their order, in bytes.
        size: of the whole memory, in bytes.
    """

    offsets: tuple[int, ...]
    size: int


@dataclass(frozen=True)
class Places:
    """Where everything is in the working memory.

    Attributes:
        tensors: offsets of the tensors that are computed or given, by index.
        scratch: offsets of the operators' scratch memory, by the operator's index.
        size: of the memory, in bytes.
    """

    tensors: dict[int, int]
    scratch: dict[int, int]
    size: int


_ORDERS: tuple[Callable[[Block], tuple[int, ...]], ...] = (
    lambda block: (-block.size, block.first),
    lambda block: (-block.size * (block.last - block.first + 1), block.first),
    lambda block: (block.first - block.last, -block.size),
    lambda block: (block.first, -block.size),
    lambda block: (-block.last, -block.size),
)
"""In which blocks are given their places; which is best differs from model to model."""


def plan(blocks: Sequence[Block]) -> Plan:
    """The smallest of several plans, each of which gives every block the lowest place that is free in all its steps."""
    return min((_placed(blocks, order) for order in _ORDERS), key=lambda found: found.size)


def _placed(blocks: Sequence[Block], order: Callable[[Block], tuple[int, ...]]) -> Plan:
    offsets = [0] * len(blocks)
    placed: list[int] = []
    for index in sorted(range(len(blocks)), key=lambda number: order(blocks[number])):
        block = blocks[index]
        taken = sorted(
            (offsets[other], offsets[other] + _aligned(blocks[other].size))
            for other in placed
            if blocks[other].meets(block)
        )
        offset = 0
        for begin, end in taken:
            if begin - offset >= _aligned(block.size):
                break
            offset = max(offset, end)
        offsets[index] = offset
        placed.append(index)
    size = max((offsets[index] + _aligned(block.size) for index, block in enumerate(blocks)), default=0)
    return Plan(tuple(offsets), size)


def _aligned(size: int) -> int:
    return (size + ALIGNMENT - 1) // ALIGNMENT * ALIGNMENT


def places(graph: Graph, codes: Sequence[Emitter]) -> Places:
    """Lays out tensors, aliases of the same memory as one, and scratch memory over the steps of the chain."""
    root: dict[int, int] = {}

    def of(tensor: Tensor) -> int:
        index = tensor.index
        while index in root:
            index = root[index]
        return index

    for code in codes:
        if code.alias is not None:
            root[code.operator.outputs[0].index] = code.operator.input(code.alias).index
    end = len(codes)
    sizes: dict[int, int] = {}
    first: dict[int, int] = {}
    last: dict[int, int] = {}

    def use(tensor: Tensor | None, step: int) -> None:
        if tensor is None or tensor.values is not None or tensor.variable:
            return
        index = of(tensor)
        sizes[index] = max(sizes.get(index, 0), tensor.nbytes)
        first.setdefault(index, step)
        last[index] = max(last.get(index, step), step)

    for tensor in graph.inputs:
        use(tensor, 0)
    for step, code in enumerate(codes):
        for each in (*code.operator.inputs, *code.operator.outputs):
            use(each, step)
    for tensor in graph.outputs:
        use(tensor, end)
    indices = sorted(sizes)
    blocks = [Block(sizes[index], first[index], last[index]) for index in indices]
    scratch = [(step, code) for step, code in enumerate(codes) if code.scratch_bytes]
    blocks += [Block(code.scratch_bytes, step, step) for step, code in scratch]
    found = plan(blocks)
    offsets = dict(zip(indices, found.offsets, strict=False))
    every = {
        tensor.index: tensor for code in codes for tensor in (*code.operator.inputs, *code.operator.outputs) if tensor
    }
    every |= {tensor.index: tensor for tensor in (*graph.inputs, *graph.outputs)}
    return Places(
        {index: offsets[of(tensor)] for index, tensor in every.items() if of(tensor) in offsets},
        {code.operator.index: found.offsets[len(indices) + at] for at, (_, code) in enumerate(scratch)},
        found.size,
    )
