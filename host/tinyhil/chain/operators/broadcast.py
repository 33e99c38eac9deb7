"""How two inputs of different shapes are walked along the output that they are stretched to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinyhil.chain.emitter import Emitter
from tinyhil.chain.graph import Operator, Tensor
from tinyhil.chain.unsupported import Unsupported

_MOST_DIMENSIONS = 6
"""``kMostDimensions`` of firmware/lib/kernels/broadcast.h."""


def broadcast(operator: Operator, code: Emitter, first: Tensor, second: Tensor) -> str:
    """A constant ``kernels::Broadcast`` for these two inputs and the operator's output.

    Raises:
        Unsupported: the output's shape is not what the inputs are stretched to, or too many dimensions alternate.
    """
    output = operator.outputs[0].shape
    try:
        stretched = np.broadcast_shapes(first.shape, second.shape)
    except ValueError:
        stretched = ()
    if stretched != output or 0 in output:
        raise Unsupported(f"combines the shapes {first.shape} and {second.shape} to {output}")
    loops = _loops(output, _steps(first.shape, output), _steps(second.shape, output))
    if len(loops) > _MOST_DIMENSIONS:
        raise Unsupported(
            f"stretches its inputs along {len(loops)} dimensions in turn, at most {_MOST_DIMENSIONS} are computed"
        )
    sizes = [size for size, _, _ in loops]
    return code.struct(
        "kernels::Broadcast",
        dimensions=len(loops),
        sizes=_array(sizes),
        jumps1=_array(_jumps(sizes, [step for _, step, _ in loops])),
        jumps2=_array(_jumps(sizes, [step for _, _, step in loops])),
    )


def _steps(shape: Sequence[int], output: Sequence[int]) -> list[int]:
    """By dimension of the output, how far an input of ``shape`` goes on in memory; 0 where it is stretched."""
    steps, step = [], 1
    for size in reversed((1,) * (len(output) - len(shape)) + tuple(shape)):
        steps.append(step if size != 1 else 0)
        step *= size
    return steps[::-1]


def _loops(output: Sequence[int], first: Sequence[int], second: Sequence[int]) -> list[tuple[int, int, int]]:
    """Size and steps of each loop, the innermost first; what goes on where the loop inside ends is one with it."""
    loops: list[tuple[int, int, int]] = []
    for size, *steps in reversed(list(zip(output, first, second, strict=True))):
        if size == 1:
            continue
        if loops and all(step == loops[-1][0] * inner for step, inner in zip(steps, loops[-1][1:], strict=True)):
            loops[-1] = (loops[-1][0] * size, *loops[-1][1:])
        else:
            loops.append((size, steps[0], steps[1]))
    return loops or [(1, 1, 1)]


def _jumps(sizes: Sequence[int], steps: Sequence[int]) -> list[int]:
    behind = [0, *(size * step for size, step in zip(sizes, steps, strict=True))]
    return [step - inner for step, inner in zip(steps, behind, strict=False)]


def _array(values: Sequence[int]) -> str:
    return f"{{{', '.join(str(value) for value in values)}}}"
