"""The ends of a model: what the link carries, and what the verdict compares."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tinyhil.affine import DType, TensorSpec
from tinyhil.errors import ModelError
from tinyhil.tflite.model import Tensor
from tinyhil.tflite.reader import MAX_BYTES, parse

MAX_RANK = 6
"""Of a tensor on the link (docs/protocol.md, TENSOR)."""

MAX_ENDS_BYTES = 8 << 20
"""Of all inputs and outputs together: half of what the reference has for the whole model."""

_DTYPES = {"float32": np.float32, "int32": np.int32, "uint8": np.uint8, "int16": np.int16, "int8": np.int8}
"""Element types that the link carries."""


@dataclass(frozen=True)
class ModelFacts:
    """What a model file says of itself.

    Attributes:
        inputs: input tensors.
        outputs: output tensors.
        ops: names of the operators, in the order of execution.
    """

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    ops: tuple[str, ...]


def read(data: bytes, name: str) -> ModelFacts:
    """Reads a model that is to be run.

    Args:
        data: the file's content.
        name: how to call it in messages.

    Raises:
        ModelError: it is not a TFLite model, is damaged or truncated, has several subgraphs, or has inputs or outputs
            that the link cannot carry.
    """
    model = parse(data, name)
    if len(model.graphs) != 1:
        raise ModelError(
            f"{name} has {len(model.graphs)} subgraphs, only one is supported",
            hint="export the model without loops and branches, which make subgraphs",
        )
    main = model.main
    facts = ModelFacts(
        inputs=tuple(spec(tensor, name) for tensor in main.of(main.inputs)),
        outputs=tuple(spec(tensor, name) for tensor in main.of(main.outputs)),
        ops=tuple(operator.name for operator in main.operators),
    )
    ends = sum(spec.nbytes for spec in (*facts.inputs, *facts.outputs))
    if ends > MAX_ENDS_BYTES:
        raise ModelError(
            f"{name} has inputs and outputs of {ends:,} bytes, the limit is {MAX_ENDS_BYTES:,}",
            hint="use smaller inputs: no microcontroller holds these",
        )
    return facts


def spec(tensor: Tensor, name: str) -> TensorSpec:
    """An input or output as the link describes it.

    Args:
        name: how to call the file in messages.

    Raises:
        ModelError: the link cannot carry it.
    """
    what = f"{name}: tensor {tensor.name!r}"
    if tensor.dtype not in _DTYPES:
        raise ModelError(
            f"{what} has element type {tensor.dtype}, which the link cannot carry",
            hint="export it with inputs and outputs of float32, int32, uint8, int16 or int8",
        )
    if any(size < 1 for size in tensor.shape + tensor.signature):
        raise ModelError(f"{what} has a dynamic shape", hint="export with a fixed batch of 1")
    if not 1 <= len(tensor.shape) <= MAX_RANK or math.prod(tensor.shape) > MAX_BYTES:
        raise ModelError(
            f"{what} has the shape {tensor.shape}, which the link cannot carry",
            hint="export it with inputs and outputs of 1 to 6 axes",
        )
    if tensor.per_channel:
        raise ModelError(
            f"{what} is quantized per channel, an input or output cannot be",
            hint="export it with one scale for each input and output",
        )
    made = TensorSpec(
        name=tensor.name,
        dtype=DType.of(_DTYPES[tensor.dtype]),
        shape=tensor.shape,
        scale=tensor.scales[0] if tensor.scales else 0.0,
        zero_point=tensor.zero_points[0] if tensor.scales and tensor.zero_points else 0,
    )
    if tensor.scales and not _is_affine(made):
        raise ModelError(
            f"{what} has scale {made.scale:g} and zero point {made.zero_point}, which mean nothing",
            hint="export it again: a scale is above 0, a zero point a value of the type",
        )
    return made


def _is_affine(made: TensorSpec) -> bool:
    """Whether scale and zero point stand for reals: integers only, the scale above 0, the zero point among them."""
    if made.dtype is DType.FLOAT32 or not (math.isfinite(made.scale) and made.scale > 0):
        return False
    lowest, highest = made.dtype.limits
    return lowest <= made.zero_point <= highest
