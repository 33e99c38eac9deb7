"""Bisects an image that somebody else has built: as far as what it gives tells.

An image whose outputs are all tensors of the model tells of every layer; that is the one which a bisection builds
itself first. An image of the model as it is gives its outputs only. Then it is told whether these differ, and which
project makes an image that tells more.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tinyhil import tflite
from tinyhil.artifacts.types import Array
from tinyhil.compare import blame, layer
from tinyhil.compare.blame import Blame
from tinyhil.compare.layer import LayerDifference
from tinyhil.errors import StaleFirmwareError
from tinyhil.experiments.bisect.layers import Layers
from tinyhil.pipeline.observer import Observer
from tinyhil.pipeline.run import Run


class Image:
    """A bisection of an image. Whoever makes it holds the lock of the folder ``bisect`` of the run.

    Args:
        run: of the whole model, by the image that its options name.
        max_lsb: differences up to this many LSB are none.
        observer: told of the stages.

    Attributes:
        layers: what was found of each layer; nothing where the image gives the model's outputs only.
        whole: the difference of the model's outputs.
        blamed: the layer that brings it in, where that can be told.
        project: where an image that gives every tensor can be built from; None where that is not needed, or not
            possible.
    """

    def __init__(self, run: Run, max_lsb: int, observer: Observer) -> None:
        self.model = run.quantize()
        every = np.arange(self.model.vectors.count)
        self.layers = Layers([run], self.model, every, max_lsb, observer, run.options.firmware)
        self.blamed: Blame | None = None
        self.project: Path | None = None
        self._run = run
        self._max_lsb = max_lsb
        self._observer = observer
        self.whole = self._looked()

    def _looked(self) -> LayerDifference:
        """What differs.

        Raises:
            BlockedError: the image cannot be run; or it is of another model, or was built from another project.
        """
        try:
            answers = self._run.capture()
        except StaleFirmwareError as error:
            if error.what != "model":
                raise
            return self._by_layer(error)
        self._run.conclude()
        whole = self._difference(answers.outputs)
        if whole.differs:
            self.project = self.layers.project()
        return whole

    def _by_layer(self, refusal: StaleFirmwareError) -> LayerDifference:
        """As an image of all tensors tells, which is of another model file: that with all of them as its outputs."""
        try:
            told = self.layers.ask_all()
        except StaleFirmwareError as error:
            if error.what != "model":
                raise
            told = False
        if not told:
            refusal.hint = "give an image of this model, or of the same with all tensors as its outputs"
            raise refusal
        assert self.layers.ends is not None
        whole = self._difference(self.layers.ends)
        graph = self.layers.graph
        differing = [operator.index for operator in graph.operators if self.layers.ask(operator.index)]
        if differing:
            self.blamed = blame.search(tflite.sources(graph), differing[-1], self.layers.ask)
        return whole

    def _difference(self, actual: tuple[Array, ...]) -> LayerDifference:
        return layer.difference(actual, self.model.vectors.reference, self.model.outputs, self._max_lsb)
