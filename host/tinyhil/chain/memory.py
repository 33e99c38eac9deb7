"""Gives everything in the working memory its place, so that what is not needed at the same time shares it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

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
