"""Faults that are put into the kernels, one at a time, and the differential test that has to notice each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from . import test_binary as binary
from . import test_convolutions as convolutions
from . import test_copies as copies
from . import test_fixed_point as fixed_point
from . import test_floats as floats
from . import test_l2_norm as l2_norm
from . import test_pictures as pictures
from . import test_quantize as quantize
from . import test_recurrent as recurrent
from . import test_reduce as reduce
from . import test_softmax as softmax
from . import test_spread as spread
from . import test_unary as unary
from .makers import layers, moves, rows

Test = Callable[..., None]
Row = tuple[Any, ...]


@dataclass(frozen=True)
class Mutation:
    """One fault.

    Attributes:
        names: the functions of the kernels' headers and the operators that it is in and that the test runs.
        file: below firmware/lib/kernels, or below host/tinyhil/chain if it is Python.
        old: occurs in the file exactly once.
        new: what stands there instead.
        test: what has to notice; gets ``arguments`` for those of its parameters that are no fixtures.
    """

    names: frozenset[str]
    file: str
    old: str
    new: str
    test: Test
    arguments: tuple[Any, ...]

    def __str__(self) -> str:
        return f"{self.file}: {self.old} -> {self.new}"


def of(file: str, found: Iterable[Row]) -> list[Mutation]:
    """The mutations of one file, from rows of names, old, new, test and its arguments."""
    return [
        Mutation(frozenset(names.split()), file, old, new, test, tuple(arguments))
        for names, old, new, test, *arguments in found
    ]


_EQUAL = binary.test_equals_tflm
_LAYER = convolutions.test_a_layer_gives_what_tflm_gives
_PICTURE = pictures.test_a_picture_comes_out_as_tflm_makes_it
_MOVED = copies.test_what_is_moved_arrives_where_tflm_puts_it
_SPREAD = spread.test_what_is_spread_out_is_what_tflm_gives
_INTEGERS = fixed_point.test_equals_exact_integers
_LSTM = recurrent.test_an_lstm_gives_what_tflm_gives_over_a_sequence_of_inferences
_SVDF = recurrent.test_an_svdf_gives_what_tflm_gives_over_a_sequence_of_inferences
_AVERAGE, _MAX = layers.pool("AVERAGE_POOL_2D"), layers.pool("MAX_POOL_2D")

KERNELS = [
    *of("binary.h", [
        ("common_sum SUB", "scaled * scale.narrow_sign", "scaled", _EQUAL, ("SUB",), "int8"),
        ("common_sum ADD", "narrow_multiplier), scale.narrow_right)", "narrow_multiplier), 0) >> scale.narrow_right",
         binary.test_the_last_bits_of_inputs_that_cancel, "ADD"),
        ("add ADD", "divide_by_pot(product, -scale.shift)", "(product >> -scale.shift)", _EQUAL, ("ADD",), "int8"),
        ("add SUB", "common_sum(a, b, scale) * 2", "common_sum(a, b, scale)", _EQUAL, ("SUB",), "int16"),
        ("squared_difference SQUARED_DIFFERENCE", "difference * difference", "difference * (difference + 1)",
         _EQUAL, ("SQUARED_DIFFERENCE",), "int8"),
        ("squared_difference SQUARED_DIFFERENCE", "clamp(product + scale.offset,", "clamp(product,",
         binary.test_every_pair_of_bytes, ("SQUARED_DIFFERENCE",)),
        ("multiply MUL", "(a + product.offset1)", "(a - product.offset1)", _EQUAL, ("MUL",), "int8"),
        ("multiply MUL", "product.lowest, product.highest", "product.lowest + 1, product.highest", _EQUAL, ("MUL",),
         "int16"),
        ("prelu PRELU", "(slope + prelu.alpha_offset)", "slope", _EQUAL, ("PRELU",), "int8"),
        ("prelu PRELU", "prelu.alpha_multiplier, prelu.alpha_shift", "prelu.alpha_multiplier, prelu.alpha_shift + 1",
         _EQUAL, ("PRELU",), "int16"),
        ("maximum MAXIMUM", "a > b ? a : b", "a > b ? b : a", _EQUAL, ("MAXIMUM",), "int32"),
        ("maximum MAXIMUM", "a > b ? a : b", "a > b + 1 ? a : b", _EQUAL, ("MAXIMUM",), "int8"),
        ("minimum MINIMUM", "a < b ? a : b", "a < b ? b : a", _EQUAL, ("MINIMUM",), "int16"),
        ("minimum MINIMUM", "a < b ? a : b", "a < b - 1 ? a : b", _EQUAL, ("MINIMUM",), "int8"),
    ]),
    *of("broadcast.h", [
        ("for_each_pair", "positions[dimension] = 0;", "", _EQUAL, ("MUL",), "int8"),
        ("for_each_pair", "step2 = shape.jumps2[0]", "step2 = shape.jumps1[0]", _EQUAL, ("MAXIMUM",), "int16"),
    ]),
    *of("convolution.cpp", [
        ("convolution CONV_2D", "channel * sizes.per_channel", "channel * 0", _LAYER, layers.conv, "int8"),
        ("convolution CONV_2D", "(sizes, 1, weights", "(sizes, 2, weights", _LAYER, layers.conv, "int8"),
        ("convolution CONV_2D", "channel / of_a_group * sizes.filter_depth", "channel / of_a_group * 0",
         _LAYER, layers.conv, "int16"),
        ("convolution CONV_2D", "x += sizes.dilation_width, weights", "++x, weights", _LAYER, layers.conv, "int16x32"),
        ("convolution CONV_2D", "x < 0 || x >= sizes.input_width", "x < 0 || x >= sizes.input_width - 1",
         _LAYER, layers.conv, "int8"),
        ("convolution FULLY_CONNECTED", "sizes.lowest, sizes.highest", "sizes.lowest + 1, sizes.highest",
         _LAYER, layers.dense, "int8"),
        ("convolution FULLY_CONNECTED", "filter_depth;\n          Bias sum = bias == nullptr ? 0 : bias[channel]",
         "filter_depth;\n          Bias sum = bias == nullptr ? 0 : bias[0]", _LAYER, layers.dense, "int16"),
        ("depthwise_convolution DEPTHWISE_CONV_2D", "channel / sizes.filter_depth;",
         "channel / sizes.filter_depth / 2;",
         _LAYER, layers.depthwise, "int4"),
        ("depthwise_convolution DEPTHWISE_CONV_2D", "(row[at * sizes.input_depth] - sizes.input_zero_point)",
         "row[at * sizes.input_depth]", _LAYER, layers.depthwise, "int8"),
        *(
            ("depthwise_convolution DEPTHWISE_CONV_2D", "at += sizes.dilation_width, filter", "++at, filter",
             _LAYER, layers.depthwise, kind)
            for kind in ("int8", "int4", "int16")
        ),
        ("transpose_convolution TRANSPOSE_CONV", "above >= 0 && above % sizes.stride_height == 0", "above >= 0",
         _PICTURE, layers.transpose_conv, "int8"),
        ("transpose_convolution TRANSPOSE_CONV", "(sizes, -1, filter", "(sizes, 1, filter",
         _PICTURE, layers.transpose_conv, "int8"),
        ("transpose_convolution TRANSPOSE_CONV", "x + sizes.left - j", "x - j", _PICTURE, layers.transpose_conv,
         "int16"),
    ]),
    *of("copy.cpp", [
        ("copy TRANSPOSE", "source += copy.from[dimension]", "source += dimension == 0 ? 0 : copy.from[dimension]",
         _MOVED, [moves.transpose]),
        ("copy BROADCAST_TO", "copy_each<1>(count", "copy_each<1>(count - 1", _MOVED, [moves.broadcast_to]),
        ("copy STRIDED_SLICE", "copy_each<1>(count", "copy_each<1>(count - 1", _MOVED, [moves.strided_slice]),
        ("copy UNPACK", "copy_each<1>(count", "copy_each<1>(count - 1", _MOVED, [moves.unpack]),
        ("copy REVERSE_V2", "copy_each<4>", "copy_each<2>", _MOVED, [moves.reverse]),
        ("copy SPLIT", "static_cast<uint32_t>(copy.bytes)", "static_cast<uint32_t>(copy.bytes - 1)", _MOVED,
         [moves.split]),
        ("copy SPLIT_V", "copy_each<2>(count", "copy_each<2>(count - 1", _MOVED, [moves.split_v]),
        ("fill PAD", "memset(to, value,", "memset(to, value + 1,", _SPREAD, [moves.pad]),
        ("fill PADV2", "memcpy(target, &value, static_cast<uint32_t>(size))", "memcpy(target, &value, 1)",
         _SPREAD, [moves.pad]),
        ("pick GATHER", "indices[i] < 0 ? 0", "indices[i] < 2 ? 0",
         spread.test_gathered_are_the_entries_that_constant_or_computed_indices_name, False),
        ("pick GATHER", ": extent - 1", ": extent - 2", spread.test_an_index_beyond_the_input_gives_the_nearest_entry),
        ("pick GATHER", "source += extent * bytes", "source += bytes",
         spread.test_gathered_are_the_entries_that_constant_or_computed_indices_name, True),
        ("resize_nearest RESIZE_NEAREST_NEIGHBOR", "rows[y] * row_bytes", "rows[y] / 2 * row_bytes",
         _SPREAD, [moves.resize_nearest]),
        ("resize_nearest RESIZE_NEAREST_NEIGHBOR", "columns[x] * sizes.bytes", "columns[0] * sizes.bytes",
         _SPREAD, [moves.resize_nearest]),
    ]),
    *of("dot.h", [
        ("dot32 dot FULLY_CONNECTED", "values[3] * weights[3]", "values[2] * weights[3]", _LAYER, layers.dense, "int8"),
        ("dot32 dot FULLY_CONNECTED", "count > 0; --count) sum += static_cast<uint32_t>",
         "count > 1; --count) sum += static_cast<uint32_t>", _LAYER, layers.dense, "int16x32"),
        ("dot64 dot FULLY_CONNECTED", "values += 256,", "values += 255,", _LAYER, layers.dense, "int16"),
        ("dot64 dot", "sum + dot32(values, weights, count)", "sum - dot32(values, weights, count)", _LSTM, "int16"),
        ("dot", "wrapping_add(dot32(values, weights, count), bias)",
         "wrapping_add(dot32(values, weights, count), bias / 2)",
         _SVDF, "int8"),
        ("wrapping_add", "static_cast<uint64_t>(a) + static_cast", "static_cast<uint64_t>(a) - static_cast",
         _LAYER, layers.dense, "int16"),
    ]),
    *of("fixed_point.h", [
        ("clamp", "value > highest ? highest", "value > highest ? highest - 1", _EQUAL, ("ADD",), "int8"),
        ("clamp", "value < lowest ? lowest", "value < lowest ? lowest + 1", _EQUAL, ("SUB",), "int16"),
        ("wrapping_add", "static_cast<uint32_t>(a) + static_cast", "static_cast<uint32_t>(a) - static_cast",
         quantize.test_real_numbers_to_integers, "int8"),
        ("shift_left", "static_cast<uint32_t>(value) << shift", "static_cast<uint32_t>(value) << (shift / 2)",
         quantize.test_integers_to_another_scale, [("int8", "int32")]),
        ("shift_left", "static_cast<uint32_t>(value) << shift", "static_cast<uint32_t>(value) << (shift & 15)",
         softmax.test_every_difference),
        ("saturating_rounding_doubling_high_mul", "return INT32_MAX;", "return INT32_MIN;", _INTEGERS, "doubling"),
        ("saturating_rounding_doubling_high_mul", "static_cast<int64_t>(a) * b + (1 << 30)",
         "static_cast<int64_t>(a) * b",
         softmax.test_equals_tflm, "int8", "int16"),
        ("rounding_high_mul", "a) * b + (static_cast<int64_t>(1) << 31)", "a) * b",
         binary.test_the_last_bits_of_inputs_that_cancel, "SUB"),
        ("rounding_high_mul", "(static_cast<int64_t>(1) << 31)) >> 32", "(static_cast<int64_t>(1) << 30)) >> 32",
         _INTEGERS, "high"),
        ("rounding_divide_by_pot", "> threshold", ">= threshold", _EQUAL, ("MUL",), "int16"),
        ("rounding_divide_by_pot", "(mask >> 1) + (value < 0 ? 1 : 0)", "(mask >> 1)", _INTEGERS, "rounding"),
        ("divide_by_pot", " + (value >> 31)", "", _INTEGERS, "small"),
        ("divide_by_pot", "((1 << exponent) >> 1)", "((1 << exponent) >> 2)", _EQUAL, ("ADD",), "int8"),
        ("multiply_by_quantized_multiplier", "((product + (1 << 30)) >> 31)", "(product >> 31)", _INTEGERS,
         "multiplied"),
        ("multiply_by_quantized_multiplier", "shift > 0 ? 0 : -shift", "shift >= -1 ? 0 : -shift",
         _INTEGERS, "multiplied"),
        ("multiply_by_quantized_multiplier", "(multiplier + (1 << 15)) >> 16 :", "multiplier >> 16 :",
         _LAYER, layers.conv, "int16"),
        ("multiply_by_quantized_multiplier", "(static_cast<int64_t>(1) << (right - 1))", "0", _INTEGERS, "wide"),
    ]),
    *of("l2_norm.cpp", [
        ("l2_norm L2_NORMALIZATION", "i < 5; ++i", "i < 4; ++i", l2_norm.test_every_length),
        ("l2_norm L2_NORMALIZATION", "value = input[i] - zero_point;", "value = input[i] + zero_point;",
         l2_norm.test_equals_tflm),
        ("l2_norm L2_NORMALIZATION", "value /= 4", "value /= 2", l2_norm.test_equals_tflm),
    ]),
    *of("lstm.cpp", [
        ("lstm UNIDIRECTIONAL_SEQUENCE_LSTM", "sigmoid16(sums[1])", "sigmoid16(sums[3])", _LSTM, "int8"),
        ("lstm UNIDIRECTIONAL_SEQUENCE_LSTM", "lstm.cell_clip > 0", "lstm.cell_clip > 32767", _LSTM, "int16"),
        ("lstm UNIDIRECTIONAL_SEQUENCE_LSTM", "lstm.time_major ? time * lstm.batches + batch : batch", "batch", _LSTM,
         "int8"),
        ("lstm UNIDIRECTIONAL_SEQUENCE_LSTM", "1 << (lstm.tanh_shift - 1)", "0", _LSTM, "int16"),
    ]),
    *of("matrix.cpp", [
        ("batch_matmul BATCH_MATMUL", "(*b - sizes.right_zero_point)", "(*b + sizes.right_zero_point)",
         _PICTURE, rows.matmul, "int8"),
        ("batch_matmul BATCH_MATMUL", "z * sizes.left_batch[2]", "z * 0", _PICTURE, rows.matmul, "int16"),
    ]),
    *of("pool.cpp", [
        ("average_pool AVERAGE_POOL_2D", "sum > 0 ? sum + count / 2 : sum - count / 2", "sum + count / 2",
         _PICTURE, _AVERAGE, "int8"),
        ("average_pool AVERAGE_POOL_2D", "value;\n    ++count;", "value;\n    count = count < 9 ? count + 1 : 9;",
         _PICTURE, _AVERAGE, "int16"),
        ("max_pool MAX_POOL_2D", "value > highest ? value", "value > highest + 1 ? value", _PICTURE, _MAX, "int8"),
        ("max_pool MAX_POOL_2D", "x * pool.stride_width - pool.left", "x * pool.stride_width", _PICTURE, _MAX, "int16"),
        ("max_pool MAX_POOL_2D", "(found.result(), pool.lowest,", "(found.result(), -32768,", _PICTURE, _MAX, "int16"),
    ]),
    *of("quantize.h", [
        ("round_to_int QUANTIZE", "rest >= 0.5f", "rest > 0.5f", quantize.test_real_numbers_to_integers, "int8"),
        ("round_to_int QUANTIZE", "return INT32_MIN;", "return INT32_MAX;", quantize.test_real_numbers_to_integers,
         "int16"),
        ("quantize QUANTIZE", "input[i] / scale", "input[i] * (1.0f / scale)",
         quantize.test_real_numbers_to_integers, "int16"),
        ("quantize QUANTIZE", "(input[i] / scale), zero_point)", "(input[i] / scale), zero_point / 2)",
         quantize.test_real_numbers_to_integers, "int8"),
        ("dequantize DEQUANTIZE", "scale * static_cast<float>(input[i] - zero_point)",
         "1.0000001f * scale * static_cast<float>(input[i] - zero_point)", quantize.test_integers_to_real_numbers,
         "int16"),
        ("dequantize DEQUANTIZE", "(input[i] - zero_point)", "(input[i] + zero_point)",
         quantize.test_integers_to_real_numbers, "uint8"),
        ("requantize QUANTIZE", "wrapping_add(input[i], offset)", "wrapping_add(input[i], -offset)",
         quantize.test_integers_to_another_scale, [("uint8", "int8")]),
        ("requantize QUANTIZE", "zero_point), lowest, highest));\n  }\n}\n\n}",
         "zero_point), lowest, highest - 1));\n  }\n}\n\n}",
         quantize.test_integers_to_another_scale, [("int32", "int8")]),
        ("requantize RELU", "multiplier, shift);", "multiplier, shift - 1);", unary.test_every_byte, ("RELU",)),
    ]),
    *of("reduce.h", [
        ("reduce SUM", "element += shape.reduced_steps[2]", "++element", reduce.test_equals_tflm, "SUM", "int8"),
        ("reduce MEAN", "j * shape.kept_steps[1]", "j * 0", reduce.test_equals_tflm, "MEAN", "int16"),
        ("sum SUM", "wrapping_add(total, value)", "wrapping_add(total, value / 2)", reduce.test_equals_tflm, "SUM",
         "int16"),
        ("sum MEAN", "shift), zero_point)", "shift), zero_point / 2)", reduce.test_equals_tflm, "MEAN", "int8"),
        ("reduce_max REDUCE_MAX", "value > best ? value", "value > best + 1 ? value", reduce.test_equals_tflm,
         "REDUCE_MAX", "int8"),
        ("reduce_max REDUCE_MAX", "value > best ? value", "value >= 0 ? value", reduce.test_equals_tflm, "REDUCE_MAX",
         "int8"),
        ("reduce_min REDUCE_MIN", "value < best ? value", "value < best - 1 ? value", reduce.test_equals_tflm,
         "REDUCE_MIN", "int8"),
        ("reduce_min REDUCE_MIN", "value < best ? value", "value <= 0 ? value", reduce.test_equals_tflm, "REDUCE_MIN",
         "int8"),
        ("arg_extreme ARG_MAX", "> input[place * inner]", ">= input[place * inner]", reduce.test_places, "ARG_MAX"),
        ("arg_extreme ARG_MIN", "> input[place * inner]", ">= input[place * inner]", reduce.test_places, "ARG_MIN"),
        ("arg_extreme ARG_MAX", "k = 1; k < count", "k = 2; k < count", reduce.test_places, "ARG_MAX"),
        ("arg_extreme ARG_MIN", "k = 1; k < count", "k = 1; k < count - 1", reduce.test_places, "ARG_MIN"),
    ]),
    *of("resize.cpp", [
        ("resize_bilinear RESIZE_BILINEAR", "sum > 0 ? sum + (1 << 19) : sum - (1 << 19)", "sum + (1 << 19)",
         _PICTURE, rows.resize_bilinear, "int8"),
        ("resize_bilinear RESIZE_BILINEAR", "upper[second + channel] * right", "upper[first + channel] * right",
         _PICTURE, rows.resize_bilinear, "int8"),
    ]),
    *of("sigmoid16.h", [
        ("sigmoid16 LOGISTIC", "(1 << 25) - value + (1 << 9) - 1", "(1 << 25) - value + (1 << 9)",
         unary.test_scales_close_to_a_power_of_two, "LOGISTIC"),
        ("sigmoid16 LOGISTIC", "0x7FFFu << 10", "0x7FFEu << 10", unary.test_every_value_of_int16, ("LOGISTIC",)),
        ("tanh16 TANH", "(1 << 23) + (1 << 7) - 1", "(1 << 23) + (1 << 7)",
         unary.test_scales_close_to_a_power_of_two, "TANH"),
        ("tanh16 TANH", "0xFFFF << 8", "0xFFFE << 8", unary.test_every_value_of_int16, ("TANH",)),
    ]),
    *of("sigmoid16.cpp", [("sigmoid16", "43304, 43912", "43304, 43913",
         unary.test_scales_close_to_a_power_of_two, "LOGISTIC")]),
    *of("softmax.cpp", [
        ("softmax SOFTMAX", "exp_of_eighth = 1895147668", "exp_of_eighth = 1895147600", softmax.test_every_difference),
        ("softmax SOFTMAX", "i < 7; ++i", "i < 6; ++i", softmax.test_every_difference),
        ("softmax SOFTMAX", "i < 3; ++i", "i < 1; ++i", softmax.test_equals_tflm, "int8", "int16"),
        ("softmax SOFTMAX", "&& exponent <= 31", "&& exponent < 99",
         softmax.test_a_long_row_of_equal_values_is_all_nothing),
        ("softmax SOFTMAX", "difference >= scaling.lowest_difference && exponent", "difference >= -999 && exponent",
         softmax.test_equals_tflm, "int8", "int8"),
        ("softmax SOFTMAX", "(value & 127) + 64", "(value & 127)", softmax.test_every_difference_of_int16),
        ("softmax SOFTMAX", " + (1 << 13)) >> 14", ") >> 14", softmax.test_equals_tflm, "int16", "int16"),
        ("log_softmax LOG_SOFTMAX", "scaled - log, 22) + 127", "scaled - log, 22) + 126", softmax.test_logarithms),
        ("log_softmax LOG_SOFTMAX", "multiply(multiply(q, square), 117049297)", "0",
         softmax.test_every_difference_of_logarithms),
        ("log_softmax LOG_SOFTMAX", "first < second ? first : second", "first > second ? first : second",
         softmax.test_logarithms),
    ]),
    *of("squash16.h", [
        ("at_scale_of_table LOGISTIC", " + ((1 << right) >> 1)", "", unary.test_every_value_of_int16, ("LOGISTIC",)),
        ("at_scale_of_table TANH", "(1 << right) >> 1)) >> right", "(1 << right) >> 1)) / (1 << right)",
         unary.test_every_value_of_int16, ("TANH",)),
        ("logistic LOGISTIC", "sigmoid16(at_scale_of_table(input[i]", "sigmoid16(at_scale_of_table(input[i] / 2 * 2",
         unary.test_every_value_of_int16, ("LOGISTIC",)),
        ("logistic LOGISTIC", "= sigmoid16(", "= tanh16(", unary.test_scales_close_to_a_power_of_two, "LOGISTIC"),
        ("tanh TANH", "tanh16(at_scale_of_table(input[i]", "tanh16(at_scale_of_table(input[i] / 2 * 2",
         unary.test_every_value_of_int16, ("TANH",)),
        ("tanh TANH", "= tanh16(", "= sigmoid16(", unary.test_scales_close_to_a_power_of_two, "TANH"),
    ]),
    *of("svdf.cpp", [
        ("svdf SVDF", "static_cast<T>(svdf.state_zero_point + clamp(feature, least, -1 - least))",
         "static_cast<T>(clamp(svdf.state_zero_point + feature, least, -1 - least))", _SVDF, "int8"),
        ("svdf SVDF", "svdf.filters * svdf.memory - 1)", "svdf.filters * svdf.memory / 2)", _SVDF, "int16"),
        ("svdf SVDF", "state[i] * weights[i]", "state[0] * weights[i]", _SVDF, "int16"),
    ]),
    *of("unary.h", [
        ("look_up LOGISTIC", "table[input[i] + 128]", "table[(input[i] + 129) & 255]", unary.test_every_byte,
         ("LOGISTIC",)),
        ("look_up ELU", "table[input[i] + 128]", "table[input[i] < 127 ? input[i] + 128 : 0]", unary.test_every_byte,
         ("ELU",)),
        *(
            (f"look_up {name}", "table[input[i] + 128]", "table[input[i] > -128 ? input[i] + 127 : 0]",
             floats.test_every_byte, (name,))
            for name in ("CEIL", "COS", "EXP", "FLOOR", "LOG", "NEG", "ROUND", "SIN", "SQRT", "SQUARE")
        ),
        ("clamp_all RELU6", "clamp(input[i], lowest, highest)", "clamp(input[i], lowest, highest - 1)",
         unary.test_every_byte, ("RELU6",)),
        ("clamp_all RELU6", "clamp(input[i], lowest, highest)", "clamp(input[i], lowest + 1, highest)",
         unary.test_every_value_of_int16, ("RELU6",)),
        ("leaky_relu LEAKY_RELU", " * relu.alpha_sign", "", unary.test_every_byte, ("LEAKY_RELU",)),
        ("leaky_relu LEAKY_RELU", "scaled + relu.zero_point, relu.lowest", "scaled + relu.zero_point, relu.lowest + 1",
         unary.test_every_byte, ("LEAKY_RELU",)),
        ("absolute ABS", "value < 0 ? -value : value", "value", unary.test_every_byte, ("ABS",)),
        ("absolute ABS", "clamp(scaled + zero_point, lowest, highest)",
         "clamp(scaled + zero_point, lowest, highest - 1)",
         unary.test_every_value_of_int16, ("ABS",)),
    ]),
]  # fmt: skip
"""Of firmware/lib/kernels."""
