"""Random models of one operator that remembers: LSTM and SVDF."""

from __future__ import annotations

import numpy as np
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from ..one_operator import T, constant, model_of
from .layers import weights

_TANH = 4


def lstm_model(
    random: np.random.Generator,
    dtype: str = "int8",
    *,
    batches: int = 1,
    steps: int = 4,
    inputs: int = 5,
    units: int = 6,
    time_major: bool = False,
    cell_power: int = -11,
    clip: float = 0.0,
    gain: float = 1.0,
    activation: int = _TANH,
    more: dict[int, T | None] | None = None,
) -> bytes:
    """An LSTM whose gates are neither always open nor always closed at ``gain`` 1."""
    bias_type = np.int32 if dtype == "int8" else np.int64
    full = 255 if dtype == "int8" else 65535
    source_scale, hidden_scale = float(random.uniform(2, 8)) / full, 2.0 / full
    zero, hidden_zero = (int(random.integers(-128, 128)) for _ in range(2)) if dtype == "int8" else (0, 0)
    tensors: list[T | None] = [None] * 24
    tensors[0] = T(dtype, (steps, batches, inputs) if time_major else (batches, steps, inputs), source_scale, zero)
    for gate in range(4):
        scales = gain * random.uniform(0.005, 0.03, 2)
        tensors[1 + gate] = constant(weights(random, (units, inputs)), float(scales[0]))
        tensors[5 + gate] = constant(weights(random, (units, units)), float(scales[1]))
        reach = int(min(3 / (source_scale * scales[0]), 2**30))
        bias = random.integers(-reach, reach, units).astype(bias_type)
        tensors[12 + gate] = constant(bias, float(source_scale * scales[0]))
    tensors[18] = T(dtype, (batches, units), hidden_scale, hidden_zero, variable=True)
    tensors[19] = T("int16", (batches, units), 2.0**cell_power, variable=True)
    for position, tensor in (more or {}).items():
        tensors[position] = tensor
    assert tensors[0] is not None
    output = T(dtype, (*tensors[0].shape[:2], units), hidden_scale, hidden_zero)
    options = schema.UnidirectionalSequenceLSTMOptionsT(
        fusedActivationFunction=activation, cellClip=clip, timeMajor=time_major
    )
    return model_of("UNIDIRECTIONAL_SEQUENCE_LSTM", tensors, [output], options)


def svdf_model(
    random: np.random.Generator,
    state: str,
    batches: int,
    inputs: int,
    units: int,
    rank: int,
    memory: int,
    gain: float = 1.0,
    activation: int = 0,
    time: str | None = None,
) -> bytes:
    """An SVDF whose state and outputs use their range at ``gain`` 1."""
    time = time or state
    source_scale, feature_scale, time_scale = 0.05, float(random.uniform(0.005, 0.02)), 0.01
    state_scale = np.sqrt(inputs) * source_scale * feature_scale * (40 if state == "int8" else 0.2) / gain
    limits = np.iinfo(time)
    output_scale = (
        np.sqrt(memory * rank) * float(state_scale) * time_scale * 50 * (1 if time == "int8" else 2**14) / gain
    )
    tensors = [
        T("int8", (batches, inputs), source_scale, int(random.integers(-128, 128))),
        constant(weights(random, (units * rank, inputs)), feature_scale),
        constant(
            random.integers(limits.min, limits.max, (units * rank, memory), endpoint=True).astype(time), time_scale
        ),
        constant(random.integers(-2000, 2000, units).astype(np.int32), float(state_scale) * time_scale),
        T(
            state,
            (batches, units * rank * memory),
            float(state_scale),
            int(random.integers(-128, 128)) if state == "int8" else 0,
            variable=True,
        ),
    ]
    output = T("int8", (batches, units), float(output_scale), int(random.integers(-128, 128)))
    options = schema.SVDFOptionsT(rank=rank, fusedActivationFunction=activation)
    return model_of("SVDF", tensors, [output], options, version=3)
