"""Operators that remember: LSTM and SVDF. Their state begins as TFLM's does and lives from one inference to the next.

TFLM fills a variable tensor when its memory is allocated and at ``MicroInterpreter::Reset``, never in between: a tensor
of int8 with its zero point, any other with zeros (``ResetTensorData`` of micro/micro_interpreter_graph.cc).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from tinyhil.chain.emitter import C_TYPES, Emitter
from tinyhil.chain.fixed_point import quantize_multiplier
from tinyhil.chain.graph import Operator, Tensor, Values
from tinyhil.chain.operators.checks import constant
from tinyhil.chain.unsupported import Unsupported

_GATES = ("input", "forget", "cell", "output")
"""In the order of the operator's inputs: weights from 1, recurrent weights from 5, biases from 12."""

_NONLINEAR_SCALE = 2.0**-12
_GATE_SCALE = 2.0**-15
_HIDDEN, _CELL = 18, 19
_TANH = 4


def lstm(operator: Operator, code: Emitter) -> None:
    """UNIDIRECTIONAL_SEQUENCE_LSTM of int8 or int16 activations, int8 weights and an int16 cell state.

    Source: tensorflow/lite/micro/kernels/lstm_eval_common.cc.
    """
    source, output = operator.input(0), operator.outputs[0]
    hidden, cell = _lstm_tensors(operator)
    options = operator.options
    if options is None or options.fusedActivationFunction != _TANH:
        raise Unsupported("has another activation than tanh")
    steps, batches = source.shape[:2] if options.timeMajor else source.shape[1::-1]
    inputs, units = source.shape[2], hidden.shape[1]
    gates = [_gate(operator, code, at, hidden) for at in range(len(_GATES))]
    cell_power = round_log2(cell.scale)
    shift = 15 + cell_power - 3
    clip = float(np.float32(options.cellClip))
    forget = quantize_multiplier(_GATE_SCALE * cell.scale / cell.scale)
    added = quantize_multiplier(_GATE_SCALE * _GATE_SCALE / cell.scale)
    given = quantize_multiplier(_GATE_SCALE * _GATE_SCALE / hidden.scale)
    code.header("lstm.h")
    code.header("sigmoid16.h")
    parameters = code.struct(
        f"kernels::Lstm<{'int32_t' if source.dtype == 'int8' else 'int64_t'}>",
        gates=f"{{{', '.join(gates)}}}",
        batches=batches,
        steps=steps,
        inputs=inputs,
        units=units,
        time_major=int(options.timeMajor),
        forget_multiplier=forget[0],
        forget_shift=forget[1],
        input_multiplier=added[0],
        input_shift=added[1],
        output_multiplier=given[0],
        output_shift=given[1],
        output_zero_point=hidden.zero_point,
        cell_clip=int(min(max(clip / cell.scale, -32768.0), 32767.0)) if clip > 0 else 0,
        tanh_multiplier=3 if shift < 0 else 3 << shift,
        tanh_shift=-min(shift, 0),
    )
    fill = hidden.zero_point if hidden.dtype == "int8" else 0
    hidden_state = code.state(C_TYPES[hidden.dtype], batches * units, fill)
    cell_state = code.state("int16_t", batches * units)
    code.call("lstm", parameters, code.input(0), hidden_state, cell_state, code.output())
    if output.elements != batches * steps * units:
        raise Unsupported("has an output of another size than its steps times its units")


def _lstm_tensors(operator: Operator) -> tuple[Tensor, Tensor]:
    """The hidden and the cell state of an LSTM whose tensors are as the kernel expects them."""
    if len(operator.inputs) != 24:
        raise Unsupported(f"has {len(operator.inputs)} inputs, not 24")
    variants = {
        "peephole connections": range(9, 12),
        "a projection": range(16, 18),
        "layer normalization": range(20, 24),
    }
    for what, positions in variants.items():
        if any(operator.inputs[position] is not None for position in positions):
            raise Unsupported(f"has {what}")
    source, hidden, cell = operator.input(0), operator.input(_HIDDEN), operator.input(_CELL)
    if source.dtype not in ("int8", "int16"):
        raise Unsupported(f"has activations of {source.dtype}, int8 and int16 are computed")
    if not (source.dtype == hidden.dtype == operator.outputs[0].dtype):
        raise Unsupported("has a hidden state or an output of another type than its input")
    if cell.dtype != "int16":
        raise Unsupported(f"has a cell state of {cell.dtype}, int16 is computed")
    if not (hidden.variable and cell.variable):
        raise Unsupported("has a state that is no variable")
    if len(source.shape) != 3 or len(hidden.shape) != 2:
        raise Unsupported("has an input that is not of 3 dimensions, or a state that is not of 2")
    return hidden, cell


