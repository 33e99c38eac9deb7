"""The child process of the stage: builds, trains and saves the model. Imports TensorFlow."""

from __future__ import annotations

import dataclasses
import inspect
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from tinyhil import data, kinds, worker
from tinyhil.artifacts import arrays, store
from tinyhil.compare import diagnosis
from tinyhil.config import recipe as recipes
from tinyhil.config import recipe_code
from tinyhil.data import samples_file
from tinyhil.errors import ConfigError, InputError, MissingToolError
from tinyhil.progress import Reporter
from tinyhil.train import stage

_EVALUATED_AT_ONCE = 256


def work(request: dict[str, Any], reporter: Reporter) -> dict[str, Any]:
    """Trains as ``request`` says; returns the facts of the artifact."""
    try:
        import keras
        import tensorflow  # noqa: F401 - Keras alone would look for another backend
    except ModuleNotFoundError as error:
        raise MissingToolError(
            f"{error.name} is not installed, it is needed to train", hint="pip install 'tinyhil[train]'"
        ) from error
    settings = msgspec.convert(request["train"], recipes.Train)
    file = Path(request["code"])
    code = recipes.load_code(file)
    folder = Path(request["folder"])
    source = Path(request["data"]) if request["data"] else None
    if source is not None:
        raw = data.load(source, settings.seed)
    else:
        with recipe_code.looking_at(file, "what dataset() returns cannot be used"):
            raw = _dataset(code, settings.seed)
    with recipe_code.looking_at(file, "the recipe does not take its data"):
        whose = f"{file if source is None else source}: the"
        sets = _checked(raw.sets, inspect.unwrap(code.prepare) if hasattr(code, "prepare") else None, whose)
    reporter.text(f"data: {raw.provenance}")
    keras.utils.set_random_seed(settings.seed)
    model = code.model()
    if not isinstance(model, keras.Model):
        raise ConfigError(
            f"{file}: model() returns {type(model).__name__}, and no Keras model",
            hint="return the keras.Model, not compiled",
            kind=kinds.RECIPE_CODE,
        )
    _fits(model, sets, settings, whose)
    where = str(request.get("recipe", file))
    model, history, facts = _train(code, model, sets, settings, reporter, where)
    with store.storage(folder):
        model.save(folder / stage.MODEL)
    arrays.write_dataset(folder / stage.DATASET, {name: sets[name] for name in data.SETS})
    store.write_text(folder / stage.HISTORY, json.dumps(history) + "\n")
    baseline = diagnosis.constant_loss(settings.loss, sets["train"][1])
    with recipe_code.looking_at(file, "what figures() returns cannot be used"):
        figures = _figures(code.figures(model) if hasattr(code, "figures") else {})
    return {
        **facts,
        "provenance": raw.provenance,
        "diagnosis": dataclasses.asdict(diagnosis.diagnose(history, baseline)),
        "figures": figures,
        "functions": recipes.optional(code),
    }


def _train(
    code: Any, model: Any, sets: dict[str, data.Pair], settings: recipes.Train, reporter: Reporter, where: str
) -> tuple[Any, dict[str, list[float]], dict[str, Any]]:
    """The trained model, its history, and what is to be known of the training."""
    from tinyhil.train import fit

    if hasattr(code, "train"):
        with recipe_code.looking_at(Path(code.__file__), "train() has to return a model and a history"):
            model, history = code.train(model, sets, reporter)
        kept = _history(history, code.__file__)
        return model, kept, {"metrics": _at(kept, 0), "trained_by": "the recipe's own loop", "epoch": len(kept["loss"])}
    trained = fit.fit(model, sets["train"], sets["validation"], settings, reporter, where)
    by = f"Keras' fit: {trained.fallback}" if trained.fallback else "compiled epochs"
    reporter.text(f"trained by {by}")
    metrics = _at(trained.history, trained.epoch)
    inputs, targets = sets["test"]
    judged = model.evaluate(inputs, targets, batch_size=_EVALUATED_AT_ONCE, verbose=0, return_dict=True)
    metrics |= {f"test_{name}": float(value) for name, value in judged.items()}
    return model, trained.history, {"metrics": metrics, "trained_by": by, "epoch": trained.epoch}


def _at(history: Mapping[str, list[float]], epoch: int) -> dict[str, float]:
    """The figures of an epoch, counted from 1; 0 is the last one."""
    return {name: values[epoch - 1] for name, values in history.items()}


