"""What the functions of several operators ask of an operator before they compute it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tinyhil.chain.fixed_point import activation_range
from tinyhil.chain.graph import Operator, Tensor, Values
from tinyhil.chain.unsupported import Unsupported

_BOUNDS = {2: 1.0, 3: 6.0}
"""The highest value of RELU_N1_TO_1 and of RELU6."""


def need_types(operator: Operator, allowed: Iterable[tuple[str, ...]], inputs: int = 1) -> tuple[str, ...]:
    """The element types of the first ``inputs`` inputs and of the output.

    Args:
        allowed: the combinations that are computed.

    Raises:
        Unsupported: they are none of ``allowed``.
    """
    found = (*(operator.input(at).dtype for at in range(inputs)), operator.outputs[0].dtype)
    known = list(allowed)
    if found not in known:
        texts = "; ".join(_arrow(types) for types in known)
        raise Unsupported(f"goes from {_arrow(found)}, which is not computed", f"computed are {texts}")
    return found


def need_scales(*tensors: Tensor) -> None:
    """Every tensor is quantized as a whole.

    Raises:
        Unsupported: one has no scale, several, or one that is not above zero.
    """
    for tensor in tensors:
        if len(tensor.scales) != 1 or not tensor.scale > 0.0:
            raise Unsupported(f"has a tensor ({tensor.name!r}) that is not quantized by one scale above zero")


def _arrow(types: tuple[str, ...]) -> str:
    return f"{' and '.join(types[:-1])} to {types[-1]}"


def fused_range(activation: int, output: Tensor) -> tuple[int, int]:
    """The lowest and highest integer that a fused activation leaves of an operator's output.

    Raises:
        Unsupported: it does not clamp (TANH, SIGN_BIT), where TFLM leaves it out without a word; or its bounds are no
            integers of 32 bits at the output's scale.
    """
    if activation in _BOUNDS and _BOUNDS[activation] / output.scale >= 2**31:
        raise Unsupported(f"has an output scale of {output.scale:g}, at which {_BOUNDS[activation]:g} is no integer")
    try:
        return activation_range(activation, output.dtype, output.scale, output.zero_point)
    except ValueError as error:
        raise Unsupported(f"is fused with the {error}, which is not computed") from error


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
