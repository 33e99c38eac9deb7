"""The recipe ``linear-two-layer``: two neurons and one, whose answer is recomputed by hand from their weights."""

from __future__ import annotations

from typing import Any

from tinyhil.data import line
from tinyhil.data.line import dataset, truth

__all__ = ["dataset", "figures", "model", "truth"]


def model() -> Any:
    """Dense 2, Dense 1, both without an activation: together still a straight line."""
    import keras

    return keras.Sequential([keras.Input((1,)), keras.layers.Dense(2), keras.layers.Dense(1)])


def figures(model: Any) -> dict[str, Any]:
    """All weights and biases, the model's answer to 10, and the same computed from them, neuron by neuron."""
    (first, first_bias), (second, second_bias) = (layer.get_weights() for layer in model.layers)
    hidden = [line.FAR * float(first[0, neuron]) + float(first_bias[neuron]) for neuron in range(2)]
    output = sum(value * float(second[neuron, 0]) for neuron, value in enumerate(hidden)) + float(second_bias[0])
    return {
        "w of the first layer": first[0],
        "b of the first layer": first_bias,
        "w of the second layer": second[:, 0],
        "b of the second layer": second_bias[0],
        "predict(10)": line.predict(model, line.FAR),
        "by hand(10)": output,
    }
