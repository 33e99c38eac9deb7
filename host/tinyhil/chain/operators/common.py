"""What functions of several operators ask of an operator."""

from __future__ import annotations

from collections.abc import Sequence

from tinyhil.chain.graph import Operator, Tensor, Values
from tinyhil.chain.unsupported import Unsupported

ITEM_BYTES = {"bool": 1, "int8": 1, "uint8": 1, "int16": 2, "uint16": 2, "int32": 4, "float32": 4, "int64": 8}


def constant(operator: Operator, position: int) -> Values:
    """The values of an input that has to be a constant.

    Raises:
        Unsupported: it is left out or computed.
    """
    values = operator.input(position).values
    if values is None:
        raise Unsupported(f"computes its input {position}, which has to be a constant")
    return values


def integers(operator: Operator, position: int) -> list[int]:
    """The numbers of a constant input of int32 or int64, in row-major order.

    Raises:
        Unsupported: it is left out, computed, or of another type.
    """
    values = constant(operator, position)
    if values.dtype.name not in ("int32", "int64"):
        raise Unsupported(f"has an input {position} of {values.dtype.name}")
    return [int(value) for value in values.reshape(-1)]


def one_type(tensors: Sequence[Tensor], allowed: Sequence[str]) -> str:
    """The element type of all ``tensors``.

    Raises:
        Unsupported: they differ, or it is not one of ``allowed``.
    """
    names = {tensor.dtype for tensor in tensors}
    if len(names) > 1:
        raise Unsupported(f"mixes {' and '.join(sorted(names))}")
    (name,) = names
    if name not in allowed:
        raise Unsupported(f"is of {name}, computed are {', '.join(allowed)}")
    return name


def positive_axis(axis: int, rank: int) -> int:
    """An axis counted from the first.

    Raises:
        Unsupported: there is none such.
    """
    found = axis + rank if axis < 0 else axis
    if not 0 <= found < rank:
        raise Unsupported(f"has axis {axis} of {rank} dimensions")
    return found


def option(operator: Operator, name: str) -> int:
    """An option of whole numbers, 0 where the file has no options."""
    return int(getattr(operator.options, name, 0))
