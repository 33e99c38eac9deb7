"""The recipe ``linear``: one neuron learns y = 2x - 1 from six points."""

from __future__ import annotations

from typing import Any

from tinyhil.data import line
from tinyhil.data.line import dataset, truth

__all__ = ["dataset", "figures", "model", "truth"]


def model() -> Any:
    """Dense 1."""
    import keras

    return keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])


def figures(model: Any) -> dict[str, float]:
    """What the neuron has learned, and its answer to 10: nearly 19, but not quite."""
    kernel, bias = model.layers[-1].get_weights()
    return {"w": kernel.item(), "b": bias.item(), "predict(10)": line.predict(model, line.FAR)}
