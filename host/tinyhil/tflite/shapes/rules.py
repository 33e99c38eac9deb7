"""The rule of each operator by its name."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tinyhil.tflite.shapes import elementwise, layers, moves
from tinyhil.tflite.shapes.call import Call, Shape, elements, need

Rule = Callable[[Call], Sequence[Shape | None]]


def handle(call: Call) -> list[Shape | None]:
    """VAR_HANDLE: one handle, of whatever shape."""
    need(len(call.outputs) == 1, "has no handle")
    return [None]


def read(call: Call) -> list[Shape | None]:
    """READ_VARIABLE: what was assigned last."""
    need(elements(call.shape(0)) == 1, "reads several handles")
    return [None]


def assign(call: Call) -> list[Shape | None]:
    """ASSIGN_VARIABLE: a handle and what is kept."""
    need(elements(call.shape(0)) == 1, "assigns to several handles")
    call.input(1)
    return []


def subgraphs(call: Call) -> list[Shape | None]:
    """CALL_ONCE, IF, WHILE: the subgraphs that they call are others than the first."""
    names = ("initSubgraphIndex", "thenSubgraphIndex", "elseSubgraphIndex", "condSubgraphIndex", "bodySubgraphIndex")
    called = [call.option(name) for name in names if hasattr(call.options, name)]
    need(bool(called) and all(0 < index < call.graphs for index in called), f"calls the subgraphs {called}")
    return [None] * len(call.outputs)


_SAME = (
    *("ABS", "CAST", "CEIL", "COS", "DEQUANTIZE", "ELU", "EXP", "FLOOR", "HARD_SWISH", "LEAKY_RELU", "LOG"),
    *("LOGICAL_NOT", "LOGISTIC", "NEG", "QUANTIZE", "RELU", "RELU6", "ROUND", "RSQRT", "SIN", "SQRT", "SQUARE"),
    *("TANH", "ZEROS_LIKE"),
)
_STRETCHED = (
    *("ADD", "DIV", "EQUAL", "FLOOR_DIV", "FLOOR_MOD", "GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL"),
    *("LOGICAL_AND", "LOGICAL_OR", "MAXIMUM", "MINIMUM", "MUL", "NOT_EQUAL", "PRELU", "SQUARED_DIFFERENCE", "SUB"),
)

RULES: dict[str, Rule] = {
    **dict.fromkeys(_SAME, elementwise.same),
    **dict.fromkeys(_STRETCHED, elementwise.stretched),
    **dict.fromkeys(("L2_NORMALIZATION", "LOG_SOFTMAX", "SOFTMAX"), elementwise.normalized),
    **dict.fromkeys(("MEAN", "REDUCE_ALL", "REDUCE_MAX", "REDUCE_MIN", "SUM"), elementwise.reduced),
    **dict.fromkeys(("ARG_MAX", "ARG_MIN"), elementwise.arg_extreme),
    **dict.fromkeys(("AVERAGE_POOL_2D", "L2_POOL_2D", "MAX_POOL_2D"), layers.pool),
    **dict.fromkeys(("PAD", "PADV2"), moves.pad),
    **dict.fromkeys(("RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"), moves.resize),
    **dict.fromkeys(("CALL_ONCE", "IF", "WHILE"), subgraphs),
    "ADD_N": elementwise.add_n,
    "ASSIGN_VARIABLE": assign,
    "BATCH_MATMUL": layers.matrices,
    "BATCH_TO_SPACE_ND": moves.batch_to_space,
    "BROADCAST_ARGS": elementwise.broadcast_args,
    "BROADCAST_TO": elementwise.broadcast_to,
    "CONCATENATION": moves.concatenation,
    "CONV_2D": layers.convolution,
    "CUMSUM": elementwise.along_axis,
    "DEPTHWISE_CONV_2D": layers.depthwise,
    "DEPTH_TO_SPACE": moves.depth_to_space,
    "DYNAMIC_UPDATE_SLICE": moves.update,
    "EMBEDDING_LOOKUP": moves.embedding,
    "EXPAND_DIMS": moves.expand,
    "FILL": moves.fill,
    "FULLY_CONNECTED": layers.dense,
    "GATHER": moves.gather,
    "GATHER_ND": moves.gather_nd,
    "MIRROR_PAD": moves.mirror_pad,
    "PACK": moves.pack,
    "READ_VARIABLE": read,
    "RESHAPE": moves.reshape,
    "REVERSE_V2": elementwise.reverse,
    "SELECT_V2": elementwise.select,
    "SHAPE": moves.shape_of,
    "SLICE": moves.slice_,
    "SPACE_TO_BATCH_ND": moves.space_to_batch,
    "SPACE_TO_DEPTH": moves.space_to_depth,
    "SPLIT": moves.split,
    "SPLIT_V": moves.split_v,
    "SQUEEZE": moves.squeeze,
    "STRIDED_SLICE": moves.strided_slice,
    "SVDF": layers.svdf,
    "TRANSPOSE": moves.transpose,
    "TRANSPOSE_CONV": layers.transposed,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": layers.lstm,
    "UNPACK": moves.unpack,
    "VAR_HANDLE": handle,
}
