"""What a Keras file claims of its own size, before Keras believes it.

A file of a few KB can declare a layer of two billion units, or an array of a terabyte that is nowhere stored: Keras
makes them. A file of weights can also lead to other files of this computer. All of it is refused here.
"""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tinyhil import kinds
from tinyhil.artifacts import foreign
from tinyhil.errors import MissingToolError, ModelError

MAX_SIZE = 1 << 24
"""The largest number that a layer is described with: units, words, pixels of an axis."""
MAX_ELEMENTS = 1 << 28
"""The largest product of a layer's numbers that stand together, such as a shape."""
MAX_WEIGHT_BYTES = 1 << 30
"""Of all arrays in a file, as they are in memory."""
_DENSEST = 1000
"""HDF5's compression makes no more than so many bytes of one."""
_BYTES_EACH = 2
"""Of a parameter, at least: float16."""
_NO_SIZES = ("seed", "vocabulary", "salt", "axis", "axes", "name", "dtype", "random_seed")
"""Keys of a layer whose numbers may be of any size."""
_WEIGHTS = "model.weights.h5"


def refuse_absurd(path: Path, parts: Iterable[tuple[str, dict[str, Any]]]) -> None:
    """Refuses layers that are larger than any microcontroller, or than the file that should have their weights.

    Args:
        path: the file.
        parts: what is described in it, with the name of the layer that it belongs to.

    Raises:
        ModelError: a layer is; its name is in the message.
    """
    size = path.stat().st_size
    for name, part in parts:
        own = part.get("config")
        if not isinstance(own, dict):
            continue
        for key, numbers in _numbers(own):
            if max(map(abs, numbers)) > MAX_SIZE or math.prod(abs(each) or 1 for each in numbers) > MAX_ELEMENTS:
                raise _too_large(path, name, part, f"{key} = {own[key]}")
        parameters = _least_parameters(part, own)
        if parameters * _BYTES_EACH > size * _DENSEST:
            raise _too_large(path, name, part, f"{parameters:,} parameters at least, in a file of {size:,} bytes")


def _numbers(own: Mapping[str, Any]) -> Iterator[tuple[str, list[int]]]:
    """The numbers that stand together under each key; without those of what else is described there."""
    for key, value in own.items():
        found = [] if key in _NO_SIZES else list(_flat(value))
        if found:
            yield key, found


def _flat(value: Any) -> Iterator[int]:
    if isinstance(value, int) and not isinstance(value, bool):
        yield value
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _flat(each)


def _least_parameters(part: Mapping[str, Any], own: Mapping[str, Any]) -> int:
    """How many weights a layer has at the least, whatever it is fed with."""
    size = {key: math.prod(numbers) for key, numbers in _numbers(own)}
    built = part.get("build_config")
    shape = built.get("input_shape") if isinstance(built, dict) else None
    last = shape[-1] if isinstance(shape, list) and shape else 1
    taken = last if isinstance(last, int) and not isinstance(last, bool) and last > 0 else 1
    units = size.get("units", 0) * (taken if part.get("class_name") == "Dense" else 1)
    filters = size.get("filters", 0) * size.get("kernel_size", 1)
    words = size.get("input_dim", 0) * size.get("output_dim", 0)
    heads = size.get("num_heads", 0) * size.get("key_dim", 0)
    return max(units, filters, words, heads)


def _too_large(path: Path, name: str, part: Mapping[str, Any], what: str) -> ModelError:
    return ModelError(
        f"{path}: layer {name!r} ({part.get('class_name')}) is larger than any microcontroller: {what}",
        hint="make the layer smaller; where the file is not of this model, save it again",
    )


def configuration(path: Path, name: str) -> str | None:
    """The model's configuration in an .h5 file, None where it has none. Imports h5py.

    Args:
        name: how the file is called in messages.

    Raises:
        MissingToolError: h5py is not installed.
        ModelError: the file is damaged.
    """
    h5py = _h5py()
    with foreign.reading(name, "an .h5 file", _refusal), h5py.File(path, "r") as file:
        found = file.attrs.get("model_config")
        if found is not None and not isinstance(found, str | bytes):
            raise _refusal(f"{name} is damaged: its model_config is {type(found).__name__}, and no text")
        return found if found is None or isinstance(found, str) else bytes(found).decode(errors="replace")


def _h5py() -> Any:
    try:
        import h5py
    except ModuleNotFoundError as error:
        raise MissingToolError(
            "h5py is not installed, it is needed for Keras models", hint="pip install 'tinyhil[train]'"
        ) from error
    return h5py


def refuse_weights(path: Path, name: str) -> None:
    """Refuses weights that are larger in memory than ``MAX_WEIGHT_BYTES``, or lie in other files. Imports h5py.

    Args:
        name: how the file is called in messages.

    Raises:
        MissingToolError: h5py is not installed.
        ModelError: they are, or do; or the file is damaged.
    """
    h5py = _h5py()
    stored: Path | io.BytesIO = path
    with foreign.reading(name, "a Keras file", _refusal):
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                if _WEIGHTS not in archive.namelist():
                    raise _refusal(f"{name} is damaged: it has no {_WEIGHTS}")
                stored = io.BytesIO(archive.read(_WEIGHTS))
        with h5py.File(stored, "r") as file:
            total = sum(_bytes_of(name, h5py, file, set()))
    if total > MAX_WEIGHT_BYTES:
        raise ModelError(
            f"{name} has weights of {total:,} bytes, the limit is {MAX_WEIGHT_BYTES:,}",
            hint="save it again without the optimizer, or use a smaller model",
        )


def _bytes_of(name: str, h5py: Any, group: Any, seen: set[int]) -> Iterator[int]:
    """Bytes in memory of each array below a group, which may lead in a circle."""
    for key in group:
        link = group.get(key, getlink=True)
        if isinstance(link, h5py.ExternalLink):
            raise _refusal(f"{name}: {group.name}/{key} lies in another file, {link.filename!r}, which is not opened")
        found = group.get(key)
        if found is None:
            continue  # a link that leads nowhere
        address = int(h5py.h5o.get_info(found.id).addr)
        if address in seen:
            continue
        seen.add(address)
        if isinstance(found, h5py.Group):
            yield from _bytes_of(name, h5py, found, seen)
        elif isinstance(found, h5py.Dataset):
            if found.external or found.is_virtual:
                raise _refusal(f"{name}: {found.name} lies in another file, which is not opened")
            yield int(found.nbytes)


def _refusal(message: str) -> ModelError:
    return ModelError(message, hint="save or copy it again", kind=kinds.DAMAGED_MODEL)
