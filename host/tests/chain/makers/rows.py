"""Random models of one operator on rows, matrices and pictures: reductions, softmax, products, linear resizing."""

from __future__ import annotations

import numpy as np
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from ..one_operator import T, constant, model_of
from .moves import numbers

Random = np.random.Generator


def reduced(shape: tuple[int, ...], axes: tuple[int, ...], keep: bool) -> tuple[int, ...]:
    wanted = {axis % len(shape) for axis in axes}
    sizes = [(1 if at in wanted else size, at in wanted) for at, size in enumerate(shape)]
    return tuple(size for size, gone in sizes if keep or not gone)


def reduction(
    rng: np.random.Generator, name: str, dtype: str, shape: tuple[int, ...], axes: tuple[int, ...], keep: bool
) -> bytes:
    """A random model of what TFLM takes."""
    scale = float(np.float32(10.0 ** rng.uniform(-6, 3)))
    zeros = (
        [0, 0] if dtype == "int16" else [int(rng.choice([-128, 127, int(rng.integers(-128, 128))])) for _ in range(2)]
    )
    second = scale
    if name in ("MEAN", "SUM"):
        count = 1 if name == "MEAN" else int(np.prod([shape[axis] for axis in set(axes)]))
        second = scale * float(rng.choice([1.0, count * rng.uniform(0.1, 1.0), 10.0 ** rng.uniform(-4, 4)]))
    else:
        zeros[1] = zeros[0]
    options = schema.ReducerOptionsT(keepDims=keep)
    inputs = [T(dtype, shape, scale, zeros[0]), constant(np.array(axes, np.int32))]
    return model_of(name, inputs, [T(dtype, reduced(shape, axes, keep), second, zeros[1])], options)


def place(_: Random, name: str, shape: tuple[int, ...], axis: int) -> bytes:
    """Of the greatest or the least value; the axis as a tensor or as a single number, by whether it is odd."""
    inputs = [T("int8", shape, 0.1), constant(np.array([axis] if axis % 2 else axis, np.int32))]
    return model_of(name, inputs, [T("int32", reduced(shape, (axis,), False))])


SOFTMAX_ENDS = {
    ("int8", "int8"): (1 / 256, -128),
    ("int8", "int16"): (1 / 65536, -32768),
    ("int16", "int16"): (1 / 32768, 0),
}


def softmax(
    given: str,
    result: str,
    shape: tuple[int, ...],
    scale: float,
    beta: float = 1.0,
    ends: tuple[float, int] | None = None,
) -> bytes:
    output_scale, zero = ends or SOFTMAX_ENDS[given, result]
    options = schema.SoftmaxOptionsT(beta=beta)
    return model_of("SOFTMAX", [T(given, shape, scale)], [T(result, shape, output_scale, zero)], options)


def log_softmax(shape: tuple[int, ...], scale: float, ends: tuple[float, int] = (1 / 16, 127)) -> bytes:
    return model_of("LOG_SOFTMAX", [T("int8", shape, scale)], [T("int8", shape, *ends)], schema.LogSoftmaxOptionsT())


def l2_normalization(shape: tuple[int, ...], zero_point: int = 0, dtype: str = "int8", activation: int = 0) -> bytes:
    options = schema.L2NormOptionsT(fusedActivationFunction=activation)
    return model_of("L2_NORMALIZATION", [T(dtype, shape, 0.1, zero_point)], [T(dtype, shape, 1 / 128)], options)


def resize_bilinear(random: Random, dtype: str) -> bytes:
    shape = tuple(int(size) for size in random.integers(1, 9, 4))
    wanted = [int(size) for size in random.integers(1, 20, 2)]
    corners = bool(random.integers(2))
    options = schema.ResizeBilinearOptionsT(
        alignCorners=corners, halfPixelCenters=not corners and bool(random.integers(2))
    )
    output = T(dtype, (shape[0], *wanted, shape[3]), 0.05, 3)
    return model_of("RESIZE_BILINEAR", [T(dtype, shape, 0.05, 3), numbers(wanted)], [output], options)


def matmul(random: Random, dtype: str) -> bytes:
    rows, columns, depth = (int(size) for size in random.integers(1, 12, 3))
    batches = [int(size) for size in random.integers(1, 4, random.integers(0, 4))]
    transposed = [bool(random.integers(2)) for _ in range(2)]
    ends = [(depth, rows) if transposed[0] else (rows, depth), (columns, depth) if transposed[1] else (depth, columns)]
    shapes = []
    for end in ends:
        own = [1 if random.integers(4) == 0 else size for size in batches]
        shapes.append((*own[int(random.integers(len(own) + 1)) if random.integers(3) == 0 else 0 :], *end))
    rank = max(map(len, shapes))
    full = [(1,) * (rank - len(shape)) + shape for shape in shapes]
    made = [max(pair) for pair in zip(full[0][:-2], full[1][:-2], strict=True)]
    scales = [float(np.float32(10.0 ** random.uniform(-3, 0))) for _ in range(2)]
    zeros = [int(zero) for zero in random.integers(-128, 128, 3)] if dtype == "int8" else [0, 0, 0]
    reach = np.sqrt(depth) * (74**2 / 60 if dtype == "int8" else 19000**2 / 15000)
    output = T(dtype, (*made, rows, columns), float(scales[0] * scales[1] * reach), zeros[2])
    inputs = [T(dtype, shape, scale, zero) for shape, scale, zero in zip(shapes, scales, zeros, strict=False)]
    options = schema.BatchMatMulOptionsT(adjX=transposed[0], adjY=transposed[1])
    return model_of("BATCH_MATMUL", inputs, [output], options, version=4)
