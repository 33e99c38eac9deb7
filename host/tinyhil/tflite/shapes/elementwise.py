"""Operators that go element by element, or along axes."""

from __future__ import annotations

from tinyhil.tflite.shapes.call import Call, Shape, axis_of, need, need_elements
from tinyhil.tflite.shapes.layers import broadcast


def same(call: Call) -> list[Shape]:
    """The output has the shape of the first input."""
    return [call.shape(0)]


def stretched(call: Call) -> list[Shape]:
    """Two inputs, stretched to one shape."""
    return [broadcast(call.shape(0), call.shape(1))]


def add_n(call: Call) -> list[Shape]:
    """ADD_N: all inputs have one shape."""
    shapes = {call.shape(position) for position in range(len(call.inputs))}
    need(len(shapes) == 1, f"adds the shapes {', '.join(str(shape) for shape in sorted(shapes))}")
    return [shapes.pop()]


def select(call: Call) -> list[Shape]:
    """SELECT_V2: condition and both choices are stretched."""
    return [broadcast(call.shape(0), call.shape(1), call.shape(2))]


def broadcast_to(call: Call) -> list[Shape | None]:
    """BROADCAST_TO a shape that is given."""
    wanted = call.values(1)
    if wanted is None:
        return [None]
    shape = tuple(wanted)
    need(broadcast(call.shape(0), shape) == shape, f"stretches the shape {call.shape(0)} to {shape}")
    return [shape]


def broadcast_args(call: Call) -> list[Shape]:
    """BROADCAST_ARGS: the shape that two shapes are stretched to."""
    ranks = []
    for position in range(2):
        need(len(call.shape(position)) == 1, f"has an input {position} of shape {call.shape(position)}")
        ranks.append(call.shape(position)[0])
    return [(max(ranks),)]


def reduced(call: Call) -> list[Shape | None]:
    """MEAN, SUM, REDUCE_MAX, REDUCE_MIN, REDUCE_ALL."""
    source, given = call.shape(0), call.values(1)
    if given is None:
        return [None]
    axes = {axis_of(axis, len(source)) for axis in given} if source else set()
    if call.option("keepDims"):
        return [tuple(1 if axis in axes else size for axis, size in enumerate(source))]
    return [tuple(size for axis, size in enumerate(source) if axis not in axes)]


def arg_extreme(call: Call) -> list[Shape | None]:
    """ARG_MAX, ARG_MIN."""
    source, given = call.shape(0), call.values(1)
    need_elements(call.input(1), 1, "an axis")
    if given is None:
        return [None]
    axis = axis_of(given[0], len(source))
    return [source[:axis] + source[axis + 1 :]]


def along_axis(call: Call) -> list[Shape]:
    """CUMSUM: the axis is an input."""
    given = call.values(1)
    need_elements(call.input(1), 1, "an axis")
    if given is not None:
        axis_of(given[0], len(call.shape(0)))
    return [call.shape(0)]


def reverse(call: Call) -> list[Shape]:
    """REVERSE_V2: axes are an input."""
    for axis in call.values(1) or ():
        axis_of(axis, len(call.shape(0)))
    return [call.shape(0)]


def normalized(call: Call) -> list[Shape]:
    """SOFTMAX, LOG_SOFTMAX, L2_NORMALIZATION go along the last dimension."""
    need(bool(call.shape(0)), "has an input without a dimension")
    return [call.shape(0)]
