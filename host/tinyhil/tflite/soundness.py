"""Whether the parts of a model file fit one another: what the interpreters, and the reference among them, just believe.

A file may be damaged in one byte and still be read: an activation is declared larger than its layer makes it, an input
of the model is one of its constants, a scale is no number. Kernels then read and write beyond their tensors, and what
comes out depends on what lay there. So the order of the graph, the shape of every tensor, quantization and constants
are held against one another before anything computes the model.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np

from tinyhil import kinds
from tinyhil.errors import ModelError
from tinyhil.tflite.model import Graph, Model, Operator, Tensor
from tinyhil.tflite.objects import unpack
from tinyhil.tflite.reader import parse
from tinyhil.tflite.shapes import RULES, Call, Unfit
from tinyhil.tflite.shapes.call import elements, sizes

_FLOATS = {"float16": "<f2", "float32": "<f4", "float64": "<f8"}
_INTEGERS = {"int8": "<i1", "uint8": "<u1", "int16": "<i2", "uint16": "<u2", "int32": "<i4", "int64": "<i8"}
_LARGEST = float(np.finfo(np.float32).max)
_RANGE_BITS = 16
"""Of a type that uses its whole range; sums of 32 and 64 bits do not."""
_MOST_INTEGERS = 1024
"""Of a constant that is looked into: shapes, axes and paddings have fewer, and a longer one is nobody's to list."""
_HINT = "export or copy it again"


@lru_cache(maxsize=4)
def require_sound(data: bytes, name: str) -> None:
    """Refuses a file whose parts contradict one another.

    Held against one another are: the order of the operators, and that every tensor that is read has been made, once;
    the shape of every tensor, and what its operator computes from its inputs, options and constants; scales, zero
    points and channels. Every constant of floats is finite.

    Args:
        data: the file's content.
        name: how to call it in messages.

    Raises:
        ModelError: something does not fit; or the file is no model, or damaged otherwise.
    """
    model, raw = parse(data, name), unpack(data, name)
    for number, graph in enumerate(model.graphs):
        where = f"{name}: subgraph {number}: " if number else f"{name}: "
        _require_finite(graph, raw, where)
        causes = (*_order(graph), *_quantization(graph), *_shapes(model, graph, raw, number))
        if causes:
            raise ModelError(f"{where}damaged: {causes[0]}", hint=_HINT, kind=kinds.DAMAGED_MODEL)


def _require_finite(graph: Graph, raw: Any, where: str) -> None:
    """Raises: ModelError: a constant or a scale is NaN or infinite; the message names the layer."""
    for tensor in graph.used:
        wrong = sum(not math.isfinite(scale) for scale in tensor.scales)
        what = f"{wrong} of {len(tensor.scales)} scales"
        if not wrong and tensor.constant and tensor.dtype in _FLOATS:
            values = np.frombuffer(bytes(raw.buffers[tensor.buffer].data), _FLOATS[tensor.dtype])
            wrong = int(np.count_nonzero(~np.isfinite(values)))
            what = f"{wrong:,} of {values.size:,} values"
        if wrong:
            user = next((each for each in graph.operators if tensor.index in (*each.inputs, *each.outputs)), None)
            layer = "an input" if user is None else str(user)
            raise ModelError(
                f"{where}{layer}: {tensor} has {what} that are NaN or infinite",
                hint="train the model again with a lower learning rate, or export it again",
                kind=kinds.NOT_FINITE,
            )


def _order(graph: Graph) -> Iterator[str]:
    """What contradicts the order of execution: each tensor is given, constant or made once, and before it is read."""
    made: dict[int, str] = {}
    for index in graph.inputs:
        tensor = graph.tensors[index]
        if tensor.constant or tensor.variable:
            yield f"the model's input {tensor} is a {'constant' if tensor.constant else 'variable'}"
        if index in made:
            yield f"{tensor} is two inputs of the model"
        made[index] = "an input of the model"
    for operator in graph.operators:
        for tensor in graph.of(operator.inputs):
            if tensor.index not in made and not tensor.constant and not tensor.variable and elements(tensor.shape):
                yield f"{operator} reads {tensor}, which nothing before it makes"
        for tensor in graph.of(operator.outputs):
            if tensor.index in made:
                yield f"{operator} makes {tensor}, which is {made[tensor.index]}"
            if tensor.constant or tensor.variable:
                yield f"{operator} makes {tensor}, which is a {'constant' if tensor.constant else 'variable'}"
            made[tensor.index] = f"the output of {operator}"
    for index in graph.outputs:
        if index not in made:
            yield f"the model's output {graph.tensors[index]} is made by no operator"


