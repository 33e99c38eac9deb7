"""A device that answers questions, with what the reference and the float model say to them beside its answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from tinyhil import tflite
from tinyhil.affine import TensorSpec
from tinyhil.api.questions import Questions
from tinyhil.artifacts.types import Array, QuantizedModel, Reals
from tinyhil.compare.search import distances
from tinyhil.pipeline.reference_outputs import Interpreters, reference_outputs
from tinyhil.pipeline.run import Run
from tinyhil.session import Session
from tinyhil.stream.series import Curve
from tinyhil.targets.model import Measure

_AT_ONCE = 256
"""Inputs that the device is asked for before somebody is told."""

_SHOWN = 4
"""Elements of a vector that a row has."""


@dataclass(frozen=True)
class Answer:
    """What one input has led to, in real units; all outputs of the model one behind the other.

    Attributes:
        inputs: what the device was given: the values that were asked for, rounded as its tensors are, (elements,).
        device: what it has answered, (elements,).
        reference: what the integer reference says, (elements,).
        floats: what the float model says, (elements,); None where there is none.
        distance: the largest difference of device and reference, in LSB; of floats in units in the last place.
        cost: of the inference, in ``unit``; None where the target measures nothing. Of inputs that were asked together
            it is the mean.
        unit: instructions or microseconds.
    """

    inputs: Reals
    device: Reals
    reference: Reals
    floats: Reals | None
    distance: int
    cost: float | None
    unit: str


class Asker:
    """Asks the device of a run.

    Ownership: it keeps interpreters, until it is closed or the context ends.

    Args:
        run: whose device it is; its model is made, if it is not there yet.
    """

    def __init__(self, run: Run) -> None:
        self._model = run.quantize()
        self._measure = run.target.measure
        self._questions = Questions(self._model.inputs, self._model.vectors)
        self._interpreters = Interpreters()

    def close(self) -> None:
        """Ends the interpreters. May be called again."""
        self._interpreters.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(
        self, question: str, session: Session, told: Callable[[list[Answer]], object] | None = None
    ) -> list[Answer]:
        """The answers to a question (``api.questions``), one for each of its inputs.

        Args:
            question: likewise.
            session: with the device.
            told: is told answers while others are still to come, where the model keeps no state.

        Raises:
            InputError: it is no question, or does not fit the model.
            BlockedError: the device or the reference interpreter has failed.
        """
        inputs = self._questions.inputs(question)
        if session.welcome.stateful:
            session.reset()
        count = len(inputs[0])
        step = count if told is None or tflite.stateful(self._model.ops) else _AT_ONCE
        answers: list[Answer] = []
        for start in range(0, count, step):
            part = self._answers(tuple(each[start : start + step] for each in inputs), session)
            answers += part
            if told is not None:
                told(part)
        return answers

    @property
    def tensor_bytes(self) -> int:
        """Of all inputs and outputs of one inference."""
        return sum(spec.nbytes for spec in (*self._model.inputs, *self._model.outputs))

    def _answers(self, inputs: tuple[Array, ...], session: Session) -> list[Answer]:
        model, stateful = self._model, tflite.stateful(self._model.ops)
        found = session.answers_to(inputs)
        wanted = reference_outputs(model, inputs, stateful=stateful, interpreters=self._interpreters)
        apart = distances(found.outputs, wanted.reference)
        given = _side_by_side(_reals(model.inputs, inputs))
        device = _side_by_side(found.real)
        reference = _side_by_side(_reals(model.outputs, wanted.reference))
        floats = None if wanted.floats is None else _side_by_side(wanted.floats)
        cost = _cost(found.ticks, found.count, self._measure)
        return [
            Answer(
                given[index],
                device[index],
                reference[index],
                None if floats is None else floats[index],
                int(apart[index]),
                cost,
                self._measure.unit if cost is not None else "",
            )
            for index in range(found.count)
        ]


def model_curves(model: QuantizedModel) -> dict[str, Curve]:
    """What a model with one number in and one out computes over its data, as curves to lie beside a device's.

    Returns:
        The reference's and the float model's, by these names; empty for any other model.
    """
    if [spec.elements for spec in (*model.inputs, *model.outputs)] != [1, 1]:
        return {}
    vectors = model.vectors
    x = model.inputs[0].dequantize(vectors.inputs[0]).reshape(-1)
    chosen = np.arange(len(x)) if vectors.data is None else np.flatnonzero(vectors.data)
    chosen = chosen[np.argsort(x[chosen], kind="stable")]
    curves = {"reference": model.outputs[0].dequantize(vectors.reference[0])}
    if vectors.float_outputs is not None:
        curves["float model"] = np.asarray(vectors.float_outputs[0], np.float64)
    return {name: Curve(x[chosen], y.reshape(-1)[chosen]) for name, y in curves.items()}


def _cost(ticks: int | None, count: int, measure: Measure) -> float | None:
    """What one inference has taken, in the unit of the target."""
    return None if ticks is None or measure.unit == "nothing" else ticks * measure.per_tick / count


def _reals(specs: Sequence[TensorSpec], tensors: Sequence[Array]) -> tuple[Reals, ...]:
    return tuple(spec.dequantize(part) for spec, part in zip(specs, tensors, strict=True))


def _side_by_side(parts: Sequence[Reals]) -> Reals:
    """All tensors of each vector, (vectors, elements of all)."""
    return np.concatenate([part.reshape(len(part), -1) for part in parts], axis=1)


def line_of(answer: Answer) -> str:
    """An answer in one row."""
    parts = [
        f"x {_shown(answer.inputs, largest=False)}",
        f"device {_shown(answer.device)}",
        f"reference {_shown(answer.reference)}",
        f"float {_shown(answer.floats)}" if answer.floats is not None else "",
        "exact" if not answer.distance else f"{answer.distance} LSB apart",
        f"{answer.cost:,.0f} {answer.unit}" if answer.cost is not None else "",
    ]
    return "  ".join(filter(None, parts))


def _shown(values: Reals, *, largest: bool = True) -> str:
    """A number, or a vector with its largest element, which is the class of a classifier."""
    if len(values) == 1:
        return f"{values[0]:.6g}"
    shown = " ".join(f"{value:.4g}" for value in values[:_SHOWN])
    more = f" ... of {len(values)}" if len(values) > _SHOWN else ""
    where = f"; largest {int(values.argmax())}" if largest else ""
    return f"[{shown}{more}{where}]"
