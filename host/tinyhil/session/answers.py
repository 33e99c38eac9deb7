"""What a device has answered, as the rest of tinyhil has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyhil.affine import TensorSpec
from tinyhil.artifacts.types import Array, Reals, Resources
from tinyhil.link.resources import Used


@dataclass(frozen=True)
class Answers:
    """What a device has answered.

    Attributes:
        inputs: what was sent to it: one array per input tensor, (vectors, *shape) in the tensor's dtype.
        outputs: one array per output tensor, likewise.
        specs: the output tensors.
        ticks: of the device's clock, for all vectors together; None where it has no clock.
        requests: how many requests it takes to ask for all of it.
    """

    inputs: tuple[Array, ...]
    outputs: tuple[Array, ...]
    specs: tuple[TensorSpec, ...]
    ticks: int | None
    requests: int = 0

    @property
    def count(self) -> int:
        """How many vectors there are."""
        return len(self.inputs[0])

    @property
    def real(self) -> tuple[Reals, ...]:
        """The outputs in real units, (vectors, *shape) as float64."""
        return tuple(spec.dequantize(part) for spec, part in zip(self.specs, self.outputs, strict=True))

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> npt.NDArray[Any]:
        """``numpy.asarray(answers)``: the one output in real units, (vectors, *shape) as float64.

        Raises:
            ValueError: the model has several outputs.
        """
        if len(self.outputs) != 1:
            raise ValueError(f"the model has {len(self.outputs)} outputs: take them from .real or .outputs")
        return np.array(self.real[0], dtype=dtype)


def resources_of(used: Used) -> Resources:
    """What the device tells, where 0 stands for what it cannot."""
    return Resources(
        arena_capacity=used.arena_capacity or None,
        arena_bytes=used.arena_bytes,
        arena_used=used.arena_used or None,
        arena_overrun=used.arena_overrun,
        stack_bytes=used.stack_bytes or None,
        stack_used=used.stack_used or None,
    )
