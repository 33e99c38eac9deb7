"""The values that pictures are drawn of, bounded in number."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from tinyhil.artifacts.types import Array, Capture, QuantizedModel, Reals
from tinyhil.compare import fidelity
from tinyhil.compare.verdict import MOST_POINTS, Points


def points(model: QuantizedModel, capture: Capture, truth: Reals | None, judged: npt.NDArray[np.bool_]) -> Points:
    """Chooses vectors evenly and takes their first output element.

    Args:
        truth: the truth of the first element, (vectors,), NaN for the vectors that have none; or None.
        judged: (vectors,), those that accuracy looks at.
    """
    count = model.vectors.count
    chosen = np.unique(np.linspace(0, count - 1, min(count, MOST_POINTS)).round().astype(int))
    spec = model.outputs[0]
    single = len(model.inputs) == 1 and model.inputs[0].elements == 1
    floats = model.vectors.float_outputs
    return Points(
        vector=tuple(int(index) for index in chosen),
        x=tuple(model.inputs[0].dequantize(model.vectors.inputs[0][chosen]).ravel().tolist()) if single else None,
        reference=_finite(spec.dequantize(_first(model.vectors.reference[0])[chosen])),
        device=_finite(spec.dequantize(_first(capture.outputs[0])[chosen])),
        float_model=None if floats is None else _finite(_first(floats[0])[chosen]),
        truth=None if truth is None else _finite(truth[chosen]),
        lsb=_worst(capture.outputs, model.vectors.reference, chosen),
        like_data=tuple(bool(each) for each in judged[chosen]),
    )


def _first(part: Array | Reals) -> npt.NDArray[np.float64]:
    return part.reshape(len(part), -1)[:, 0].astype(np.float64)


def _finite(values: Iterable[float]) -> tuple[float | None, ...]:
    """JSON has no NaN and no infinity."""
    return tuple(float(value) if np.isfinite(value) else None for value in values)


def _worst(device: tuple[Array, ...], reference: tuple[Array, ...], chosen: npt.NDArray[np.int_]) -> tuple[int, ...]:
    """The largest difference of each vector, with its sign."""
    parts = [
        fidelity.differences(one[chosen], other[chosen]).reshape(len(chosen), -1)
        for one, other in zip(device, reference, strict=True)
    ]
    every = np.concatenate(parts, axis=1)
    places = np.abs(every).argmax(axis=1)
    return tuple(int(value) for value in every[np.arange(len(every)), places])
