"""Tests layers of a model: all in one image that gives every tensor, or each in a model that ends after it.

The one image takes one build and one session, but memory for all tensors, which the chip may not have; and a difference
that comes from tensors sharing memory is not in it. Then the model is ended after a layer, built, run and compared.

What it is compared with is the reference on the very same prefix, or another device.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

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
_MOST_OUTPUTS = 255
"""What the handshake can count."""


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
        firmware: an image that was built elsewhere, with all tensors as its outputs; None to build what is needed.

    Attributes:
        graph: the model's graph.
        tested: what was found, by index of the operator.
        seen: of those that differ.
        ends: the outputs of the whole model, as the last device in one image has given them; None where there is none.
    """

    def __init__(
        self,
        runs: Sequence[Run],
        model: QuantizedModel,
        chosen: npt.NDArray[np.intp],
        max_lsb: int,
        observer: Observer,
        firmware: Path | None = None,
    ) -> None:
        self.tested: dict[int, Probe] = {}
        self.seen: dict[int, Seen] = {}
        self.ends: tuple[Array, ...] | None = None
        self._firmware = firmware
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

    def ask_all(self) -> bool:
        """Tests all layers in one image, if that is possible; says whether it was.

        Raises:
            BlockedError: the device cannot be had, or did not answer.
        """
        carried = self._every()
        if not carried:
            return False
        with self._observer.stage("layers") as reporter:
            try:
                prefix, captures = self._captured(self._opened(carried, reporter))
            except (ModelError, ToolError) as error:
                self._observer.result(f"not in one image: {error.message}", found=False)
                return False
            places = {index: position for position, index in enumerate(carried)}
            for operator in self.graph.operators:
                at = [places[index] for index in operator.outputs if index in places]
                if len(at) < len(operator.outputs):
                    why = "the link does not carry its output's type or shape"
                    self.tested[operator.index] = Probe(operator.index + 1, None, why)
                    continue
                self.tested[operator.index] = self._probe(operator.index, prefix, captures, at)
            if all(index in places for index in self.graph.outputs):
                self.ends = tuple(captures[-1].outputs[places[index]] for index in self.graph.outputs)
            differing = sum(1 for each in self.tested.values() if each.difference and each.difference.differs)
            self._observer.result(f"{len(self.tested)} in one image, {differing} differ", found=False)
        return True

    def project(self) -> Path | None:
        """Renders the project of an image that gives every tensor, for somebody else to build; None if there is none.

        Only on the first device.
        """
        carried = self._every()
        with self._observer.stage("render") as reporter:
            try:
                folder = self._opened(carried, reporter)[0].render().folder if carried else None
            except ModelError as error:
                folder = None
                reporter.text(error.message)
            self._observer.result(f"{folder}, which gives every tensor" if folder else "not possible", found=False)
        return folder

    def _every(self) -> tuple[int, ...]:
        """The tensors that the one image gives; none where there are too many."""
        outputs = (index for operator in self.graph.operators for index in operator.outputs)
        carried = tuple(dict.fromkeys(each.index for each in self.graph.of(tuple(outputs)) if _carried(each)))
        return carried if len(carried) <= _MOST_OUTPUTS else ()

    def forget(self) -> None:
        """Forgets what was found, so that each layer is tested by itself."""
        self.tested.clear()
        self.seen.clear()

    def reproduce(self, operator: int, reporter: Reporter) -> Seen:
        """The smallest model that shows how a layer differs: that which ends after it."""
        if operator not in self.seen:
            self._test(operator, reporter)
        return self.seen[operator]

    def _opened(self, tensors: tuple[int, ...], reporter: Reporter) -> list[Run]:
        """The model with these tensors as its outputs, on each device."""
        prefix = tflite.with_outputs(self._content, tensors, str(self._model.path))
        return self._on_each(prefix, lambda data, name: tflite.with_outputs(data, tensors, name), reporter)

    def runs(self, operator: int, reporter: Reporter) -> list[Run]:
        """The model up to an operator, on each device."""
        prefix = tflite.cut(self._content, operator, str(self._model.path))
        return self._on_each(prefix, lambda data, name: tflite.cut(data, operator, name), reporter)

    def _on_each(
        self, prefix: tflite.Prefix, of: Callable[[bytes, str], tflite.Prefix], reporter: Reporter
    ) -> list[Run]:
        """A part of the model on each device; ``of`` makes the same of the file that a device is built from."""
        made = []
        for run in self._runs:
            other = run.options.built_from
            if other is not None:
                planted = of(other.read_bytes(), str(other))
                other = run.layout.layer(prefix.operator + 1) / BUILT_FROM
                store.write_bytes(other, planted.data)
            observer = NestedObserver(reporter)
            made.append(open_prefix(run, self._model, prefix, self._inputs, other, observer, self._firmware))
        return made

    def described(self) -> tuple[Layer, ...]:
        """All layers of the model."""
        return tuple(
            Layer(operator.index + 1, operator.name, tensor.name, tensor.dtype, tensor.shape)
            for operator in self.graph.operators
            for tensor in self.graph.of(operator.outputs[:1])
        )

    def _test(self, operator: int, reporter: Reporter) -> Probe:
        prefix, captures = self._captured(self.runs(operator, reporter))
        tested = self._probe(operator, prefix, captures, range(len(prefix.outputs)))
        assert tested.difference is not None
        if tested.difference.differs:
            self.seen[operator] = Seen(prefix, *compared(prefix, captures))
        return tested

    def _captured(self, runs: Sequence[Run]) -> tuple[QuantizedModel, list[Capture]]:
        """The part of the model that was run, and what each device answered."""
        for run in runs:
            # Of this end alone, such as its output's type; it goes into a table, so in one line.
            if (problems := run.problems()) and not run.options.force:
                raise ModelError(
                    "; ".join(problem.cause for problem in problems),
                    hint="compare it on an engine that computes it: tinyhil preflight FILE --target NAME",
                )
        captures = [run.capture() for run in runs]
        return runs[0].quantize(), captures

    def _probe(self, operator: int, part: QuantizedModel, captures: Sequence[Capture], at: Sequence[int]) -> Probe:
        """What was found of the outputs ``at`` of a part of the model, which are those of an operator."""

        def chosen(outputs: Sequence[Array]) -> list[Array]:
            return [outputs[position] for position in at]

        expected, actual = (chosen(outputs) for outputs in compared(part, captures))
        specs = [part.outputs[position] for position in at]
        against = [
            layer.difference(chosen(each.outputs), chosen(part.vectors.reference), specs, self._max_lsb)
            for each in captures
        ]
        found = layer.difference(actual, expected, specs, self._max_lsb)
        return Probe(operator + 1, found, against_reference=tuple(against) if len(captures) > 1 else ())


def _carried(tensor: tflite.Tensor) -> bool:
    """Whether the link can carry it as an output."""
    try:
        tflite.spec(tensor, "output")
    except ModelError:
        return False
    return True


def compared(model: QuantizedModel, captures: Sequence[Capture]) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
    """What is expected and what came: of the reference and the device, or of the first device and the second."""
    expected = model.vectors.reference if len(captures) == 1 else captures[0].outputs
    return expected, captures[-1].outputs
