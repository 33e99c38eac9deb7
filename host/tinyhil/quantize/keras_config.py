"""What a Keras file says of its model, read as JSON: TensorFlow is not started for it, and no code is run.

A .keras file is a zip archive of JSON and weights, a .h5 file has the same JSON as an attribute. What cannot be
converted because its code is not in the file, or would have to be run, is refused here, by the layer's name.
"""

from __future__ import annotations

import json
import stat
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import Any

from tinyhil import kinds, worker
from tinyhil.artifacts import foreign
from tinyhil.errors import CrashError, InputError, ModelError
from tinyhil.process import Limits
from tinyhil.progress import Silent
from tinyhil.quantize import keras_sizes

SUFFIXES = (".keras", ".h5", ".hdf5")
"""Of files, in any case."""
MAX_UNPACKED_BYTES = 1 << 30
"""Float weights of a model far beyond any microcontroller, with an optimizer's state."""
MAX_MEMBERS = 100
"""A .keras file has three or four."""
_CONFIG = "config.json"
_LAMBDA = ("Lambda", "__lambda__")
"""A layer of code, and a function of code anywhere else, as an activation may be."""
_OWN_MODULES = ("keras", "builtins")
_EXPORT = (
    "where its code is, convert it by tf.lite.TFLiteConverter.from_keras_model(model), write the result to a .tflite "
    "file, and give that"
)
_SAVE_AGAIN = "save or copy it again"


@dataclass(frozen=True)
class KerasInput:
    """An input of a model.

    Attributes:
        name: of its layer.
        shape: without the batch; None for a size that is open.
    """

    name: str
    shape: tuple[int | None, ...]


def inputs(path: Path) -> tuple[KerasInput, ...]:
    """The inputs of the model in a file, in the model's order.

    Raises:
        MissingToolError: h5py is not installed, which .h5 files need.
        ModelError: it is no Keras file, or damaged, or too large; its model has code; or it does not say what it takes.
    """
    config = read(path)
    with foreign.reading(f"{path}: its configuration", "that of a model", _refusal):
        _refuse_code(path, config)
        keras_sizes.refuse_absurd(path, described(config))
        found = _inputs(config)
    if not found:
        kind = config.get("class_name")
        if kind in ("Sequential", "Functional", "Model"):
            raise ModelError(
                f"{path} does not say what shape its input has", hint="begin the model with keras.Input(shape)"
            )
        raise ModelError(f"{path} has a model of the class {kind}, whose graph is code that is not in it", hint=_EXPORT)
    return found


_READING = Limits(memory_bytes=4 * MAX_UNPACKED_BYTES, processor_seconds=4)
"""To look into weights that are not loaded: a good file of 100 MB takes half a second."""


def read(path: Path) -> dict[str, Any]:
    """The model's configuration.

    Raises:
        MissingToolError, ModelError: as ``inputs``.
    """
    text: str | bytes = _of_archive(path) if path.suffix.lower() == ".keras" else _of_hdf5(path)
    with foreign.reading(f"{path}: its configuration", "JSON", _refusal):
        config = json.loads(text)
    if not isinstance(config, dict) or not isinstance(config.get("config"), dict | list):
        raise _damaged(path, "its configuration is not that of a model")
    return config


