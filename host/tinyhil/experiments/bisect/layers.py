"""Tests layers of a model, one at a time: the model is ended after the layer, built, run and compared.

What it is compared with is the reference on the very same prefix, or another device.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinyhil import tflite
from tinyhil.artifacts import store
from tinyhil.artifacts.types import Array, Capture, QuantizedModel
from tinyhil.compare import blame, layer
from tinyhil.compare.bisection import Layer, Probe
from tinyhil.errors import ModelError, ToolError
from tinyhil.experiments.bisect.prefix import open_prefix
from tinyhil.pipeline.observer import NestedObserver, Observer
from tinyhil.pipeline.run import Run
from tinyhil.progress import Reporter
from tinyhil.report import bisection as words

BUILT_FROM = "built-from.tflite"


@dataclass(frozen=True)
class Seen:
    """A layer that differs, as it was run: the prefix with its vectors, what was expected and what came."""

    prefix: QuantizedModel
    expected: tuple[Array, ...]
    actual: tuple[Array, ...]


class Layers:
    """The layers of one model on one device, or on two.

    Whoever makes it holds the lock of the folder ``bisect`` of each run.

    Args:
        runs: of the whole model: on the device to be compared with the reference, or on the two to be compared.
        model: the whole model.
        chosen: which of its vectors the layers are tested with.
        max_lsb: differences up to this many LSB are none.
        observer: told of each layer.

    Attributes:
        graph: the model's graph.
        tested: what was found, by index of the operator.
        seen: of those that differ.
    """

    def __init__(
        self,
        runs: Sequence[Run],
        model: QuantizedModel,
        chosen: npt.NDArray[np.intp],
        max_lsb: int,
        observer: Observer,
    ) -> None:
        self.tested: dict[int, Probe] = {}
        self.seen: dict[int, Seen] = {}
        self._runs = runs
        self._model = model
        self._inputs = tuple(part[chosen] for part in model.vectors.inputs)
        self._max_lsb = max_lsb
        self._observer = observer
        self._content = model.path.read_bytes()
        self.graph = tflite.parse(self._content, str(model.path)).main

    def ask(self, operator: int) -> bool | None:
        """Whether the output of an operator differs (``tinyhil.compare.blame``); tested only once.

        Raises:
            BlockedError: the device cannot be had, or did not answer.
        """
        if operator not in self.tested:
            node = self.graph.operators[operator]
            with self._observer.stage(f"layer {operator + 1}") as reporter:
                try:
                    tested = self._test(operator, reporter)
                except (ModelError, ToolError) as error:  # the whole was taken and built: it is this end that is not
                    tested = Probe(operator + 1, None, error.message)
                said = f"not tested: {tested.why}"
                if tested.difference is not None:
                    said = words.outcome(tested.difference, self.graph.tensors[node.outputs[0]].dtype)
                self._observer.result(f"{node.name}: {said}", found=False)
            self.tested[operator] = tested
        difference = self.tested[operator].difference
        return blame.UNKNOWN if difference is None else difference.differs

    def runs(self, operator: int, reporter: Reporter) -> list[Run]:
        """The model up to an operator, on each device."""
        prefix = tflite.cut(self._content, operator, str(self._model.path))
        made = []
        for run in self._runs:
            other = run.options.built_from
            if other is not None:
                planted = tflite.cut(other.read_bytes(), operator, str(other))
                other = run.layout.layer(operator + 1) / BUILT_FROM
                store.write_bytes(other, planted.data)
            made.append(open_prefix(run, self._model, prefix, self._inputs, other, NestedObserver(reporter)))
        return made

    def described(self) -> tuple[Layer, ...]:
        """All layers of the model."""
        return tuple(
            Layer(operator.index + 1, operator.name, tensor.name, tensor.dtype, tensor.shape)
            for operator in self.graph.operators
            for tensor in self.graph.of(operator.outputs[:1])
        )

    def _test(self, operator: int, reporter: Reporter) -> Probe:
        runs = self.runs(operator, reporter)
        for run in runs:
            # Of this end alone, such as its output's type; it goes into a table, so in one line.
            if (problems := run.problems()) and not run.options.force:
                raise ModelError("; ".join(problem.cause for problem in problems))
        captures = [run.capture() for run in runs]
        prefix = runs[0].quantize()
        expected, actual = compared(prefix, captures)
        found = layer.difference(actual, expected, prefix.outputs, self._max_lsb)
        if found.differs:
            self.seen[operator] = Seen(prefix, expected, actual)
        against = [
            layer.difference(each.outputs, prefix.vectors.reference, prefix.outputs, self._max_lsb) for each in captures
        ]
        return Probe(operator + 1, found, against_reference=tuple(against) if len(runs) > 1 else ())


def compared(model: QuantizedModel, captures: Sequence[Capture]) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
    """What is expected and what came: of the reference and the device, or of the first device and the second."""
    expected = model.vectors.reference if len(captures) == 1 else captures[0].outputs
    return expected, captures[-1].outputs
