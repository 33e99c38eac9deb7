"""The .npz files that artifacts consist of: which arrays each has, written and read in this one place.

::

    dataset.npz     train_x train_y validation_x validation_y test_x test_y, the samples along the first axis;
                    train_x_1 test_x_1 ... what further inputs take, where a model has several
    vectors.npz     input_0 ...    what the device is sent, (vectors, *shape) in the tensors' types
                    float_0        the float model's outputs for it, (vectors, *shape) as float64
                    test_0 ...     the float model's outputs for the test set, (samples, *shape) as float64
                    sample_0 ...   real samples that the inspection looks at, one array per input
                    data           (vectors,), which of them are like the data
                    targets        the test set's, where the vectors are its samples
    others          KIND_0, KIND_1, ...: one array per tensor, in the model's order; KIND is input, output or reference

Vectors that are not all inputs there are end with the samples of the test set, in its order.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from tinyhil.artifacts import hashing, store
from tinyhil.artifacts.types import Array, Reals

Kind = Literal["input", "output", "reference"]

Samples = tuple[Array, Array]
"""Inputs and targets, (samples, *shape) each; targets that are unknown have no elements."""


@dataclass(frozen=True)
class StoredVectors:
    """What is in ``vectors.npz``; see above.

    Attributes:
        inputs: one array per input.
        samples: one array per input; none where nothing is inspected.
        floats: one array per output; none where there is no float model.
        test: the float model's outputs for the test set, one array per output; none where there is none.
        data: which vectors are like the data; None for all of them.
        targets: of the test set; None where there are none, or the vectors are others.
    """

    inputs: tuple[Array, ...]
    samples: tuple[Array, ...] = ()
    floats: tuple[Reals, ...] = ()
    test: tuple[Reals, ...] = ()
    data: npt.NDArray[np.bool_] | None = None
    targets: Array | None = None


def set_names(name: str) -> tuple[str, str]:
    """What inputs and targets of a set are called in a file: of ``train`` they are ``train_x`` and ``train_y``."""
    return f"{name}_x", f"{name}_y"


def write_dataset(
    path: Path, sets: Mapping[str, Samples], further: Mapping[str, Sequence[Array]] | None = None
) -> None:
    """Writes the sets ``train``, ``test`` and, if it is there, ``validation``.

    Args:
        sets: what the first input takes, and the targets.
        further: what the other inputs take, one array for each, by the same names.

    Raises:
        StorageError: the file cannot be written.
    """
    arrays = {key: array for name, both in sets.items() for key, array in zip(set_names(name), both, strict=True)}
    for name, inputs in (further or {}).items():
        arrays |= {_further(name, place): array for place, array in enumerate(inputs, 1)}
    _write(path, arrays)


def read_set(path: Path, name: str) -> Samples:
    """Inputs and targets of one set of a dataset; nothing else of the file is read."""
    with np.load(path, allow_pickle=False) as stored:
        x, y = (stored[key] for key in set_names(name))
    return x, y


def read_inputs(path: Path, name: str) -> tuple[Array, ...]:
    """What each input of a model takes of one set of a dataset."""
    with np.load(path, allow_pickle=False) as stored:
        inputs = [stored[set_names(name)[0]]]
        while (key := _further(name, len(inputs))) in stored:
            inputs.append(stored[key])
    return tuple(inputs)


def digest_of_test_set(path: Path) -> str | None:
    """SHA-256 over the set ``test`` of a dataset, inputs and targets; None where the file has none, or is not there."""
    try:
        with zipfile.ZipFile(path) as stored:
            members = {name: stored.read(name) for name in stored.namelist() if name.startswith("test_")}
    except (OSError, zipfile.BadZipFile):
        return None
    return hashing.of_tree(members) if members else None


def _further(name: str, place: int) -> str:
    return f"{set_names(name)[0]}_{place}"


def write_vectors(path: Path, vectors: StoredVectors) -> None:
    """Writes ``vectors.npz``.

    Raises:
        StorageError: the file cannot be written.
    """
    arrays = _numbered("input", vectors.inputs) | _numbered("sample", vectors.samples)
    arrays |= _numbered("float", vectors.floats) | _numbered("test", vectors.test)
    single = {"data": vectors.data, "targets": vectors.targets}
    _write(path, arrays | {name: array for name, array in single.items() if array is not None})


def read_vectors(path: Path) -> StoredVectors:
    """Reads ``vectors.npz``."""
    with np.load(path, allow_pickle=False) as stored:
        return StoredVectors(
            inputs=_row("input", stored),
            samples=_row("sample", stored),
            floats=_row("float", stored),
            test=_row("test", stored),
            data=stored.get("data"),
            targets=stored.get("targets"),
        )


def write_tensors(path: Path, kind: Kind, tensors: Sequence[Array]) -> None:
    """Writes one array per tensor, in the model's order.

    Raises:
        StorageError: the file cannot be written.
    """
    _write(path, _numbered(kind, tensors))


def read_tensors(path: Path, kind: Kind) -> tuple[Array, ...]:
    """The arrays that ``write_tensors`` has written."""
    with np.load(path, allow_pickle=False) as stored:
        return _row(kind, stored)


def _numbered(kind: str, tensors: Sequence[Array]) -> dict[str, Array]:
    return {f"{kind}_{index}": tensor for index, tensor in enumerate(tensors)}


def _row(kind: str, stored: Mapping[str, Any]) -> tuple[Any, ...]:
    """``KIND_0``, ``KIND_1`` and so on, as far as they are there."""
    row: list[Any] = []
    while (name := f"{kind}_{len(row)}") in stored:
        row.append(stored[name])
    return tuple(row)


def _write(path: Path, arrays: Mapping[str, Array]) -> None:
    with store.storage(path):
        np.savez(path, **arrays)  # type: ignore[arg-type]  # none is called allow_pickle
