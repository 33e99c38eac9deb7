"""The recipe ``conv-digits``: handwritten digits, read by convolutions; small enough for the Nano 33 BLE."""

from __future__ import annotations

from typing import Any

from tinyhil import data


def dataset(seed: int) -> data.Dataset:
    """MNIST, or the part of it that there is offline."""
    return data.digits(seed)


def prepare(inputs: data.Array, targets: data.Array) -> data.Pair:
    """Grey values from 0 to 1, (samples, 28, 28, 1)."""
    return data.pixels(inputs, 28, 28, 1), targets


def model() -> Any:
    """Twice convolution and pooling, then dropout and Dense 10 (logits)."""
    import keras

    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Conv2D(8, 3, activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Conv2D(16, 3, activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Dropout(0.25),
            keras.layers.Flatten(),
            keras.layers.Dense(10),
        ]
    )
