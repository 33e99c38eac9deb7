"""What the samples are like that calibrate a model, and what becomes of them at its inputs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tinyhil import kinds
from tinyhil.affine import TensorSpec
from tinyhil.artifacts.types import Array, Calibration
from tinyhil.errors import ConfigError
from tinyhil.quantize.vectors import quantized


def calibration(samples: Array) -> Calibration:
    """What is known of the samples that calibrate one input.

    Args:
        samples: (samples, *shape), real values.

    Raises:
        ConfigError: there are none, or one is not finite.
    """
    rows = np.asarray(samples, np.float64).reshape(len(samples), -1)
    wrong = int(np.count_nonzero(~np.isfinite(rows)))
    if rows.size == 0 or wrong:
        raise ConfigError(
            f"of the {rows.size:,} values of the samples that calibrate the model, {wrong:,} are NaN or infinite",
            hint="take these samples out of the training data; it needs others, at least one",
            kind=kinds.SAMPLES,
        )
    # Two of the same sample are one: both would be taken out together.
    different = np.unique(rows, axis=0)
    lowest, inner_lowest = _outermost(-different.min(axis=1))
    highest, inner_highest = _outermost(different.max(axis=1))
    # 0 less a number, as its negative would be -0 of 0.
    return Calibration(len(rows), len(different), 0 - lowest, highest, 0 - inner_lowest, inner_highest)


def _outermost(ends: npt.NDArray[np.float64]) -> tuple[float, float]:
    """The largest value and the one after it; real 0 always belongs to a range."""
    ordered = np.sort(ends)[::-1]
    return max(float(ordered[0]), 0.0), max(float(ordered[:2][-1]), 0.0)


def codes(specs: Sequence[TensorSpec], samples: Sequence[Array]) -> list[int | None]:
    """How many different integers samples become at each input; None at one that is not quantized.

    Args:
        specs: the inputs.
        samples: (samples, *shape) for each: reals, or quantized already where they are in the input's own type.
    """
    return [
        len(np.unique(quantized(spec, part))) if spec.quantized else None
        for spec, part in zip(specs, samples, strict=True)
    ]
