"""Training, validation and test set, kept apart, and where they came from.

The weights are made with the training set, the choice between epochs and networks with the validation set, and what
is claimed of the result comes from the test set, which nothing was chosen by.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyhil import kinds
from tinyhil.errors import InputError

Array = npt.NDArray[Any]
Pair = tuple[Array, Array]
"""Inputs (samples, *shape) and targets (samples, *shape)."""
SETS = ("train", "validation", "test")
PARTS = (0.7, 0.15, 0.15)
"""Of the samples for training, validation and test, where nobody has divided them."""


@dataclass(frozen=True)
class Dataset:
    """What a model is trained on and judged by.

    Attributes:
        sets: inputs and targets of ``train``, ``validation`` and ``test``.
        provenance: one line for the report: whose data, how many, and how they were divided.
    """

    sets: Mapping[str, Pair]
    provenance: str


def made(source: str, sets: Mapping[str, Pair], how: str) -> Dataset:
    """A dataset whose provenance states the sizes of its sets; ``how`` says who divided it."""
    sizes = "/".join(f"{len(sets[name][1]):,}" for name in SETS)
    return Dataset(sets, f"{source}; {sizes} training/validation/test, {how}")


def split(inputs: Array, targets: Array, seed: int, parts: tuple[float, ...] = PARTS) -> list[Pair]:
    """Divides samples at random; classes are divided in the same proportions (stratified).

    Args:
        inputs: (samples, *shape).
        targets: (samples, *shape); integers of one axis are classes, anything else is divided without regard to it.
        seed: of the order.
        parts: proportion of each part; they add up to 1.

    Returns:
        One pair for each part, in a random order.

    Raises:
        InputError: there are too few samples for every part to get one.
    """
    generator = np.random.default_rng(seed)
    classes = targets if is_classes(targets) else np.zeros(len(targets), np.int32)
    places: list[list[Array]] = [[] for _ in parts]
    for value in np.unique(classes):
        order = generator.permutation(np.flatnonzero(classes == value))
        ends = np.round(np.cumsum(parts) * len(order)).astype(int)
        for part, piece in zip(places, np.split(order, ends[:-1]), strict=True):
            part.append(piece)
    chosen = [generator.permutation(np.concatenate(part)) for part in places] if len(targets) else []
    if not chosen or any(len(order) == 0 for order in chosen):
        raise InputError(
            f"{len(targets)} samples are too few to be divided into {len(parts)} sets",
            hint="give more samples, of each class at least one for every set",
            kind=kinds.SAMPLES,
        )
    return [(inputs[order], targets[order]) for order in chosen]


def is_classes(targets: Array) -> bool:
    """Whether targets are numbers of classes."""
    return bool(np.issubdtype(targets.dtype, np.integer)) and targets.ndim == 1


def stratified(targets: Array) -> str:
    """How :func:`split` divides such targets, for the provenance."""
    return "stratified" if is_classes(targets) else "at random"
