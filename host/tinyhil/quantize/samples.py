"""The samples of a model of the user's own: an .npz file, read without trust (``tinyhil.data.npz``)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinyhil import kinds
from tinyhil.data import npz
from tinyhil.errors import ConfigError

INPUTS = "x"
"""Key of the inputs of a model with one input, (samples, *shape); of one with several ``x_0``, ``x_1``, ..."""
TARGETS = "y"
"""Key of the targets; may be left out."""
Samples = npt.NDArray[np.float32]


def inputs(path: Path, shapes: list[tuple[int, ...]]) -> tuple[Samples, ...]:
    """The samples for each input of a model.

    Args:
        shapes: of the inputs, without the batch.

    Returns:
        One array per input, (samples, *shape).

    Raises:
        InputError: as ``npz.read``.
        ConfigError: keys are missing, or the samples have another shape, are none, differ in number, or have a NaN or
            infinite value.
    """
    stored = npz.read(path)
    keys = [INPUTS] if len(shapes) == 1 else [f"{INPUTS}_{index}" for index in range(len(shapes))]
    return as_float32(path, {key: stored.get(key) for key in keys}, shapes)


def as_float32(
    path: Path, found: dict[str, npt.NDArray[np.generic] | None], shapes: list[tuple[int, ...]]
) -> tuple[Samples, ...]:
    """The arrays as float32, if they are samples of inputs of these shapes; ``found`` has one for each."""
    made = []
    for (key, array), shape in zip(found.items(), shapes, strict=True):
        if array is None:
            raise ConfigError(
                f"{path} has no array {key!r}", hint="write it with numpy.savez(path, x=..., y=...)", kind=kinds.SAMPLES
            )
        expected = ", ".join(str(size) for size in shape)
        if array.ndim != len(shape) + 1 or array.shape[1:] != shape:
            raise ConfigError(
                f"{path}: {key!r} has the shape {array.shape}, the model takes (samples, {expected})",
                hint="the first axis is the sample; reshape the others to the model's input",
                kind=kinds.SAMPLES,
            )
        if len(array) == 0:
            raise ConfigError(f"{path}: {key!r} has no samples", kind=kinds.SAMPLES)
        values = array.astype(np.float32)
        if not np.isfinite(values).all():
            count = int((~np.isfinite(values)).sum())
            raise ConfigError(
                f"{path}: {key!r} has {count} values that are NaN or infinite as float32",
                hint="remove them: no model is defined for them",
                kind=kinds.SAMPLES,
            )
        made.append(values)
    if len({len(part) for part in made}) != 1:
        raise ConfigError(
            f"{path} has {', '.join(str(len(part)) for part in made)} samples for the model's inputs",
            kind=kinds.SAMPLES,
        )
    return tuple(made)
