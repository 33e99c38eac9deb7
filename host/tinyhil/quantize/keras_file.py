"""Opens a Keras file that may come from anywhere. Imports TensorFlow; for child processes.

Keras' ``safe_mode`` keeps a .keras file from running code that it brings; what of code can be seen in its configuration
was refused before (``tinyhil.quantize.keras_config``), also of .h5 files.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tinyhil import kinds
from tinyhil.errors import MissingToolError, ModelError
from tinyhil.quantize import keras_config


def load(path: Path, name: str) -> Any:
    """The Keras model in a file, not compiled.

    Args:
        name: how the file is called in messages.

    Raises:
        MissingToolError: TensorFlow is not installed.
        ModelError: it is no Keras file, or damaged, too large, or brings code along.
    """
    keras_config.inputs(path)
    try:
        import keras
    except ModuleNotFoundError as error:
        raise MissingToolError(
            f"{error.name} is not installed, it is needed for Keras models", hint="pip install 'tinyhil[train]'"
        ) from error
    keras_config.hdf5(path, name, config=False)
    try:
        return keras.models.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # whatever a file from anywhere makes Keras raise is the file's fault
        first = str(error).strip().splitlines()[0] if str(error).strip() else "no reason given"
        raise ModelError(
            f"Keras cannot load {name}: {type(error).__name__}: {first}",
            hint="save it again with model.save() by Keras 3; layers of your own have to be replaced by Keras' own",
        ) from error


def require_finite(model: Any, name: str) -> None:
    """Refuses a Keras model with a weight that is no finite number.

    Args:
        name: how the file is called in messages.

    Raises:
        ModelError: there is one; the message names its layer.
    """
    for weight in model.weights:
        values = np.asarray(weight)
        if values.dtype.name == "bfloat16":  # NumPy itself has none, and calls it raw bytes
            values = values.astype(np.float32)
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            layer, _, part = str(weight.path).rpartition("/")
            wrong = int((~np.isfinite(values)).sum())
            raise ModelError(
                f"{name}: layer {layer!r}: {wrong:,} of {values.size:,} values of its {part} are NaN or infinite",
                hint="train it again with a lower learning rate, or with inputs that are scaled",
                kind=kinds.NOT_FINITE,
            )
