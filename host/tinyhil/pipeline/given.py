"""A run of a user's own model file instead of a recipe.

A .keras file with samples is quantized as a recipe's model is. A .tflite file is run as it is, and without a float
model there is only its fidelity to judge. Everything after quantization is the same as ever.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from tinyhil.artifacts import lock
from tinyhil.artifacts.types import FloatModel, QuantizedModel
from tinyhil.config.recipe import Recipe, Train
from tinyhil.errors import ConfigError
from tinyhil.pipeline.request import Observer, Request
from tinyhil.pipeline.run import Run
from tinyhil.progress import Reporter
from tinyhil.quantize import given

KERAS, TFLITE = ".keras", ".tflite"
_NO_TRAINING = Train(seed=0, epochs=1, batch_size=1, optimizer="none", loss="none")
"""A recipe has to have one; nothing looks at it here."""


def open_run(request: Request, observer: Observer) -> Run:
    """The run that a request describes: of a recipe, or of a model file, which its ending tells.

    Raises:
        ConfigError: as :class:`Run`; or a file lacks samples, or there are samples or a scheme for what takes none.
    """
    kind = Path(request.recipe).suffix
    if kind not in (KERAS, TFLITE):
        if request.samples is not None:
            raise ConfigError(
                "--samples goes with a .keras or .tflite file; a recipe has data of its own",
                hint="give --data data.npz to train the recipe on your own samples",
            )
        return Run(request, observer)
    if kind == KERAS and request.samples is None:
        raise ConfigError(
            f"{request.recipe} needs samples: quantization is calibrated by them",
            hint="give --samples data.npz, written with numpy.savez('data.npz', x=..., y=...)",
        )
    if kind == TFLITE and request.scheme is not None:
        raise ConfigError(
            f"{request.recipe} is quantized already, --scheme is for recipes and .keras files",
            hint="leave --scheme out, or give the .keras file that it was made from",
        )
    return GivenRun(request, observer)


class GivenRun(Run):
    """A run of a model file; as :class:`Run`."""

    def _find(self, request: Request) -> tuple[Path, Recipe]:
        path = Path(request.recipe)
        if not path.is_file():
            raise ConfigError(f"there is no file {path}", hint="paths are relative to the current folder")
        return path, Recipe(name=given.name_of(path), title=path.name, code="", train=_NO_TRAINING)

    def train(self) -> FloatModel:
        """The .keras file with its samples.

        Raises:
            ConfigError: it is a .tflite file, which has no float model.
        """
        samples = self.request.samples
        if self.recipe_path.suffix != KERAS or samples is None:
            raise ConfigError(f"{self.recipe_path} has no float model")

        def work(reporter: Reporter) -> tuple[FloatModel, bool, str]:
            with lock.exclusive(self._models, reporter.text):
                model, found = given.keras_model(self.recipe_path, samples, self._models / "given", reporter)
            return model, found, f"{self.recipe_path}, samples of {samples}"

        model = self._stage("read", work)
        self.evidence = replace(self.evidence, trained=model)
        return model

    def quantize(self) -> QuantizedModel:
        """The quantized model, or the .tflite file as it is."""
        if self.recipe_path.suffix == KERAS:
            return super().quantize()

        def work(reporter: Reporter) -> tuple[QuantizedModel, bool, str]:
            with lock.exclusive(self._models, reporter.text):
                place = self._models / "given-tflite"
                model, found = given.tflite_model(self.recipe_path, self.request.samples, place, reporter)
            source = "drawn, there are no samples" if self.request.samples is None else f"of {self.request.samples}"
            return model, found, f"{self.recipe_path}, {model.vectors.count} vectors, {source}"

        first = self.evidence.model is None
        model = self._stage("read", work)
        for note in model.rewrites if first else ():
            self._observer.warning(f"rewritten, which changes nothing that is computed: {note}")
        self.evidence = replace(self.evidence, model=model)
        return model

    def _given(self) -> str:
        return str(self.recipe_path.resolve())

    def _truth(self) -> Any:
        return None
