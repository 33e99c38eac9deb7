"""Reads samples that may come from anywhere: an .npz file of plain arrays.

No pickle, which would run code on loading; sizes are read in the headers and bounded before anything is unpacked.
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinyhil.errors import ConfigError

INPUTS = "x"
"""Key of the inputs of a model with one input, (samples, *shape); of one with several ``x_0``, ``x_1``, ..."""
TARGETS = "y"
"""Key of the targets; may be left out."""
MAX_BYTES = 1 << 30
"""Of all arrays together: a hundred thousand samples of the largest input that a chip can hold."""

Samples = npt.NDArray[np.float32]


def read(path: Path) -> dict[str, npt.NDArray[np.generic]]:
    """All arrays in the file by their keys.

    Raises:
        ConfigError: it cannot be read, is damaged or too large, or holds pickled objects or anything but numbers.
    """
    try:
        sizes = dict(_sizes(path))
        if sum(sizes.values()) > MAX_BYTES:
            raise ConfigError(
                f"{path} unpacks to {sum(sizes.values()):,} bytes, more than {MAX_BYTES:,}", hint="use fewer samples"
            )
        with np.load(path, allow_pickle=False) as stored:
            return {name: stored[name] for name in sizes}
    except (OSError, ValueError, EOFError, KeyError, NotImplementedError, zipfile.BadZipFile) as error:
        raise ConfigError(
            f"cannot read the samples in {path}: {error}", hint="write them with numpy.savez(path, x=..., y=...)"
        ) from error


def _sizes(path: Path) -> Iterator[tuple[str, int]]:
    """Name and bytes of each array, from the headers alone."""
    with zipfile.ZipFile(path) as archive:
        for member in archive.namelist():
            if not member.endswith(".npy"):
                raise ValueError(f"{member} is not an array")
            with archive.open(member) as stream:
                version = np.lib.format.read_magic(stream)
                reader = {
                    (1, 0): np.lib.format.read_array_header_1_0,
                    (2, 0): np.lib.format.read_array_header_2_0,
                }.get(version)
                if reader is None:
                    raise ValueError(f"{member} has a format of version {version[0]}.{version[1]}")
                shape, _, dtype = reader(stream)
            name = member.removesuffix(".npy")
            if dtype.kind not in "biuf":
                what = "pickled objects" if dtype.hasobject else f"{dtype}"
                raise ValueError(f"{name!r} holds {what} and not numbers")
            yield name, math.prod(shape) * dtype.itemsize


def inputs(path: Path, shapes: list[tuple[int, ...]]) -> tuple[Samples, ...]:
    """The samples for each input of a model.

    Args:
        shapes: of the inputs, without the batch.

    Returns:
        One array per input, (samples, *shape).

    Raises:
        ConfigError: as :func:`read`; or keys are missing, or the samples have another shape, are none, differ in
            number, or have a NaN or infinite value.
    """
    stored = read(path)
    keys = [INPUTS] if len(shapes) == 1 else [f"{INPUTS}_{index}" for index in range(len(shapes))]
    return checked(path, {key: stored.get(key) for key in keys}, shapes)


def checked(
    path: Path, found: dict[str, npt.NDArray[np.generic] | None], shapes: list[tuple[int, ...]]
) -> tuple[Samples, ...]:
    """The arrays as float32, if they are samples of inputs of these shapes; ``found`` has one for each."""
    made = []
    for (key, array), shape in zip(found.items(), shapes, strict=True):
        if array is None:
            raise ConfigError(f"{path} has no array {key!r}", hint="write it with numpy.savez(path, x=..., y=...)")
        expected = ", ".join(str(size) for size in shape)
        if array.ndim != len(shape) + 1 or array.shape[1:] != shape:
            raise ConfigError(
                f"{path}: {key!r} has the shape {array.shape}, the model takes (samples, {expected})",
                hint="the first axis is the sample; reshape the others to the model's input",
            )
        if len(array) == 0:
            raise ConfigError(f"{path}: {key!r} has no samples")
        values = array.astype(np.float32)
        if not np.isfinite(values).all():
            count = int((~np.isfinite(values)).sum())
            raise ConfigError(
                f"{path}: {key!r} has {count} values that are NaN or infinite as float32",
                hint="remove them: no model is defined for them",
            )
        made.append(values)
    if len({len(part) for part in made}) != 1:
        raise ConfigError(f"{path} has {', '.join(str(len(part)) for part in made)} samples for the model's inputs")
    return tuple(made)
