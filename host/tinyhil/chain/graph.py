"""A model file with everything that computing it needs: constants as arrays, and the options of each operator."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyhil import tflite
from tinyhil.chain.unsupported import Unsupported
from tinyhil.tflite.model import ITEM_BITS

Values = npt.NDArray[np.generic]

_NUMPY = {
    "bool": "?", "int8": "<i1", "uint8": "<u1", "int16": "<i2", "uint16": "<u2", "int32": "<i4", "int64": "<i8",
    "float32": "<f4",
}  # fmt: skip
"""Little-endian NumPy types of the element types that can have a C array."""


def item_bytes(dtype: str) -> int:
    """Bytes of an element that is not packed."""
    return ITEM_BITS[dtype] // 8


@dataclass(frozen=True, eq=False)
class Tensor:
    """One tensor.

    Attributes:
        index: in its graph.
        name: as in the file.
        dtype: element type in lower case (``int8``).
        shape: of fixed sizes.
        scales: none for a tensor that is not quantized, one per tensor, more per channel along ``axis``. Exactly the
            float32 of the file, as Python floats.
        zero_points: as many as scales.
        axis: the dimension that the scales belong to, where there are several.
        values: the content of a constant, in its shape; None for a tensor that is computed. An int4 constant is
            unpacked to int8.
        variable: whether it keeps its content from one inference to the next.
    """

    index: int
    name: str
    dtype: str
    shape: tuple[int, ...]
    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    axis: int
    values: Values | None
    variable: bool

    @property
    def elements(self) -> int:
        """How many elements it has."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of its elements in memory."""
        return (self.elements * ITEM_BITS.get(self.dtype, 0) + 7) // 8

    @property
    def scale(self) -> float:
        """The one scale of a tensor that is quantized as a whole, 0.0 where it has none."""
        return self.scales[0] if self.scales else 0.0

    @property
    def zero_point(self) -> int:
        """The one zero point, 0 where it has none."""
        return self.zero_points[0] if self.zero_points else 0


@dataclass(frozen=True, eq=False)
class Operator:
    """One operator.

    Attributes:
        index: in the order of execution.
        name: of the builtin operator (``FULLY_CONNECTED``).
        version: of the operator.
        inputs: its tensors; None for an optional one that is not there.
        outputs: its tensors.
        options: the schema's options object (``Conv2DOptionsT``), None where the file has none.
        intermediates: quantization of values inside (LSTM), in the order of the file.
        path: the operators that this one stands for, if it is a table of what they compute: ``tinyhil.chain.floats``.
    """

    index: int
    name: str
    version: int
    inputs: tuple[Tensor | None, ...]
    outputs: tuple[Tensor, ...]
    options: Any
    intermediates: tuple[Tensor, ...]
    path: tuple[Operator, ...] = ()

    def __str__(self) -> str:
        return f"operator {self.index} {self.name}"

    def input(self, position: int) -> Tensor:
        """An input that is there.

        Raises:
            Unsupported: there is none at ``position``.
        """
        tensor = self.optional(position)
        if tensor is None:
            raise Unsupported(f"lacks its input {position}")
        return tensor

    def optional(self, position: int) -> Tensor | None:
        """An input, or None where it is left out."""
        return self.inputs[position] if position < len(self.inputs) else None


@dataclass(frozen=True, eq=False)
class Graph:
    """A model's main graph: operators in the order of execution, and the tensors at its ends."""

    operators: tuple[Operator, ...]
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]


def read(data: bytes, name: str) -> Graph:
    """Reads the main graph of a model.

    Args:
        data: the file's content.
        name: how to call it in messages.

    Raises:
        ModelError: it is not a TFLite model, or damaged.
    """
    facts = tflite.parse(data, name).main
    model = tflite.unpack(data, name)
    graph = model.subgraphs[0]
    tensors = [
        Tensor(
            index=fact.index,
            name=fact.name,
            dtype=fact.dtype,
            shape=tuple(abs(size) for size in fact.shape),
            scales=tuple(float(np.float32(scale)) for scale in fact.scales),
            zero_points=fact.zero_points or (0,) * len(fact.scales),
            axis=fact.axis,
            values=_values(fact, model.buffers[fact.buffer].data),
            variable=bool(raw.isVariable),
        )
        for fact, raw in zip(facts.tensors, graph.tensors, strict=True)
    ]
    operators = tuple(
        Operator(
            index=fact.index,
            name=fact.name,
            version=fact.version,
            inputs=tuple(tensors[index] if index >= 0 else None for index in fact.inputs),
            outputs=tuple(tensors[index] for index in fact.outputs),
            options=raw.builtinOptions,
            intermediates=tuple(tensors[int(index)] for index in _listed(raw.intermediates)),
        )
        for fact, raw in zip(facts.operators, graph.operators, strict=True)
    )
    return Graph(
        operators, tuple(tensors[index] for index in facts.inputs), tuple(tensors[index] for index in facts.outputs)
    )


def _listed(values: Any) -> Any:
    return [] if values is None else values


def _values(fact: tflite.Tensor, data: Any) -> Values | None:
    if not fact.constant:
        return None
    content = bytes(data)
    if fact.dtype == "int4":  # two to a byte, the first in the low half
        raw = np.frombuffer(content, np.uint8)
        both = np.stack([raw & 15, raw >> 4], axis=1).reshape(-1)[: math.prod(fact.shape)]
        return ((both.astype(np.int8) ^ 8) - 8).astype(np.int8).reshape(fact.shape)
    if fact.dtype not in _NUMPY:
        return None
    return np.frombuffer(content, _NUMPY[fact.dtype]).reshape(fact.shape)
