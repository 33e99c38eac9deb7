"""A user's .tflite file: run as it is. Without a float model there is only its fidelity to judge."""

from __future__ import annotations

from pathlib import Path

from tinyhil import tflite
from tinyhil.artifacts import hashing, lock
from tinyhil.artifacts.types import FloatModel, QuantizedModel
from tinyhil.config.recipe import Recipe, Scheme
from tinyhil.data import samples_file
from tinyhil.errors import ConfigError
from tinyhil.pipeline import notes
from tinyhil.pipeline.layout import Layout
from tinyhil.pipeline.sources.base import Asked
from tinyhil.pipeline.stages import Stages
from tinyhil.progress import Reporter
from tinyhil.quantize import model_file
from tinyhil.targets.allowance import Allowance


class TfliteFile:
    """A .tflite file; see ``ModelSource``.

    Args:
        path: the file.
        content: of the file.
        samples: an .npz file with real-valued inputs; None to draw them.
        recipe: of its name.
        allowance: how many vectors are sent.
        layout: where everything is put.
        stages: of the run.
    """

    trained = None

    def __init__(
        self,
        path: Path,
        content: bytes,
        samples: Path | None,
        recipe: Recipe,
        allowance: Allowance,
        layout: Layout,
        stages: Stages,
    ) -> None:
        self.recipe = recipe
        self.scheme: Scheme = recipe.quantize.scheme
        self.file = str(path.resolve())
        self._path = path
        self._content = content
        self._rewritten: bytes | None = None
        self._samples = samples
        self._allowance = allowance
        self._layout = layout
        self._stages = stages

    def float_model(self) -> FloatModel:
        """Refuses.

        Raises:
            ConfigError: a .tflite file has no float model.
        """
        raise ConfigError(
            f"{self._path} has no float model: it is quantized already",
            hint="give the .keras file that it was made from, with --samples",
        )

    def content(self) -> tuple[bytes, str]:
        """The file with what it leaves out, under its own name.

        Raises:
            ModelError: it is no model, or damaged.
        """
        if self._rewritten is None:
            tflite.require_sound(self._content, str(self._path))
            self._rewritten = tflite.rewrite(self._content, str(self._path))[0]
        return self._rewritten, str(self._path)

    def quantized(self) -> QuantizedModel:
        """The file with its vectors and reference outputs."""
        rewrites: list[str] = []

        def work(reporter: Reporter) -> tuple[QuantizedModel, bool, str]:
            with lock.exclusive(self._layout.models, reporter.text):
                model, found = model_file.tflite_model(
                    self._path, self._samples, self._layout.model_file, reporter, self._allowance
                )
            rewrites.extend(model.rewrites)
            source = "drawn, there are no samples" if self._samples is None else f"of {self._samples}"
            return model, found, f"{self._path}, {notes.of_vectors(model.vectors)}, {source}"

        model = self._stages.once("read", work)
        for note in rewrites:
            self._stages.observer.warning(f"rewritten, which changes nothing that is computed: {note}")
        return model

    def asked(self) -> Asked:
        """See ``ModelSource.asked``."""
        samples = None if self._samples is None else samples_file.digest(self._samples)
        return Asked(hashing.of_bytes(self._content), samples)

    def truth(self) -> None:
        """None: there is nothing to judge accuracy against."""
