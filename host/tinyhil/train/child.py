"""The child process of the stage: builds, trains and saves the model. Imports TensorFlow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from tinyhil import worker
from tinyhil.artifacts import store
from tinyhil.config import recipe as recipes
from tinyhil.errors import ConfigError, MissingToolError
from tinyhil.progress import Reporter
from tinyhil.train import stage

SETS = ("train", "validation", "test")


def work(request: dict[str, Any], reporter: Reporter) -> dict[str, Any]:
    """Trains as ``request`` says; returns the figures of the last epoch."""
    try:
        import keras

        from tinyhil.train import fit
    except ModuleNotFoundError as error:
        raise MissingToolError(
            f"{error.name} is not installed, it is needed to train", hint="pip install 'tinyhil[train]'"
        ) from error
    settings = msgspec.convert(request["train"], recipes.Train)
    code = recipes.load_code(Path(request["code"]))
    folder = Path(request["folder"])
    data = _checked(code.dataset(settings.seed))
    keras.utils.set_random_seed(settings.seed)
    model = code.model()
    history = fit.fit(model, data["train"], data["validation"], settings, reporter)
    with store.storage(folder):
        model.save(folder / stage.MODEL)
        arrays = {f"{name}_{axis}": array for name in SETS for axis, array in zip("xy", data[name], strict=True)}
        np.savez(folder / stage.DATASET, **arrays)
    store.write_text(folder / stage.HISTORY, json.dumps(history) + "\n")
    return {"metrics": {name: values[-1] for name, values in history.items()}}


def _checked(data: Any) -> dict[str, tuple[Any, Any]]:
    """The dataset as float32, or a ConfigError that says what is wrong with what the recipe returned."""
    if not isinstance(data, dict) or any(name not in data for name in SETS):
        raise ConfigError(f"the recipe's dataset() must return a dict with {', '.join(SETS)}")
    checked = {}
    for name in SETS:
        inputs, targets = (np.asarray(part, dtype=np.float32) for part in data[name])
        if len(inputs) == 0 or len(inputs) != len(targets):
            raise ConfigError(f"the recipe's {name} set has {len(inputs)} inputs and {len(targets)} targets")
        if not (np.isfinite(inputs).all() and np.isfinite(targets).all()):
            raise ConfigError(f"the recipe's {name} set contains NaN or infinite values")
        checked[name] = (inputs, targets)
    return checked


if __name__ == "__main__":
    worker.serve(work)
