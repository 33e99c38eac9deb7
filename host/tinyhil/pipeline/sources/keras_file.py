"""A user's .keras file with samples: quantized as a recipe's model is."""

from __future__ import annotations

from pathlib import Path

from tinyhil.artifacts import hashing, lock
from tinyhil.artifacts.types import FloatModel, QuantizedModel
from tinyhil.config.recipe import Recipe, Scheme
from tinyhil.data import samples_file
from tinyhil.pipeline.layout import Layout
from tinyhil.pipeline.placement import Placement
from tinyhil.pipeline.sources.base import Asked
from tinyhil.pipeline.sources.float_source import Quantization
from tinyhil.pipeline.stages import Stages
from tinyhil.progress import Reporter
from tinyhil.quantize import model_file


class KerasFile:
    """A .keras file; see ``ModelSource``.

    Args:
        path: the file.
        samples: an .npz file with its inputs, and perhaps targets.
        recipe: of its name.
        scheme: how it is quantized.
        placement: where it is to run.
        layout: where everything is put.
        stages: of the run.
    """

    def __init__(
        self,
        path: Path,
        samples: Path,
        recipe: Recipe,
        scheme: Scheme,
        placement: Placement,
        layout: Layout,
        stages: Stages,
    ) -> None:
        self.recipe = recipe
        self.scheme = scheme
        self.file = str(path.resolve())
        self.trained: FloatModel | None = None
        self._path = path
        self._samples = samples
        self._layout = layout
        self._stages = stages
        self._quantization = Quantization(recipe, scheme, placement, layout, stages)

    def float_model(self) -> FloatModel:
        """The file with its samples."""

        def work(reporter: Reporter) -> tuple[FloatModel, bool, str]:
            with lock.exclusive(self._layout.models, reporter.text):
                model, found = model_file.keras_model(self._path, self._samples, self._layout.model_file, reporter)
            return model, found, f"{self._path}, samples of {self._samples}"

        self.trained = self._stages.once("read", work)
        return self.trained

    def content(self) -> tuple[bytes, str]:
        """See ``ModelSource.content``."""
        return self._quantization.converted(self.float_model()).read_bytes(), str(self._path)

    def quantized(self) -> QuantizedModel:
        """See ``ModelSource.quantized``."""
        return self._quantization.expected(self.float_model())

    def asked(self) -> Asked:
        """See ``ModelSource.asked``."""
        return Asked(hashing.of_bytes(model_file.read(self._path)), samples_file.digest(self._samples))

    def truth(self) -> None:
        """None: the samples' targets are all that is known."""
