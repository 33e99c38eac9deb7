"""Data and network of the recipe ``sine``: 1,000 noisy points of the sine over one turn, and 16-16-16-1."""

from __future__ import annotations

from typing import Any

from tinyhil.data.sine import dataset, truth

__all__ = ["dataset", "model", "truth"]


def model() -> Any:
    """Dense 16 relu three times, Dense 1."""
    import keras

    return keras.Sequential(
        [
            keras.Input((1,)),
            keras.layers.Dense(16, activation="relu"),
            keras.layers.Dense(16, activation="relu"),
            keras.layers.Dense(16, activation="relu"),
            keras.layers.Dense(1),
        ]
    )
