"""Chooses the inputs that are sent to the device.

Where a model has one input of one element of 8 or 16 bits, all its values are sent: equality over them is a proof over
all inputs. Otherwise the test set is sent, after inputs that are drawn to find bugs (:func:`draw`): the ends of the
range, the zero point, saturation. Where there is no test set, more of those are drawn.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tinyhil.affine import TensorSpec
from tinyhil.artifacts.types import Array

EXHAUSTIVE_LIMIT = 65_536
SPREAD = 256
"""How many samples the inspection looks at: a share is then known to a few per cent, and the time is bounded."""
DRAWN = 256
"""Vectors that are drawn where there are no samples."""
BESIDE = 64
"""Vectors that are drawn beside the samples."""
SEED = 1
"""Of the vectors that are drawn, unless the caller has one."""
_KINDS = 4
"""Of drawn vectors: over the whole range, at its ends, near the zero point, and mostly zero."""
_DRAWN_BYTES = 1 << 26
"""Of all drawn vectors."""
_NEAR = 4
"""LSB around the zero point that count as near."""
_FLOAT_RANGE = 8.0
"""Floats are drawn from -8 to 8: a float model's file does not say what its input means."""


def choose(inputs: Sequence[TensorSpec], samples: Sequence[Array]) -> tuple[tuple[Array, ...], bool]:
    """Test vectors for a model.

    Args:
        inputs: the model's input tensors.
        samples: per input tensor, (samples, *shape without the batch): reals, or quantized already where they are in
            the tensor's own type.

    Returns:
        One array per input tensor, (vectors, *shape) in its dtype, and whether they are all there are.
    """
    whole = _all_values(inputs)
    if whole is not None:
        return (whole,), True
    # Far from its data a float model's answers differ between computers by more than rounding.
    first = _drawn(inputs, SEED, _fewer(inputs, BESIDE)) if all(spec.quantized for spec in inputs) else _zeros(inputs)
    return tuple(
        np.concatenate([before, quantized(spec, part).reshape(-1, *spec.shape)])
        for spec, before, part in zip(inputs, first, samples, strict=True)
    ), False


def quantized(spec: TensorSpec, samples: Array) -> Array:
    """Samples as an input takes them; those in its own type are so already."""
    return samples if samples.dtype == spec.dtype.numpy else spec.quantize(samples)


def saturated(spec: TensorSpec, samples: Array) -> tuple[int, int]:
    """How many values of samples are cut off at an end of the input's range, and how many there are at all.

    What rounds to an end is not cut off.
    """
    if not spec.quantized or samples.dtype == spec.dtype.numpy:
        return 0, samples.size
    lowest, highest = (end - spec.zero_point for end in spec.dtype.limits)
    steps = np.asarray(samples, np.float64) / spec.scale
    return int(((steps <= lowest - 0.5) | (steps >= highest + 0.5)).sum()), samples.size


def draw(inputs: Sequence[TensorSpec], seed: int = SEED, count: int = DRAWN) -> tuple[tuple[Array, ...], bool]:
    """Test vectors for a model of which nothing is known but its inputs, the same for the same seed.

    First every combination of corners that all inputs have at once (the ends of the range, the zero point and its
    neighbours), then random ones in turn: spread over the whole range; made of its two ends only, which saturate what
    they can; within a few LSB of the zero point, where rounding shows; and zero but for one element in eight.

    Args:
        seed: of the random numbers.
        count: how many random vectors there are besides the corners.

    Returns:
        As :func:`choose`.
    """
    whole = _all_values(inputs)
    if whole is not None:
        return (whole,), True
    return _drawn(inputs, seed, _fewer(inputs, count)), False


