"""From a float model to a quantized one, whoever trained it."""

from __future__ import annotations

from pathlib import Path

import msgspec

from tinyhil.artifacts import lock
from tinyhil.artifacts.types import FloatModel, QuantizedModel
from tinyhil.config.recipe import Recipe, Scheme
from tinyhil.pipeline import notes
from tinyhil.pipeline.layout import Layout
from tinyhil.pipeline.placement import Placement
from tinyhil.pipeline.stages import Stages
from tinyhil.progress import Reporter
from tinyhil.quantize import convert, export_for, quantize


class Quantization:
    """Quantizes a float model by ``scheme``, in the way that the engine computes right.

    Args:
        recipe: how.
        scheme: the scheme that is asked for.
        placement: where the model is to run.
        layout: where everything is put.
        stages: of the run.
    """

    def __init__(self, recipe: Recipe, scheme: Scheme, placement: Placement, layout: Layout, stages: Stages) -> None:
        export = export_for(scheme, placement.engine)
        self._settings = msgspec.structs.replace(recipe.quantize, scheme=export)
        self._folder = layout.quantized(export)
        self._allowance = placement.allowance
        self._lock = layout.models
        self._stages = stages

    def converted(self, trained: FloatModel) -> Path:
        """The stage ``quantize``: the model file.

        Raises:
            ModelError: the model cannot be quantized so.
            MissingToolError: TensorFlow is not installed.
            StorageError: the folder cannot be written.
        """

        def work(reporter: Reporter) -> tuple[Path, bool, str]:
            with lock.exclusive(self._lock, reporter.text):
                path, found = convert(trained, self._settings, self._folder, reporter)
            return path, found, f"{self._settings.scheme}, {path.stat().st_size:,} B"

        return self._stages.once("quantize", work)

    def expected(self, trained: FloatModel) -> QuantizedModel:
        """The stage ``reference``: the model with its vectors, and what is expected of it.

        Raises:
            ModelError: no interpreter takes the model; and as ``converted``.
            MissingToolError: an interpreter is not installed.
            StorageError: the folder cannot be written.
        """
        self.converted(trained)
        changed: list[str] = []

        def work(reporter: Reporter) -> tuple[QuantizedModel, bool, str]:
            with lock.exclusive(self._lock, reporter.text):
                model, found = quantize(trained, self._settings, self._folder, reporter, self._allowance)
            changed.extend(model.notes)
            return model, found, notes.of_vectors(model.vectors)

        model = self._stages.once("reference", work)
        for note in changed:
            self._stages.observer.warning(note)
        return model