def _quantization(graph: Graph) -> Iterator[str]:
    """What contradicts the quantization of a tensor; all scales are finite."""
    for tensor in graph.used:
        count = len(tensor.scales)
        if not count:
            continue
        # What belongs to the channels of one dimension is a bias as often as not; some exporters name any axis for it.
        axis = 0 if len(tensor.shape) == 1 else tensor.axis
        channels = sizes(tensor)[axis] if 0 <= axis < len(tensor.shape) else None
        if count > 1 and count != channels:
            yield f"{tensor} of shape {tensor.shape} has {count} scales along dimension {tensor.axis}"
        if len(tensor.zero_points) not in (0, 1, count):
            yield f"{tensor} has {count} scales and {len(tensor.zero_points)} zero points"
        if min(tensor.scales) < 0 or (min(tensor.scales) == 0 and not tensor.constant):
            yield f"{tensor} has the scale {min(tensor.scales):g}"
        if tensor.dtype in _INTEGERS:
            limits = np.iinfo(_INTEGERS[tensor.dtype])
            if not all(limits.min <= zero <= limits.max for zero in tensor.zero_points):
                yield f"{tensor} of {tensor.dtype} has a zero point beyond its type"
            # Kernels compute with it in 32 bits.
            if limits.bits <= _RANGE_BITS and max(tensor.scales) * (limits.max - limits.min) > _LARGEST:
                yield f"{tensor} has the scale {max(tensor.scales):g}, beyond what its integers can stand for"


def _shapes(model: Model, graph: Graph, raw: Any, number: int) -> Iterator[str]:
    """What contradicts the shapes; an operator that has no rule is one that no engine takes."""
    objects = raw.subgraphs[number].operators
    for tensor in graph.used:
        if not tensor.constant and any(size == 0 for size in tensor.shape):
            yield f"{tensor} has the shape {tensor.shape}, and no content"

    def content(tensor: Tensor) -> list[int] | None:
        if not elements(tensor.shape):
            return []
        if not tensor.constant or tensor.dtype not in _INTEGERS or elements(tensor.shape) > _MOST_INTEGERS:
            return None
        values: list[int] = np.frombuffer(bytes(raw.buffers[tensor.buffer].data), _INTEGERS[tensor.dtype]).tolist()
        return values

    kept: dict[object, tuple[int, ...]] = {}
    handles: dict[int, object] = {}
    for operator, given in zip(graph.operators, objects, strict=True):
        rule = RULES.get(operator.name)
        if rule is None:
            continue
        inputs = tuple(graph.tensors[index] if index >= 0 else None for index in operator.inputs)
        outputs = tuple(graph.tensors[index] for index in operator.outputs)
        call = Call(operator, inputs, outputs, given.builtinOptions, content, len(model.graphs))
        try:
            wanted = rule(call)
        except Unfit as error:
            yield f"{operator} {error}"
            continue
        if len(wanted) != len(outputs):
            yield f"{operator} has {len(outputs)} outputs, and makes {len(wanted)}"
            continue
        for tensor, shape in zip(outputs, wanted, strict=True):
            if shape is not None and shape != sizes(tensor):
                yield f"{operator} makes the shape {shape}, and its output {tensor} has {tensor.shape}"
        yield from _variables(operator, call, kept, handles)


def _variables(
    operator: Operator, call: Call, kept: dict[object, tuple[int, ...]], handles: dict[int, object]
) -> Iterator[str]:
    """What contradicts the shape of a variable: all that is assigned to it and read of it has one."""
    if operator.name == "VAR_HANDLE":
        handles[operator.outputs[0]] = getattr(call.options, "sharedName", None)
        return
    if operator.name not in ("ASSIGN_VARIABLE", "READ_VARIABLE"):
        return
    name = handles.get(operator.inputs[0])
    tensor = call.outputs[0] if operator.name == "READ_VARIABLE" else call.input(1)
    if kept.setdefault(name, sizes(tensor)) != sizes(tensor):
        yield f"{operator} keeps the shape {tensor.shape} where {kept[name]} is kept"
