"""From what the user names to the source of the model."""

from __future__ import annotations

from pathlib import Path

from tinyhil import kinds
from tinyhil.config import recipe as recipes
from tinyhil.config.recipe import Recipe, Train
from tinyhil.data import samples_file
from tinyhil.errors import ConfigError
from tinyhil.options import Options
from tinyhil.pipeline import layout
from tinyhil.pipeline.layout import Layout
from tinyhil.pipeline.placement import Placement
from tinyhil.pipeline.sources.base import ModelSource
from tinyhil.pipeline.sources.keras_file import KerasFile
from tinyhil.pipeline.sources.recipe import RecipeSource
from tinyhil.pipeline.sources.tflite_file import TfliteFile
from tinyhil.pipeline.stages import Stages
from tinyhil.quantize import keras_config, model_file

TFLITE = ".tflite"
"""Suffix of TensorFlow Lite's files, in any case, as those of Keras' are."""
_SAVED_MODEL = "saved_model.pb"
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
    if (Path(model) / _SAVED_MODEL).is_file():
        raise _saved_model(Path(model))
    if not is_file(model):
        return _recipe(model, options, placement, stages)
    path = Path(model)
    if not path.is_file():
        raise ConfigError(f"there is no file {path}", hint="paths are relative to the current folder")
    if options.data is not None:
        raise ConfigError(
            f"--data is what a recipe is trained on, and {path} is trained already",
            hint="give its inputs with --samples",
            kind=kinds.CONTRADICTION,
        )
    if path.suffix.lower() in keras_config.SUFFIXES:
        return _keras(path, options, placement, stages)
    return _tflite(path, options, placement, stages)


def _recipe(name: str, options: Options, placement: Placement, stages: Stages) -> tuple[RecipeSource, Layout]:
    if options.samples is not None:
        raise ConfigError(
            "--samples goes with a .keras or .tflite file; a recipe has data of its own",
            hint="give --data to train the recipe on your own samples",
            kind=kinds.CONTRADICTION,
        )
    path = recipes.find(name)
    recipe = recipes.load(path)
    usual = recipe.quantize.scheme
    scheme = recipes.scheme(options.scheme or usual)
    place = layout.of_recipe(options.build_dir, recipe.name, placement.variant(scheme, usual))
    return RecipeSource(path, recipe, scheme, placement, options.data, place, stages), place


def _saved_model(folder: Path) -> ConfigError:
    """A SavedModel is a program: its graph may read and write files, so it is not run here."""
    return ConfigError(
        f"{folder} is a SavedModel: a program that TensorFlow would run, and that may read and write files",
        hint='where you trust it, save its model as a file: of Keras 2, python -c "import tf_keras; '
        f"tf_keras.models.load_model('{folder}').save('model.h5')\"; of Keras 3, where it was trained, "
        "model.save('model.keras')",
    )


def _keras(path: Path, options: Options, placement: Placement, stages: Stages) -> tuple[KerasFile, Layout]:
    if options.samples is None:
        raise ConfigError(
            f"{path} needs samples: quantization is calibrated by them",
            hint=f"give --samples {samples_file.FORMS}; numpy.savez('data.npz', x=..., y=...) writes the first",
            kind=kinds.SAMPLES,
        )
    content, recipe = model_file.read(path), _of_file(path, options.samples)
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
    usual = recipe.quantize.scheme
    place = layout.of_file(options.build_dir, recipe.name, content, placement.variant(usual, usual))
    return TfliteFile(path, content, options.samples, recipe, placement.allowance, place, stages), place


def _of_file(path: Path, samples: Path | None) -> Recipe:
    classes = () if samples is None else samples_file.class_names(samples)
    return Recipe(name=model_file.name_of(path), title=path.name, code="", train=_NO_TRAINING, classes=classes)
