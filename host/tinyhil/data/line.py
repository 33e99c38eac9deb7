"""The straight line y = 2x - 1 and the six points from which it is learned; what its recipes share."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Reals = npt.NDArray[np.float64]

WEIGHT, BIAS = 2.0, -1.0
X: Reals = np.arange(-1.0, 5.0)
Y: Reals = WEIGHT * X + BIAS
BETWEEN = 20
"""Points of the validation and of the test set each, drawn from the same range as the lesson's six."""
FAR = 10.0
"""Where the lesson asks for a prediction."""


def dataset(seed: int) -> dict[str, tuple[npt.NDArray[Any], npt.NDArray[Any]]]:
    """The six points to train on, and points in between to judge by; each array is (samples, 1)."""
    between = np.random.default_rng(seed).uniform(X[0], X[-1], 2 * BETWEEN)
    inputs = {"train": X, "validation": between[:BETWEEN], "test": between[BETWEEN:]}
    return {name: (x.reshape(-1, 1), truth(x).reshape(-1, 1)) for name, x in inputs.items()}


def truth(inputs: Reals) -> Reals:
    """The line."""
    return WEIGHT * inputs + BIAS


def dense(weight: float, bias: float) -> Any:
    """A line as a Keras model: Dense 1."""
    import keras

    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.set_weights([np.array([[weight]]), np.array([bias])])
    return model


def predict(model: Any, x: float) -> float:
    """The model's answer to one number."""
    return float(np.asarray(model(np.array([[x]], np.float32))).item())
