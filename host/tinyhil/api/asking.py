"""A device that answers questions, with what the reference and the float model say to them beside its answers."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Self

import numpy as np

from tinyhil import tflite
from tinyhil.api.questions import Questions
from tinyhil.artifacts.types import Array, Reals
from tinyhil.compare.search import distances
from tinyhil.pipeline.reference_outputs import reference_outputs
from tinyhil.pipeline.run import Run
from tinyhil.session import Session
from tinyhil.targets.model import Measure


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

    Ownership: the device and the session are open while it is used as a context manager.

    Args:
        run: whose device is asked.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._opened = contextlib.ExitStack()
        self._session: Session | None = None
        self._questions: Questions | None = None

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as opened:
            device = opened.enter_context(self._run.running_device())
            self._session = opened.enter_context(device.session())
            self._opened = opened.pop_all()
        model = self._run.quantize()
        self._questions = Questions(model.inputs, model.vectors)
        return self

    def __exit__(self, *error: object) -> None:
        self._opened.__exit__(*error)  # type: ignore[arg-type]

    def ask(self, question: str) -> list[Answer]:
        """The answers to a question (``api.questions``), one for each of its inputs.

        Raises:
            InputError: it is no question, or does not fit the model.
            BlockedError: the device or the reference interpreter has failed.
        """
        assert self._session is not None
        assert self._questions is not None
        inputs = self._questions.inputs(question)
        model, session = self._run.quantize(), self._session
        if session.welcome.stateful:
            session.reset()
        found = session.answers_to(inputs)
        wanted = reference_outputs(model, inputs, stateful=tflite.stateful(model.ops))
        apart = distances(found.outputs, wanted.reference)
        measure = self._run.target.measure
        given = tuple(spec.dequantize(part) for spec, part in zip(model.inputs, inputs, strict=True))
        reference = tuple(spec.dequantize(part) for spec, part in zip(model.outputs, wanted.reference, strict=True))
        given_rows, device_rows, reference_rows = map(_side_by_side, (given, found.real, reference))
        floats = None if wanted.floats is None else _side_by_side(wanted.floats)
        cost = _cost(found.ticks, found.count, measure)
        return [
            Answer(
                given_rows[index],
                device_rows[index],
                reference_rows[index],
                None if floats is None else floats[index],
                int(apart[index]),
                cost,
                measure.unit if cost is not None else "",
            )
            for index in range(found.count)
        ]


def _cost(ticks: int | None, count: int, measure: Measure) -> float | None:
    """What one inference has taken, in the unit of the target."""
    return None if ticks is None or measure.unit == "nothing" else ticks * measure.per_tick / count


def _side_by_side(parts: tuple[Array, ...] | tuple[Reals, ...]) -> Reals:
    """All tensors of each vector, (vectors, elements of all)."""
    return np.concatenate([np.asarray(part, np.float64).reshape(len(part), -1) for part in parts], axis=1)
