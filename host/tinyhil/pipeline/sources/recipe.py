"""A recipe: trained, then quantized."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tinyhil.artifacts import hashing, lock
from tinyhil.artifacts.types import FloatModel, QuantizedModel, Reals
from tinyhil.config import recipe as recipes
from tinyhil.config.recipe import Recipe, Scheme
from tinyhil.data import samples_file
from tinyhil.pipeline import notes
from tinyhil.pipeline.layout import Layout
from tinyhil.pipeline.placement import Placement
from tinyhil.pipeline.sources.base import Asked
from tinyhil.pipeline.sources.float_source import Quantization
from tinyhil.pipeline.stages import Stages
from tinyhil.progress import Reporter, Silent
from tinyhil.train import train
from tinyhil.verify import truth_values


class RecipeSource:
    """A recipe; see ``ModelSource``.

    Args:
        path: the recipe's file.
        recipe: what is in it.
        scheme: how it is quantized.
        placement: where it is to run.
        data: an .npz file to train on instead of the recipe's own data.
        layout: where everything is put.
        stages: of the run.
    """

    file = ""

    def __init__(
        self,
        path: Path,
        recipe: Recipe,
        scheme: Scheme,
        placement: Placement,
        data: Path | None,
        layout: Layout,
        stages: Stages,
    ) -> None:
        self.path = path
        self.recipe = recipe
        self.scheme = scheme
        self.trained: FloatModel | None = None
        self._data = data
        self._layout = layout
        self._stages = stages
        self._quantization = Quantization(recipe, scheme, placement, layout, stages)

    def float_model(self) -> FloatModel:
        """The trained model."""

        def work(reporter: Reporter) -> tuple[FloatModel, bool, str]:
            with lock.exclusive(self._layout.models, reporter.text):
                model, found = train(self.path, self._layout.training, reporter, self._data)
            reporter.text(f"data: {model.provenance}")
            return model, found, notes.of_training(model)

        self.trained = self._stages.once("train", work)
        return self.trained

    def content(self) -> tuple[bytes, str]:
        """See ``ModelSource.content``."""
        path = self._quantization.converted(self.float_model())
        return path.read_bytes(), str(path)

    def quantized(self) -> QuantizedModel:
        """See ``ModelSource.quantized``."""
        return self._quantization.expected(self.float_model())

    def asked(self) -> Asked:
        """See ``ModelSource.asked``."""
        sha256 = hashing.of_tree({file.name: file.read_bytes() for file in (self.path, self.code)})
        return Asked(sha256, None if self._data is None else samples_file.digest(self._data))

    def truth(self) -> Any:
        """See ``ModelSource.truth``."""
        if "truth" not in self.float_model().functions:
            return None

        def values(inputs: Reals) -> Reals:
            silent = Silent()
            with lock.exclusive(self._layout.models, silent.text):
                return truth_values(self.code, inputs, self._layout.truth, silent)

        return values

    @property
    def code(self) -> Path:
        """The recipe's Python file. It is never imported here, but in child processes."""
        return recipes.code_path(self.path, self.recipe)
