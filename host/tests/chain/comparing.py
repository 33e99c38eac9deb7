"""Runs models of one operator in TFLM and in the chain, and compares every output value."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tinyhil import tflite

from .one_operator import Array, Chain, Reference

Values = Callable[[int, tflite.Tensor], Array]
"""Of an input, by its position and its tensor."""


class Differs(AssertionError):
    """An output value is not TFLM's."""


def joined(models: Sequence[bytes]) -> bytes:
    """One model with the operators of ``models``, which share nothing; inputs and outputs in their order."""
    first: Any = tflite.unpack(models[0], "model")
    graph = first.subgraphs[0]
    for data in models[1:]:
        other: Any = tflite.unpack(data, "model")
        added = other.subgraphs[0]
        tensors, buffers, codes = len(graph.tensors), len(first.buffers), len(first.operatorCodes)
        for tensor in added.tensors:
            tensor.buffer += buffers
        for operator in added.operators:
            operator.opcodeIndex += codes
            operator.inputs = [int(index) + tensors if index >= 0 else -1 for index in operator.inputs]
            operator.outputs = [int(index) + tensors for index in operator.outputs]
            if operator.intermediates is not None:
                operator.intermediates = [int(index) + tensors for index in operator.intermediates]
        first.buffers = [*first.buffers, *other.buffers]
        first.operatorCodes = [*first.operatorCodes, *other.operatorCodes]
        graph.tensors = [*graph.tensors, *added.tensors]
        graph.operators = [*graph.operators, *added.operators]
        graph.inputs = [*(int(index) for index in graph.inputs), *(int(index) + tensors for index in added.inputs)]
        graph.outputs = [*(int(index) for index in graph.outputs), *(int(index) + tensors for index in added.outputs)]
    return tflite.pack(first)


def compare(
    models: Sequence[bytes],
    folder: Path,
    random: np.random.Generator,
    values: Values | None = None,
    *,
    least: int = 1,
    seen: set[Any] | None = None,
) -> int:
    """Asserts that the chain computes of all models what TFLM does, bit for bit; of their states, too.

    Args:
        models: of one operator each. They are compiled as one model.
        folder: where they are compiled.
        values: of the inputs, else random ones.
        least: how many output values to compare; the models are run until there are as many.
        seen: gets the different values of all outputs.

    Returns:
        How many output values were compared.

    Raises:
        Differs: one is another.
    """
    model = joined(models)
    facts = tflite.parse(model, "model").main
    sources = facts.of(facts.inputs)
    names = {index: operator.name for operator in facts.operators for index in operator.outputs}
    chain, reference = Chain(model, folder), Reference(model)
    of_a_run = sum(math.prod(tensor.shape) for tensor in facts.of(facts.outputs))
    runs = -(-least // of_a_run)
    for _ in range(runs):
        inputs = [
            values(at, tensor) if values is not None else random_values(random, tensor.dtype, tensor.shape)
            for at, tensor in enumerate(sources)
        ]
        for at, (ours, theirs) in enumerate(zip(chain.run(*inputs), reference.run(*inputs), strict=True)):
            require_same(ours, theirs, f"output {at} ({names[facts.outputs[at]]})")
            if seen is not None:
                seen.update(np.unique(theirs).tolist())
    return runs * of_a_run


def require_same(ours: Array, theirs: Array, what: str) -> None:
    """Both have the same bits.

    Raises:
        Differs: they have not.
    """
    assert (ours.dtype, ours.size) == (theirs.dtype, theirs.size)
    flat, wanted = ours.reshape(-1), theirs.reshape(-1)
    wrong = np.flatnonzero(flat.view(f"u{flat.itemsize}") != wanted.view(f"u{wanted.itemsize}"))
    if wrong.size:
        raise Differs(
            f"{what}: {wrong.size} of {flat.size} differ, first at {wrong[0]}: "
            f"{flat[wrong[0]]} instead of {wanted[wrong[0]]}"
        )


def random_values(random: np.random.Generator, dtype: str, shape: Sequence[int]) -> Array:
    """Values of an integer type: some over its whole range, some close together, some at its ends, some all the same.

    Of float32 and bool they are just random.
    """
    if dtype == "float32":
        return random.normal(0, 3, tuple(shape)).astype(np.float32)
    if dtype == "bool":
        return random.integers(0, 2, tuple(shape)).astype(np.bool_)
    limits = np.iinfo(dtype)
    kind = random.integers(8)
    if kind == 0:
        return np.full(tuple(shape), random.choice([limits.min, -1, 0, 1, limits.max]), dtype)
    if kind == 1:
        ends = np.array([limits.min, limits.min + 1, 0, limits.max - 1, limits.max], dtype)
        return np.asarray(random.choice(ends, size=tuple(shape)), dtype)
    if kind == 2:
        centre = int(random.integers(limits.min, limits.max, dtype=dtype, endpoint=True))
        lowest, highest = max(limits.min, centre - 16), min(limits.max, centre + 16)
    else:
        lowest, highest = limits.min, limits.max
    return np.asarray(random.integers(lowest, highest, tuple(shape), dtype=dtype, endpoint=True), dtype)
