"""Layers of weights as plain loops, where bakenn has no kernel: FULLY_CONNECTED, CONV_2D, DEPTHWISE_CONV_2D.

Activations of int8 or int16 with weights of int8; of int8 also with weights of int4, which are unpacked at build time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tinyhil.chain.emitter import C_TYPES, Emitter
from tinyhil.chain.fixed_point import quantize_multiplier
from tinyhil.chain.graph import Operator, Tensor, Values
from tinyhil.chain.operators.checks import constant, fused_range, one_type, option
from tinyhil.chain.operators.recurrent import folded_bias
from tinyhil.chain.unsupported import Unsupported

_INT32 = 2
"""Of the schema's element types, as the option of a layer without bias that says how wide TFLM adds."""

_SAME = 0
"""Of the schema's paddings."""


@dataclass(frozen=True)
class Layer:
    """What a layer of weights is computed from.

    Attributes:
        source, weights, output: the tensors.
        values: of the weights.
        bias: its values, None where there is none or all are 0.
        wide: the type that products are added up in.
    """

    source: Tensor
    weights: Tensor
    output: Tensor
    values: Values
    bias: Values | None
    wide: str


def layer(
    operator: Operator, positions: tuple[int, int, int] = (0, 1, 2), biases: Sequence[str] = ("int32", "int64")
) -> Layer:
    """The tensors of a layer, after a check of their types.

    Args:
        positions: of the input that is computed, the weights and the bias.
        biases: the types of bias that int16 activations may have.

    Raises:
        Unsupported: TFLM does not compute them.
    """
    source, weights, output = operator.input(positions[0]), operator.input(positions[1]), operator.outputs[0]
    name = one_type((source, output), ("int8", "int16"))
    allowed = ("int8", "int4") if name == "int8" else ("int8",)
    if weights.dtype not in allowed:
        raise Unsupported(
            f"has weights of {weights.dtype} for activations of {name}, computed are {', '.join(allowed)}"
        )
    if not (source.scales and weights.scales and output.scales):
        raise Unsupported("has a tensor without quantization")
    bias = operator.optional(positions[2])
    if bias is None:
        narrow = "int32" in biases and option(operator, "quantizedBiasType") == _INT32
        wide = "int32" if name == "int8" or narrow else "int64"
        return Layer(source, weights, output, constant(operator, positions[1]), None, wide)
    if bias.dtype not in (("int32",) if name == "int8" else biases):
        raise Unsupported(f"has a bias of {bias.dtype} for activations of {name}")
    values = constant(operator, positions[2])
    wide = "int64" if bias.dtype == "int16" else bias.dtype
    return Layer(source, weights, output, constant(operator, positions[1]), values, wide)


def fully_connected(operator: Operator, code: Emitter) -> None:
    """FULLY_CONNECTED of any number of rows.

    Source: tensorflow/lite/micro/kernels/fully_connected_common.cc.
    """
    found = layer(operator)
    if len(found.weights.shape) != 2:
        raise Unsupported(f"has weights of {len(found.weights.shape)} dimensions")
    units, depth = found.weights.shape
    rows = found.output.elements // units
    if found.source.elements != rows * depth or found.output.shape[-1] != units:
        raise Unsupported("has an input or an output of another size than its weights say")
    if any(found.weights.zero_points):
        raise Unsupported("has weights with a zero point")
    if len(found.weights.scales) == 1:
        _close_bias(operator, found)
    elif found.weights.dtype == "int4":
        raise Unsupported("has weights of int4 with a scale per channel")
    bias = _folded(found, found.source.zero_point)
    call(
        operator,
        code,
        "convolution",
        found,
        bias,
        per_channel(found, 0),
        (1, rows, 1, depth),
        (1, 1, depth),
        (rows, 1, units),
        [1, 1, 1, 1, 0, 0],
        (found.source.zero_point, found.output.zero_point),
    )


def _close_bias(operator: Operator, found: Layer) -> None:
    """TFLM refuses a bias whose scale is far from that of the products (``GetQuantizedConvolutionMultipler``)."""
    bias = operator.optional(2)
    if bias is not None:
        apart = abs(found.source.scale * found.weights.scale - bias.scale)
        if apart / found.output.scale > 0.02:
            raise Unsupported("has a bias with another scale than its input times its weights")


def per_channel(found: Layer, axis: int) -> list[float]:
    """What the sums are multiplied by, one factor for each output channel or one for all; all in double.

    Raises:
        Unsupported: the scales are not those of ``axis`` of the weights.
    """
    scales = found.weights.scales
    if len(scales) > 1 and (found.weights.axis != axis or len(scales) != found.weights.shape[axis]):
        raise Unsupported("has scales of its weights along another dimension than the output's channels")
    return [found.source.scale * scale / found.output.scale for scale in scales]


def _folded(found: Layer, zero_point: int) -> Values | None:
    rows = found.weights.shape[0]
    bias = np.zeros(rows, found.wide) if found.bias is None else found.bias
    folded = folded_bias(bias, found.values, zero_point)
    return folded if folded.any() else None


