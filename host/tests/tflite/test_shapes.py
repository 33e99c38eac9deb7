"""The shape of every operator that an engine lists is computed: each size that a file says otherwise is refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from tinyhil import chain, tflite
from tinyhil.errors import ModelError
from tinyhil.targets import registry
from tinyhil.tflite.shapes import RULES

from ..chain.makers.listed import KNOWN, RANDOM
from ..chain.one_operator import T, constant, model_of

_UNKNOWN = {"ASSIGN_VARIABLE", "CALL_ONCE", "IF", "READ_VARIABLE", "VAR_HANDLE", "WHILE"}
"""Operators without an output whose shape follows from their inputs."""


def given(*shape: int) -> T:
    return T("int8", shape, 0.5)


def ints(*values: int) -> T:
    return constant(np.array(values, np.int32))


def one(value: int) -> T:
    return constant(np.array(value, np.int32))


def weights(*shape: int) -> T:
    return constant(np.ones(shape, np.int8), 0.25)


def bias(count: int) -> T:
    return constant(np.zeros(count, np.int32), 0.125)


def state(*shape: int) -> T:
    return T("int8", shape, 0.5, variable=True)


Case = tuple[str, Sequence[T | None], Sequence[T], Any]

_PLAIN = [name for name in RULES if RULES[name].__name__ in ("same", "normalized")]
_PAIRS = [name for name in RULES if RULES[name].__name__ == "stretched"]
_LSTM = [
    given(1, 5, 3),
    *[weights(4, 3)] * 4,
    *[weights(4, 4)] * 4,
    *[None] * 3,
    *[bias(4)] * 4,
    *[None] * 2,
    state(1, 4),
    T("int16", (1, 4), 0.5, variable=True),
    *[None] * 4,
]
CASES: list[Case] = [
    *((name, [given(1, 2, 3)], [given(1, 2, 3)], None) for name in _PLAIN),
    *((name, [given(1, 2, 3), given(2, 1)], [given(1, 2, 3)], None) for name in _PAIRS),
    ("ADD_N", [given(1, 2), given(1, 2), given(1, 2)], [given(1, 2)], None),
    ("ARG_MAX", [given(1, 4, 3), one(-1)], [given(1, 4)], schema.ArgMaxOptionsT()),
    ("ARG_MIN", [given(1, 4, 3), one(1)], [given(1, 3)], schema.ArgMinOptionsT()),
    *(
        (name, [given(1, 5, 6, 2)], [given(1, 2, 3, 2)], schema.Pool2DOptionsT(1, 2, 2, 2, 2))
        for name in ("AVERAGE_POOL_2D", "L2_POOL_2D", "MAX_POOL_2D")
    ),
    ("BATCH_MATMUL", [given(2, 3, 4), given(1, 5, 4)], [given(2, 3, 5)], schema.BatchMatMulOptionsT(adjY=True)),
    (
        "BATCH_TO_SPACE_ND",
        [given(4, 2, 2, 3), ints(2, 2), constant(np.zeros((2, 2), np.int32))],
        [given(1, 4, 4, 3)],
        None,
    ),
    ("BROADCAST_ARGS", [T("int32", (2,)), T("int32", (3,))], [T("int32", (3,))], None),
    ("BROADCAST_TO", [given(1, 3), ints(2, 3)], [given(2, 3)], None),
    ("CONCATENATION", [given(1, 2, 3), given(1, 4, 3)], [given(1, 6, 3)], schema.ConcatenationOptionsT(axis=-2)),
    (
        "CONV_2D",
        [given(1, 6, 7, 2), weights(5, 3, 3, 2), bias(5)],
        [given(1, 2, 3, 5)],
        schema.Conv2DOptionsT(1, 2, 2, 0, 1, 1),
    ),
    ("CUMSUM", [given(1, 4), one(1)], [given(1, 4)], None),
    ("DEPTH_TO_SPACE", [given(1, 2, 3, 8)], [given(1, 4, 6, 2)], schema.DepthToSpaceOptionsT(2)),
    (
        "DEPTHWISE_CONV_2D",
        [given(1, 6, 7, 2), weights(1, 3, 3, 4), bias(4)],
        [given(1, 3, 4, 4)],
        schema.DepthwiseConv2DOptionsT(0, 2, 2, 2, 0, 1, 1),
    ),
    ("DYNAMIC_UPDATE_SLICE", [given(4, 5), given(2, 3), T("int32", (2,))], [given(4, 5)], None),
    ("EMBEDDING_LOOKUP", [T("int32", (3,)), weights(7, 4)], [given(3, 4)], None),
    ("EXPAND_DIMS", [given(2, 3), one(-1)], [given(2, 3, 1)], None),
    ("FILL", [ints(2, 3), given(1)], [given(2, 3)], None),
    ("FULLY_CONNECTED", [given(2, 3), weights(4, 3), bias(4)], [given(2, 4)], schema.FullyConnectedOptionsT()),
    ("GATHER", [given(4, 3), T("int32", (2,))], [given(4, 2)], schema.GatherOptionsT(axis=1)),
    ("GATHER_ND", [given(4, 3), T("int32", (5, 1))], [given(5, 3)], None),
    ("MIRROR_PAD", [given(2, 3), constant(np.ones((2, 2), np.int32))], [given(4, 5)], schema.MirrorPadOptionsT()),
    ("PACK", [given(2, 3), given(2, 3)], [given(2, 2, 3)], schema.PackOptionsT(2, 1)),
    ("PAD", [given(2, 3), constant(np.array([[0, 1], [2, 0]], np.int32))], [given(3, 5)], None),
    ("PADV2", [given(2, 3), constant(np.array([[0, 1], [2, 0]], np.int32)), given(1)], [given(3, 5)], None),
    *(
        (name, [given(1, 4, 3), ints(1)], [given(1, 1, 3)], schema.ReducerOptionsT(True))
        for name in ("MEAN", "REDUCE_ALL", "REDUCE_MAX", "REDUCE_MIN", "SUM")
    ),
    ("RESHAPE", [given(2, 6), ints(3, -1)], [given(3, 4)], schema.ReshapeOptionsT([3, -1])),
    *(
        (name, [given(1, 2, 3, 2), ints(4, 5)], [given(1, 4, 5, 2)], None)
        for name in ("RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR")
    ),
    ("REVERSE_V2", [given(2, 3), ints(1)], [given(2, 3)], None),
    ("SELECT_V2", [T("bool", (1, 3)), given(2, 3), given(2, 1)], [given(2, 3)], None),
    ("SHAPE", [given(2, 3, 4)], [T("int32", (3,))], schema.ShapeOptionsT()),
    ("SLICE", [given(4, 5), ints(1, 2), ints(2, -1)], [given(2, 3)], None),
    (
        "SPACE_TO_BATCH_ND",
        [given(1, 3, 4, 2), ints(2, 2), constant(np.array([[1, 0], [0, 0]], np.int32))],
        [given(4, 2, 2, 2)],
        None,
    ),
    ("SPACE_TO_DEPTH", [given(1, 4, 6, 2)], [given(1, 2, 3, 8)], schema.SpaceToDepthOptionsT(2)),
    ("SPLIT", [one(1), given(2, 6)], [given(2, 3), given(2, 3)], schema.SplitOptionsT(2)),
    ("SPLIT_V", [given(2, 6), ints(2, -1), one(1)], [given(2, 2), given(2, 4)], schema.SplitVOptionsT(2)),
    ("SQUEEZE", [given(1, 2, 1, 3)], [given(1, 2, 3)], schema.SqueezeOptionsT([2])),
    (
        "STRIDED_SLICE",
        [given(1, 6, 5), ints(0, 1, 4), ints(1, 6, -9), ints(1, 2, -2)],
        [given(1, 3, 3)],
        schema.StridedSliceOptionsT(),
    ),
    (
        "SVDF",
        [given(1, 3), weights(4, 3), weights(4, 5), bias(2), state(1, 20)],
        [given(1, 2)],
        schema.SVDFOptionsT(rank=2),
    ),
    ("TRANSPOSE", [given(2, 3, 4), ints(2, 0, 1)], [given(4, 2, 3)], None),
    (
        "TRANSPOSE_CONV",
        [ints(1, 4, 6, 5), weights(5, 3, 3, 2), given(1, 2, 3, 2)],
        [given(1, 4, 6, 5)],
        schema.TransposeConvOptionsT(0, 2, 2),
    ),
    (
        "UNIDIRECTIONAL_SEQUENCE_LSTM",
        _LSTM,
        [given(1, 5, 4)],
        schema.UnidirectionalSequenceLSTMOptionsT(),
    ),
    ("UNPACK", [given(2, 3)], [given(2), given(2), given(2)], schema.UnpackOptionsT(3, 1)),
]


def name_of(case: Case) -> str:
    return case[0]


def test_each_operator_that_an_engine_lists_has_a_rule() -> None:
    engines = [engine for name in registry.paths() for engine in registry.get(name).engines.values()]
    listed = {name for engine in engines for name in engine.ops} | chain.OPERATORS
    assert len(listed) > 80
    assert listed <= RULES.keys()
    assert {case[0] for case in CASES} | _UNKNOWN == RULES.keys()


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_a_size_that_does_not_follow_is_refused(case: Case) -> None:
    name, inputs, outputs, options = case
    tflite.require_sound(model_of(name, inputs, outputs, options), "m")
    for at, output in enumerate(outputs):
        wrong = [(*output.shape[:axis], size + 1, *output.shape[axis + 1 :]) for axis, size in enumerate(output.shape)]
        for shape in [*wrong, (*output.shape, 2)]:
            changed = [*outputs[:at], T(output.dtype, shape, output.scale), *outputs[at + 1 :]]
            with pytest.raises(ModelError, match=f"operator 0 {name}"):
                tflite.require_sound(model_of(name, inputs, changed, options), "m")


@pytest.mark.parametrize("name", [*RANDOM, *KNOWN])
def test_what_the_reference_computes_is_taken(name: str) -> None:
    """Models with random sizes and options, of which other tests compare all outputs."""
    random = np.random.default_rng(15)
    for model in [RANDOM[name](random) for _ in range(5)] if name in RANDOM else [KNOWN[name].model]:
        tflite.require_sound(model, "m")


def changed(case: str, position: int, tensor: T) -> bytes:
    """The model of a case with another input."""
    name, inputs, outputs, options = next(each for each in CASES if each[0] == case)
    return model_of(name, [*inputs[:position], tensor, *inputs[position + 1 :]], outputs, options)


@pytest.mark.parametrize(
    ("case", "position", "tensor"),
    [
        ("FULLY_CONNECTED", 0, given(2, 272)),
        ("FULLY_CONNECTED", 1, weights(4, 2)),
        ("FULLY_CONNECTED", 1, constant(np.ones((4, 3), np.int8), [0.5] * 3, axis=1)),
        ("FULLY_CONNECTED", 2, bias(5)),
        ("CONV_2D", 2, bias(4)),
        ("CONV_2D", 1, constant(np.ones((5, 3, 3, 2), np.int8), [0.5, 0.25], axis=3)),
        ("DEPTHWISE_CONV_2D", 1, weights(2, 3, 3, 4)),
        ("CONCATENATION", 1, given(1, 4, 2)),
        ("GATHER", 1, ints(0, 3)),
        ("MIRROR_PAD", 1, constant(np.full((2, 2), 2, np.int32))),
        ("PAD", 1, ints(0, 1)),
        ("SLICE", 1, ints(3, 2)),
        ("STRIDED_SLICE", 3, ints(1, 0, -2)),
        ("TRANSPOSE", 1, ints(2, 0, 0)),
        ("SVDF", 4, state(1, 19)),
        ("SVDF", 4, given(1, 20)),
        ("UNIDIRECTIONAL_SEQUENCE_LSTM", 5, weights(4, 3)),
    ],
)
def test_inputs_that_do_not_fit_one_another_are_refused(case: str, position: int, tensor: T) -> None:
    with pytest.raises(ModelError, match=f"damaged: operator 0 {case}"):
        tflite.require_sound(changed(case, position, tensor), "m")
