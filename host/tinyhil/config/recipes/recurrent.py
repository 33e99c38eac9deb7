"""The recipe ``recurrent``: the next value of a noisy sine, from the last sixteen."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tinyhil import data

WINDOW = 16
PERIOD = 32
"""Values of the series in one turn of the sine: half a turn is seen."""
NOISE = 0.05
LENGTHS = {"train": 1200, "validation": 300, "test": 300}


def dataset(seed: int) -> dict[str, data.Pair]:
    """Windows (samples, 16, 1) and the value after each (samples, 1), from three series that share no value."""
    generator = np.random.default_rng(seed)
    return {name: _windows(generator, length) for name, length in LENGTHS.items()}


def _windows(generator: np.random.Generator, length: int) -> data.Pair:
    places = generator.uniform(0, PERIOD) + np.arange(length + WINDOW)
    series = np.sin(2 * np.pi * places / PERIOD) + generator.normal(0.0, NOISE, places.size)
    windows: npt.NDArray[np.float64] = np.lib.stride_tricks.sliding_window_view(series[:-1], WINDOW)
    return windows[..., np.newaxis].astype(np.float32), series[WINDOW:, np.newaxis].astype(np.float32)


def model() -> Any:
    """GRU 8, unrolled because a loop does not convert to integers, and Dense 1."""
    import keras

    return keras.Sequential([keras.Input((WINDOW, 1)), keras.layers.GRU(8, unroll=True), keras.layers.Dense(1)])
