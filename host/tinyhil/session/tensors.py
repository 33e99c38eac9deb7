"""Tensors as they travel: the arrays of test vectors to records of bytes, and the bytes of answers to arrays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tinyhil.affine import TensorSpec
from tinyhil.artifacts.types import Array
from tinyhil.errors import InputError


def records_of(inputs: tuple[Array, ...]) -> list[bytes]:
    """One record a vector: all input tensors, one after the other, row-major."""
    return [b"".join(part[index].tobytes() for part in inputs) for index in range(len(inputs[0]))]


def outputs_of(data: bytes, specs: tuple[TensorSpec, ...]) -> tuple[Array, ...]:
    """The inverse for the outputs: one array per tensor, (vectors, *shape) in its dtype."""
    record = np.dtype([(f"f{index}", spec.dtype.numpy, spec.shape) for index, spec in enumerate(specs)])
    table = np.frombuffer(data, dtype=record)
    return tuple(np.ascontiguousarray(table[f"f{index}"]) for index in range(len(specs)))


def quantized(inputs: Sequence[npt.ArrayLike], specs: Sequence[TensorSpec]) -> tuple[Array, ...]:
    """Values of one's own as the tensors take them.

    Args:
        inputs: for each tensor its values, (vectors, *shape), where the shape may lack the batch axis of 1, or be
            missing for a tensor of one element. Floats are real values; integers are the tensor's own.
        specs: the tensors.

    Returns:
        One array per tensor, (vectors, *shape) in its dtype.

    Raises:
        InputError: the values do not fit.
    """
    if len(inputs) != len(specs):
        raise InputError(
            f"the model has {len(specs)} input tensors, {len(inputs)} were given",
            hint="give one array for each input tensor, in the model's order",
        )
    arrays = [np.asarray(values) for values in inputs]
    counts = {len(values) if values.ndim else 0 for values in arrays}
    if len(counts) != 1 or not min(counts):
        raise InputError(
            f"the inputs have {', '.join(map(str, sorted(counts)))} vectors: each needs the same number of vectors, "
            "at least one; the first axis is the vector",
            hint="give arrays whose first axes are of one length",
        )
    return tuple(_fitted(values, spec) for values, spec in zip(arrays, specs, strict=True))


def _fitted(values: Array, spec: TensorSpec) -> Array:
    shaped = values.shape[1:] == spec.shape or (1, *values.shape[1:]) == spec.shape
    if not shaped and not (values.ndim == 1 and spec.elements == 1):
        raise InputError(
            f"input {spec.name!r} takes vectors of shape {spec.shape}, not {values.shape[1:]}",
            hint="the first axis is the vector",
        )
    values = values.reshape(len(values), *spec.shape)
    if values.dtype.kind == "f":
        try:
            return spec.quantize(values)
        except ValueError as error:
            raise InputError(str(error), hint="remove what is NaN or infinite") from error
    if values.dtype.kind not in "iu" or spec.dtype.numpy.kind == "f":
        raise InputError(
            f"input {spec.name!r} is {spec.dtype.name.lower()}, not {values.dtype.name}",
            hint="give real values as floats, or the tensor's own integers",
        )
    lowest, highest = spec.dtype.limits
    if values.min() < lowest or values.max() > highest:
        raise InputError(
            f"input {spec.name!r} takes integers from {lowest} to {highest}",
            hint="give real values as floats, which are quantized as the tensor says",
        )
    return values.astype(spec.dtype.numpy)
