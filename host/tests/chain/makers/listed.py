"""A model of one operator for each that an engine's file lists: random ones, or with what NumPy says of its outputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from ..one_operator import Array, T, constant, model_of
from . import elements, layers, moves, recurrent, rows
from .moves import numbers

Random = np.random.Generator


@dataclass(frozen=True)
class Known:
    """A model with inputs, and what it has to give for them."""

    model: bytes
    inputs: tuple[Array, ...]
    output: Array


def _of_two(_: Random, name: str) -> bytes:
    """Scales at which outputs use their range."""
    sources = [T("int8", (2, 3, 4), 0.05, 3), T("int8", (3, 1), 0.05, -5)]
    options = elements.BINARY_OPTIONS[name]() if name in elements.BINARY_OPTIONS else None
    scale = {"MUL": 0.25, "PRELU": 0.25, "SQUARED_DIFFERENCE": 0.5}.get(name, 0.1)
    return model_of(name, sources, [T("int8", (2, 3, 4), scale, 2)], options, version=2)


def _of_one(_: Random, name: str) -> bytes:
    """The quantization of the output is what TFLM asks for, where it asks."""
    ends = {"LOGISTIC": (1 / 256, -128), "TANH": (1 / 128, 0)}.get(name, (0.05, 3))
    options = schema.LeakyReluOptionsT(alpha=0.1) if name == "LEAKY_RELU" else None
    zero = -128 if name == "RSQRT" else 3
    return model_of(name, [T("int8", (64,), 0.05, zero)], [T("int8", (64,), *ends)], options)


RANDOM: dict[str, Callable[[Random], bytes]] = {
    **{
        name: partial(_of_two, name=name)
        for name in ("ADD", "MAXIMUM", "MINIMUM", "MUL", "PRELU", "SQUARED_DIFFERENCE", "SUB")
    },
    **{
        name: partial(_of_one, name=name)
        for name in ("ABS", "ELU", "HARD_SWISH", "LEAKY_RELU", "LOGISTIC", "RELU", "RELU6", "RSQRT", "TANH")
    },
    **{
        name: partial(rows.reduction, name=name, dtype="int8", shape=(2, 3, 4), axes=(1,), keep=True)
        for name in ("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN")
    },
    **{name: partial(rows.place, name=name, shape=(3, 9), axis=1) for name in ("ARG_MAX", "ARG_MIN")},
    "AVERAGE_POOL_2D": lambda random: layers.pool("AVERAGE_POOL_2D")(random, "int8"),
    "BATCH_MATMUL": partial(rows.matmul, dtype="int8"),
    "BATCH_TO_SPACE_ND": moves.batch_to_space_nd,
    "BROADCAST_TO": moves.broadcast_to,
    "CONCATENATION": moves.concatenation,
    "CONV_2D": partial(layers.conv, kind="int8"),
    "DEPTHWISE_CONV_2D": partial(layers.depthwise, kind="int8"),
    "DEPTH_TO_SPACE": moves.depth_to_space,
    "DEQUANTIZE": lambda _: model_of("DEQUANTIZE", [T("int8", (9,), 0.1, 3)], [T("float32", (9,))]),
    "EXPAND_DIMS": lambda _: model_of("EXPAND_DIMS", [T("int8", (9,), 0.1), numbers([0])], [T("int8", (1, 9), 0.1)]),
    "FULLY_CONNECTED": partial(layers.dense, kind="int8"),
    "GATHER": lambda random: moves.gather(random, None, numbers([2, 0, 1]), (3, 4), 0, 0),
    "L2_NORMALIZATION": lambda _: rows.l2_normalization((3, 9), 5),
    "LOG_SOFTMAX": lambda _: rows.log_softmax((3, 9), 0.1),
    "MAX_POOL_2D": lambda random: layers.pool("MAX_POOL_2D")(random, "int8"),
    "MIRROR_PAD": moves.mirror_pad,
    "PACK": moves.pack,
    "PAD": lambda random: moves.pad(random, "PAD"),
    "PADV2": lambda random: moves.pad(random, "PADV2"),
    "QUANTIZE": lambda _: model_of("QUANTIZE", [T("float32", (9,))], [T("int8", (9,), 0.1, 3)]),
    "RESHAPE": lambda _: model_of("RESHAPE", [T("int8", (9,), 0.1), numbers([3, 3])], [T("int8", (3, 3), 0.1)]),
    "RESIZE_BILINEAR": partial(rows.resize_bilinear, dtype="int8"),
    "RESIZE_NEAREST_NEIGHBOR": moves.resize_nearest,
    "REVERSE_V2": moves.reverse,
    "SLICE": moves.slice_,
    "SOFTMAX": lambda _: rows.softmax("int8", "int8", (3, 9), 0.1),
    "SPACE_TO_BATCH_ND": moves.space_to_batch_nd,
    "SPACE_TO_DEPTH": moves.space_to_depth,
    "SPLIT": moves.split,
    "SPLIT_V": moves.split_v,
    "SQUEEZE": lambda _: model_of(
        "SQUEEZE", [T("int8", (1, 9), 0.1)], [T("int8", (9,), 0.1)], schema.SqueezeOptionsT()
    ),
    "STRIDED_SLICE": moves.strided_slice,
    "SVDF": lambda random: recurrent.svdf_model(random, "int8", 1, 5, 4, 2, 3),
    "TRANSPOSE": moves.transpose,
    "TRANSPOSE_CONV": partial(layers.transpose_conv, dtype="int8"),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": recurrent.lstm_model,
    "UNPACK": moves.unpack,
}
"""Of the operators that the chain computes, too."""


def _known(name: str, inputs: Sequence[Array | T], output: Any, options: Any = None) -> Known:
    """Inputs are arrays, constants are tensors."""
    given = tuple(each for each in inputs if not isinstance(each, T))
    wanted = np.asarray(output)
    ends = [each if isinstance(each, T) else T(each.dtype.name, each.shape) for each in inputs]
    return Known(model_of(name, ends, [T(wanted.dtype.name, wanted.shape)], options), given, wanted)


_A = np.linspace(0.3, 4.7, 12, dtype=np.float32).reshape(3, 4)
_B = np.array([[0.5, -1.5, 3.0, 0.25]], np.float32)
_BITS = np.array([[True, False, True], [True, True, True]])
_MASK = np.array([[True, True, False], [False, True, False]])
_ONES = np.ones((3, 4), np.float32)


def _of_floats(name: str, function: Callable[[Array], Array]) -> Known:
    return _known(name, [_A - np.float32(0.2)], function(_A - np.float32(0.2)))


def _compared(name: str, function: Callable[[Array, Array], Array]) -> Known:
    other = _A.copy()
    other[0] += 1
    other[1] -= 1
    return _known(name, [_A, other], function(_A, other))


KNOWN: dict[str, Known] = {
    **{
        name: _of_floats(name, function)
        for name, function in (
            ("CEIL", np.ceil), ("COS", np.cos), ("EXP", np.exp), ("FLOOR", np.floor), ("LOG", np.log),
            ("NEG", np.negative), ("ROUND", np.round), ("SIN", np.sin), ("SQRT", np.sqrt), ("SQUARE", np.square),
        )
    },
    **{
        name: _compared(name, function)
        for name, function in (
            ("EQUAL", np.equal), ("GREATER", np.greater), ("GREATER_EQUAL", np.greater_equal), ("LESS", np.less),
            ("LESS_EQUAL", np.less_equal), ("NOT_EQUAL", np.not_equal),
        )
    },
    "ADD_N": _known("ADD_N", [_A, _A * 2, _ONES], _A * 3 + 1),
    "BROADCAST_ARGS": _known(
        "BROADCAST_ARGS", [np.array([3, 1], np.int32), np.array([2, 1, 4], np.int32)], np.array([2, 3, 4], np.int32)
    ),
    "CAST": _known("CAST", [_A], _A.astype(np.int32)),
    "CUMSUM": _known(
        "CUMSUM", [_A, numbers([1])], np.cumsum(_A, axis=1, dtype=np.float32), schema.CumsumOptionsT()
    ),
    "DIV": _known("DIV", [_A, np.broadcast_to(_B, (3, 4)).copy()], _A / _B, schema.DivOptionsT()),
    "DYNAMIC_UPDATE_SLICE": _known(
        "DYNAMIC_UPDATE_SLICE",
        [_A, np.array([[7, 8]], np.float32), np.array([1, 2], np.int32)],
        np.concatenate([_A.reshape(-1)[:6], np.array([7, 8], np.float32), _A.reshape(-1)[8:]]).reshape(3, 4),
    ),
    "EMBEDDING_LOOKUP": _known("EMBEDDING_LOOKUP", [np.array([2, 0], np.int32), constant(_A)], _A[[2, 0]]),
    "FILL": _known("FILL", [numbers([2, 3]), np.array(5.5, np.float32)], np.full((2, 3), 5.5, np.float32)),
    "FLOOR_DIV": _known("FLOOR_DIV", [_A, np.broadcast_to(_B, (3, 4)).copy()], np.floor(_A / _B)),
    "FLOOR_MOD": _known("FLOOR_MOD", [_A, np.broadcast_to(_B, (3, 4)).copy()], np.mod(_A, _B)),
    "GATHER_ND": _known("GATHER_ND", [_A, numbers([[2, 1], [0, 3]])], _A[[2, 0], [1, 3]]),
    "L2_POOL_2D": _known(
        "L2_POOL_2D",
        [_A.reshape(1, 3, 4, 1)],
        np.sqrt(np.mean(_A[:2].reshape(2, 2, 2) ** 2, axis=(0, 2))).reshape(1, 1, 2, 1),
        schema.Pool2DOptionsT(padding=1, strideH=2, strideW=2, filterHeight=2, filterWidth=2),
    ),
    "LOGICAL_AND": _known("LOGICAL_AND", [_BITS, _MASK], _BITS & _MASK),
    "LOGICAL_NOT": _known("LOGICAL_NOT", [_BITS], ~_BITS),
    "LOGICAL_OR": _known("LOGICAL_OR", [_BITS, _MASK], _BITS | _MASK),
    "REDUCE_ALL": _known("REDUCE_ALL", [_BITS, numbers([1])], _BITS.all(axis=1), schema.ReducerOptionsT()),
    "SELECT_V2": _known(
        "SELECT_V2", [_MASK, np.ones((2, 3), np.float32), np.zeros((2, 3), np.float32)], _MASK.astype(np.float32)
    ),
    "SHAPE": _known("SHAPE", [_A], np.array([3, 4], np.int32), schema.ShapeOptionsT(outType=schema.TensorType.INT32)),
    "ZEROS_LIKE": _known("ZEROS_LIKE", [_A], np.zeros_like(_A)),
}  # fmt: skip
"""Of those that TensorFlow Lite Micro alone computes."""
