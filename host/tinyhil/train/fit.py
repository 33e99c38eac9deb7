"""Trains a Keras model as a recipe says: optimizer, loss and metrics by Keras' names, and what stops or keeps an epoch.

With ``keep_best`` the weights of the epoch with the lowest validation loss are kept, as
``ModelCheckpoint(save_best_only=True)`` does: at a constant learning rate the last epoch is one draw from a noisy
sequence, and how lucky a draw depends on seed and CPU.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from tinyhil import kinds
from tinyhil.config.recipe import Train
from tinyhil.errors import ConfigError, ToolError
from tinyhil.progress import Reporter
from tinyhil.train import loop

Set = tuple[Any, Any]


@dataclass(frozen=True)
class TrainingResult:
    """What a training has left behind, besides the model.

    Attributes:
        history: one value per epoch by Keras' names.
        epoch: whose weights the model has, counted from 1.
        fallback: why Keras' ``fit`` did the work, empty where whole epochs were compiled.
    """

    history: dict[str, list[float]]
    epoch: int
    fallback: str


def fit(
    model: Any, train: Set, validation: Set, settings: Train, reporter: Reporter, where: str = "the recipe"
) -> TrainingResult:
    """Trains ``model`` in place.

    Args:
        model: a Keras model; it is compiled here.
        train: inputs and targets, each (samples, *shape).
        validation: the same, never trained on.
        where: the settings stand, for errors.

    Raises:
        ConfigError: the recipe names an optimizer, loss or metric that Keras does not know, or wants to stop by a
            figure that there is none of.
        ToolError: the loss became NaN or infinite.
    """
    compile_as(model, settings, where)
    keep = _KeepBest() if settings.keep_best else None
    stop = _stopper(settings, where)
    callbacks = [_Watch(settings.epochs, reporter), *(part for part in (keep, stop) if part is not None)]
    outcome = loop.fit(
        model,
        train,
        validation,
        epochs=settings.epochs,
        batch_size=settings.batch_size,
        seed=settings.seed,
        callbacks=callbacks,
    )
    epoch = len(outcome.history["loss"])
    if keep is not None:
        epoch = keep.epoch
    elif stop is not None and settings.early_stopping is not None and settings.early_stopping.restore_best:
        epoch = stop.best_epoch + 1
    return TrainingResult(outcome.history, epoch, outcome.fallback)


def compile_as(model: Any, settings: Train, where: str = "the recipe") -> None:
    """Gives the model its optimizer, loss and metrics.

    Args:
        where: the settings stand.

    Raises:
        ConfigError: Keras does not know one of them.
    """
    try:
        optimizer = keras.optimizers.get(settings.optimizer)
        if settings.learning_rate is not None:
            optimizer = type(optimizer)(learning_rate=settings.learning_rate)
        loss: Any = keras.losses.get(settings.loss)
        if settings.from_logits:
            if not isinstance(loss, keras.losses.Loss) or "from_logits" not in loss.get_config():
                raise ConfigError(
                    f"{where}: the loss {settings.loss!r} takes no logits",
                    hint="name the class, such as SparseCategoricalCrossentropy",
                )
            loss = type(loss)(from_logits=True)
        for name in settings.metrics:
            keras.metrics.get(name)
    except ValueError as error:
        raise ConfigError(
            f"{where}: wrong settings of the training: {error}",
            hint="correct [train] in the recipe: docs/design.md lists its keys",
        ) from error
    model.compile(optimizer=optimizer, loss=loss, metrics=list(settings.metrics))


def _stopper(settings: Train, where: str) -> Any:
    wanted = settings.early_stopping
    if wanted is None:
        return None
    known = ["loss", *settings.metrics]
    if wanted.monitor.removeprefix("val_") not in known:
        raise ConfigError(
            f"{where}: the training stops by {wanted.monitor!r}, which is no figure of the training",
            hint=f"there are {', '.join(f'{name}, val_{name}' for name in known)}",
        )
    return keras.callbacks.EarlyStopping(
        monitor=wanted.monitor,
        patience=wanted.patience,
        min_delta=wanted.min_delta,
        restore_best_weights=wanted.restore_best,
    )


class _KeepBest(keras.callbacks.Callback):  # type: ignore[misc]
    """Remembers the weights of the epoch with the lowest validation loss, and sets them at the end."""

    def __init__(self) -> None:
        super().__init__()
        self.epoch = 0
        self._lowest = math.inf
        self._weights: list[Any] = []

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if logs["val_loss"] < self._lowest:
            self.epoch, self._lowest, self._weights = epoch + 1, logs["val_loss"], self.model.get_weights()

    def on_train_end(self, logs: Any = None) -> None:
        if self._weights:
            self.model.set_weights(self._weights)


class _Watch(keras.callbacks.Callback):  # type: ignore[misc]
    """Reports progress, and ends a training that has diverged."""

    def __init__(self, epochs: int, reporter: Reporter) -> None:
        super().__init__()
        self._epochs, self._reporter = epochs, reporter

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if not np.isfinite(logs["loss"]):
            raise ToolError(
                f"training diverged: the loss is {logs['loss']} in epoch {epoch + 1}",
                hint="lower the learning rate, or check the data's scale",
                kind=kinds.DIVERGED,
            )
        if (epoch + 1) % max(1, self._epochs // 100) == 0 or epoch + 1 == self._epochs:
            self._reporter.progress(epoch + 1, self._epochs, f"validation loss {logs['val_loss']:.4f}")
