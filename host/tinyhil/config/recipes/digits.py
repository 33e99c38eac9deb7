"""The recipe ``digits``: handwritten digits, and the smallest network that reads them."""

from __future__ import annotations

from typing import Any

from tinyhil import data


def dataset(seed: int) -> data.Dataset:
    """MNIST, or the part of it that there is offline."""
    return data.digits(seed)


def prepare(inputs: data.Array, targets: data.Array) -> data.Pair:
    """Grey values from 0 to 1, (samples, 28, 28)."""
    return data.pixels(inputs, 28, 28), targets


def model() -> Any:
    """Flatten, Dense 20 relu, Dense 10: logits, as a softmax would change no answer and some engines have none."""
    import keras

    return keras.Sequential(
        [
            keras.Input((28, 28)),
            keras.layers.Flatten(),
            keras.layers.Dense(20, activation="relu"),
            keras.layers.Dense(10),
        ]
    )