def layers(config: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The layers of a model, each as it is described; of Keras 2, a Sequential model is a list of them."""
    described = config["config"]
    found = described if isinstance(described, list) else described.get("layers", [])
    return [layer for layer in found if isinstance(layer, dict) and isinstance(layer.get("config"), dict)]


_OF_TRAINING = ("compile_config",)


def described(part: Any, name: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Everything in a configuration that has a class, with the name of the layer that it belongs to.

    How the model was trained is left out: a loss of the user's own is not needed to compute outputs.
    """
    if isinstance(part, dict):
        own = part.get("config")
        if isinstance(own, dict) and isinstance(own.get("name"), str) and "class_name" in part:
            name = own["name"]
        if "class_name" in part:
            yield name, part
        for key, value in part.items():
            if key not in _OF_TRAINING:
                yield from described(value, name)
    elif isinstance(part, list):
        for value in part:
            yield from described(value, name)


def _refuse_code(path: Path, config: dict[str, Any]) -> None:
    for name, part in described(config):
        kind, module, registered = part["class_name"], part.get("module"), part.get("registered_name")
        if kind in _LAMBDA:
            raise ModelError(
                f"{path}: layer {name!r} is a Lambda layer, code in a file, which is not run",
                hint="replace it by a layer of Keras' own, or by functions of keras.ops in a functional model: "
                "x = keras.ops.abs(x)",
            )
        root = module.partition(".")[0] if isinstance(module, str) else ""
        own = root not in ("", *_OWN_MODULES) or (
            isinstance(registered, str) and ">" in registered and not registered.startswith("keras>")
        )
        if own or (kind == "function" and root == "builtins"):
            what = part["config"] if kind == "function" else kind
            raise ModelError(f"{path}: layer {name!r} needs {what}, whose code is not in it", hint=_EXPORT)


def _inputs(config: Mapping[str, Any]) -> tuple[KerasInput, ...]:
    listed = layers(config)
    named = config["config"].get("input_layers") if isinstance(config["config"], dict) else None
    if named:
        by_name = {layer["config"].get("name"): layer for layer in listed}
        known = [_input(by_name[name]) for name in names(named) if name in by_name]
        return tuple(each for each in known if each is not None)
    if not listed:
        return ()
    first = listed[0]
    if layers(first):
        return _inputs(first)
    found = _input(first)
    if found is None and isinstance(config["config"], dict):
        found = _shaped(first["config"].get("name"), config["config"].get("build_input_shape"))
    return () if found is None else (found,)


def names(named: Any) -> list[str]:
    """Names of input layers, of references such as ``["image", 0, 0]`` in a list, in a dict, or alone."""
    if isinstance(named, dict):
        return [name for key in sorted(named) for name in names(named[key])]
    if isinstance(named, list) and named and isinstance(named[0], str):
        return [named[0]]
    return [name for part in named for name in names(part)] if isinstance(named, list) else []


def _input(layer: Mapping[str, Any]) -> KerasInput | None:
    own = layer["config"]
    return _shaped(own.get("name"), own.get("batch_shape") or own.get("batch_input_shape"))


def _shaped(name: Any, shape: Any) -> KerasInput | None:
    if not isinstance(shape, list | tuple):
        return None
    if not all(size is None or (type(size) is int and size > 0) for size in shape):
        raise _refusal(f"the input {name!r} has the shape {shape}, which is none")
    return KerasInput(str(name), tuple(shape[1:]))


def _of_archive(path: Path) -> bytes:
    """Refuses what is too large, then what is damaged: at once, and in words that say so, before TensorFlow starts."""
    with foreign.reading(path, "a .keras file", _refusal), zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        unpacked = sum(member.file_size for member in members)
        if len(members) > MAX_MEMBERS or unpacked > MAX_UNPACKED_BYTES:
            raise ModelError(
                f"{path} unpacks to {len(members)} files of {unpacked:,} bytes, more than {MAX_MEMBERS} or "
                f"{MAX_UNPACKED_BYTES:,}",
                hint="save it again without the optimizer",
            )
        for member in members:
            if _leads_out(member):
                raise _refusal(f"{path} has a member {member.filename!r}, which leads out of it")
        wrong = archive.testzip()
        if wrong is not None:
            raise _refusal(f"{path} is damaged: {wrong} in it fails its CRC")
        if _CONFIG not in archive.namelist():
            raise _damaged(path, f"it has no {_CONFIG}")
        return archive.read(_CONFIG)


def _of_hdf5(path: Path) -> str:
    found = hdf5(path, str(path), config=True)
    if found is None:
        raise ModelError(
            f"{path} has weights and no model",
            hint="build the model in Python, then model.load_weights(file) and model.save('model.keras')",
        )
    return found


def hdf5(path: Path, name: str, *, config: bool) -> str | None:
    """Has an HDF5 file, or the one in a .keras file, looked into by a child: see ``tinyhil.quantize.hdf5_child``.

    Args:
        name: how the file is called in messages.
        config: whether the model's configuration is wanted.

    Returns:
        The configuration; None if it has none, or none is wanted.

    Raises:
        MissingToolError: h5py is not installed.
        ModelError: the file is damaged, or its weights are too large, or lie elsewhere.
    """
    request = {"path": str(path), "name": name, "config": config}
    try:
        answer = worker.call(
            "tinyhil.quantize.hdf5_child", request, what=f"read {name}", reporter=Silent(), limits=_READING
        )
    except CrashError as error:
        raise _refusal(f"{name} is damaged: the HDF5 library crashes on it") from error
    except InputError as error:
        if error.kind is kinds.TOO_MUCH:
            raise _refusal(f"{name} is damaged: {error.message.partition(': ')[2]} to read it") from error
        raise
    found: str | None = answer["config"]
    return found


def _leads_out(member: zipfile.ZipInfo) -> bool:
    """Whether unpacking it would write elsewhere than below the folder that it is unpacked in."""
    name = PureWindowsPath(member.filename)
    return bool(name.root or name.drive) or ".." in name.parts or stat.S_ISLNK(member.external_attr >> 16)


def _refusal(message: str) -> ModelError:
    return ModelError(message, hint=_SAVE_AGAIN, kind=kinds.DAMAGED_MODEL)


def _damaged(path: Path, cause: str) -> ModelError:
    return ModelError(
        f"{path} is not a {path.suffix.lower()} file, or damaged: {cause}", hint=_SAVE_AGAIN, kind=kinds.DAMAGED_MODEL
    )
