"""How far a device is from its reference and from the float model, counted while its answers come."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from tinyhil import tflite
from tinyhil.affine import DType, TensorSpec
from tinyhil.api.asking import Answer
from tinyhil.artifacts.types import QuantizedModel
from tinyhil.link.counters import Counters
from tinyhil.pipeline.reference_outputs import reference_outputs
from tinyhil.stream.reading import Reading

LAST = 10
"""Differences that are kept."""

DEMO = ("x", "y")
"""Names in the demo's lines."""

_HALF = 0.5e-4
"""The demo prints four decimals: what it computed with is no further away than this."""
_FLOAT_STEPS = 1e-6
"""Of a number's size, what its 32 bits leave open."""
_MOST_STEPS = 8
"""Inputs that one printed number may stand for; where it is more, nothing can be said."""


@dataclass
class Figures:
    """What has been counted.

    Attributes:
        answers: that were compared.
        distances: how many were so many LSB from the reference.
        last: the last answers that were not the reference's, the newest first.
        float_mean: mean distance from the float model, in the output's unit; None where there is no float model.
        float_largest: the largest, likewise.
        link: of all conversations with the device.
        goodput: bytes of tensors per second, of the last conversation; None before the first.
    """

    answers: int
    distances: Counter[int]
    last: tuple[Answer, ...]
    float_mean: float | None
    float_largest: float | None
    link: Counters
    goodput: float | None

    @property
    def agreement(self) -> float | None:
        """The part of the answers that were the reference's; None where there are none."""
        return self.distances[0] / self.answers if self.answers else None


@dataclass
class LiveError:
    """Counts answers, from any thread."""

    _guard: threading.Lock = field(default_factory=threading.Lock)
    _distances: Counter[int] = field(default_factory=Counter)
    _last: deque[Answer] = field(default_factory=lambda: deque(maxlen=LAST))
    _float_sum: float = 0.0
    _float_count: int = 0
    _float_largest: float = 0.0
    _link: Counters = field(default_factory=Counters)
    _goodput: float | None = None

    def add(self, answers: Iterable[Answer]) -> None:
        """Counts answers."""
        with self._guard:
            for answer in answers:
                self._distances[answer.distance] += 1
                if answer.distance:
                    self._last.appendleft(answer)
                if answer.floats is not None:
                    apart = np.abs(answer.device - answer.floats)
                    self._float_sum += float(apart.sum())
                    self._float_count += apart.size
                    self._float_largest = max(self._float_largest, float(apart.max(initial=0.0)))

    def add_conversation(self, link: Counters, tensor_bytes: int, seconds: float) -> None:
        """Counts what a conversation with the device took.

        Args:
            link: its counters.
            tensor_bytes: of all inputs and outputs that crossed the line in it.
            seconds: how long it has taken.
        """
        with self._guard:
            self._link += link
            self._goodput = tensor_bytes / seconds if seconds > 0 else None

    def clear(self) -> None:
        """Begins to count anew."""
        with self._guard:
            self._distances.clear()
            self._last.clear()
            self._float_sum, self._float_count, self._float_largest = 0.0, 0, 0.0
            self._link, self._goodput = Counters(), None

    def figures(self) -> Figures:
        """What has been counted so far."""
        with self._guard:
            known = self._float_count
            return Figures(
                answers=self._distances.total(),
                distances=self._distances.copy(),
                last=tuple(self._last),
                float_mean=self._float_sum / known if known else None,
                float_largest=self._float_largest if known else None,
                link=self._link,
                goodput=self._goodput,
            )


class DemoCheck:
    """Says what the reference and the float model make of the input that a line of the demo names.

    Args:
        model: with one int8 number in and one out, and without state; ``of`` looks.
    """

    def __init__(self, model: QuantizedModel) -> None:
        self._input, self._output = model.inputs[0], model.outputs[0]
        levels = np.arange(-128, 128, dtype=np.int8)
        found = reference_outputs(model, (levels.reshape(-1, *self._input.shape),), stateful=False)
        self._reference = found.reference[0].reshape(-1).astype(np.int64)
        self._floats = None if found.floats is None else np.asarray(found.floats[0], np.float64).reshape(-1)

    @classmethod
    def of(cls, model: QuantizedModel) -> DemoCheck | None:
        """The check of a model's demo; None for a model that has no demo."""
        tensors = (*model.inputs, *model.outputs)
        if [(spec.elements, spec.dtype) for spec in tensors] != [(1, DType.INT8)] * 2 or tflite.stateful(model.ops):
            return None
        return cls(model)

    def answer(self, reading: Reading) -> Answer | None:
        """A line beside what it should have said; None where it is no line of the demo, or too little is printed.

        Where x lies between two inputs, it may have been either: the one that fits better is taken.
        """
        if reading.names != DEMO or not np.isfinite(reading.values).all():
            return None
        x, y = reading.values
        first, last = self._levels(self._input, x)
        low, high = self._levels(self._output, y)
        if last - first >= _MOST_STEPS or not self._is_printed(y, low, high):
            return None
        level = min(range(first, last + 1), key=lambda each: self._apart(each, low, high))
        real = self._output.dequantize(np.array([self._reference[level + 128]], np.int8))
        return Answer(
            inputs=self._input.dequantize(np.array([level], np.int8)),
            device=np.array([y]),
            reference=real,
            floats=None if self._floats is None else self._floats[level + 128 : level + 129],
            distance=self._apart(level, low, high),
            cost=None,
            unit="",
        )

    def _apart(self, level: int, low: int, high: int) -> int:
        """LSB between the reference's answer to an input and what the device may have computed."""
        wanted = int(self._reference[level + 128])
        return max(0, low - wanted, wanted - high)

    def _is_printed(self, y: float, low: int, high: int) -> bool:
        """Whether an output that the model has is printed as y."""
        outputs = self._output.dequantize(np.arange(low, high + 1))
        return bool((np.abs(outputs - y) <= _room(y)).any())

    @staticmethod
    def _levels(spec: TensorSpec, value: float) -> tuple[int, int]:
        """The first and the last quantized value of what is printed as a number."""
        room = _room(value)
        first, last = spec.quantize([value - room, value + room])
        return int(first), int(last)


def _room(value: float) -> float:
    return _HALF + _FLOAT_STEPS * abs(value)
