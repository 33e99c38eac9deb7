"""The short search of a run, over the session in which the device has just answered all vectors."""

from __future__ import annotations

from tinyhil import tflite
from tinyhil.artifacts.types import Array, QuantizedModel
from tinyhil.compare.search import Compute, Search, Searcher, Wanted, distances, searchable
from tinyhil.progress import Reporter
from tinyhil.quantize.reference import Reference


class RunSearch:
    """Asks the device for more than the vectors, and keeps what was found.

    Args:
        model: with the vectors that it starts from.
        wanted: how to search.
        reporter: told how far it is.

    Attributes:
        found: what was found; None until then.
    """

    def __init__(self, model: QuantizedModel, wanted: Wanted, reporter: Reporter) -> None:
        self.found: Search | None = None
        self._model = model
        self._wanted = wanted
        self._reporter = reporter

    @property
    def count(self) -> int:
        """How many inputs are tried."""
        return self._wanted.count

    def __call__(self, answers: tuple[Array, ...], device: Compute) -> None:
        """Searches, and keeps what was found; see ``search``."""
        self.found = self.search(answers, device)

    def search(self, answers: tuple[Array, ...], device: Compute) -> Search:
        """Searches from the vectors on.

        Args:
            answers: the device's, to all of them.
            device: what it answers to others.

        Returns:
            What was found.

        Raises:
            BlockedError: the device or the reference interpreter has failed.
        """
        model, count = self._model, self._wanted.count

        def told(tried: int) -> None:
            self._reporter.progress(min(tried, count), count, "inputs searched")

        with Reference(model.path) as reference:
            searcher = Searcher(model.inputs, model.outputs, device, lambda inputs: reference(*inputs), told)
            apart = distances(answers, model.vectors.reference)
            return searcher.search(model.vectors.inputs, apart, self._wanted)


def why_not(model: QuantizedModel) -> str:
    """Why there is nothing to search in a model, empty where there is."""
    if model.vectors.exhaustive:
        return "a run sends all inputs there are"
    if tflite.stateful(model.ops):
        return "the model keeps a state: what it answers depends on all inputs before, not on one"
    if not searchable(model.inputs):
        return "a search varies integers, and this model has inputs of floats"
    return ""
