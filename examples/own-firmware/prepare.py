"""The preprocessing of src/main.cpp on the host: what the model was trained on, made of the sensor's raw samples."""

from __future__ import annotations

import numpy as np

STEPS = 1024
"""Of the sensor, for a full turn."""


def prepare(raw: np.ndarray) -> np.ndarray:
    """The mean of each window of readings, (samples, readings) in steps, as an angle in radians, (samples, 1)."""
    return raw.mean(axis=1, keepdims=True) * (2 * np.pi / STEPS)


if __name__ == "__main__":
    sums = np.random.default_rng(1).integers(0, STEPS - 8, (64, 1))
    np.savez("raw.npz", raw=(sums + np.arange(8)).astype(np.int16))
