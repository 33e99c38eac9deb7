"""Reads samples in the forms that people have them in, without trusting any of them.

==========  =========================================================================================
``.npz``    arrays by their names (``tinyhil.data.npz``)
``.npy``    one array: ``x``
``.csv``    numbers, a sample a line: ``x``; a column called y, label, class or target is ``y``
a folder    images, a folder for each class: ``x`` and ``y`` (``tinyhil.data.image_folder``)
==========  =========================================================================================

Suffixes are read in any case.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyhil import kinds
from tinyhil.artifacts import foreign, hashing
from tinyhil.data import image_folder, npz
from tinyhil.errors import InputError

INPUTS, TARGETS = "x", "y"
FORMS = ".npz, .npy, .csv or a folder of images by class"
_TARGET_COLUMNS = ("y", "label", "labels", "class", "target")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?|[+-]?(nan|inf|infinity)", re.IGNORECASE)
"""NaN and infinite values are numbers here, and refused by whoever wants finite ones."""
_Arrays = dict[str, npt.NDArray[np.generic]]


@dataclass(frozen=True)
class SamplesFile:
    """What is in a file of samples.

    Attributes:
        arrays: by their names, the first axis the sample.
        classes: names of the classes, where the file has names: a target is the place of one of them.
        flat: whether a sample is a row of numbers whatever its shape may be.
        pixels: whether the inputs are pixels, integers from 0 to 255.
    """

    arrays: _Arrays
    classes: tuple[str, ...] = ()
    flat: bool = False
    pixels: bool = False


def read(path: Path, names: Container[str] | None = None, channels: int | None = None) -> SamplesFile:
    """Reads a file, or a folder.

    Args:
        names: of the arrays that are wanted of an .npz file; None for all.
        channels: of images: 1 for grey, 3 for colours; None for what they have.

    Raises:
        InputError: it cannot be read, is damaged, too large, or has anything but numbers; or its form is unknown.
        MissingToolError: it has images, and Pillow is not installed.
    """
    if foreign.is_folder(path):
        found = image_folder.read(path, channels)
        targets = {} if found.labels is None else {TARGETS: found.labels}
        return SamplesFile({INPUTS: found.images, **targets}, found.classes, pixels=True)
    suffix = path.suffix.lower()
    if suffix == ".npz":
        return SamplesFile(npz.read(path, names))
    if suffix == ".npy":
        return SamplesFile({INPUTS: npz.read_array(path)})
    if suffix == ".csv":
        return _csv(path)
    npz.refuse_large(path)
    raise InputError(
        f"{path} is no file of samples",
        hint=f"give {FORMS}; numpy.savez('data.npz', x=..., y=...) writes the first",
        kind=kinds.SAMPLES,
    )


def class_names(path: Path) -> tuple[str, ...]:
    """The names of the classes, where the file has names.

    Raises:
        InputError: as ``read``.
    """
    if foreign.is_folder(path):
        return image_folder.classes(path)
    return read(path).classes if path.suffix.lower() == ".csv" else ()


def digest(path: Path) -> str:
    """SHA-256 of what a file has, or all images of a folder.

    Raises:
        InputError: it cannot be read, or is too large.
    """
    if not foreign.is_folder(path):
        npz.refuse_large(path)
    try:
        files = image_folder.files(path) if foreign.is_folder(path) else [path]
        if sum(file.stat().st_size for file in files) > npz.MAX_BYTES:
            raise InputError(
                f"{path} has more than {npz.MAX_BYTES:,} bytes", hint="use fewer samples", kind=kinds.SAMPLES
            )
        if not foreign.is_folder(path):
            return hashing.of_file(path)
        return hashing.of_json({str(file.relative_to(path)): hashing.of_file(file) for file in files})
    except OSError as error:
        raise InputError(
            f"cannot read {path}: {error.strerror}",
            hint="paths are relative to the current folder",
            kind=kinds.SAMPLES,
        ) from error


def contents(found: SamplesFile) -> str:
    """The arrays in words: names, shapes and types."""
    listed = [f"{name!r} {array.shape} {array.dtype}" for name, array in found.arrays.items()]
    return ", ".join(listed) or "no arrays"


def not_finite(name: str, array: npt.NDArray[Any]) -> str:
    """How many values are NaN or infinite, and the first of them by NumPy's index: ``x has 2 ...``; empty for none."""
    if array.dtype.kind in "biu" or np.isfinite(array).all():
        return ""
    wrong = np.argwhere(~np.isfinite(array))
    values = "1 value that is" if len(wrong) == 1 else f"{len(wrong):,} values that are"
    return f"{name} has {values} NaN or infinite, the first at {name}[{', '.join(map(str, wrong[0]))}]"


