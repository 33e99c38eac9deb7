"""What a search for an input that a device gets wrong has found: the largest difference, and a minimal example."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tinyhil.affine import TensorSpec
from tinyhil.artifacts.types import Array
from tinyhil.compare import climb, fidelity
from tinyhil.compare.climb import Apart, Inputs

Compute = Callable[[Inputs], tuple[Array, ...]]
"""Outputs, one array per tensor, (vectors, *shape), for inputs of the same form."""


@dataclass(frozen=True)
class Element:
    """One element of an example's input that is not the zero point.

    Attributes:
        input: index of the input tensor.
        element: flat index in it.
        value: the integer there.
        zero_point: of the tensor.
    """

    input: int
    element: int
    value: int
    zero_point: int


@dataclass(frozen=True)
class Example:
    """A small input that the device gets wrong.

    Attributes:
        elements: those of its elements that are not the zero point.
        mismatches: its wrong outputs, the first ones of them.
        max_lsb: the largest difference.
        tried: how many inputs it took to reduce it.
    """

    elements: tuple[Element, ...]
    mismatches: tuple[fidelity.Mismatch, ...]
    max_lsb: int
    tried: int


@dataclass(frozen=True)
class Search:
    """What was found.

    Attributes:
        seed: of the search; the same finds the same.
        tried: how many inputs were tried beyond those that it started from.
        max_lsb: the largest difference of any input, those that it started from included.
        tolerance_lsb: what the recipe allows.
        example: where a difference is beyond it.
    """

    seed: int
    tried: int
    max_lsb: int
    tolerance_lsb: int
    example: Example | None


@dataclass(frozen=True)
class Wanted:
    """How to search.

    Attributes:
        count: how many inputs to try; 0 for none.
        seed: of all that is drawn.
        tolerance_lsb: differences up to this many LSB are none.
        reductions: how many inputs may be tried in order to reduce what was found.
    """

    count: int
    seed: int = 1
    tolerance_lsb: int = 0
    reductions: int = climb.REDUCTIONS * climb.ROUND


class Searcher:
    """A search with one device and one reference.

    Args:
        inputs: the input tensors, all of them quantized.
        outputs: the output tensors.
        device: what the device computes.
        reference: what it should.
        told: called after every round with the number of inputs tried so far.
    """

    def __init__(
        self,
        inputs: Sequence[TensorSpec],
        outputs: Sequence[TensorSpec],
        device: Compute,
        reference: Compute,
        told: Callable[[int], None],
    ) -> None:
        self._inputs = inputs
        self._outputs = outputs
        self._device = device
        self._reference = reference
        self._told = told
        self._tried = 0

    def search(self, start: Inputs, apart: Apart, wanted: Wanted) -> Search:
        """Climbs from inputs that were asked already, and reduces what it finds.

        Args:
            start: these inputs.
            apart: how far the device was from the reference in each.
            wanted: how to search.
        """
        found = climb.climb(self._ask, self._inputs, start, apart, wanted.count, wanted.seed)
        example = None
        if found.lsb > wanted.tolerance_lsb:
            smallest = climb.reduce(self._ask, self._inputs, found.worst, wanted.tolerance_lsb, wanted.reductions)
            example = self._example(smallest, wanted.tolerance_lsb)
        return Search(wanted.seed, found.tried, found.lsb, wanted.tolerance_lsb, example)

    def _ask(self, inputs: Inputs) -> Apart:
        found = distances(self._device(inputs), self._reference(inputs))
        self._tried += len(found)
        self._told(self._tried)
        return found

    def _example(self, smallest: climb.Reduction, tolerance_lsb: int) -> Example:
        answers, wanted = self._device(smallest.inputs), self._reference(smallest.inputs)
        found = fidelity.compare(answers, wanted, self._outputs, tolerance_lsb)
        elements = [
            Element(index, int(place), int(part.reshape(-1)[place]), spec.zero_point)
            for index, (spec, part) in enumerate(zip(self._inputs, smallest.inputs, strict=True))
            for place in np.flatnonzero(part.reshape(-1).astype(np.int64) != spec.zero_point)
        ]
        return Example(tuple(elements), found.first, found.max_lsb, smallest.tried)


def searchable(specs: Sequence[TensorSpec]) -> bool:
    """Whether there is anything to search in these inputs: integers, which a search changes."""
    return all(spec.quantized for spec in specs)


def distances(answers: Sequence[Array], wanted: Sequence[Array]) -> Apart:
    """How far two computations are apart in each vector: the largest difference of an element in LSB, (vectors,)."""
    largest: Apart = fidelity.distances(answers, wanted).max(axis=1)
    return largest


def inputs_of(example: Example, specs: Sequence[TensorSpec]) -> Inputs:
    """The whole input of an example: one array per tensor, (1, *shape) in its dtype."""
    made = [np.full(spec.elements, spec.zero_point, spec.dtype.numpy) for spec in specs]
    for each in example.elements:
        made[each.input][each.element] = each.value
    return tuple(part.reshape(1, *spec.shape) for part, spec in zip(made, specs, strict=True))
