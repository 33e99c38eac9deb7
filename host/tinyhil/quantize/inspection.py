"""What quantization did inside the model, tensor by tensor, over samples of the test set.

- *Saturation*: the share of a tensor's values at either end of its type. Where the lower end stands for real 0, as
  after a ReLU, values there are not cut off, and only the upper end counts.
  What a fused activation or the operator itself bounds is not cut off either (``tinyhil.tflite.bounded``).
- *Calibration coverage*: the share of the float model's values that lie in the range which calibration, over training
  samples, gave the same tensor, half an LSB of rounding included. What lies outside is cut off.
- *Error*: the largest difference between a tensor's dequantized value and the float model's, both from the same
  samples from the model's input on; in real units, and as a share of the range that the float model's values span. The
  worst layer is the one with the largest share, because layers have different units.

The float model is the same network converted without quantization. Its tensors are matched by name, since the converter
names both by the layers they come from; where a name is missing, by the operator's position if both have the same
operators in the same order; else not at all, and the tensor has neither coverage nor error.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import msgspec
import numpy as np

from tinyhil import tflite
from tinyhil.affine import TensorSpec
from tinyhil.artifacts.types import Array, QuantizedModel, Reals
from tinyhil.errors import ModelError
from tinyhil.quantize.interpreters import Interpreter

MATCHED = "tensors of the float model by name, else by position among the same operators"
"""How, for people."""

Match = Literal["name", "position", ""]


@dataclass(frozen=True)
class TensorInspection:
    """One tensor: an input of the model, or what an operator writes.

    Attributes:
        index: in the model file.
        name: as there.
        dtype: element type.
        made_by: ``input``, or the operator.
        matched_by: how its counterpart in the float model was found, empty if it was not.
        at_lowest, at_highest: share of its values at the ends of its type; None for one that is not quantized.
        lowest_is_zero: whether the lowest integer stands for real 0.
        coverage: share of the float model's values inside its range.
        error: largest error in real units.
        error_share: the same as a share of the range of the float model's values; None where they are all the same.
        values: how many values were looked at.
        bounded: whether its operator keeps its values from its lowest end and from its highest.
        channels: size of its last dimension.
        dead: how many of these had one value in all samples.
    """

    index: int
    name: str
    dtype: str
    made_by: str
    matched_by: Match
    at_lowest: float | None
    at_highest: float | None
    lowest_is_zero: bool
    coverage: float | None
    error: float | None
    error_share: float | None
    values: int = 0
    bounded: tuple[bool, bool] = (False, False)
    channels: int = 0
    dead: int = 0

    @property
    def clamped(self) -> float | None:
        """Share of values that are cut off, for all that is known; None for a tensor that is not quantized.

        At each end there is one value that calibration has seen itself, and where a float model's values are known,
        no more are cut off than lie outside of the range.
        """
        if self.at_lowest is None or self.at_highest is None or not self.values:
            return None
        below = 0.0 if self.bounded[0] or self.lowest_is_zero else self.at_lowest
        above = 0.0 if self.bounded[1] else self.at_highest
        found = sum(max(0.0, share - 1 / self.values) for share in (below, above))
        return found if self.coverage is None else min(found, 1.0 - self.coverage)

    @property
    def saturation(self) -> float | None:
        """Share of values that may have been cut off."""
        if self.at_lowest is None or self.at_highest is None:
            return None
        return self.at_highest if self.lowest_is_zero else self.at_lowest + self.at_highest


@dataclass(frozen=True)
class Inspection:
    """What was found.

    Attributes:
        interpreter: that computed the tensors.
        samples: how many samples were looked at.
        matched: how tensors were matched, in words.
        tensors: inputs first, then in the order of execution.
    """

    interpreter: str
    samples: int
    matched: str
    tensors: tuple[TensorInspection, ...]

    @property
    def worst(self) -> TensorInspection | None:
        """The layer with the largest error by its float values' range; None where nothing was matched."""
        layers = [tensor for tensor in self.tensors if tensor.error_share is not None and tensor.made_by != "input"]
        return max(layers, key=lambda tensor: tensor.error_share or 0.0, default=None)

    @property
    def most_saturated(self) -> TensorInspection | None:
        """The tensor with the largest saturation; None where nothing is quantized."""
        known = [tensor for tensor in self.tensors if tensor.saturation is not None]
        return max(known, key=lambda tensor: tensor.saturation or 0.0, default=None)

    @property
    def least_covered(self) -> TensorInspection | None:
        """The tensor whose calibrated range covers least; None where nothing was matched or is quantized."""
        known = [tensor for tensor in self.tensors if tensor.coverage is not None]
        return min(known, key=lambda tensor: 1.0 if tensor.coverage is None else tensor.coverage, default=None)


def read_inspection(model: QuantizedModel) -> Inspection:
    """What is stored beside a model; an inspection of no tensors where nothing was looked at."""
    if model.inspection is None:
        return Inspection("", 0, MATCHED, ())
    return msgspec.json.decode(model.inspection.read_bytes(), type=Inspection)


@dataclass(frozen=True)
class OpenModel:
    """A model with an interpreter that keeps its tensors."""

    graph: tflite.Graph
    specs: tuple[TensorSpec, ...]
    interpreter: Interpreter
    bounded: Mapping[int, tuple[bool, bool]] = field(default_factory=dict)


