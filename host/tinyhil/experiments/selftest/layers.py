"""The layers of a model whose numbers faults are planted in: those with int8 weights and, mostly, an int32 bias."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyhil.tflite import Graph, Operator, Tensor

WEIGHTED = ("FULLY_CONNECTED", "CONV_2D", "DEPTHWISE_CONV_2D")
"""Operators whose inputs are activations, weights and an optional bias, in this order."""


@dataclass(frozen=True)
class Layer:
    """One layer.

    Attributes:
        number: among the layers, from 0.
        operator: of the graph.
        inputs: its activations.
        weights: int8.
        bias: int32, or None.
        outputs: what it computes.
    """

    number: int
    operator: Operator
    inputs: Tensor
    weights: Tensor
    bias: Tensor | None
    outputs: Tensor

    def __str__(self) -> str:
        return f"layer {self.number} ({self.operator.name})"


def layers(graph: Graph) -> tuple[Layer, ...]:
    """The layers of a graph with int8 weights in the file, in the order of execution."""
    found: list[Layer] = []
    for operator in graph.operators:
        if operator.name not in WEIGHTED or len(operator.inputs) < 2:
            continue
        activations, weights = (graph.tensors[index] for index in operator.inputs[:2])
        if weights.dtype != "int8" or not weights.constant or not weights.scales:
            continue
        place = operator.inputs[2] if len(operator.inputs) > 2 else -1
        bias = graph.tensors[place] if place >= 0 else None
        if bias is not None and not (bias.dtype == "int32" and bias.constant):
            bias = None
        outputs = graph.tensors[operator.outputs[0]]
        found.append(Layer(len(found), operator, activations, weights, bias, outputs))
    return tuple(found)


def content(model: Any, tensor: Tensor) -> npt.NDArray[Any]:
    """A copy of a constant, flat, as int8 or int32."""
    dtype = np.dtype({"int8": "i1", "int32": "<i4"}[tensor.dtype])
    values: npt.NDArray[Any] = np.frombuffer(bytes(model.buffers[tensor.buffer].data), dtype).copy()
    return values


def put(model: Any, tensor: Tensor, values: npt.NDArray[Any]) -> None:
    """Writes a constant."""
    model.buffers[tensor.buffer].data = np.frombuffer(values.tobytes(), np.uint8)


def quantization(model: Any, tensor: Tensor) -> Any:
    """The schema's ``QuantizationParametersT`` of a tensor of the main graph."""
    return model.subgraphs[0].tensors[tensor.index].quantization
