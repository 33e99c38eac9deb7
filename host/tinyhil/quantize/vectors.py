"""Chooses the inputs that are sent to the device.

Where a model has one input of one element of 8 or 16 bits, all its values are sent: equality over them is a proof over
all inputs. Otherwise the test set is sent, together with the ends of the range and the zero point.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinyhil.affine import TensorSpec
from tinyhil.artifacts.types import Array

EXHAUSTIVE_LIMIT = 65_536


def choose(inputs: Sequence[TensorSpec], samples: Sequence[Array]) -> tuple[tuple[Array, ...], bool]:
    """Test vectors for a model.

    Args:
        inputs: the model's input tensors.
        samples: real-valued samples per input tensor, (samples, *shape without the batch).

    Returns:
        One array per input tensor, (vectors, *shape) in its dtype, and whether they are all there are.
    """
    if len(inputs) == 1 and inputs[0].quantized and inputs[0].elements == 1:
        spec = inputs[0]
        lowest, highest = spec.dtype.limits
        if highest - lowest < EXHAUSTIVE_LIMIT:
            values = np.arange(lowest, highest + 1)
            return (values.astype(spec.dtype.numpy).reshape(-1, *spec.shape),), True
    return tuple(_sampled(spec, part) for spec, part in zip(inputs, samples, strict=True)), False


def _sampled(spec: TensorSpec, samples: Array) -> Array:
    quantized = spec.quantize(samples).reshape(-1, *spec.shape)
    if spec.quantized:
        lowest, highest = spec.dtype.limits
        corners = [np.full(spec.shape, value, spec.dtype.numpy) for value in (lowest, spec.zero_point, highest)]
    else:
        corners = [np.zeros(spec.shape, spec.dtype.numpy)]
    return np.concatenate([np.stack(corners), quantized])
