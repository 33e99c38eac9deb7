"""The samples of a Keras model, divided: some calibrate, the others test."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinyhil import kinds
from tinyhil.artifacts import arrays
from tinyhil.artifacts.types import Array
from tinyhil.data import samples_file
from tinyhil.data.samples_file import SamplesFile
from tinyhil.errors import ConfigError
from tinyhil.quantize import samples, vectors
from tinyhil.quantize.keras_config import KerasInput

SETS = ("train", "test")
TRAIN_SHARE = 0.6
"""How many of the samples calibrate, from the first one on; the others test."""


def sets(path: Path, inputs: Sequence[KerasInput]) -> tuple[dict[str, arrays.Samples], dict[str, list[Array]]]:
    """Training and test set, with what inputs after the first take; targets of no columns where there are none.

    Args:
        path: of the samples.
        inputs: of the model.

    Raises:
        InputError: the file cannot be read.
        ConfigError: the samples do not fit the model, or there are fewer than two.
    """
    stored = samples_file.read(path, channels=samples.channels(inputs[0].shape))
    found = stored.arrays
    names = {name: _names(stored, inputs, f"{name}_") for name in SETS}
    parts: dict[str, tuple[Array, ...]]
    targets: dict[str, Array | None]
    if all(array in found for name in SETS for array in names[name]):
        parts = {name: _shaped(path, stored, names[name], inputs) for name in SETS}
        targets = {name: found.get(arrays.set_names(name)[1]) for name in SETS}
        for name, given in targets.items():
            if given is not None:
                samples.refuse_other_count(path, parts[name][0], given)
    else:
        own = _names(stored, inputs)
        if own[0] in found and samples.count(found[own[0]]) < 2:
            raise ConfigError(
                f"{path} has no array {own[0]!r} of two samples or more",
                hint="some samples calibrate, the others test",
                kind=kinds.SAMPLES,
            )
        whole, y = _shaped(path, stored, own, inputs), found.get(samples.TARGETS)
        count = len(whole[0])
        if y is not None:
            samples.refuse_other_count(path, whole[0], y)
        # What lies class by class is calibrated by samples of all classes.
        order = np.arange(count) if y is None or not stored.pixels else _mixed(count)
        cut = min(max(1, round(TRAIN_SHARE * count)), count - 1)
        places = {"train": order[:cut], "test": order[cut:]}
        parts = {name: tuple(part[places[name]] for part in whole) for name in SETS}
        targets = {name: None if y is None else y[places[name]] for name in SETS}
    made: dict[str, arrays.Samples] = {}
    for name in SETS:
        y = targets[name]
        none = np.zeros((len(parts[name][0]), 0), np.float32)
        made[name] = parts[name][0], none if y is None else samples.finite_targets(path, y)
    return made, {name: list(parts[name][1:]) for name in SETS}


def _names(stored: SamplesFile, inputs: Sequence[KerasInput], prefix: str = "") -> list[str]:
    return samples.array_names(stored, [each.name for each in inputs], prefix)


def _mixed(count: int) -> npt.NDArray[np.int64]:
    """All numbers below ``count`` in an order that is always the same, and that has nothing to do with theirs."""
    return np.random.default_rng(vectors.SEED).permutation(count)


def _shaped(
    path: Path, stored: SamplesFile, names: Sequence[str], inputs: Sequence[KerasInput]
) -> tuple[samples.Samples, ...]:
    """Arrays of a file as samples of the model's inputs."""
    wanted = [_wanted(each.shape, stored.arrays.get(name)) for name, each in zip(names, inputs, strict=True)]
    shaped = samples.shaped(path, stored, names, wanted)
    return tuple(samples.real(path, name, part) for name, part in zip(names, shaped, strict=True))


def _wanted(shape: Sequence[int | None], array: Array | None) -> tuple[int, ...]:
    """The shape of a sample; a size that the model leaves open is taken from the samples."""
    own: tuple[int, ...] = () if array is None else array.shape[1:]
    return tuple(size or (own[axis] if len(own) > axis else 1) for axis, size in enumerate(shape))
