"""Reads an ``.npz`` file that may come from anywhere.

An ``.npz`` is a zip of ``.npy`` files. What each says of itself is read before any of it is unpacked: pickled objects,
which would run code on loading, are never loaded, and a small file cannot make us allocate more than ``MAX_BYTES``.
"""

from __future__ import annotations

import math
import shlex
import zipfile
from collections import Counter
from collections.abc import Callable, Container
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy

from tinyhil import kinds
from tinyhil.artifacts import foreign
from tinyhil.errors import InputError

MAX_BYTES = 1 << 30
"""Unpacked. MNIST has 55 MB as bytes, 220 MB as float32."""
MAX_MEMBERS = 1000
"""Arrays in one file."""
_LOOKED_AT = 64
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
    refuse_large(path)
    with foreign.reading(path, "an .npz file", _refusal("write it with numpy.savez")), zipfile.ZipFile(path) as archive:
        listed = archive.infolist()
        if len(listed) > MAX_MEMBERS:
            raise InputError(
                f"{path} has {len(listed):,} arrays, the limit is {MAX_MEMBERS:,}",
                hint="put the samples into one array, the first axis the sample",
                kind=kinds.SAMPLES,
            )
        total = sum(info.file_size for info in listed)
        if total > MAX_BYTES:
            raise InputError(
                f"{path} unpacks to {total:,} bytes, the limit is {MAX_BYTES:,}",
                hint="use fewer samples",
                kind=kinds.SAMPLES,
            )
        named = [(info.filename.removesuffix(".npy"), info) for info in listed]
        twice = sorted(name for name, count in Counter(name for name, _ in named).items() if count > 1)
        if twice:
            raise InputError(
                f"{path} has two arrays {twice[0]!r}: it is not known which is meant",
                hint="write it with numpy.savez, which gives each array a name of its own",
                kind=kinds.SAMPLES,
            )
        arrays: dict[str, npt.NDArray[np.generic]] = {}
        for name, info in named:
            if names is None or name in names:
                with (
                    foreign.reading(f"{path}: {name}", "an array", _refusal("write the file with numpy.savez")),
                    archive.open(info) as stream,
                ):
                    _check_header(path, name, stream, info.file_size)
                    stream.seek(0)
                    arrays[name] = _usual(npy.read_array(stream, allow_pickle=False))
        return arrays


def read_array(path: Path) -> npt.NDArray[np.generic]:
    """The array in an ``.npy`` file.

    Raises:
        InputError: as ``read``.
    """
    refuse_large(path)
    with (
        foreign.reading(path, "an .npy file", _refusal("write it with numpy.save")),
        path.open("rb") as stream,
    ):
        _check_header(path, "the array", stream, path.stat().st_size)
        stream.seek(0)
        return _usual(npy.read_array(stream, allow_pickle=False))


def _usual(array: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    """The same numbers in this machine's order of bytes, and the last axis the innermost."""
    made: npt.NDArray[np.generic] = np.asarray(array, array.dtype.newbyteorder("="), order="C")
    return made


def _refusal(hint: str) -> Callable[[str], InputError]:
    return lambda message: InputError(message, hint=hint, kind=kinds.SAMPLES)


def refuse_large(path: Path) -> None:
    """Refuses a file that cannot be had, has no end, or is larger than samples can be.

    Raises:
        InputError: as it says.
    """
    with foreign.reading(path, "a file", _refusal("paths are relative to the current folder")):
        size = path.stat().st_size
    other = foreign.why_not_regular(path)
    if other:
        raise InputError(f"{path} is {other}", hint="write the samples into a file, and give that", kind=kinds.SAMPLES)
    with foreign.reading(path, "a file", _refusal("look at its rights")), path.open("rb") as stream:
        head = stream.read(_LOOKED_AT)
    for start, what, hint in foreign.NOT_FETCHED:
        if head.startswith(start):
            raise InputError(f"{path} is {what}", hint=hint.format(name=shlex.quote(str(path))), kind=kinds.SAMPLES)
    if size > MAX_BYTES:
        raise InputError(
            f"{path} has {size:,} bytes, the limit is {MAX_BYTES:,}", hint="use fewer samples", kind=kinds.SAMPLES
        )


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
        raise InputError(
            f"{path}: {name} has elements of type {dtype}, not numbers",
            hint="save numbers: classes as their numbers from 0 on",
            kind=kinds.SAMPLES,
        )
    # An axis of its own is held against the bytes too: nothing times 10**18 is nothing.
    longest = max((math.prod(shape) * dtype.itemsize, *shape))
    if any(isinstance(extent, bool) or extent < 0 for extent in shape) or longest > size:
        raise InputError(
            f"{path} is damaged: {name} claims the shape {shape}, but has {size:,} bytes",
            hint="write it again with NumPy",
            kind=kinds.SAMPLES,
        )
