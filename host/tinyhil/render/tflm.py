"""The engine ``tflm``: the .tflite file as it is, interpreted on the device by TensorFlow Lite Micro.

The device registers exactly the operators that the model uses: the linker then drops the kernels of all others. How
TFLM's ``MicroMutableOpResolver`` calls each is a table here, and not a rule, because the names follow none. The table
has what some version of the library computes by itself; what the target's version of it has is in the target file.
Custom operators bring code of their own, control flow and variables need more than one graph, and unknown operators
have no kernel: these are refused by name.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tinyhil import tflite
from tinyhil.artifacts import hashing
from tinyhil.artifacts.types import QuantizedModel
from tinyhil.errors import ModelError
from tinyhil.render import arena as arenas
from tinyhil.targets.model import Chip, Engine

ADD = {
    "ABS": "AddAbs",
    "ADD": "AddAdd",
    "ADD_N": "AddAddN",
    "ARG_MAX": "AddArgMax",
    "ARG_MIN": "AddArgMin",
    "AVERAGE_POOL_2D": "AddAveragePool2D",
    "BATCH_MATMUL": "AddBatchMatMul",
    "BATCH_TO_SPACE_ND": "AddBatchToSpaceNd",
    "BROADCAST_ARGS": "AddBroadcastArgs",
    "BROADCAST_TO": "AddBroadcastTo",
    "CAST": "AddCast",
    "CEIL": "AddCeil",
    "CONCATENATION": "AddConcatenation",
    "CONV_2D": "AddConv2D",
    "COS": "AddCos",
    "CUMSUM": "AddCumSum",
    "DEPTHWISE_CONV_2D": "AddDepthwiseConv2D",
    "DEPTH_TO_SPACE": "AddDepthToSpace",
    "DEQUANTIZE": "AddDequantize",
    "DIV": "AddDiv",
    "ELU": "AddElu",
    "EQUAL": "AddEqual",
    "EXP": "AddExp",
    "EXPAND_DIMS": "AddExpandDims",
    "FILL": "AddFill",
    "FLOOR": "AddFloor",
    "FLOOR_DIV": "AddFloorDiv",
    "FLOOR_MOD": "AddFloorMod",
    "FULLY_CONNECTED": "AddFullyConnected",
    "GATHER": "AddGather",
    "GATHER_ND": "AddGatherNd",
    "GREATER": "AddGreater",
    "GREATER_EQUAL": "AddGreaterEqual",
    "HARD_SWISH": "AddHardSwish",
    "L2_NORMALIZATION": "AddL2Normalization",
    "L2_POOL_2D": "AddL2Pool2D",
    "LEAKY_RELU": "AddLeakyRelu",
    "LESS": "AddLess",
    "LESS_EQUAL": "AddLessEqual",
    "LOG": "AddLog",
    "LOGICAL_AND": "AddLogicalAnd",
    "LOGICAL_NOT": "AddLogicalNot",
    "LOGICAL_OR": "AddLogicalOr",
    "LOGISTIC": "AddLogistic",
    "LOG_SOFTMAX": "AddLogSoftmax",
    "MAXIMUM": "AddMaximum",
    "MAX_POOL_2D": "AddMaxPool2D",
    "MEAN": "AddMean",
    "MINIMUM": "AddMinimum",
    "MIRROR_PAD": "AddMirrorPad",
    "MUL": "AddMul",
    "NEG": "AddNeg",
    "NOT_EQUAL": "AddNotEqual",
    "PACK": "AddPack",
    "PAD": "AddPad",
    "PADV2": "AddPadV2",
    "PRELU": "AddPrelu",
    "QUANTIZE": "AddQuantize",
    "REDUCE_MAX": "AddReduceMax",
    "REDUCE_MIN": "AddReduceMin",
    "RELU": "AddRelu",
    "RELU6": "AddRelu6",
    "RESHAPE": "AddReshape",
    "RESIZE_BILINEAR": "AddResizeBilinear",
    "RESIZE_NEAREST_NEIGHBOR": "AddResizeNearestNeighbor",
    "REVERSE_V2": "AddReverseV2",
    "ROUND": "AddRound",
    "RSQRT": "AddRsqrt",
    "SELECT_V2": "AddSelectV2",
    "SHAPE": "AddShape",
    "SIN": "AddSin",
    "SLICE": "AddSlice",
    "SOFTMAX": "AddSoftmax",
    "SPACE_TO_BATCH_ND": "AddSpaceToBatchNd",
    "SPACE_TO_DEPTH": "AddSpaceToDepth",
    "SPLIT": "AddSplit",
    "SPLIT_V": "AddSplitV",
    "SQRT": "AddSqrt",
    "SQUARE": "AddSquare",
    "SQUARED_DIFFERENCE": "AddSquaredDifference",
    "SQUEEZE": "AddSqueeze",
    "STRIDED_SLICE": "AddStridedSlice",
    "SUB": "AddSub",
    "SUM": "AddSum",
    "SVDF": "AddSvdf",
    "TANH": "AddTanh",
    "TRANSPOSE": "AddTranspose",
    "TRANSPOSE_CONV": "AddTransposeConv",
    "UNIDIRECTIONAL_SEQUENCE_LSTM": "AddUnidirectionalSequenceLSTM",
    "UNPACK": "AddUnpack",
    "ZEROS_LIKE": "AddZerosLike",
}
"""TFLite builtin operator to the method of ``MicroMutableOpResolver`` that registers it."""

STATEFUL = tflite.STATEFUL & ADD.keys()
"""Of these the operators that keep something from one inference to the next."""

_CUSTOM = "CUSTOM("


def generate(model: QuantizedModel, engine: Engine) -> dict[str, bytes]:
    """The files of the model library that no template makes: none.

    Raises:
        ModelError: the model has operators that the engine does not compute; all of them are named.
    """
    problems = [problem for op in dict.fromkeys(model.ops) if (problem := _refusal(op, engine))]
    if problems:
        raise ModelError(
            f"the engine 'tflm' cannot compute {model.path.name}: {'; '.join(problems)}",
            hint=f"on this target it takes {', '.join(engine.ops)}",
        )
    return {}


def _refusal(op: str, engine: Engine) -> str:
    """Why an operator is not computed, empty where it is."""
    if op.startswith(_CUSTOM):
        return f"the operator {op.removeprefix(_CUSTOM).removesuffix(')')!r} is a custom one"
    if op not in ADD:
        return f"TensorFlow Lite Micro cannot compute the operator {op} by itself"
    if op not in engine.ops:
        return f"the target's version of the library has no operator {op}"
    return ""


def sources() -> str:
    """SHA-256 of what makes the files, besides this package."""
    return hashing.of_sources([Path(tflite.__file__).parent])


def describe(engine: Engine) -> str:
    """Library and kernel set, for the report."""
    return f"{engine.library}, {engine.kernels}"


def flags(files: dict[str, bytes]) -> list[str]:
    """Compiler flags of the rendered sources: they are ours, so no warning is let pass."""
    return ["-Wall", "-Wextra", "-Werror"]


def context(model: QuantizedModel, engine: Engine, chip: Chip, arena: int | None) -> dict[str, Any]:
    """What the engine's templates are given.

    Args:
        model: the model.
        engine: the engine's facts on the target.
        chip: the chip's limits.
        arena: bytes of the arena where a measurement has found them, None to choose them here.

    Raises:
        ConfigError: the arena that was found is more than the target can spare.
    """
    data = model.path.read_bytes()
    size = arenas.choose(data, engine, chip, arena)
    return {
        "static_ram_bytes": chip.static_ram,
        "arena_bytes": size.bytes,
        "arena_reason": size.reason,
        "stateful": tflite.stateful(model.ops),
        "operators": len(model.ops),
        "registrations": [ADD[op] for op in sorted(set(model.ops))],
        "model_bytes": list(data),
    }
