"""How many multiplications with accumulation an operator takes."""

from __future__ import annotations

import math

from tinyhil.chain.graph import Operator


def macs(operator: Operator) -> int:
    """Of one inference, borders of pictures included; 0 for an operator that is not made of them."""
    outputs = sum(output.elements for output in operator.outputs)
    if operator.name in ("FULLY_CONNECTED", "CONV_2D"):
        return outputs * math.prod(operator.input(1).shape[1:])
    if operator.name == "DEPTHWISE_CONV_2D":
        return outputs * math.prod(operator.input(1).shape[1:3])
    if operator.name == "TRANSPOSE_CONV":
        weights = operator.input(1).shape
        return operator.input(2).elements * math.prod(weights[:3])
    if operator.name == "BATCH_MATMUL":
        shape = operator.input(0).shape
        return outputs * shape[-2 if operator.options is not None and operator.options.adjX else -1]
    if operator.name == "UNIDIRECTIONAL_SEQUENCE_LSTM":
        return outputs * sum(math.prod(operator.input(position).shape[1:]) for position in range(1, 9))
    if operator.name == "SVDF":
        batches = operator.input(0).shape[0]
        return batches * sum(operator.input(position).elements for position in (1, 2))
    return 0
