"""A seeded search for the inputs on which two computations differ most, and for the smallest such input.

Nothing is known of either computation but how far apart their answers to an input are. The search keeps the inputs with
the largest differences and tries changes of them: an element at an end of the range or near the zero point, a step up
or down, a stretch of another input. Where nothing differs yet there is nowhere to climb to, and it goes on from what it
has, at random.

An input that differs is then reduced: elements are set to the zero point as long as a difference remains, first in
large pieces and then in small ones (the idea of delta debugging: A. Zeller and R. Hildebrandt, "Simplifying and
isolating failure-inducing input", IEEE Transactions on Software Engineering 28 (2002) 183-200), and what is left is
brought halfway to the zero point again and again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyhil.affine import TensorSpec
from tinyhil.artifacts.types import Array

Inputs = tuple[Array, ...]
"""One array per input tensor, (vectors, *shape) in the tensor's dtype."""
Apart = npt.NDArray[np.int64]
"""(vectors,), the largest difference of an output element in LSB."""
Ask = Callable[[Inputs], Apart]

PARENTS = 16
"""Inputs that are changed in a round."""
ROUND = 64
"""Inputs that are tried together: many enough to fill a link's requests, few enough to climb on what they tell."""
REDUCTIONS = 64
"""Times that a reduction asks: what is left then is small, if not the smallest."""
_KINDS = 5


@dataclass(frozen=True)
class ClimbResult:
    """What a search has found.

    Attributes:
        tried: how many inputs were asked, those that it started from not counted.
        worst: the input with the largest difference, one vector.
        lsb: that difference.
    """

    tried: int
    worst: Inputs
    lsb: int


@dataclass(frozen=True)
class Reduction:
    """A small input that still differs.

    Attributes:
        tried: how many inputs were asked for it.
        inputs: one vector.
        elements: how many of its elements are not the zero point.
    """

    tried: int
    inputs: Inputs
    elements: int


def climb(ask: Ask, specs: Sequence[TensorSpec], start: Inputs, apart: Apart, count: int, seed: int) -> ClimbResult:
    """Looks for the largest difference.

    Args:
        ask: how far apart the answers to some inputs are.
        specs: the inputs, all of them quantized.
        start: inputs that were asked already.
        apart: how far apart the answers to these are.
        count: how many inputs to try.
        seed: of all that is drawn.
    """
    generator = np.random.default_rng(seed)
    zero = _zero(specs)
    kept, far = _flat(start), apart
    tried = 0
    while True:
        # Of equals the later ones, so that a search that finds nothing does not stay where it began.
        order = np.argsort(far, kind="stable")[::-1][:PARENTS]
        kept, far = kept[order], far[order]
        if tried >= count:
            return ClimbResult(tried, _shaped(kept[:1], specs), int(far[0]))
        size = min(ROUND, count - tried)
        offspring = np.stack([_changed(kept, number, specs, zero, generator) for number in range(size)])
        kept = np.concatenate([kept, offspring])
        far = np.concatenate([far, ask(_shaped(offspring, specs))])
        tried += size


def reduce(
    ask: Ask, specs: Sequence[TensorSpec], worst: Inputs, tolerance: int, most: int = REDUCTIONS * ROUND
) -> Reduction:
    """Makes an input smaller that differs by more than ``tolerance``.

    Args:
        ask: as for ``climb``.
        specs: the inputs, all of them quantized.
        worst: one vector.
        tolerance: differences up to this many LSB are none.
        most: how many inputs to try at most.
    """
    zero = _zero(specs)
    smallest, tried, checks = _flat(worst)[0], 0, 0

    def first(candidates: list[npt.NDArray[np.int64]]) -> npt.NDArray[np.int64] | None:
        """The first one that still differs."""
        nonlocal tried, checks
        for begin in range(0, len(candidates), ROUND):
            if checks == REDUCTIONS or tried >= most:
                return None
            checks += 1
            some = np.stack(candidates[begin : begin + min(ROUND, most - tried)])
            tried += len(some)
            differing = np.flatnonzero(ask(_shaped(some, specs)) > tolerance)
            if len(differing):
                return candidates[begin + int(differing[0])]
        return None

    pieces = 1
    while len(left := np.flatnonzero(smallest != zero)):
        parts = [part for part in np.array_split(left, min(pieces, len(left))) if len(part)]
        found = first([_with(smallest, part, zero[part]) for part in parts])
        if found is not None:
            smallest, pieces = found, max(1, pieces - 1)
        elif pieces >= len(left):
            break
        else:
            pieces *= 2
    while len(left := np.flatnonzero(np.abs(smallest - zero) > 1)):
        nearer = [_with(smallest, [place], zero[place] + (smallest[place] - zero[place]) // 2) for place in left]
        found = first(nearer)
        if found is None:
            break
        smallest = found
    return Reduction(tried, _shaped(smallest[np.newaxis], specs), int((smallest != zero).sum()))


def _changed(
    parents: npt.NDArray[np.int64],
    number: int,
    specs: Sequence[TensorSpec],
    zero: npt.NDArray[np.int64],
    generator: np.random.Generator,
) -> npt.NDArray[np.int64]:
    """One change of one parent, of the kinds in turn."""
    made = parents[generator.integers(len(parents))].copy()
    lowest, highest = _limits(specs)
    # Mostly few elements, now and then many.
    many = min(len(made), 1 + int(generator.exponential(3.0)))
    places = generator.choice(len(made), many, replace=False)
    kind = number % _KINDS
    if kind == 0:
        made[places] = np.where(generator.random(many) < 0.5, lowest[places], highest[places])
    elif kind == 1:
        made[places] = zero[places] + generator.integers(-2, 3, many)
    elif kind == 2:
        made[places] += generator.integers(-16, 17, many)
    elif kind == 3:
        other = parents[generator.integers(len(parents))]
        begin, end = sorted(generator.integers(0, len(made) + 1, 2))
        made[begin:end] = other[begin:end]
    else:
        made[places] = generator.integers(lowest[places], highest[places] + 1)
    within: npt.NDArray[np.int64] = np.clip(made, lowest, highest)
    return within


def _with(vector: npt.NDArray[np.int64], places: Any, values: Any) -> npt.NDArray[np.int64]:
    made = vector.copy()
    made[places] = values
    return made


def _zero(specs: Sequence[TensorSpec]) -> npt.NDArray[np.int64]:
    return np.concatenate([np.full(spec.elements, spec.zero_point, np.int64) for spec in specs])


def _limits(specs: Sequence[TensorSpec]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    lowest, highest = zip(*(spec.dtype.limits for spec in specs), strict=True)
    sizes = [spec.elements for spec in specs]
    return np.repeat(np.array(lowest, np.int64), sizes), np.repeat(np.array(highest, np.int64), sizes)


def _flat(inputs: Inputs) -> npt.NDArray[np.int64]:
    """(vectors, elements of all inputs)."""
    return np.concatenate([part.reshape(len(part), -1).astype(np.int64) for part in inputs], axis=1)


def _shaped(flat: npt.NDArray[np.int64], specs: Sequence[TensorSpec]) -> Inputs:
    ends = np.cumsum([spec.elements for spec in specs])[:-1]
    parts = np.split(flat, ends, axis=1)
    return tuple(
        np.ascontiguousarray(part.reshape(-1, *spec.shape).astype(spec.dtype.numpy))
        for spec, part in zip(specs, parts, strict=True)
    )