def _gate(operator: Operator, code: Emitter, at: int, hidden: Tensor) -> str:
    """The initializer of a ``LstmGate``."""
    source = operator.input(0)
    weights, recurrent, bias = (_constant(operator, first + at) for first in (1, 5, 12))
    if any(each.dtype != "int8" for each in (weights, recurrent)):
        raise Unsupported(f"has weights of the {_GATES[at]} gate that are not int8")
    if any(len(each.scales) != 1 for each in (weights, recurrent)):
        raise Unsupported(f"has weights of the {_GATES[at]} gate with a scale per channel")
    wide = "int32" if source.dtype == "int8" else "int64"
    if bias.dtype != wide:
        raise Unsupported(f"has a bias of {bias.dtype}, {wide} is computed")
    folded = folded_bias(_values(bias), _values(weights), source.zero_point)
    own = folded_bias(np.zeros_like(folded), _values(recurrent), hidden.zero_point)
    fields = (
        code.constant(_values(weights)),
        code.constant(_values(recurrent)),
        code.constant(folded),
        code.constant(own) if own.any() else "nullptr",
        *quantize_multiplier(source.scale * weights.scale / _NONLINEAR_SCALE),
        *quantize_multiplier(hidden.scale * recurrent.scale / _NONLINEAR_SCALE),
    )
    return f"{{{', '.join(str(each) for each in fields)}}}"


def folded_bias(bias: Values, weights: Values, zero_point: int) -> Values:
    """What stands for the bias when the kernel leaves out the input's zero point: ``bias - zero_point * sum(weights)``.

    Args:
        bias: int32 or int64, of shape (rows,).
        weights: of shape (rows, …).

    Returns:
        The sum modulo the size of its type, as the kernel's sums are.
    """
    sums = weights.reshape(weights.shape[0], -1).astype(np.int64).sum(axis=1)
    folded: Values = (bias.astype(np.int64) - zero_point * sums).astype(bias.dtype)
    return folded


def round_log2(value: float) -> int:
    """The power of two next to a scale."""
    return round(math.log2(value))


def svdf(operator: Operator, code: Emitter) -> None:
    """SVDF of int8, with a state of int8 or int16. A fused activation is not computed, as in TFLM.

    Source: tensorflow/lite/micro/kernels/svdf_common.cc.
    """
    source, output = operator.input(0), operator.outputs[0]
    features, time, bias, state = (*(_constant(operator, at) for at in (1, 2, 3)), operator.input(4))
    if source.dtype != "int8" or output.dtype != "int8" or features.dtype != "int8":
        raise Unsupported("has an input, an output or weights that are not int8")
    if time.dtype != state.dtype or state.dtype not in ("int8", "int16"):
        raise Unsupported(f"has a state of {state.dtype} and weights over time of {time.dtype}")
    if not state.variable:
        raise Unsupported("has a state that is no variable")
    if bias.dtype != "int32":
        raise Unsupported(f"has a bias of {bias.dtype}")
    batches, inputs = source.shape
    filters, memory = time.shape
    feature = quantize_multiplier(source.scale * features.scale / state.scale)
    given = quantize_multiplier(state.scale * time.scale / output.scale)
    rank = int(operator.options.rank)
    feature_bias = folded_bias(np.zeros(filters, np.int32), _values(features), source.zero_point)
    whole = folded_bias(_values(bias), _values(time).reshape(filters // rank, -1), state.zero_point)
    code.header("svdf.h")
    parameters = code.struct(
        "kernels::Svdf",
        batches=batches,
        inputs=inputs,
        filters=filters,
        rank=rank,
        memory=memory,
        feature_multiplier=feature[0],
        feature_shift=feature[1],
        state_zero_point=state.zero_point,
        output_multiplier=given[0],
        output_shift=given[1],
        output_zero_point=output.zero_point,
    )
    kept = code.state(C_TYPES[state.dtype], state.elements, state.zero_point if state.dtype == "int8" else 0)
    constants = [code.constant(each) for each in (_values(features), feature_bias, _values(time), whole)]
    code.call("svdf", parameters, code.input(0), *constants, kept, code.output())


def _constant(operator: Operator, position: int) -> Tensor:
    constant(operator, position)
    return operator.input(position)


def _values(tensor: Tensor) -> Values:
    assert tensor.values is not None
    return tensor.values


FUNCTIONS: dict[str, Callable[[Operator, Emitter], None]] = {"SVDF": svdf, "UNIDIRECTIONAL_SEQUENCE_LSTM": lstm}
