"""Models and samples that are in memory become files below the build folder, by the hash of what is in them.

The same model or array is the same file again, so nothing is made a second time that is there already.
"""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from tinyhil import kinds
from tinyhil.artifacts import hashing, store
from tinyhil.artifacts.temporary import TemporaryFolder
from tinyhil.errors import InputError
from tinyhil.options import Options, fields
from tinyhil.pipeline import layout
from tinyhil.quantize import samples

_KERAS = "keras"
_KEPT_APART = "metadata.json"
"""In a .keras file: when it was saved, and by which Keras. Nothing is computed by it."""
_ADDRESS = re.compile(rb'("shared_object_id": )(\d+)')
_KNOWN_AS = "a recipe's name, a path to a .keras or .tflite file, a Keras model, or a .tflite file's bytes"


class KerasModel(Protocol):
    """What is needed of a Keras model; Keras itself is not imported for it."""

    name: str

    def save(self, filepath: str) -> Any:
        """Writes a .keras file."""


Model = str | Path | bytes | KerasModel
"""What names a model: a recipe's name, a path, a .tflite file's bytes, or a Keras model in memory."""


def as_files(model: Model, options: Options) -> tuple[str, Options]:
    """The name or path of the model, and options in which arrays are paths.

    Raises:
        InputError: it is no model, or no samples.
        StorageError: the folder cannot be written.
    """
    held: dict[str, Any] = {
        field.name: _arrays(getattr(options, field.name), field.name, options.build_dir)
        for field in fields()
        if field.about.in_memory and not isinstance(getattr(options, field.name), Path | None)
    }
    return _named(model, options.build_dir), replace(options, **held)


def _named(model: Model, build_dir: Path) -> str:
    if isinstance(model, str | Path):
        return str(model)
    if isinstance(model, bytes | bytearray | memoryview):
        content = bytes(model)
        return str(_kept(build_dir, "model.tflite", content, hashing.of_bytes(content)))
    if any(kind.__module__.partition(".")[0] == _KERAS for kind in type(model).__mro__):
        return str(_saved(model, build_dir))
    raise InputError(f"{type(model).__name__} is no model", hint=f"give {_KNOWN_AS}")


def _saved(model: KerasModel, build_dir: Path) -> Path:
    """A Keras model as a file of its name."""
    with TemporaryFolder() as folder:
        path = folder / "model.keras"
        with store.storage(path):
            model.save(str(path))
        content = path.read_bytes()
        with zipfile.ZipFile(path) as members:
            parts = {name: _lasting(members.read(name)) for name in members.namelist() if name != _KEPT_APART}
    return _kept(build_dir, f"{model.name}.keras", content, hashing.of_tree(parts))


def _lasting(member: bytes) -> bytes:
    """A member of a .keras file with numbers in place of the addresses that objects had in the process that saved it.

    Two processes that make one model save the same but for them.
    """
    order: dict[bytes, int] = {}
    return _ADDRESS.sub(lambda found: b"%s%d" % (found[1], order.setdefault(found[2], len(order))), member)


def _arrays(values: Any, option: str, build_dir: Path) -> Path:
    """Arrays as an .npz file."""
    if isinstance(values, Mapping):
        arrays = {str(name): np.asarray(part) for name, part in values.items()}
    elif isinstance(values, tuple) and len(values) == 2:
        arrays = dict(zip((samples.INPUTS, samples.TARGETS), map(np.asarray, values), strict=True))
    else:
        arrays = {samples.INPUTS: np.asarray(values)}
    for name, part in arrays.items():
        if part.dtype.kind not in "biuf" or part.ndim == 0:
            raise InputError(
                f"{option}: {name!r} is no array of numbers, but {part.dtype} of shape {part.shape}",
                hint="give an array whose first axis is the sample, a pair x, y, a dict of arrays, or a path",
                kind=kinds.SAMPLES,
            )
    with TemporaryFolder() as folder:
        path = folder / "samples.npz"
        with store.storage(path):
            np.savez(path, allow_pickle=False, **_plain(arrays))
        content = path.read_bytes()
    return _kept(build_dir, f"{option}.npz", content, hashing.of_bytes(content))


def _plain(arrays: Mapping[str, npt.NDArray[Any]]) -> dict[str, Any]:
    return {name: np.ascontiguousarray(part) for name, part in sorted(arrays.items())}


def _kept(build_dir: Path, name: str, content: bytes, digest: str) -> Path:
    """The file with this content; it appears whole, or not at all."""
    path = layout.in_memory(build_dir, digest) / name
    if not path.is_file():
        store.make_folder(path.parent)
        with store.storage(path):
            whole = path.with_name(f".{name}.{os.getpid()}")
            whole.write_bytes(content)
            whole.replace(path)
    return path
