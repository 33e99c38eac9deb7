"""Opens a .keras file that may come from anywhere. Imports TensorFlow; for child processes.

A .keras file is a zip archive of JSON and weights. Keras' ``safe_mode`` keeps it from running code that the file
brings (Lambda layers); its unpacked size is bounded here, before anything is unpacked, and its CRCs are checked.
"""

from __future__ import annotations

import contextlib
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tinyhil import kinds
from tinyhil.errors import MissingToolError, ModelError

MAX_UNPACKED_BYTES = 1 << 30
"""Float weights of a model far beyond any microcontroller, with an optimizer's state."""
_SUFFIX = ".keras"
MAX_MEMBERS = 100
"""A .keras file has three or four."""


def load(path: Path) -> Any:
    """The Keras model in a file, not compiled.

    Raises:
        MissingToolError: TensorFlow is not installed.
        ModelError: it is no .keras file, or damaged, too large, or brings code along.
    """
    _bound(path)
    try:
        import keras
    except ModuleNotFoundError as error:
        raise MissingToolError(
            f"{error.name} is not installed, it is needed for Keras models", hint="pip install 'tinyhil[train]'"
        ) from error
    try:
        with _with_the_suffix(path) as named:
            return keras.models.load_model(named, compile=False, safe_mode=True)
    except Exception as error:  # whatever a file from anywhere makes Keras raise is the file's fault
        first = str(error).strip().splitlines()[0] if str(error).strip() else "no reason given"
        unsafe = "safe_mode" in str(error) or "unsafe" in str(error).lower() or "lambda" in str(error).lower()
        raise ModelError(
            f"Keras cannot load {path}: {type(error).__name__}: {first}",
            hint="rebuild the model without Lambda layers, whose code is not run"
            if unsafe
            else "save it again with model.save(); layers of your own have to be replaced by Keras' own",
        ) from error


@contextlib.contextmanager
def _with_the_suffix(path: Path) -> Iterator[Path]:
    """The file under a name that ends in ``.keras``, by which Keras knows its format."""
    if path.suffix == _SUFFIX:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="tinyhil-") as folder:
        link = Path(folder) / f"model{_SUFFIX}"
        link.symlink_to(path.resolve())
        yield link


def _bound(path: Path) -> None:
    """Refuses what is too large, then what is damaged: at once, and in words that say so, before TensorFlow starts."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            unpacked = sum(member.file_size for member in members)
            if len(members) > MAX_MEMBERS or unpacked > MAX_UNPACKED_BYTES:
                raise ModelError(
                    f"{path} unpacks to {len(members)} files of {unpacked:,} bytes, more than {MAX_MEMBERS} or "
                    f"{MAX_UNPACKED_BYTES:,}",
                    hint="save it again without the optimizer",
                )
            wrong = archive.testzip()
    except (zipfile.BadZipFile, zlib.error, OSError, ValueError, NotImplementedError, RuntimeError, EOFError) as error:
        raise ModelError(
            f"{path} is not a .keras file, or damaged: {error}", hint="save or copy it again", kind=kinds.DAMAGED_MODEL
        ) from error
    if wrong is not None:
        raise ModelError(
            f"{path} is damaged: {wrong} in it fails its CRC", hint="save or copy it again", kind=kinds.DAMAGED_MODEL
        )
