"""A user's own data: an ``.npz`` file, read without trust.

An ``.npz`` is a zip of ``.npy`` files. What each says of itself is read before any of it is unpacked: pickled objects
are never loaded, and a small file cannot make us allocate more than ``MAX_BYTES``. Three sets of names are known:

- ``train_x train_y validation_x validation_y test_x test_y``: the sets as they are (our own ``dataset.npz``);
- ``x_train y_train x_test y_test`` (Keras'): a sixth of the training samples is set apart for validation;
- ``x y``: divided 70/15/15.
"""

from __future__ import annotations

import math
import zipfile
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy

from tinyhil.data.dataset import SETS, Array, Dataset, Pair, made, split, stratified
from tinyhil.errors import InputError

MAX_BYTES = 1 << 30
"""Unpacked. MNIST has 55 MB as bytes, 220 MB as float32."""
LAYOUTS = (
    tuple(f"{name}_{axis}" for name in SETS for axis in "xy"),
    ("x_train", "y_train", "x_test", "y_test"),
    ("x", "y"),
)
_KINDS = "biuf"
"""NumPy kinds that are numbers: boolean, signed, unsigned, floating."""
_VALIDATION = 1 / 6
"""Of Keras' training sets: 10,000 of the 60,000 images of MNIST, as in the lesson."""


def load(path: Path, seed: int) -> Dataset:
    """Reads a file of samples.

    Args:
        path: an ``.npz`` file.
        seed: of the division into sets, where the file has none.

    Raises:
        InputError: it cannot be read, is no ``.npz`` of plain numbers, is too large, lacks arrays, or its arrays do
            not fit one another or contain NaN or infinite values.
    """
    arrays = _arrays(path)
    names = next((layout for layout in LAYOUTS if set(layout) <= set(arrays)), None)
    if names is None:
        raise InputError(
            f"{path} has the arrays {', '.join(sorted(arrays)) or '(none)'}, which are no known set of names",
            hint="name them " + ", or ".join(" ".join(layout) for layout in LAYOUTS),
        )
    for name in names:
        _check(path, name, arrays[name])
    pairs = [(arrays[one], arrays[other]) for one, other in zip(names[::2], names[1::2], strict=True)]
    for (inputs, targets), name in zip(pairs, names[::2], strict=True):
        if len(inputs) != len(targets):
            raise InputError(f"{path}: {name} has {len(inputs)} samples, but {len(targets)} targets")
        if inputs.shape[1:] != pairs[0][0].shape[1:] or targets.shape[1:] != pairs[0][1].shape[1:]:
            raise InputError(f"{path}: the samples of {name} have another shape than those of {names[0]}")
    sets, how = _divided(pairs, seed)
    return made(path.name, dict(zip(SETS, sets, strict=True)), how)


def _divided(pairs: list[Pair], seed: int) -> tuple[list[Pair], str]:
    """Three sets, and who divided them."""
    if len(pairs) == 3:
        return pairs, "as in the file"
    by = stratified(pairs[0][1])
    if len(pairs) == 2:
        parts = (1 - _VALIDATION, _VALIDATION)
        return [
            *split(*pairs[0], seed, parts),
            pairs[1],
        ], f"test as in the file, the rest divided {by} with seed {seed}"
    return split(*pairs[0], seed), f"{by} with seed {seed}"


def _arrays(path: Path) -> dict[str, Array]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            total = sum(info.file_size for info in members.values())
            if total > MAX_BYTES:
                raise InputError(f"{path} unpacks to {total:,} bytes, the limit is {MAX_BYTES:,}")
            known = {name for layout in LAYOUTS for name in layout}
            for name, info in members.items():
                if name in known:
                    with archive.open(info) as stream:
                        _check_header(path, name, stream, info.file_size)
        with np.load(path, allow_pickle=False) as stored:
            return {name: stored[name] for name in members if name in known}
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    except (zipfile.BadZipFile, EOFError, ValueError, KeyError, NotImplementedError, RuntimeError) as error:
        raise InputError(f"{path} is damaged, or no .npz file: {error}", hint="write it with numpy.savez") from error


def _check_header(path: Path, name: str, stream: IO[bytes], size: int) -> None:
    """Refuses what is no plain array of numbers, or claims more elements than there are bytes."""
    version = npy.read_magic(stream)
    if version not in ((1, 0), (2, 0)):
        raise InputError(f"{path}: {name} is written in version {version} of the .npy format", hint="save plain arrays")
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = read(stream)
    if dtype.hasobject:
        raise InputError(
            f"{path}: {name} holds pickled Python objects, which are never loaded",
            hint="save arrays of numbers, all samples of one shape",
        )
    if dtype.kind not in _KINDS:
        raise InputError(f"{path}: {name} has elements of type {dtype}, not numbers")
    if any(extent < 0 for extent in shape) or math.prod(shape) * dtype.itemsize > size:
        raise InputError(f"{path} is damaged: {name} claims the shape {shape}, but has {size:,} bytes")


def _check(path: Path, name: str, array: Array) -> None:
    if array.ndim == 0 or array.size == 0:
        raise InputError(f"{path}: {name} is empty")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise InputError(
            f"{path}: {name} contains NaN or infinite values", hint="remove these samples, or replace the values"
        )
