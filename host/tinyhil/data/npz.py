"""Reads an ``.npz`` file that may come from anywhere.

An ``.npz`` is a zip of ``.npy`` files. What each says of itself is read before any of it is unpacked: pickled objects,
which would run code on loading, are never loaded, and a small file cannot make us allocate more than ``MAX_BYTES``.
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Container
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy

from tinyhil import kinds
from tinyhil.errors import InputError

MAX_BYTES = 1 << 30
"""Unpacked. MNIST has 55 MB as bytes, 220 MB as float32."""
_KINDS = "biuf"
"""NumPy kinds that are numbers: boolean, signed, unsigned, floating."""


def read(path: Path, names: Container[str] | None = None) -> dict[str, npt.NDArray[np.generic]]:
    """The arrays in a file by their names.

    Args:
        path: the file.
        names: of the arrays that are wanted, if the file has them; others may be anything. None for all.

    Raises:
        InputError: it cannot be read, is no ``.npz``, is damaged or too large, or a wanted array holds pickled objects
            or anything but numbers.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            total = sum(info.file_size for info in members.values())
            if total > MAX_BYTES:
                raise InputError(
                    f"{path} unpacks to {total:,} bytes, the limit is {MAX_BYTES:,}",
                    hint="use fewer samples",
                    kind=kinds.SAMPLES,
                )
            wanted = [name for name in members if names is None or name in names]
            for name in wanted:
                with archive.open(members[name]) as stream:
                    _check_header(path, name, stream, members[name].file_size)
        with np.load(path, allow_pickle=False) as stored:
            return {name: stored[name] for name in wanted}
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}", kind=kinds.SAMPLES) from error
    except (zipfile.BadZipFile, EOFError, ValueError, KeyError, NotImplementedError, RuntimeError) as error:
        raise InputError(
            f"{path} is damaged, or no .npz file: {error}", hint="write it with numpy.savez", kind=kinds.SAMPLES
        ) from error


def read_array(path: Path) -> npt.NDArray[np.generic]:
    """The array in an ``.npy`` file.

    Raises:
        InputError: as ``read``.
    """
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise InputError(
                f"{path} has {size:,} bytes, the limit is {MAX_BYTES:,}", hint="use fewer samples", kind=kinds.SAMPLES
            )
        with path.open("rb") as stream:
            _check_header(path, "the array", stream, size)
            stream.seek(0)
            array: npt.NDArray[np.generic] = npy.read_array(stream, allow_pickle=False)
            return array
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}", kind=kinds.SAMPLES) from error
    except (EOFError, ValueError) as error:
        raise InputError(
            f"{path} is damaged, or no .npy file: {error}", hint="write it with numpy.save", kind=kinds.SAMPLES
        ) from error


def _check_header(path: Path, name: str, stream: IO[bytes], size: int) -> None:
    """Refuses what is no plain array of numbers, or claims more elements than there are bytes."""
    version = npy.read_magic(stream)
    if version not in ((1, 0), (2, 0)):
        raise InputError(
            f"{path}: {name} is written in version {version} of the .npy format",
            hint="save plain arrays",
            kind=kinds.SAMPLES,
        )
    header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = header(stream)
    if dtype.hasobject:
        raise InputError(
            f"{path}: {name} holds pickled Python objects, which are never loaded",
            hint="save arrays of numbers, all samples of one shape",
            kind=kinds.SAMPLES,
        )
    if dtype.kind not in _KINDS:
        raise InputError(f"{path}: {name} has elements of type {dtype}, not numbers", kind=kinds.SAMPLES)
    if any(extent < 0 for extent in shape) or math.prod(shape) * dtype.itemsize > size:
        raise InputError(
            f"{path} is damaged: {name} claims the shape {shape}, but has {size:,} bytes", kind=kinds.SAMPLES
        )