def conv_2d(operator: Operator, code: Emitter) -> None:
    """CONV_2D, in groups and with dilation. Of int16, TFLM looks at no zero point.

    Source: tensorflow/lite/micro/kernels/conv_common.cc.
    """
    found = layer(operator)
    _four(found)
    batches, height, width, depth = found.source.shape
    channels, filter_height, filter_width, of_a_group = found.weights.shape
    if depth % of_a_group or channels % (depth // of_a_group):
        raise Unsupported("has channels that its groups do not divide")
    zeros = zero_points(found)
    window, shape = _window(operator, found, filter_height, filter_width, channels)
    call(
        operator,
        code,
        "convolution",
        found,
        _folded(found, zeros[0]),
        per_channel(found, 0),
        (batches, height, width, depth),
        (filter_height, filter_width, of_a_group),
        shape,
        window,
        zeros,
    )


def depthwise_conv_2d(operator: Operator, code: Emitter) -> None:
    """DEPTHWISE_CONV_2D. Of int16, TFLM looks at no zero point and reads the bias as int64, whatever it is.

    Source: tensorflow/lite/micro/kernels/depthwise_conv_common.cc.
    """
    found = layer(operator, biases=("int64",))
    _four(found)
    batches, height, width, depth = found.source.shape
    _, filter_height, filter_width, channels = found.weights.shape
    multiple = option(operator, "depthMultiplier")
    if channels != depth * multiple:
        raise Unsupported(f"has {channels} filters of {depth} channels, but a multiple of {multiple}")
    window, shape = _window(operator, found, filter_height, filter_width, channels)
    call(
        operator,
        code,
        "depthwise_convolution",
        found,
        found.bias,
        per_channel(found, 3),
        (batches, height, width, depth),
        (filter_height, filter_width, multiple),
        shape,
        window,
        zero_points(found),
    )


def _four(found: Layer) -> None:
    if any(len(tensor.shape) != 4 for tensor in (found.source, found.weights, found.output)):
        raise Unsupported("has a tensor that is not of 4 dimensions")


def zero_points(found: Layer) -> tuple[int, int]:
    """Of input and output: TFLM's convolutions of int16 look at none."""
    return (found.source.zero_point, found.output.zero_point) if found.source.dtype == "int8" else (0, 0)


def _window(
    operator: Operator, found: Layer, filter_height: int, filter_width: int, channels: int
) -> tuple[list[int], tuple[int, int, int]]:
    """Strides, dilations and pixels before the picture, and the output's height, width and channels."""
    strides = [option(operator, "strideH"), option(operator, "strideW")]
    dilations = [option(operator, "dilationHFactor"), option(operator, "dilationWFactor")]
    if min(*strides, *dilations) < 1:
        raise Unsupported("has a stride or a dilation below 1")
    sides = [
        span(found.source.shape[1 + i], size, strides[i], dilations[i], option(operator, "padding"))
        for i, size in enumerate((filter_height, filter_width))
    ]
    shape = (sides[0][0], sides[1][0], channels)
    if found.output.shape != (found.source.shape[0], *shape):
        raise Unsupported("has an output of another shape than its filters make")
    return [*strides, *dilations, sides[0][1], sides[1][1]], shape


def span(size: int, filter_size: int, stride: int, dilation: int, padding: int) -> tuple[int, int]:
    """How many outputs a side has, and how many pixels before the picture the first filter covers.

    Source: ``ComputePaddingHeightWidth`` of tensorflow/lite/kernels/padding.h.
    """
    reach = (filter_size - 1) * dilation + 1
    count = -(-size // stride) if padding == _SAME else (size + stride - reach) // stride
    return count, max((count - 1) * stride + reach - size, 0) // 2


def call(
    operator: Operator,
    code: Emitter,
    function: str,
    found: Layer,
    bias: Values | None,
    factors: Sequence[float],
    source: tuple[int, int, int, int],
    filters: tuple[int, int, int],
    output: tuple[int, int, int],
    window: Sequence[int],
    zero_points: tuple[int, int],
) -> None:
    """Emits the call of a function of convolution.h; the tuples are the fields of its struct, in their order."""
    lowest, highest = fused_range(option(operator, "fusedActivationFunction"), found.output)
    code.header("convolution.h")
    names = (
        "batches", "input_height", "input_width", "input_depth", "filter_height", "filter_width", "filter_depth",
        "output_height", "output_width", "output_depth", "stride_height", "stride_width", "dilation_height",
        "dilation_width", "top", "left", "input_zero_point", "output_zero_point",
    )  # fmt: skip
    fields = dict(zip(names, (*source, *filters, *output, *window, *zero_points), strict=True))
    parameters = code.struct(
        "kernels::Convolution", **fields, lowest=lowest, highest=highest, per_channel=int(len(factors) > 1)
    )
    wide = C_TYPES[found.wide]
    code.call(
        f"{function}<{C_TYPES[found.source.dtype]}, {wide}>",
        parameters,
        code.input(operator.inputs.index(found.source)),
        code.constant(found.values),
        "nullptr" if bias is None else code.constant(bias),
        *multipliers(code, factors),
        code.output(),
    )


def multipliers(code: Emitter, factors: Sequence[float]) -> tuple[str, str]:
    """The constants of factors: multipliers of int32 and shifts of int8."""
    pairs = [quantize_multiplier(factor) for factor in factors]
    return (
        code.constant(np.array([multiplier for multiplier, _ in pairs], np.int32)),
        code.constant(np.array([shift for _, shift in pairs], np.int8)),
    )


FUNCTIONS: dict[str, Callable[[Operator, Emitter], None]] = {
    "CONV_2D": conv_2d,
    "DEPTHWISE_CONV_2D": depthwise_conv_2d,
    "FULLY_CONNECTED": fully_connected,
}
