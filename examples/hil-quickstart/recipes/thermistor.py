"""Data and network: a 10 kOhm NTC thermistor below a 10 kOhm resistor, from 0 to 60 degrees Celsius."""

from __future__ import annotations

import numpy as np

BETA = 3950.0
KELVIN_AT_25 = 298.15
KELVIN_AT_0 = 273.15


def truth(inputs):
    """Degrees Celsius for shares of the supply voltage across the thermistor (beta equation)."""
    ratio = inputs / (1.0 - inputs)  # of its resistance to that at 25 degrees
    return 1.0 / (1.0 / KELVIN_AT_25 + np.log(ratio) / BETA) - KELVIN_AT_0


def share(degrees):
    """The inverse: the share of the supply voltage across the thermistor."""
    ratio = np.exp(BETA * (1.0 / (degrees + KELVIN_AT_0) - 1.0 / KELVIN_AT_25))
    return ratio / (1.0 + ratio)


def dataset(seed):
    """Training, validation and test set, each (inputs, targets) as float32, the first axis the sample."""
    generator = np.random.default_rng(seed)
    degrees = generator.uniform(0.0, 60.0, (1000, 1))
    x = share(degrees).astype(np.float32)
    y = (degrees + generator.normal(0.0, 0.2, degrees.shape)).astype(np.float32)
    return {"train": (x[:600], y[:600]), "validation": (x[600:800], y[600:800]), "test": (x[800:], y[800:])}


def model():
    """The network, not compiled."""
    import keras

    return keras.Sequential(
        [
            keras.Input((1,)),
            keras.layers.Dense(16, activation="relu"),
            keras.layers.Dense(16, activation="relu"),
            keras.layers.Dense(1),
        ]
    )
