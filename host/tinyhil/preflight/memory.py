"""What a model takes of the chip at the very least, from its file alone.

These are lower bounds: neither code nor stack nor an engine's own tables are in them. A model that does not fit by them
fits by no means, and one that does may still be too large, which the build then tells.
"""

from __future__ import annotations

from dataclasses import dataclass

from tinyhil import tflite
from tinyhil.targets.model import Engine
from tinyhil.targets.wire import Link

_APART = {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV"}
"""Operators that read an input again after they have written an output, so that no engine computes them in place."""


@dataclass(frozen=True)
class Needs:
    """Lower bounds in bytes.

    Attributes:
        flash: the weights, or the whole file where the engine keeps it.
        activations: the tensors that one operator has to have at hand at the same time.
        widest: that operator.
        buffers: the link's two frame buffers.
    """

    flash: int
    activations: int
    widest: tflite.Operator
    buffers: int

    @property
    def ram(self) -> int:
        """Activations and buffers."""
        return self.activations + self.buffers


def needs(model: tflite.Model, engine: Engine, link: Link) -> Needs:
    """What ``model`` takes at least when ``engine`` computes it."""
    graph = model.main
    widest = max(graph.operators, key=lambda operator: _activations(graph, operator))
    return Needs(
        flash=model.size if engine.whole_file else model.weight_bytes,
        activations=_activations(graph, widest),
        widest=widest,
        buffers=2 * link.max_payload,
    )


def _activations(graph: tflite.Graph, operator: tflite.Operator) -> int:
    inputs, outputs = (
        sum({tensor.index: tensor.nbytes for tensor in graph.of(ends) if not tensor.constant}.values())
        for ends in (operator.inputs, operator.outputs)
    )
    return inputs + outputs if operator.name in _APART else max(inputs, outputs)
