"""A run of the model up to one of its layers, in place of the whole model.

::

    build/<recipe>/model/bisect/layer-K/             QuantizedModel
    build/<recipe>/<target>/bisect/layer-K/firmware/ FirmwareImage
    build/<recipe>/<target>/bisect/project/          Project: one for all layers, so that little is compiled for each
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from tinyhil import tflite
from tinyhil.artifacts import lock
from tinyhil.artifacts.types import Array, FloatModel, QuantizedModel
from tinyhil.config.recipe import Recipe
from tinyhil.errors import ConfigError
from tinyhil.pipeline.bisected import FOLDER
from tinyhil.pipeline.request import Observer, Request
from tinyhil.pipeline.run import Run
from tinyhil.progress import Reporter
from tinyhil.quantize.prefix import prefix_model


class PrefixRun(Run):
    """A run of a part of another run's model; as :class:`Run`.

    Whoever makes several of them holds the lock of their common folder, because they share a project.

    Args:
        whole: the run of the whole model.
        model: the whole model.
        prefix: the part.
        inputs: the vectors that it is given, one array per input of the whole model, (vectors, *shape).
        built_from: the file that the device is built from in place of the prefix.
        observer: told of the stages.
    """

    def __init__(
        self,
        whole: Run,
        model: QuantizedModel,
        prefix: tflite.Prefix,
        inputs: tuple[Array, ...],
        built_from: Path | None,
        observer: Observer,
    ) -> None:
        self._whole = whole
        self._model = model
        self._prefix = prefix
        self._inputs = inputs
        self._layer = f"layer-{prefix.operator + 1}"
        request = replace(whole.request, firmware=None, resume=False, record=None, flash=True, built_from=built_from)
        super().__init__(request, observer)
        self._project = self.folder.parent / "project"

    def _find(self, request: Request) -> tuple[Path, Recipe]:
        # A demo is of the whole model.
        return self._whole.recipe_path, msgspec.structs.replace(self._whole.recipe, demo=None)

    def _variant(self) -> str:
        return f"{super()._variant()}/{FOLDER}/{self._layer}"

    def train(self) -> FloatModel:
        """Refuses.

        Raises:
            ConfigError: a part of a model has no float model of its own.
        """
        raise ConfigError(f"{self._layer} of {self.recipe.name} has no float model")

    def quantize(self) -> QuantizedModel:
        """The prefix, with what the reference makes of the vectors.

        Raises:
            ModelError: the link cannot carry its outputs, or no interpreter takes it.
        """

        def work(reporter: Reporter) -> tuple[QuantizedModel, bool, str]:
            with lock.exclusive(self._models, reporter.text):
                place = self._models / FOLDER / self._layer
                made, found = prefix_model(self._model, self._prefix, self._inputs, place, reporter)
            return made, found, f"{len(made.ops)} operators, {made.vectors.count} vectors"

        model = self._stage("cut", work)
        self.evidence = replace(self.evidence, model=model)
        return model

    def _truth(self) -> Any:
        return None


class Within:
    """Tells of the stages of a run within a stage of another one: as lines of text, which ``-v`` shows."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._name = ""

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[Reporter]:
        """A stage begins."""
        self._name = name
        yield self._reporter

    def result(self, note: str, *, found: bool) -> None:
        """What it has made."""
        self._reporter.text(f"{self._name}: {'unchanged, ' if found else ''}{note}")

    def warning(self, text: str) -> None:
        """Was said of the whole model already."""
        self._reporter.text(text)
