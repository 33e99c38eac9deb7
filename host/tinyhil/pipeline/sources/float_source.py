"""From a float model to a quantized one, whoever trained it."""

from __future__ import annotations

import msgspec

from tinyhil.artifacts import lock
from tinyhil.artifacts.types import FloatModel, QuantizedModel
from tinyhil.config.recipe import Recipe, Scheme
from tinyhil.pipeline import notes
from tinyhil.pipeline.layout import Layout
from tinyhil.pipeline.placement import Placement
from tinyhil.pipeline.stages import Stages
from tinyhil.progress import Reporter
from tinyhil.quantize import export_for, quantize


def quantized(
    trained: FloatModel, recipe: Recipe, scheme: Scheme, placement: Placement, layout: Layout, stages: Stages
) -> QuantizedModel:
    """The stage ``quantize``: by ``scheme``, in the way that the engine computes right.

    Raises:
        ModelError: the model cannot be quantized so.
        MissingToolError: TensorFlow or an interpreter is not installed.
        StorageError: the folder cannot be written.
    """
    export = export_for(scheme, placement.engine)
    settings = msgspec.structs.replace(recipe.quantize, scheme=export)
    changed: list[str] = []

    def work(reporter: Reporter) -> tuple[QuantizedModel, bool, str]:
        with lock.exclusive(layout.models, reporter.text):
            model, found = quantize(trained, settings, layout.quantized(export), reporter, placement.allowance)
        changed.extend(model.notes)
        size = model.path.stat().st_size
        return model, found, f"{model.scheme}, {size:,} B, {notes.of_vectors(model.vectors)}"

    model = stages.once("quantize", work)
    for note in changed:
        stages.observer.warning(note)
    return model


def content(model: QuantizedModel) -> tuple[bytes, str]:
    """What pre-flight looks at: see ``ModelSource.content``."""
    return model.path.read_bytes(), str(model.path)
