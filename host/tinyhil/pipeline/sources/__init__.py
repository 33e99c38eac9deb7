"""Where a model, its samples and its truth come from: a recipe, a .keras file, a .tflite file."""

from tinyhil.pipeline.sources.base import ModelSource
from tinyhil.pipeline.sources.keras_file import KerasFile
from tinyhil.pipeline.sources.opening import open_source
from tinyhil.pipeline.sources.recipe import RecipeSource
from tinyhil.pipeline.sources.tflite_file import TfliteFile

__all__ = ["KerasFile", "ModelSource", "RecipeSource", "TfliteFile", "open_source"]