def _csv(path: Path) -> SamplesFile:
    """Numbers in lines. The first line may have the columns' names."""
    npz.refuse_large(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(
            f"cannot read {path}: {error.strerror}", hint="paths are relative to the current folder", kind=kinds.SAMPLES
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path} is no text in UTF-8: {error.reason} at byte {error.start}",
            hint="save it as CSV in UTF-8",
            kind=kinds.SAMPLES,
        ) from error
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    try:
        # Strict: a quotation that nobody closes is an error, and no part of the next number.
        lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        rows = [row for row in lines if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise InputError(
            f"{path} cannot be read as CSV: {error}",
            hint="write a sample a line, its values separated by commas",
            kind=kinds.SAMPLES,
        ) from error
    head: list[str] = []
    if rows and not any(_is_number(cell) for cell in rows[0]):
        head = [cell.strip() for cell in rows.pop(0)]
    if not rows:
        raise InputError(f"{path} has no samples", hint="write a sample a line", kind=kinds.SAMPLES)
    width = len(head or rows[0])
    for number, row in enumerate(rows, 1):
        if len(row) != width:
            raise InputError(
                f"{path}: sample {number} has {len(row)} values, and the first line has {width}",
                hint="give every line as many values",
                kind=kinds.SAMPLES,
            )
    labelled = [place for place, name in enumerate(head) if name.lower() in _TARGET_COLUMNS]
    if len(labelled) > 1:
        raise InputError(
            f"{path} has {len(labelled)} columns of targets: {', '.join(head[place] for place in labelled)}",
            hint="leave all but one of them out",
            kind=kinds.SAMPLES,
        )
    kept = [place for place in range(width) if place not in labelled]
    arrays: _Arrays = {INPUTS: _numbers(path, rows, kept, head)}
    if not labelled:
        return SamplesFile(arrays, flat=True)
    cells = [row[labelled[0]].strip() for row in rows]
    if "" in cells:
        raise InputError(
            f"{path}: sample {cells.index('') + 1} has no target in column {head[labelled[0]]}",
            hint="give every sample one target, or leave the sample out",
            kind=kinds.SAMPLES,
        )
    if all(_is_number(cell) for cell in cells):
        values = np.array([float(cell) for cell in cells])
        whole = bool(
            np.isfinite(values).all() and (values == np.round(values)).all() and (np.abs(values) < 2**31).all()
        )
        arrays[TARGETS] = values.astype(np.int32) if whole else values.astype(np.float32)
        return SamplesFile(arrays, flat=True)
    classes = tuple(sorted(set(cells)))
    arrays[TARGETS] = np.array([classes.index(cell) for cell in cells], np.int32)
    return SamplesFile(arrays, classes, flat=True)


def _numbers(path: Path, rows: list[list[str]], columns: list[int], head: list[str]) -> npt.NDArray[np.float64]:
    values = np.zeros((len(rows), len(columns)))
    for number, row in enumerate(rows):
        for place, column in enumerate(columns):
            if not _is_number(row[column]):
                name = head[column] if head else str(column + 1)
                raise InputError(
                    f"{path}: sample {number + 1} has {row[column]!r} in column {name}, which is no number",
                    hint="leave columns out that are no inputs, or name the column of the targets y",
                    kind=kinds.SAMPLES,
                )
            values[number, place] = float(row[column])
    return values


def _is_number(cell: str) -> bool:
    """Whether a cell is a number as tables have it; Python's own ``1_000`` is none."""
    return _NUMBER.fullmatch(cell.strip()) is not None
