"""From what the user names to the source of the model."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

from tinyhil import kinds
from tinyhil.artifacts import foreign
from tinyhil.config import recipe as recipes
from tinyhil.config.recipe import Recipe, Train
from tinyhil.data import samples_file
from tinyhil.errors import ConfigError, ModelError
from tinyhil.options import Options
from tinyhil.pipeline import layout
from tinyhil.pipeline.layout import Layout
from tinyhil.pipeline.placement import Placement
from tinyhil.pipeline.sources import other_files
from tinyhil.pipeline.sources.base import ModelSource
from tinyhil.pipeline.sources.keras_file import KerasFile
from tinyhil.pipeline.sources.recipe import RecipeSource
from tinyhil.pipeline.sources.tflite_file import TfliteFile
from tinyhil.pipeline.stages import Stages
from tinyhil.quantize import keras_config, model_file

TFLITE = ".tflite"
"""Suffix of TensorFlow Lite's files, in any case, as those of Keras' are."""
_SAVED_MODEL = "saved_model.pb"
_FILES = "give a .keras, .h5 or .tflite file, or the name of a recipe: tinyhil recipes lists them"
_NO_TRAINING = Train(seed=0, epochs=1, batch_size=1, optimizer="none", loss="none")
"""A recipe has to have one; nothing looks at it here."""


def is_file(model: str) -> bool:
    """Whether what the user names is a model file rather than a recipe; its ending tells."""
    return Path(model).suffix.lower() in (*keras_config.SUFFIXES, TFLITE)


def open_source(model: str, options: Options, placement: Placement, stages: Stages) -> tuple[ModelSource, Layout]:
    """The source of the model that the user names, and where its run puts everything.

    Args:
        model: name of a recipe, or a path to a .keras, .h5 or .tflite file.

    Raises:
        ConfigError: there is no such recipe or file, or it is a SavedModel; the recipe or the scheme is wrong; or a
            file lacks samples, or there are samples, data or a scheme for what takes none.
    """
    source, own = _opened(model, options, placement, stages)
    return source, layout.of_image(own, options.firmware)


def _opened(model: str, options: Options, placement: Placement, stages: Stages) -> tuple[ModelSource, Layout]:
    if not is_file(model):
        if model not in recipes.paths() and _is_path(model):
            raise _no_model(Path(model))
        return _recipe(model, options, placement, stages)
    path = Path(model)
    if not foreign.is_file(path):
        raise _no_model(path)
    if (other := other_files.refusal(path, _head(path))) is not None:
        raise other
    if options.data is not None:
        raise ConfigError(
            f"--data is what a recipe is trained on, and {path} is trained already",
            hint="give its inputs with --samples",
            kind=kinds.CONTRADICTION,
        )
    if path.suffix.lower() in keras_config.SUFFIXES:
        return _keras(path, options, placement, stages)
    return _tflite(path, options, placement, stages)


def _is_path(model: str) -> bool:
    """Whether what the user names is meant as a path: it leads somewhere, or no recipe could have such a name."""
    return any(mark in model for mark in ("/", "\\", ".", "~")) or os.path.lexists(model)


def _no_model(path: Path) -> ConfigError | ModelError:
    """The error for a path that leads to no model file."""
    if foreign.is_file(path / _SAVED_MODEL):
        return _saved_model(path)
    if foreign.is_folder(path):
        models = [each.name for each in sorted(path.iterdir()) if is_file(each.name)]
        return ConfigError(
            f"{path} is a folder" + (f", with {', '.join(models[:3])}" if models else ", and has no model file"),
            hint=f"name one of its files, or run all: tinyhil models {path}" if models else _FILES,
            kind=kinds.OTHER_FILE,
        )
    if foreign.is_file(path):
        known = other_files.refusal(path, _head(path))
        return known or ConfigError(f"{path} is no model file that is known", hint=_FILES, kind=kinds.OTHER_FILE)
    if os.path.lexists(path):
        what = foreign.why_not_regular(path) or "a link that leads nowhere"
        return ConfigError(f"{path} is {what}", hint=_FILES, kind=kinds.OTHER_FILE)
    if why := foreign.why_not_reached(path):
        return ConfigError(f"cannot read {path}: {why}", hint="look at the name and at the rights of its folders")
    near = [*other_files.near(path), *difflib.get_close_matches(path.name, _beside(path))]
    hint = f"did you mean {path.parent / near[0]}?" if near else "paths are relative to the current folder"
    return ConfigError(f"there is no file {path}", hint=hint, kind=kinds.OTHER_FILE)


def _beside(path: Path) -> list[str]:
    try:
        return [each.name for each in path.parent.iterdir() if is_file(each.name)]
    except (OSError, ValueError):
        return []


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(other_files.LOOKED_AT)
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}", hint="look at its rights") from error


def _recipe(name: str, options: Options, placement: Placement, stages: Stages) -> tuple[RecipeSource, Layout]:
    if options.samples is not None:
        raise ConfigError(
            "--samples goes with a .keras or .tflite file; a recipe has data of its own",
            hint="give --data to train the recipe on your own samples",
            kind=kinds.CONTRADICTION,
        )
    beside = [] if name in recipes.paths() else list(other_files.near(Path(name)))
    if beside:
        raise ConfigError(
            f"unknown recipe {name!r}", hint=f"did you mean {' or '.join(beside)}?", kind=kinds.UNKNOWN_NAME
        )
    path = recipes.find(name)
    recipe = recipes.load(path)
    usual = recipe.quantize.scheme
    scheme = recipes.scheme(options.scheme or usual)
    place = layout.of_recipe(options.build_dir, recipe.name, placement.variant(scheme, usual))
    return RecipeSource(path, recipe, scheme, placement, options.data, place, stages), place


def _saved_model(folder: Path) -> ConfigError:
    """A SavedModel is a program: its graph may read and write files, so it is not run here."""
    file = f"{folder.resolve().name}.tflite"
    convert = f"tf.lite.TFLiteConverter.from_saved_model('{folder}').convert()"
    return ConfigError(
        f"{folder} is a SavedModel: a program that TensorFlow would run, and that may read and write files",
        hint='where you trust it, save its model as a file: of Keras 2, python -c "import tf_keras; '
        f"tf_keras.models.load_model('{folder}').save('model.h5')\"; of Keras 3, where it was trained, "
        "model.save('model.keras'); of anything else, as a model of floats, python -c \"import tensorflow as tf; "
        f"open('{file}', 'wb').write({convert})\"",
    )


def _keras(path: Path, options: Options, placement: Placement, stages: Stages) -> tuple[KerasFile, Layout]:
    if options.samples is None:
        raise ConfigError(
            f"{path} needs samples: quantization is calibrated by them",
            hint=f"give --samples {samples_file.FORMS}; numpy.savez('data.npz', x=..., y=...) writes the first",
            kind=kinds.SAMPLES,
        )
    content, recipe = model_file.read(path), _of_file(path, options.samples)
    if (copied := other_files.line_ends(content, str(path))) is not None:
        raise copied
    usual = recipe.quantize.scheme
    scheme = recipes.scheme(options.scheme or usual)
    place = layout.of_file(options.build_dir, recipe.name, content, placement.variant(scheme, usual))
    return KerasFile(path, options.samples, recipe, scheme, placement, place, stages), place


def _tflite(path: Path, options: Options, placement: Placement, stages: Stages) -> tuple[TfliteFile, Layout]:
    if options.scheme is not None:
        raise ConfigError(
            f"{path} is quantized already, --scheme is for recipes and .keras files",
            hint="leave --scheme out, or give the .keras file that it was made from",
            kind=kinds.CONTRADICTION,
        )
    content, recipe = model_file.read(path), _of_file(path, options.samples)
    if (copied := other_files.line_ends(content, str(path))) is not None:
        raise copied
    usual = recipe.quantize.scheme
    place = layout.of_file(options.build_dir, recipe.name, content, placement.variant(usual, usual))
    return TfliteFile(path, content, options.samples, recipe, placement.allowance, place, stages), place


def _of_file(path: Path, samples: Path | None) -> Recipe:
    classes = () if samples is None else samples_file.class_names(samples)
    return Recipe(name=model_file.name_of(path), title=path.name, code="", train=_NO_TRAINING, classes=classes)
