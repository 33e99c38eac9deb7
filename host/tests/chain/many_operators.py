"""Many models of one operator as one model, so that many parameters cost one compilation; and what is compared."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tinyhil import tflite

from .one_operator import Array, Chain, Reference


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
        first.buffers = [*first.buffers, *other.buffers]
        first.operatorCodes = [*first.operatorCodes, *other.operatorCodes]
        graph.tensors = [*graph.tensors, *added.tensors]
        graph.operators = [*graph.operators, *added.operators]
        graph.inputs = [*(int(index) for index in graph.inputs), *(int(index) + tensors for index in added.inputs)]
        graph.outputs = [*(int(index) for index in graph.outputs), *(int(index) + tensors for index in added.outputs)]
    return tflite.pack(first)


def random_values(rng: np.random.Generator, dtype: str, shape: Sequence[int]) -> Array:
    """Values of an integer type: some over its whole range, some close together, some at its ends."""
    limits = np.iinfo(dtype)
    kind = rng.integers(4)
    if kind == 0:
        return rng.choice([limits.min, limits.min + 1, 0, limits.max - 1, limits.max], size=shape).astype(dtype)
    if kind == 1:
        centre = rng.integers(limits.min, limits.max + 1)
        return np.clip(rng.normal(centre, 8, shape), limits.min, limits.max).astype(dtype)
    return rng.integers(limits.min, limits.max, shape, dtype=dtype, endpoint=True)


def assert_equal(
    models: Sequence[bytes], folder: Path, rng: np.random.Generator, *, runs: int, values: Any = None
) -> int:
    """The chain computes of all models what the reference does, on random inputs.

    Args:
        models: of one operator each.
        runs: how often each is run.
        values: ``(tensor) -> array`` for inputs of its own, else :func:`random_values`.

    Returns:
        How many values of the outputs were compared.
    """
    model = joined(models)
    facts = tflite.parse(model, "model").main
    chain, reference = Chain(model, folder), Reference(model)
    compared = 0
    for _ in range(runs):
        inputs = [
            values(tensor) if values is not None else random_values(rng, tensor.dtype, tensor.shape)
            for tensor in facts.of(facts.inputs)
        ]
        for at, (ours, theirs) in enumerate(zip(chain.run(*inputs), reference.run(*inputs), strict=True)):
            assert ours.dtype == theirs.dtype
            flat, wanted = ours.reshape(-1), theirs.reshape(-1)
            wrong = np.flatnonzero(flat.view(f"u{flat.itemsize}") != wanted.view(f"u{wanted.itemsize}"))
            assert wrong.size == 0, (
                f"output {at}: {wrong.size} of {flat.size} differ, first at {wrong[0]}: "
                f"{flat[wrong[0]]} instead of {wanted[wrong[0]]}"
            )
            compared += flat.size
    return compared
