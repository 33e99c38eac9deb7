"""Operators on pictures, and products of matrices: TRANSPOSE_CONV, pools, RESIZE_BILINEAR, BATCH_MATMUL."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from tinyhil.chain.emitter import C_TYPES, Emitter
from tinyhil.chain.fixed_point import quantize_multiplier
from tinyhil.chain.graph import Operator
from tinyhil.chain.operators.checks import fused_range, integers, need_scales, one_type, option
from tinyhil.chain.operators.convolutions import Layer, call, layer, per_channel, span, zero_points
from tinyhil.chain.strided import steps
from tinyhil.chain.unsupported import Unsupported


def transpose_conv(operator: Operator, code: Emitter) -> None:
    """TRANSPOSE_CONV. TFLM takes the size from the output's shape and looks at no value of the first input.

    Source: tensorflow/lite/micro/kernels/transpose_conv.cc.
    """
    source, weights, output = operator.input(2), operator.input(1), operator.outputs[0]
    found = layer(operator, (2, 1, 3), ("int16", "int64"))
    if weights.dtype != "int8":
        raise Unsupported(f"has weights of {weights.dtype}")
    if any(len(tensor.shape) != 4 for tensor in (source, weights, output)):
        raise Unsupported("has a tensor that is not of 4 dimensions")
    channels, *filters, depth = weights.shape
    batches, height, width, own = source.shape
    if own != depth or output.shape[0] != batches or output.shape[3] != channels:
        raise Unsupported("has channels that its weights do not fit")
    strides = (option(operator, "strideH"), option(operator, "strideW"))
    if min(strides) < 1:
        raise Unsupported("has a stride below 1")
    padding = option(operator, "padding")
    before = [span(output.shape[1 + side], filters[side], strides[side], 1, padding)[1] for side in range(2)]
    bias = None if found.bias is None else found.bias.astype(found.wide)
    call(
        operator,
        code,
        "transpose_convolution",
        Layer(source, weights, output, found.values, bias, found.wide),
        bias,
        per_channel(found, 0),
        (batches, height, width, depth),
        (filters[0], filters[1], depth),
        (output.shape[1], output.shape[2], channels),
        (*strides, 1, 1, *before),
        zero_points(found),
    )


def average_pool(operator: Operator, code: Emitter) -> None:
    """AVERAGE_POOL_2D of int8 or int16."""
    _pool(operator, code, "average_pool")


def max_pool(operator: Operator, code: Emitter) -> None:
    """MAX_POOL_2D of int8 or int16."""
    _pool(operator, code, "max_pool")


def _pool(operator: Operator, code: Emitter, function: str) -> None:
    """Source: tensorflow/lite/micro/kernels/pooling_common.cc."""
    source, output = operator.input(0), operator.outputs[0]
    name = one_type((source, output), ("int8", "int16"))
    need_scales(source, output)
    if abs(np.float32(source.scale) - np.float32(output.scale)) > 1e-6 or source.zero_point != output.zero_point:
        raise Unsupported("has an output that is quantized otherwise than its input")
    filters = [option(operator, "filterHeight"), option(operator, "filterWidth")]
    strides = [option(operator, "strideH"), option(operator, "strideW")]
    if len(source.shape) != 4 or min(*filters, *strides) < 1:
        raise Unsupported("has other than 4 dimensions, or a window or a stride below 1")
    batches, height, width, depth = source.shape
    sides = [
        span(size, reach, stride, 1, option(operator, "padding"))
        for size, reach, stride in zip((height, width), filters, strides, strict=True)
    ]
    if output.shape != (batches, sides[0][0], sides[1][0], depth):
        raise Unsupported("has an output of another shape than its windows make")
    lowest, highest = fused_range(option(operator, "fusedActivationFunction"), output)
    code.header("pool.h")
    parameters = code.struct(
        "kernels::Pool",
        batches=batches,
        input_height=height,
        input_width=width,
        depth=depth,
        filter_height=filters[0],
        filter_width=filters[1],
        output_height=sides[0][0],
        output_width=sides[1][0],
        stride_height=strides[0],
        stride_width=strides[1],
        top=sides[0][1],
        left=sides[1][1],
        lowest=lowest,
        highest=highest,
    )
    code.call(f"{function}<{C_TYPES[name]}>", parameters, code.input(0), code.output())


def resize_bilinear(operator: Operator, code: Emitter) -> None:
    """RESIZE_BILINEAR of int8."""
    source, output = operator.input(0), operator.outputs[0]
    one_type((source, output), ("int8",))
    size = integers(operator, 1)
    if len(source.shape) != 4 or output.shape != (source.shape[0], *size, source.shape[3]):
        raise Unsupported("has an output of another shape than its size says")
    corners, centers = bool(option(operator, "alignCorners")), bool(option(operator, "halfPixelCenters"))
    if corners and centers:
        raise Unsupported("aligns both corners and centers")
    tables = []
    for old, new in zip(source.shape[1:3], size, strict=True):
        found = between(old, new, corners, centers)
        if any(first >= old for first, _, _ in found):
            raise Unsupported("enlarges so far that TensorFlow Lite Micro reads beyond its input")
        tables.append(code.constant(np.array(found, np.int16)))
    code.header("resize.h")
    parameters = code.struct(
        "kernels::Bilinear",
        batches=source.shape[0],
        input_height=source.shape[1],
        input_width=source.shape[2],
        depth=source.shape[3],
        output_height=size[0],
        output_width=size[1],
    )
    code.call("resize_bilinear", parameters, *tables, code.input(0), code.output())


def between(old: int, new: int, corners: bool, centers: bool) -> list[tuple[int, int, int]]:
    """For each of ``new`` pixels, between which two of ``old`` it stands, and how far in 1024ths.

    Source: ``ComputeInterpolationValuesInteger`` of kernels/internal/reference/resize_bilinear.h.
    """
    scale = (1024 * old + new // 2) // new
    if corners and new > 1:
        scale = (1024 * (old - 1) + (new - 1) // 2) // (new - 1)
    found = []
    for position in range(new):
        real = position * scale + (scale // 2 - 512 if centers else 0)
        first = max(int(real / 1024), 0)  # C++ divides towards zero
        found.append((first, min(int((real + 1023) / 1024), old - 1), real - 1024 * first))
    return found


def batch_matmul(operator: Operator, code: Emitter) -> None:
    """BATCH_MATMUL of int8 or int16, of up to 5 dimensions.

    Source: tensorflow/lite/micro/kernels/batch_matmul.cc.
    """
    left, right, output = operator.input(0), operator.input(1), operator.outputs[0]
    name = one_type((left, right, output), ("int8", "int16"))
    need_scales(left, right, output)
    if name == "int16" and any(tensor.zero_point for tensor in (left, right, output)):
        raise Unsupported("has an int16 tensor with a zero point")
    shapes = [(1,) * (5 - len(tensor.shape)) + tensor.shape for tensor in (left, right)]
    if any(not 2 <= len(tensor.shape) <= 5 for tensor in (left, right)):
        raise Unsupported("has other than 2 to 5 dimensions")
    batches = tuple(max(pair) for pair in zip(shapes[0][:3], shapes[1][:3], strict=True))
    if any(size not in (1, whole) for shape in shapes for size, whole in zip(shape[:3], batches, strict=True)):
        raise Unsupported("has batches that do not fit each other")
    given = [steps(shape) for shape in shapes]
    rows, depth = (3, 4) if not option(operator, "adjX") else (4, 3)
    again, columns = (3, 4) if not option(operator, "adjY") else (4, 3)
    sizes = (shapes[0][rows], shapes[1][columns], shapes[0][depth])
    if shapes[1][again] != sizes[2] or output.elements != int(np.prod(batches)) * sizes[0] * sizes[1]:
        raise Unsupported("has matrices that do not fit each other")
    multiplier, shift = quantize_multiplier(left.scale * right.scale / output.scale)
    code.header("matrix.h")
    parameters = code.struct(
        "kernels::Matrices",
        batches=_listed(batches),
        left_batch=_listed(_repeated(shapes[0], given[0])),
        right_batch=_listed(_repeated(shapes[1], given[1])),
        rows=sizes[0],
        columns=sizes[1],
        depth=sizes[2],
        left_row=given[0][rows],
        left_depth=given[0][depth],
        right_depth=given[1][again],
        right_column=given[1][columns],
        left_zero_point=left.zero_point,
        right_zero_point=right.zero_point,
        multiplier=multiplier,
        shift=shift,
        output_zero_point=output.zero_point,
    )
    code.call("batch_matmul", parameters, code.input(0), code.input(1), code.output())


def _repeated(shape: Sequence[int], given: Sequence[int]) -> list[int]:
    """The steps of the batches: 0 where there is one that is repeated."""
    return [0 if size == 1 else step for size, step in zip(shape[:3], given[:3], strict=True)]


def _listed(values: Sequence[int]) -> str:
    return "{" + ", ".join(str(value) for value in values) + "}"


FUNCTIONS: dict[str, Callable[[Operator, Emitter], None]] = {
    "AVERAGE_POOL_2D": average_pool,
    "BATCH_MATMUL": batch_matmul,
    "MAX_POOL_2D": max_pool,
    "RESIZE_BILINEAR": resize_bilinear,
    "TRANSPOSE_CONV": transpose_conv,
}
