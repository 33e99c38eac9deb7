"""Copies with steps: from loops over elements to the fewest loops over the longest runs of bytes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tinyhil.chain.emitter import Emitter
from tinyhil.chain.unsupported import Unsupported

RANK = 6
"""How many nested loops the kernel has, ``kCopyRank`` of copy.h."""


@dataclass(frozen=True)
class Loop:
    """One of nested loops.

    Attributes:
        count: how often it turns.
        source, target: by how many elements each turn goes on.
    """

    count: int
    source: int
    target: int


def steps(shape: Sequence[int]) -> tuple[int, ...]:
    """By how many elements each dimension of a row-major array goes on."""
    return tuple(math.prod(shape[axis + 1 :]) for axis in range(len(shape)))


def emit(code: Emitter, source: str, target: str, size: int, loops: Sequence[Loop]) -> None:
    """Emits the call that copies elements of ``size`` bytes in ``loops``, outermost first.

    Args:
        source, target: C++ expressions of pointers to the first element that is read and written.

    Raises:
        Unsupported: it takes more nested loops than the kernel has.
    """
    bytes_each, left = _simplified(size, loops)
    if any(loop.count == 0 for loop in left):
        return
    if not left:
        code.lines.append(f"memcpy({target}, {source}, {bytes_each});")
        return
    if len(left) > RANK:
        raise Unsupported(f"takes a copy of {len(left)} dimensions, at most {RANK} are computed")
    code.header("copy.h")
    parameters = code.struct(
        "kernels::Copy",
        bytes=bytes_each,
        rank=len(left),
        counts=_array([loop.count for loop in left]),
        source=_array([loop.source * size for loop in left]),
        target=_array([loop.target * size for loop in left]),
    )
    code.call("copy", parameters, source, target)


def _simplified(size: int, loops: Sequence[Loop]) -> tuple[int, list[Loop]]:
    """Bytes of the run that is copied at once, and the loops around it: neighbours that are one loop are joined."""
    left: list[Loop] = []
    for loop in loops:
        if loop.count == 1:
            continue
        joined = (loop.count * loop.source, loop.count * loop.target)
        if left and (left[-1].source, left[-1].target) == joined:
            left[-1] = Loop(left[-1].count * loop.count, loop.source, loop.target)
        else:
            left.append(loop)
    run = 1
    if left and (left[-1].source, left[-1].target) == (1, 1):
        run = left.pop().count
    return size * run, left


def _array(values: Sequence[int]) -> str:
    return "{" + ", ".join(str(value) for value in values) + "}"
