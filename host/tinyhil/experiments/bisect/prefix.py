"""A source: another model up to one of its layers. All layers of a model share one project, so that little is compiled.

Whoever makes several of them holds the lock of their common folder.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec

from tinyhil import tflite
from tinyhil.artifacts import hashing, lock
from tinyhil.artifacts.types import Array, FloatModel, QuantizedModel
from tinyhil.config.recipe import Recipe, Scheme
from tinyhil.errors import ConfigError
from tinyhil.pipeline.answers import LiveDevice
from tinyhil.pipeline.device_copy import CopyOfFile, TrueCopy
from tinyhil.pipeline.layout import Layout
from tinyhil.pipeline.observer import Observer
from tinyhil.pipeline.run import Run
from tinyhil.pipeline.sources.base import Asked
from tinyhil.pipeline.stages import Stages
from tinyhil.progress import Reporter
from tinyhil.quantize.prefix import prefix_model


class Prefix:
    """A model up to one of its layers; see ``ModelSource``.

    Args:
        recipe: of the whole model.
        scheme: by which it was quantized.
        model: the whole model.
        prefix: the part.
        inputs: the vectors that it is given, one array per input of the whole model, (vectors, *shape).
        layout: of the whole model's run.
        stages: of this run.
    """

    file = ""
    trained = None

    def __init__(
        self,
        recipe: Recipe,
        scheme: Scheme,
        model: QuantizedModel,
        prefix: tflite.Prefix,
        inputs: tuple[Array, ...],
        layout: Layout,
        stages: Stages,
    ) -> None:
        # A demo is of the whole model.
        self.recipe = msgspec.structs.replace(recipe, demo=None)
        self.scheme = scheme
        self._model = model
        self._prefix = prefix
        self._inputs = inputs
        self._layout = layout
        self._stages = stages

    def float_model(self) -> FloatModel:
        """Refuses.

        Raises:
            ConfigError: a part of a model has no float model of its own.
        """
        raise ConfigError(
            f"{self.recipe.name} up to operator {self._prefix.operator} has no float model",
            hint="ask the whole model for it",
        )

    def content(self) -> tuple[bytes, str]:
        """See ``ModelSource.content``."""
        model = self.quantized()
        return model.path.read_bytes(), str(model.path)

    def quantized(self) -> QuantizedModel:
        """The prefix, with what the reference makes of the vectors.

        Raises:
            ModelError: the link cannot carry its outputs, or no interpreter takes it.
        """

        def work(reporter: Reporter) -> tuple[QuantizedModel, bool, str]:
            with lock.exclusive(self._layout.models, reporter.text):
                place = self._layout.layer_model(self._prefix.operator + 1)
                made, found = prefix_model(self._model, self._prefix, self._inputs, place, reporter)
            return made, found, f"{len(made.ops)} operators, {made.vectors.count} vectors"

        return self._stages.once("cut", work)

    def asked(self) -> Asked:
        """See ``ModelSource.asked``."""
        return Asked(hashing.of_bytes(self._prefix.data), None)

    def truth(self) -> None:
        """None: nobody knows what a layer inside ought to compute."""


def open_prefix(
    whole: Run,
    model: QuantizedModel,
    prefix: tflite.Prefix,
    inputs: tuple[Array, ...],
    built_from: Path | None,
    observer: Observer,
    firmware: Path | None = None,
) -> Run:
    """The run of a part of another run's model, where that one runs.

    Args:
        whole: the run of the whole model.
        model: the whole model.
        prefix: the part.
        inputs: the vectors, one array per input of the whole model, (vectors, *shape).
        built_from: the file that the device is built from in place of the prefix; None for the prefix itself.
        observer: told of the stages.
        firmware: an image of it that was built elsewhere; None to build one.
    """
    layout, stages = whole.layout.of_layer(prefix.operator + 1), Stages(observer)
    options = replace(whole.options, firmware=firmware, resume=False, record=None, flash=True, search=0, strict=False)
    source = Prefix(whole.source.recipe, whole.source.scheme, model, prefix, inputs, whole.layout, stages)
    copy = TrueCopy() if built_from is None else CopyOfFile(built_from)
    return Run(source, copy, LiveDevice(whole.target, options, layout), whole.placement, layout, options, stages)
