"""The recipe ``linear-tape``: a model class of one's own, and the training loop written out with a gradient tape.

The lesson gives its learning rate as 0.1 and its result as w = 1.98, b = -0.94. With 0.1, 50 steps from (10, 10) end at
1.99 and -0.97 (the map is linear, so there is nothing random in it); 0.09 gives the lesson's figures. Both are shown.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyhil.data import line
from tinyhil.data.line import dataset, truth
from tinyhil.progress import Reporter

__all__ = ["dataset", "figures", "model", "train", "truth"]

START = 10.0
"""Of both w and b."""
STEPS = 50
RATE = 0.09
NAMED_RATE = 0.1


def model() -> Any:
    """Two variables and the line through them."""
    return _line()


def _line() -> Any:
    import keras

    class Line(keras.Model):  # type: ignore[misc]
        """y = w x + b."""

        def __init__(self) -> None:
            super().__init__()
            self.w = self.add_weight(shape=(), initializer=keras.initializers.Constant(START), name="w")
            self.b = self.add_weight(shape=(), initializer=keras.initializers.Constant(START), name="b")

        def call(self, x: Any) -> Any:
            return self.w * x + self.b

    return Line()


def train(model: Any, data: dict[str, Any], reporter: Reporter) -> tuple[Any, dict[str, list[float]]]:
    """Gradient descent step by step.

    Returns:
        The trained line as Dense 1, which can be stored and quantized without the class; and the trace: loss, w and b
        before the first step and after each, 51 values.
    """
    inputs, targets = data["train"]
    trace = descend(model, inputs, targets, RATE, reporter)
    return line.dense(trace["w"][-1], trace["b"][-1]), trace


def descend(model: Any, inputs: Any, targets: Any, rate: float, reporter: Reporter | None = None) -> Any:
    """The loop of the lesson; returns its trace."""
    import tensorflow as tf

    trace: dict[str, list[float]] = {"loss": [], "w": [], "b": []}
    for step in range(STEPS + 1):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(model(inputs) - targets))
        for name, value in (("loss", loss), ("w", model.w), ("b", model.b)):
            trace[name].append(float(value))
        if step < STEPS:
            gradients = tape.gradient(loss, model.trainable_variables)
            for variable, gradient in zip(model.trainable_variables, gradients, strict=True):
                variable.assign(variable - rate * gradient)
        if reporter is not None:
            reporter.progress(step, STEPS, f"loss {float(loss):.4f}")
    return trace


def figures(model: Any) -> dict[str, float]:
    """What was learned, and what a learning rate of 0.1 would have."""
    kernel, bias = model.layers[-1].get_weights()
    inputs, targets = (np.asarray(part, np.float32).reshape(-1, 1) for part in (line.X, line.Y))
    other = descend(_line(), inputs, targets, NAMED_RATE)
    return {
        "w": kernel.item(),
        "b": bias.item(),
        f"w at learning rate {NAMED_RATE}": other["w"][-1],
        f"b at learning rate {NAMED_RATE}": other["b"][-1],
    }