def _fewer(inputs: Sequence[TensorSpec], count: int) -> int:
    """How many vectors are drawn: fewer where they are so large that all of them would fill the memory."""
    return max(_KINDS, min(count, _DRAWN_BYTES // max(1, sum(spec.nbytes for spec in inputs))))


def spread(samples: Array, most: int = SPREAD) -> Array:
    """At most ``most`` samples, evenly spread over all of them, in their order."""
    if len(samples) <= most:
        return samples
    chosen: Array = samples[np.linspace(0, len(samples) - 1, most).round().astype(int)]
    return chosen


def exhaustible(inputs: Sequence[TensorSpec]) -> bool:
    """Whether all inputs there are can be vectors: one of one element of 8 or 16 bits."""
    return _all_values(inputs) is not None


def whole(inputs: Sequence[TensorSpec], vectors: Sequence[Array]) -> bool:
    """Whether vectors, one array per input tensor, are all inputs there are."""
    values = _all_values(inputs)
    return values is not None and np.array_equal(values, vectors[0])


def like(spec: TensorSpec, vectors: Array, exhaustive: bool, data: Array, samples: int) -> npt.NDArray[np.bool_]:
    """Which vectors are like the data, (vectors,) of bool.

    A symmetric type covers a range around zero, though the data may lie on one side of it, and the rest of the
    range is no place where a model is expected to be right. Where all values are vectors, those from the least to the
    largest of the data count, half an LSB of rounding included; otherwise the samples, which are the last ones.

    Args:
        spec: the input.
        vectors: as :func:`choose` has chosen them.
        data: real-valued samples that the model was trained on.
        samples: how many samples are among the vectors.
    """
    if not exhaustive:
        return np.arange(len(vectors)) >= len(vectors) - samples
    reals = spec.dequantize(vectors).reshape(-1)
    half = spec.scale / 2
    inside: npt.NDArray[np.bool_] = (reals >= data.min() - half) & (reals <= data.max() + half)
    return inside


def _all_values(inputs: Sequence[TensorSpec]) -> Array | None:
    """All values of the one small input, (values, *shape); None where there are too many."""
    if len(inputs) != 1 or not inputs[0].quantized or inputs[0].elements != 1:
        return None
    spec = inputs[0]
    lowest, highest = spec.dtype.limits
    if highest - lowest >= EXHAUSTIVE_LIMIT:
        return None
    values = np.arange(lowest, highest + 1)
    return np.asarray(values, spec.dtype.numpy).reshape(-1, *spec.shape)


def _zeros(inputs: Sequence[TensorSpec]) -> tuple[Array, ...]:
    return tuple(np.full((1, *spec.shape), spec.zero_point, spec.dtype.numpy) for spec in inputs)


def _drawn(inputs: Sequence[TensorSpec], seed: int, count: int) -> tuple[Array, ...]:
    generator = np.random.default_rng(seed)
    drawn = []
    for spec in inputs:
        corners = [np.full(spec.shape, value, spec.dtype.numpy) for value in _corners(spec)]
        random = [_random(spec, number % _KINDS, generator) for number in range(count)]
        drawn.append((corners, random))
    most = max(len(corners) for corners, _ in drawn)
    # Inputs of different types have different numbers of corners: the shorter list is gone through again.
    return tuple(
        np.stack([corners[number % len(corners)] for number in range(most)] + random) for corners, random in drawn
    )


def _corners(spec: TensorSpec) -> list[float]:
    """Values that a vector is made of wholly."""
    if spec.quantized:
        lowest, highest = spec.dtype.limits
        near = sorted({spec.zero_point - 1, spec.zero_point + 1})
        return [lowest, spec.zero_point, highest, *(value for value in near if lowest < value < highest)]
    if spec.dtype.numpy.kind == "f":
        tiny = float(np.finfo(np.float32).tiny)
        return [0.0, 1.0, -1.0, tiny, -tiny, _FLOAT_RANGE, -_FLOAT_RANGE]
    return [0.0]


def _random(spec: TensorSpec, kind: int, generator: np.random.Generator) -> Array:
    if spec.dtype.numpy.kind == "f":
        low, zero, high, step = -_FLOAT_RANGE, 0.0, _FLOAT_RANGE, np.finfo(np.float32).eps
        whole = generator.uniform(low, high, spec.shape)
        near = generator.uniform(-_NEAR * step, _NEAR * step, spec.shape)
    else:
        # An integer that stands for no real is an index as often as not: it stays small and positive.
        lowest, highest = spec.dtype.limits if spec.quantized else (0, 1)
        low, zero, high = float(lowest), float(spec.zero_point), float(highest)
        whole = generator.integers(lowest, highest + 1, spec.shape).astype(np.float64)
        near = np.clip(zero + generator.integers(-_NEAR, _NEAR + 1, spec.shape), lowest, highest)
    ends = np.where(generator.random(spec.shape) < 0.5, low, high)
    sparse = np.where(generator.random(spec.shape) < 0.125, whole, zero)
    return np.asarray((whole, ends, near, sparse)[kind]).astype(spec.dtype.numpy)
