"""What a model should answer to inputs of one's own: the integer reference, and the float model beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinyhil.artifacts.types import Array, QuantizedModel, Reals
from tinyhil.errors import BlockedError, ModelError
from tinyhil.quantize import quantized_folder
from tinyhil.quantize.reference import Reference

_Compute = Callable[[Path, tuple[Array, ...]], tuple[Array, ...]]


@dataclass(frozen=True)
class ReferenceOutputs:
    """What the host computes for some vectors.

    Attributes:
        reference: one array per output tensor, (vectors, *shape) in the tensor's dtype.
        floats: the same of the float model as float64; None where there is none.
    """

    reference: tuple[Array, ...]
    floats: tuple[Reals, ...] | None


class Interpreters:
    """Computes by interpreters that are kept, one for each model file: to start one takes longer than to ask it.

    Ownership: whoever makes it closes it. Not for models that keep state, which would remember what was asked before.
    """

    def __init__(self) -> None:
        self._kept: dict[Path, Reference] = {}

    def __call__(self, path: Path, inputs: tuple[Array, ...]) -> tuple[Array, ...]:
        """The outputs of a .tflite file; raises as ``Reference`` does."""
        kept = self._kept.get(path)
        if kept is None:
            kept = self._kept[path] = Reference(path)
        return kept(*inputs)

    def close(self) -> None:
        """Ends them. May be called again."""
        while self._kept:
            self._kept.popitem()[1].close()


def reference_outputs(
    model: QuantizedModel,
    inputs: tuple[Array, ...],
    *,
    stateful: bool,
    floats: bool = True,
    interpreters: Interpreters | None = None,
) -> ReferenceOutputs:
    """Looks the vectors up among those of the model, and asks the interpreter where one of them is not there.

    The interpreter gets them in one row, beginning with the model's first state, as a device does.

    Args:
        inputs: one array per input tensor, (vectors, *shape) in the tensor's dtype.
        stateful: whether an output depends on the vectors before it.
        floats: whether the float model is asked, too.
        interpreters: that are kept; None to start one. A model that keeps state gets one of its own in any case.

    Raises:
        MissingToolError: the interpreter is not installed.
        ModelError: it does not take the vectors.
    """
    known = model.vectors
    if all(np.array_equal(ours, known_part) for ours, known_part in zip(inputs, known.inputs, strict=True)):
        return ReferenceOutputs(known.reference, known.float_outputs)
    if known.exhaustive and not stateful:
        place = {vector.tobytes(): index for index, vector in enumerate(known.inputs[0])}
        rows = [place[vector.tobytes()] for vector in inputs[0]]
        outputs = known.float_outputs
        return ReferenceOutputs(
            tuple(part[rows] for part in known.reference),
            None if outputs is None else tuple(part[rows] for part in outputs),
        )
    compute = _computed if interpreters is None or stateful else interpreters
    reference = compute(model.path, inputs)
    return ReferenceOutputs(reference, _floats(model, inputs, compute) if floats else None)


def _floats(model: QuantizedModel, inputs: tuple[Array, ...], compute: _Compute) -> tuple[Reals, ...] | None:
    """The float model's outputs, as it was exported to TensorFlow Lite; None where that is not there or not taken."""
    path = model.path.with_name(quantized_folder.FLOAT)
    if not path.is_file():
        return None
    reals = tuple(spec.dequantize(part).astype(np.float32) for spec, part in zip(model.inputs, inputs, strict=True))
    try:
        return tuple(part.astype(np.float64) for part in compute(path, reals))
    except (BlockedError, ModelError):
        return None


def _computed(path: Path, inputs: tuple[Array, ...]) -> tuple[Array, ...]:
    """An interpreter's outputs for a .tflite file."""
    with Reference(path) as reference:
        return reference(*inputs)
