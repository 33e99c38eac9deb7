"""Faults in what the operators tell the kernels, and in the tables of 256 values: see ``mutations``."""

from __future__ import annotations

from . import test_binary as binary
from . import test_convolutions as convolutions
from . import test_copies as copies
from . import test_floats as floats
from . import test_pictures as pictures
from . import test_reduce as reduce
from . import test_spread as spread
from . import test_unary as unary
from .makers import layers, moves, rows
from .mutations import of

_LAYER = convolutions.test_a_layer_gives_what_tflm_gives
_PICTURE = pictures.test_a_picture_comes_out_as_tflm_makes_it
_MOVED = copies.test_what_is_moved_arrives_where_tflm_puts_it
_SPREAD = spread.test_what_is_spread_out_is_what_tflm_gives

OPERATORS = [
    *of("floats.py", [
        (name, "each in operator.path:", "each in operator.path[::2]:", floats.test_every_byte, (name,))
        for name in ("CEIL", "COS", "EXP", "FLOOR", "LOG", "NEG", "ROUND", "SIN", "SQRT", "SQUARE")
    ]),
    *of("operators/binary.py", [
        ("SUB", "sign = -1 if", "sign = 1 if", binary.test_equals_tflm, ("SUB",), "int16"),
        ("MUL", "first.scale * second.scale / output.scale",
         "float(np.float32(first.scale * second.scale / output.scale))",
         binary.test_the_last_bits_of_the_factor_of_a_product),
    ]),
    *of("operators/convolutions.py", [
        ("FULLY_CONNECTED", "bias = _folded(found, found.source.zero_point)", "bias = _folded(found, 0)",
         _LAYER, layers.dense, "int8"),
        ("FULLY_CONNECTED", "[found.source.scale * scale / found.output.scale for",
         "[float(np.float32(found.source.scale * scale)) / found.output.scale for",
         convolutions.test_the_factor_of_a_dense_layer_is_computed_in_double_as_tflm_does),
        ("CONV_2D", "max((count - 1) * stride + reach - size, 0) // 2",
         "(max((count - 1) * stride + reach - size, 0) + 1) // 2",
         _LAYER, layers.conv, "int8"),
    ]),
    *of("operators/copies.py", [
        ("TRANSPOSE", "step in zip(order, steps", "step in zip(sorted(order), steps", _MOVED, [moves.transpose]),
        ("SLICE", "_box(operator, code, name, begin, [1]", "_box(operator, code, name, [0] * len(begin), [1]",
         _MOVED, [moves.slice_]),
        ("SLICE", "Loop(count, stride * step, target)", "Loop(count, 0, target)", _MOVED, [moves.slice_]),
        ("STRIDED_SLICE", "Loop(count, stride * step, target)", "Loop(count, 0, target)", _MOVED,
         [moves.strided_slice]),
        ("SPLIT", "shape[axis] * inner, size * inner), Loop", "size * inner, size * inner), Loop", _MOVED,
         [moves.split]),
        ("SPLIT_V", "shape[axis] * inner, size * inner), Loop", "size * inner, size * inner), Loop", _MOVED,
         [moves.split_v]),
        ("SPLIT_V", "at(source, sum(sizes[:number]) * inner)", "at(source, number * inner)", _MOVED, [moves.split_v]),
        ("UNPACK", "at(source, sum(sizes[:number]) * inner)", "at(source, 0)", _MOVED, [moves.unpack]),
        ("CONCATENATION", "size * inner, shape[axis] * inner)", "size * inner, size * inner)", _MOVED,
         [moves.concatenation]),
        ("CONCATENATION", "at(code.output(), sum(sizes[:number]) * inner)", "at(code.output(), number * inner)",
         _MOVED, [moves.concatenation]),
        ("PACK", "size * inner, shape[axis] * inner)", "size * inner, size * inner)", _MOVED, [moves.pack]),
        ("PACK", "at(code.output(), sum(sizes[:number]) * inner)", "at(code.output(), 0)", _MOVED, [moves.pack]),
        ("SPACE_TO_DEPTH", "(side, inner, inner)", "(side, 0, inner)", _MOVED, [moves.space_to_depth]),
        ("SPACE_TO_DEPTH", "(side, columns * side * inner, side * inner)", "(side, side * inner, side * inner)",
         _MOVED, [moves.space_to_depth]),
        ("DEPTH_TO_SPACE", "(side, inner, inner)", "(side, inner, 0)", _MOVED, [moves.depth_to_space]),
        ("DEPTH_TO_SPACE", "(columns, side * inner, channels)", "(columns, side * inner, 0)", _MOVED,
         [moves.depth_to_space]),
        ("BROADCAST_TO", "0 if size == 1 else step", "0", _MOVED, [moves.broadcast_to]),
        ("REVERSE_V2", "for axis in integers(operator, 1))", "for axis in integers(operator, 1))[:1]", _MOVED,
         [moves.reverse]),
    ]),
    *of("operators/pictures.py", [
        ("RESIZE_BILINEAR", "(1024 * old + new // 2) // new", "1024 * old // new", _PICTURE, rows.resize_bilinear,
         "int8"),
    ]),
    *of("operators/reduce.py", [
        ("MEAN", "32, 31 + shift)", "32, 31 + shift) // 2", reduce.test_equals_tflm, "MEAN", "int16"),
        ("MEAN", "shift - moved)", "shift - moved + 1)", reduce.test_equals_tflm, "MEAN", "int8"),
    ]),
    *of("operators/spread.py", [
        ("PAD", "output.zero_point if name == \"int8\" else 0", "0", _SPREAD, [moves.pad]),
        ("PAD", "    first = sum(count * step for count, step in zip(before, target, strict=True))", "    first = 0",
         _SPREAD, [moves.pad]),
        ("PADV2", ".ljust(4, b\"\\0\"), \"<i4\")[0])", ".ljust(4, b\"\\0\"), \"<i4\")[0]) ^ 1", _SPREAD, [moves.pad]),
        ("MIRROR_PAD", "gap = 1 if option(operator, \"mode\") == 0 else 0", "gap = 0", _SPREAD, [moves.mirror_pad]),
        ("MIRROR_PAD", "sizes[axis] = output.shape[axis]", "sizes[axis] = source.shape[axis]", _SPREAD,
         [moves.mirror_pad]),
        ("GATHER", "number * each)", "0)", spread.test_gathered_are_the_entries_that_constant_or_computed_indices_name,
         False),
        ("RESIZE_NEAREST_NEIGHBOR", "0.5 if centers", "0.25 if centers", _SPREAD, [moves.resize_nearest]),
        ("RESIZE_NEAREST_NEIGHBOR", "np.float32(old - 1) / np.float32(new - 1) if corners",
         "np.float32(old) / np.float32(new) if corners",
         _SPREAD, [moves.resize_nearest]),
        ("SPACE_TO_BATCH_ND", "(row * sides[1] + column)", "(column * sides[0] + row)", _SPREAD,
         [moves.space_to_batch_nd]),
        ("SPACE_TO_BATCH_ND", "side * outer[axis], inner[axis])", "outer[axis], inner[axis])", _SPREAD,
         [moves.space_to_batch_nd]),
        ("BATCH_TO_SPACE_ND", "side * outer[axis], inner[axis])", "outer[axis], inner[axis])", _SPREAD,
         [moves.batch_to_space_nd]),
        ("BATCH_TO_SPACE_ND", "inside[0] * inner[axis]", "0", _SPREAD, [moves.batch_to_space_nd]),
    ]),
    *of("operators/tables.py", [
        ("LOGISTIC", "_divide(real, 31 - 8) - 128", "(real >> 23) - 128", unary.test_every_byte, ("LOGISTIC",)),
        ("LOGISTIC", "else _TOP - share", "else _TOP - share + (1 << 22)", unary.test_every_byte, ("LOGISTIC",)),
        ("TANH", "_divide(real if value >= 0 else -real, 31 - 7)", "(real if value >= 0 else -real) >> 24",
         unary.test_every_byte, ("TANH",)),
        ("TANH", "_exp_of_negative(-abs(value), 5)", "_exp_of_negative(-abs(value), 4)", unary.test_every_byte,
         ("TANH",)),
        ("HARD_SWISH", "abs(product) // (1 << 15) * (1 if product >= 0 else -1)", "product >> 15",
         unary.test_every_byte, ("HARD_SWISH",)),
        ("HARD_SWISH", "_clamp16(relu << 1)", "relu << 1", unary.test_every_byte, ("HARD_SWISH",)),
        ("HARD_SWISH", "fine = scale / 128.0", "fine = float(np.float32(scale) / np.float32(128.1))",
         unary.test_hard_swish_of_factors_between_two_multipliers),
        ("ELU", "single(math.exp(float(real))) - single(1)", "single(math.exp(float(real) / 2)) - single(1)",
         unary.test_every_byte, ("ELU",)),
        ("ELU", "real * inverse", "real / single(output_scale)", unary.test_every_byte, ("ELU",)),
        ("RSQRT", "if value <= 0:\n            table.append(127)", "if value <= 0:\n            table.append(126)",
         unary.test_every_byte, ("RSQRT",)),
        ("RSQRT", "range(5)", "range(3)", unary.test_every_byte, ("RSQRT",)),
    ]),
    *of("operators/unary.py", [
        ("RELU", "max(lowest, result.zero_point)", "lowest", unary.test_every_byte, ("RELU",)),
        ("RELU", "quantize_multiplier(given.scale / result.scale)",
         "quantize_multiplier(float(np.float32(given.scale / result.scale)))", unary.test_every_value_of_int16,
         ("RELU",)),
    ]),
]  # fmt: skip
"""Of host/tinyhil/chain."""
