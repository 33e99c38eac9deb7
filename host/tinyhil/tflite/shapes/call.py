"""One operator as its rule sees it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tinyhil.tflite.model import Operator, Tensor

Shape = tuple[int, ...]


class Unfit(Exception):
    """What an operator is given does not fit together; the message follows the operator's name."""


@dataclass(frozen=True)
class Call:
    """One operator with its tensors.

    Attributes:
        operator: the operator.
        inputs: its tensors; None for an optional one that is not there.
        outputs: its tensors.
        options: the schema's options object, None where the file has none.
        content: the integers of a constant tensor in row-major order; None for one that is computed, or is no integers.
        graphs: how many subgraphs the model has.
    """

    operator: Operator
    inputs: tuple[Tensor | None, ...]
    outputs: tuple[Tensor, ...]
    options: Any
    content: Callable[[Tensor], list[int] | None]
    graphs: int

    def input(self, position: int) -> Tensor:
        """An input that has to be there.

        Raises:
            Unfit: there is none.
        """
        tensor = self.optional(position)
        if tensor is None:
            raise Unfit(f"lacks its input {position}")
        return tensor

    def optional(self, position: int) -> Tensor | None:
        """An input, or None where it is left out."""
        return self.inputs[position] if position < len(self.inputs) else None

    def shape(self, position: int) -> Shape:
        """The shape of an input; an open size counts as 1."""
        return sizes(self.input(position))

    def values(self, position: int) -> list[int] | None:
        """The integers of a constant input; None where it is computed."""
        return self.content(self.input(position))

    def option(self, name: str, otherwise: int = 0) -> int:
        """An option that is a whole number; ``otherwise`` where the file has no options."""
        return int(getattr(self.options, name, otherwise))


def sizes(tensor: Tensor) -> Shape:
    """The shape of a tensor; an open size counts as 1."""
    return tuple(abs(size) for size in tensor.shape)


def elements(shape: Shape) -> int:
    """How many elements a tensor of a shape has."""
    return math.prod(shape)


def axis_of(axis: int, rank: int) -> int:
    """An axis counted from the first.

    Raises:
        Unfit: there is none such.
    """
    found = axis + rank if axis < 0 else axis
    if not 0 <= found < rank:
        raise Unfit(f"has axis {axis} of {rank} dimensions")
    return found


def need(condition: bool, cause: str) -> None:
    """Raises: Unfit: the condition does not hold."""
    if not condition:
        raise Unfit(cause)


def need_rank(shape: Shape, *ranks: int, what: str = "an input") -> None:
    """Raises: Unfit: the shape has another number of dimensions."""
    if len(shape) not in ranks:
        wanted = " or ".join(str(rank) for rank in ranks)
        raise Unfit(f"has {what} of {len(shape)} dimensions, {shape}, where {wanted} belong")


def need_elements(tensor: Tensor | None, count: int, what: str) -> None:
    """A tensor that may be left out has ``count`` elements where it is there.

    Raises:
        Unfit: it has others.
    """
    if tensor is not None and elements(sizes(tensor)) != count:
        raise Unfit(f"has {what} of {elements(sizes(tensor))} values, where {count} belong")
