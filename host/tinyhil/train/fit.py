"""A training loop that compiles whole epochs with XLA.

Keras' ``fit`` spends nearly all its time between steps when a step is a few microseconds of work, as here. One
compiled function runs an epoch: the full batches in a loop, then the last partial one. The semantics are those of
``fit``: the samples are shuffled anew for every epoch, the last batch may be smaller, the validation set is judged
after each epoch, and the loss of an epoch is the mean over its samples. With ``keep_best`` the weights of the epoch
with the lowest validation loss are kept, as ``ModelCheckpoint(save_best_only=True)`` does: at a constant learning
rate the last epoch is one draw from a noisy sequence, and how lucky a draw depends on seed and CPU.
"""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tinyhil.config.recipe import Train
from tinyhil.errors import ConfigError, ToolError
from tinyhil.progress import Reporter

Set = tuple[Any, Any]


def fit(model: Any, train: Set, validation: Set, settings: Train, reporter: Reporter) -> dict[str, list[float]]:
    """Trains ``model`` in place.

    Args:
        model: a Keras model, not compiled.
        train: inputs (samples, *shape) and targets (samples, *shape), float32.
        validation: the same, never trained on.

    Returns:
        One value per epoch for ``loss``, ``validation_loss`` and ``validation_<metric>``.

    Raises:
        ConfigError: the recipe names an optimizer, loss or metric that Keras does not know.
        ToolError: the loss became NaN or infinite.
    """
    try:
        optimizer = keras.optimizers.get(settings.optimizer)
        loss = keras.losses.get(settings.loss)
        metrics = {name: keras.metrics.get(name) for name in settings.metrics}
    except ValueError as error:
        raise ConfigError(f"the recipe's training settings: {error}") from error
    model.build((None, *train[0].shape[1:]))
    optimizer.build(model.trainable_variables)
    run_epoch = _compile_epoch(model, optimizer, loss, len(train[0]), settings.batch_size)

    @tf.function(jit_compile=True)  # type: ignore[untyped-decorator]
    def judge(inputs: Any, targets: Any) -> dict[str, Any]:
        outputs = model(inputs, training=False)
        figures = {name: tf.reduce_mean(metric(targets, outputs)) for name, metric in metrics.items()}
        return {"loss": tf.reduce_mean(loss(targets, outputs)), **figures}

    shuffle = np.random.default_rng(settings.seed)
    history: dict[str, list[float]] = {}
    best: tuple[float, list[Any]] = (math.inf, [])
    for number in range(settings.epochs):
        order = shuffle.permutation(len(train[0]))
        figures = {"loss": float(run_epoch(tf.constant(train[0][order]), tf.constant(train[1][order])))}
        figures |= {f"validation_{name}": float(value) for name, value in judge(*validation).items()}
        if not np.isfinite(figures["loss"]):
            raise ToolError(
                f"training diverged: the loss is {figures['loss']} in epoch {number + 1}",
                hint="lower the learning rate, or check the data's scale",
            )
        for name, value in figures.items():
            history.setdefault(name, []).append(value)
        if settings.keep_best and figures["validation_loss"] < best[0]:
            best = (figures["validation_loss"], model.get_weights())
        if (number + 1) % max(1, settings.epochs // 100) == 0 or number + 1 == settings.epochs:
            reporter.progress(number + 1, settings.epochs, f"validation loss {figures['validation_loss']:.4f}")
    if best[1]:
        model.set_weights(best[1])
    return history


def _compile_epoch(model: Any, optimizer: Any, loss: Any, samples: int, batch: int) -> Any:
    """A compiled function (inputs, targets) -> mean loss over the epoch's samples."""
    full, rest = divmod(samples, batch)

    def step(inputs: Any, targets: Any) -> Any:
        with tf.GradientTape() as tape:
            value = tf.reduce_mean(loss(targets, model(inputs, training=True)))
        optimizer.apply(tape.gradient(value, model.trainable_variables), model.trainable_variables)
        return value

    @tf.function(jit_compile=True)  # type: ignore[untyped-decorator]
    def epoch(inputs: Any, targets: Any) -> Any:
        total = tf.constant(0.0)
        if full:
            blocks = [tf.reshape(a[: full * batch], (full, batch, *a.shape[1:])) for a in (inputs, targets)]
            for index in tf.range(full):
                total += step(blocks[0][index], blocks[1][index]) * batch
        if rest:
            total += step(inputs[full * batch :], targets[full * batch :]) * rest
        return total / samples

    return epoch