def _dataset(code: Any, seed: int) -> data.Dataset:
    """What the recipe's ``dataset`` returns, with a provenance."""
    made = code.dataset(seed)
    if isinstance(made, data.Dataset):
        return made
    if not isinstance(made, dict) or any(name not in made for name in data.SETS):
        raise ConfigError(
            f"{code.__file__}: dataset() must return a dict with {', '.join(data.SETS)}",
            hint="each is a pair of arrays, inputs and targets",
            kind=kinds.RECIPE_CODE,
        )
    sets = {name: (np.asarray(made[name][0]), np.asarray(made[name][1])) for name in data.SETS}
    return data.made("made by the recipe", sets, f"seed {seed}")


def _checked(sets: Mapping[str, data.Pair], prepare: Any, whose: str) -> dict[str, data.Pair]:
    """Prepared as the recipe wants them, inputs and real targets as float32, classes as int32."""
    checked = {}
    for name in data.SETS:
        inputs, targets = (np.asarray(part) for part in sets[name])
        if prepare is not None:
            try:
                inputs, targets = prepare(inputs, targets)
            except (ValueError, TypeError, IndexError) as error:
                raise InputError(
                    f"{whose} {name} set is not what the recipe takes: {error}",
                    hint="look at what the recipe's prepare() does with its arguments",
                    kind=kinds.SAMPLES,
                ) from error
        targets = targets.astype(np.int32 if targets.dtype.kind in "biu" else np.float32)
        inputs = inputs.astype(np.float32)
        if len(inputs) == 0 or len(inputs) != len(targets):
            raise InputError(
                f"{whose} {name} set has {len(inputs)} inputs and {len(targets)} targets",
                hint="give every sample one target",
                kind=kinds.SAMPLES,
            )
        wrong = samples_file.not_finite("inputs", inputs) or samples_file.not_finite("targets", targets)
        if wrong:
            raise InputError(f"{whose} {name} set: {wrong}", hint="remove these samples", kind=kinds.SAMPLES)
        checked[name] = (inputs, targets)
    return checked


def _fits(model: Any, sets: dict[str, data.Pair], settings: recipes.Train, whose: str) -> None:
    """Refuses samples that the model does not take: XLA and TensorFlow say so in other words, or not at all."""
    shape, classes = getattr(model, "input_shape", None), getattr(model, "output_shape", None)
    for name, (inputs, targets) in sets.items():
        if isinstance(shape, tuple) and _differ(shape[1:], inputs.shape[1:]):
            raise InputError(
                f"{whose} samples of the {name} set have the shape {inputs.shape[1:]}, "
                f"the model takes {tuple(shape[1:])}",
                hint="reshape the samples, the first axis is the sample; or change the recipe's model",
                kind=kinds.SAMPLES,
            )
        if settings.loss.replace("_", "").lower() != "sparsecategoricalcrossentropy" or not isinstance(classes, tuple):
            continue
        if targets.dtype.kind != "i" or targets.min() < 0 or targets.max() >= classes[-1]:
            raise InputError(
                f"{whose} targets of the {name} set are from {targets.min()} to {targets.max()} ({targets.dtype}), "
                f"the model knows the classes 0 to {classes[-1] - 1}",
                hint="number the classes from 0 on, or give the model as many outputs",
                kind=kinds.SAMPLES,
            )


def _differ(wanted: tuple[int | None, ...], found: tuple[int, ...]) -> bool:
    return len(wanted) != len(found) or any(want not in (None, have) for want, have in zip(wanted, found, strict=True))


def _history(history: Any, file: str) -> dict[str, list[float]]:
    """What a recipe's own loop says of its steps, or a ConfigError."""
    try:
        kept = {str(name): [float(value) for value in values] for name, values in history.items()}
    except (AttributeError, TypeError, ValueError) as error:
        raise _wrong_history(file, f"is no dict of lists of numbers: {error}") from error
    if not kept.get("loss"):
        raise _wrong_history(file, "has no loss")
    if not all(values and math.isfinite(sum(values)) for values in kept.values()):
        raise _wrong_history(file, "has an empty list, NaN or infinite values")
    return kept


def _wrong_history(file: str, what: str) -> ConfigError:
    return ConfigError(
        f"{file}: the history that train() returns {what}",
        hint="return the model, and a dict with at least the list 'loss', a finite number for each step",
        kind=kinds.RECIPE_CODE,
    )


def _figures(figures: Any) -> dict[str, Any]:
    """The lesson's figures as numbers and nested lists of numbers."""
    return {str(name): np.asarray(value, np.float64).tolist() for name, value in figures.items()}


if __name__ == "__main__":
    worker.serve(work)
