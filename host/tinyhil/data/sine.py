"""1,000 noisy points of the sine over one turn, as in the lesson."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

POINTS = 1000
NOISE = 0.1
"""Standard deviation of the noise on y."""
SPLIT = {"train": slice(0, 600), "validation": slice(600, 800), "test": slice(800, 1000)}


def dataset(seed: int) -> dict[str, tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]]:
    """Points x in [0, 2 pi) and y = sin x + noise, shuffled and split 600/200/200; each array is (samples, 1)."""
    generator = np.random.default_rng(seed)
    x = generator.uniform(0.0, 2.0 * np.pi, (POINTS, 1))
    y = np.sin(x) + generator.normal(0.0, NOISE, (POINTS, 1))
    return {name: (x[part].astype(np.float32), y[part].astype(np.float32)) for name, part in SPLIT.items()}


def truth(inputs: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The sine, which is what the points were before the noise."""
    return np.sin(inputs)
