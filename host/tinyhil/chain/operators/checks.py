"""What several families ask of an operator before they compute it."""

from __future__ import annotations

from collections.abc import Iterable

from tinyhil.chain.fixed_point import activation_range
from tinyhil.chain.graph import Operator, Tensor
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
