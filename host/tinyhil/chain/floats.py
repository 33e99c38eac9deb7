"""Functions in float32 inside of a quantized model: from int8 to int8 they are a table of 256 values.

TensorFlow's converter leaves what has no quantized form in float32, between a DEQUANTIZE and a QUANTIZE. What such a
path gives for each value of int8 is computed here by TensorFlow Lite Micro itself, so it has the bits of the reference,
libm included; on the device nothing is left of it but looking up.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyhil.chain import single
from tinyhil.chain.emitter import Emitter
from tinyhil.chain.graph import Graph, Operator, Tensor
from tinyhil.chain.unsupported import Unsupported

FUNCTIONS = frozenset(
    {
        "ABS", "CEIL", "COS", "ELU", "EXP", "FLOOR", "HARD_SWISH", "LEAKY_RELU", "LOG", "LOGISTIC", "NEG", "RELU",
        "RELU6", "ROUND", "RSQRT", "SIN", "SQRT", "SQUARE", "TANH",
    }
)  # fmt: skip
"""The operators of one real number that TensorFlow Lite Micro computes."""

_ARENA_BYTES = 64 * 1024
"""Of an interpreter for one operator on 256 values."""


def joined(graph: Graph) -> Graph:
    """The graph with one operator for each path from int8 over functions in float32 to int8.

    It stands where the last function of the path stood and has its name. A value in float32 that something else reads
    stays, with the operators that make it.
    """
    maker = {output.index: operator for operator in graph.operators for output in operator.outputs}
    users = Counter(tensor.index for operator in graph.operators for tensor in operator.inputs if tensor is not None)
    users.update(tensor.index for tensor in graph.outputs)
    at: dict[int, Operator] = {}
    gone: set[int] = set()
    for last in graph.operators:
        path = _path(last, maker, users)
        if path is None:
            continue
        at[path[-2].index] = replace(path[-2], inputs=path[0].inputs, outputs=last.outputs, path=path)
        gone |= {operator.index for operator in path[1:]}
        users[path[0].outputs[0].index] -= 1
        if not users[path[0].outputs[0].index]:
            gone.add(path[0].index)
    kept = (at.get(each.index, each) for each in graph.operators if each.index in at or each.index not in gone)
    return replace(graph, operators=tuple(kept))


def _path(last: Operator, maker: dict[int, Operator], users: Counter[int]) -> tuple[Operator, ...] | None:
    """The operators from a DEQUANTIZE of int8 to the QUANTIZE ``last``; None where it ends no such path."""
    if last.name != "QUANTIZE" or not _is(last.outputs, "int8"):
        return None
    path = [last]
    while path[0].name in FUNCTIONS or path[0] is last:
        source = path[0].inputs[0] if len(path[0].inputs) == 1 else None
        if source is None or source.dtype != "float32" or source.index not in maker:
            return None
        path.insert(0, maker[source.index])
        if path[0].name in FUNCTIONS and users[source.index] > 1:
            return None
    whole = path[0].name == "DEQUANTIZE" and _is(path[0].inputs, "int8") and len(path) > 2
    return tuple(path) if whole else None


def _is(tensors: tuple[Tensor | None, ...], dtype: str) -> bool:
    return len(tensors) == 1 and tensors[0] is not None and tensors[0].dtype == dtype


def look_up(operator: Operator, code: Emitter) -> None:
    """The call for an operator that stands for a path.

    Raises:
        Unsupported: TensorFlow Lite Micro does not compute the path.
    """
    if operator.input(0).elements != operator.outputs[0].elements:
        raise Unsupported(f"goes from the shape {operator.input(0).shape} to {operator.outputs[0].shape}")
    code.header("unary.h")
    code.call("look_up", code.input(0), code.output(), operator.outputs[0].elements, code.constant(table(operator)))


def table(operator: Operator) -> npt.NDArray[np.int8]:
    """What a path gives for -128 .. 127.

    Raises:
        Unsupported: TensorFlow Lite Micro does not compute one of its operators.
    """
    values: npt.NDArray[Any] = np.arange(-128, 128).astype(np.int8)
    for each in operator.path:
        values = _computed(each, values)
    return values.astype(np.int8, casting="equiv")


def _computed(operator: Operator, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """One operator on these values, by TensorFlow Lite Micro."""
    from tflite_micro import runtime

    given, made = (replace(each, shape=values.shape) for each in (operator.input(0), operator.outputs[0]))
    model = single.model_of(replace(operator, inputs=(given,), outputs=(made,)))
    try:
        interpreter = runtime.Interpreter.from_bytes(model, arena_size=_ARENA_BYTES)
        interpreter.set_input(values, 0)
        interpreter.invoke()
    except (RuntimeError, ValueError) as error:
        raise Unsupported(f"is not computed by TensorFlow Lite Micro in {given.dtype}: {error}") from error
    return np.array(interpreter.get_output(0))