def inspect(model: OpenModel, floats: OpenModel | None, samples: Sequence[Array]) -> Inspection:
    """Runs the samples through both models.

    Args:
        model: the quantized model.
        floats: the float model; None where there is none.
        samples: real values, one array per input, (samples, *shape).

    Raises:
        ModelError: an interpreter failed.
    """
    counterparts = {} if floats is None else match(model.graph, floats.graph)
    tallies = [_tally(model, index, made_by, counterparts) for index, made_by in _watched(model.graph)]
    count = len(samples[0])
    for number in range(count):
        reals = [part[number] for part in samples]
        model.interpreter.run(_quantized(model.specs, reals))
        if floats is not None:
            floats.interpreter.run(_quantized(floats.specs, reals))
        for tally in tallies:
            other = None
            if floats is not None and tally.counterpart is not None:
                other = np.asarray(floats.interpreter.tensor(tally.counterpart[0]), np.float64)
            tally.add(model.interpreter.tensor(tally.tensor.index), other)
    return Inspection(
        interpreter=model.interpreter.name,
        samples=count,
        matched=MATCHED if floats is not None else "there is no float model",
        tensors=tuple(tally.found() for tally in tallies),
    )


def match(model: tflite.Graph, floats: tflite.Graph) -> dict[int, tuple[int, Match]]:
    """Counterparts of the tensors of ``model`` in ``floats``: index and how it was found, by index."""
    names = Counter(floats.tensors[index].name for index, _ in _watched(floats))
    by_name = {floats.tensors[index].name: index for index, _ in _watched(floats)}
    same = [each.name for each in model.operators] == [each.name for each in floats.operators]
    positions = (
        {mine: other for (mine, _), (other, _) in zip(_watched(model), _watched(floats), strict=True)}
        if same and len(_watched(model)) == len(_watched(floats))
        else {}
    )
    found: dict[int, tuple[int, Match]] = {}
    for index, _ in _watched(model):
        name = model.tensors[index].name
        if name and names[name] == 1:
            found[index] = (by_name[name], "name")
        elif index in positions:
            found[index] = (positions[index], "position")
    return {mine: hit for mine, hit in found.items() if model.tensors[mine].shape == floats.tensors[hit[0]].shape}


def _watched(graph: tflite.Graph) -> list[tuple[int, str]]:
    """The tensors that are looked at, and what makes them."""
    inputs = [(index, "input") for index in graph.inputs]
    return inputs + [(index, str(operator)) for operator in graph.operators for index in operator.outputs]


def _quantized(specs: Iterable[TensorSpec], reals: Iterable[Array]) -> list[Array]:
    return [spec.quantize(part).reshape(spec.shape) for spec, part in zip(specs, reals, strict=True)]


def _tally(model: OpenModel, index: int, made_by: str, counterparts: dict[int, tuple[int, Match]]) -> _Tally:
    bounded = model.bounded.get(index, (False, False))
    return _Tally(model.graph.tensors[index], made_by, counterparts.get(index), bounded)


class _Tally:
    """Counts one tensor over the samples, so that no more than one sample is in memory."""

    def __init__(
        self,
        tensor: tflite.Tensor,
        made_by: str,
        counterpart: tuple[int, Match] | None,
        bounded: tuple[bool, bool],
    ) -> None:
        self.tensor = tensor
        self.counterpart = counterpart
        self._made_by = made_by
        self._bounded = bounded
        self._channels = tensor.shape[-1] if tensor.shape else 0
        self._first: Array | None = None
        self._moved = np.zeros(self._channels, np.bool_)
        self._spec = _spec(tensor)
        self._values = self._lowest = self._highest = self._inside = 0
        self._error, self._from, self._to = 0.0, math.inf, -math.inf

    def add(self, values: Array, floats: Reals | None) -> None:
        """One sample's values, and the float model's."""
        self._values += values.size
        self._see_channels(values)
        if self._spec is not None and self._spec.quantized:
            lowest, highest = self._spec.dtype.limits
            self._lowest += int((values == lowest).sum())
            self._highest += int((values == highest).sum())
            if floats is not None:
                low, high = (self._spec.dequantize(end) for end in (lowest - 0.5, highest + 0.5))
                self._inside += int(((floats >= low) & (floats <= high)).sum())
        if floats is not None and self._spec is not None:
            error = np.abs(self._spec.dequantize(values).reshape(floats.shape) - floats)
            self._error = max(self._error, float(error.max(initial=0.0)))
            self._from, self._to = (
                min(self._from, float(floats.min(initial=math.inf))),
                max(self._to, float(floats.max(initial=-math.inf))),
            )

    def _see_channels(self, values: Array) -> None:
        """Notes which channels have another value than the first one that was seen of them."""
        if self._channels and values.size:
            rows = values.reshape(-1, self._channels)
            if self._first is None:
                self._first = rows[0].copy()
            self._moved |= (rows != self._first).any(axis=0)

    def found(self) -> TensorInspection:
        """What the counts say."""
        quantized = self._spec is not None and self._spec.quantized
        compared = self.counterpart is not None and self._spec is not None
        span = self._to - self._from
        total = max(self._values, 1)
        return TensorInspection(
            index=self.tensor.index,
            name=self.tensor.name,
            dtype=self.tensor.dtype,
            made_by=self._made_by,
            matched_by=self.counterpart[1] if self.counterpart is not None else "",
            at_lowest=self._lowest / total if quantized else None,
            at_highest=self._highest / total if quantized else None,
            lowest_is_zero=self._spec is not None and quantized and self._spec.zero_point == self._spec.dtype.limits[0],
            coverage=self._inside / total if compared and quantized else None,
            error=self._error if compared else None,
            error_share=self._error / span if compared and span > 0 else None,
            values=self._values,
            bounded=self._bounded,
            channels=self._channels,
            dead=int(np.count_nonzero(~self._moved)) if self._first is not None else 0,
        )


def _spec(tensor: tflite.Tensor) -> TensorSpec | None:
    """How the tensor stands for reals; None where it is of a kind that does not."""
    try:
        spec = tflite.spec(tensor, "the model")
    except ModelError:
        return None
    return spec if spec.quantized or tensor.dtype == "float32" else None
