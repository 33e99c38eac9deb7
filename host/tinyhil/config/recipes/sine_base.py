"""The recipe ``sine-base``: the points of ``sine``, and a network that is too small for them."""

from __future__ import annotations

from typing import Any

from tinyhil.data.sine import dataset, truth

__all__ = ["dataset", "model", "truth"]


def model() -> Any:
    """Dense 16 relu, Dense 1: a line with up to 16 bends, of which training places too few."""
    import keras

    return keras.Sequential([keras.Input((1,)), keras.layers.Dense(16, activation="relu"), keras.layers.Dense(1)])
