"""A training loop that compiles whole epochs, for any Keras model.

Keras' ``fit`` goes back to Python after every step. Where a step is a few microseconds of work, as in networks for
microcontrollers, that is where nearly all its time goes. Here one compiled function runs an epoch: the full batches
in a loop of the graph, then the last partial one; a second one judges the validation set in the same way.

XLA makes the steps of small dense networks several times quicker again, but compiles for seconds and is slow at
convolutions. So it is used where there are many steps and no convolution (:func:`uses_xla`): a rule, not a
measurement, so that the same training gives the same numbers on an idle machine and on a busy one.

The semantics are those of ``fit`` because the work is: each step is Keras' own ``train_step`` (``test_step`` for the
validation set), with the model's own optimizer, losses, metrics, training mode and variables that are not trained, and
the callbacks run in Keras' own ``CallbackList``. What is different is the source of the batches: arrays that lie
whole in memory, gathered by a permutation that is drawn anew for every epoch.

What cannot be served so goes to ``fit`` itself, and the outcome says why: a model with a ``train_step`` of its own (it
may do anything), callbacks that want to be called for each batch, eager execution, and what cannot be compiled.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

Set = tuple[Any, Any]
"""Inputs and targets: arrays, or nests of arrays (tuples, dicts), each with the samples on its first axis."""

_REPLACEABLE = (
    "train_step",
    "test_step",
    "fit",
    "make_train_function",
    "make_test_function",
    "reset_metrics",
    "get_metrics_result",
)
"""Methods of a Keras model whose replacement by a subclass means that the model trains in its own way."""
XLA_STEPS = 10_000
"""Training steps from which XLA's compiling pays: on two cores it takes 4 s more and saves about 0.5 ms a step."""
_BATCH_HOOKS = ("on_train_batch_begin", "on_train_batch_end", "on_test_batch_begin", "on_test_batch_end")


@dataclass(frozen=True)
class Outcome:
    """What a training has left behind, besides the model.

    Attributes:
        history: one value per epoch by Keras' names: ``loss``, ``mae``, ``val_loss``, ``val_mae``, ...
        fallback: why Keras' ``fit`` did the work, empty where whole epochs were compiled.
    """

    history: dict[str, list[float]]
    fallback: str = ""


def fit(
    model: Any,
    train: Set,
    validation: Set | None = None,
    *,
    epochs: int,
    batch_size: int = 32,
    shuffle: bool = True,
    seed: int = 0,
    callbacks: Sequence[Any] = (),
    xla: bool | None = None,
) -> Outcome:
    """Trains ``model`` in place, as ``model.fit(..., verbose=0)`` does.

    Args:
        model: a compiled Keras model.
        train: what is trained on.
        validation: judged after each epoch, in batches of the same size.
        shuffle: whether the samples are put into a new order for every epoch.
        seed: of these orders.
        callbacks: Keras callbacks.
        xla: whether XLA compiles; None leaves it to the rule.

    Raises:
        Exception: whatever ``fit`` raises for this model and these arrays.
    """
    train, validation = _float32(train), None if validation is None else _float32(validation)
    steps = -(-_samples(train) // batch_size)
    xla = uses_xla(model, epochs * steps) if xla is None else xla
    epochs_of, reason = _compiled(model, train, validation, batch_size, callbacks, xla=xla)
    if epochs_of is None:
        history = model.fit(
            *train,
            validation_data=validation,
            epochs=epochs,
            batch_size=batch_size,
            shuffle=shuffle,
            callbacks=list(callbacks),
            verbose=0,
        )
        return Outcome(_floats(history.history), reason)
    generator = np.random.default_rng(seed)
    order = np.arange(_samples(train), dtype=np.int32)
    watch = keras.callbacks.CallbackList(
        list(callbacks), add_history=True, epochs=epochs, steps=steps, verbose=0, model=model
    )
    model.stop_training = False
    watch.on_train_begin()
    logs: dict[str, float] = {}
    for epoch in range(epochs):
        watch.on_epoch_begin(epoch)
        logs = epochs_of.train(generator.permutation(order) if shuffle else order)
        if validation is not None:
            watch.on_test_begin()
            judged = epochs_of.judge()
            watch.on_test_end(judged)
            logs |= {f"val_{name}": value for name, value in judged.items()}
        watch.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    watch.on_train_end(logs)
    return Outcome(_floats(model.history.history))


def uses_xla(model: Any, steps: int) -> bool:
    """Whether a training of so many steps is worth XLA's compiling: many steps, and no convolution."""
    return model.jit_compile or (
        steps >= XLA_STEPS and not any("Conv" in type(part).__name__ for part in _layers(model))
    )


def _layers(model: Any) -> list[Any]:
    return list(model._flatten_layers(include_self=False))


def _compiled(
    model: Any, train: Set, validation: Set | None, batch_size: int, callbacks: Sequence[Any], *, xla: bool
) -> tuple[_Epochs | None, str]:
    """The compiled functions, or None and why there are none."""
    reason = _needs_fit(model, callbacks)
    if reason:
        return None, reason
    _build(model, train, batch_size)
    epochs = _Epochs(model, train, validation, batch_size, xla=xla)
    try:
        epochs.compile()
    except Exception as error:  # where the model itself is wrong, fit says so in its own words
        model.jit_compile = False
        return None, f"whole epochs cannot be compiled ({_first_line(error)})"
    return epochs, ""


class _Epochs:
    """The compiled functions for one model and its data."""

    def __init__(self, model: Any, train: Set, validation: Set | None, batch_size: int, *, xla: bool) -> None:
        self._train, self._validation = _constant(train), _constant(validation)
        count = 0 if validation is None else _samples(validation)
        self._straight = tf.range(count)
        self._run = _epoch(model, model.train_step, _samples(train), batch_size, xla=xla)
        self._judge = _epoch(model, model.test_step, count, batch_size, xla=xla)

    def compile(self) -> None:
        """Compiles both functions and trains nothing: the epoch that makes TensorFlow do it is one without batches."""
        self._run(self._train, tf.range(_samples(self._train)), False)
        if self._validation is not None:
            self._judge(self._validation, self._straight, False)

    def train(self, order: Any) -> dict[str, float]:
        """One epoch over the training set in this order; returns its loss and metrics."""
        return _plain(self._run(self._train, tf.constant(order), True))

    def judge(self) -> dict[str, float]:
        """The same figures of the validation set."""
        return _plain(self._judge(self._validation, self._straight, True))


def _epoch(model: Any, step: Callable[[Any], Any], samples: int, batch: int, *, xla: bool) -> Any:
    """A compiled function (data, order, whether to do any work) -> figures by name, over all batches.

    XLA knows every shape beforehand, so the last partial batch is a step of its own; otherwise one step that takes
    batches of any size saves half of the tracing.
    """
    full, rest = divmod(samples, batch)
    looped = full if xla or not rest else full + 1

    def take(data: Any, places: Any) -> Any:
        return keras.tree.map_structure(lambda array: tf.gather(array, places), data)

    @tf.function(jit_compile=xla, autograph=False)  # type: ignore[untyped-decorator]
    def epoch(data: Any, order: Any, work: Any) -> Any:
        model.reset_metrics()

        def body(index: Any) -> tuple[Any]:
            first = index * batch
            if looped == full:
                step(take(data, tf.slice(order, [first], [batch])))
            else:
                step(take(data, order[first : first + batch]))
            return (index + 1,)

        def last() -> Any:
            step(take(data, order[full * batch :]))
            return work

        if looped:
            count = tf.where(work, looped, 0)
            tf.while_loop(lambda index: index < count, body, (tf.constant(0),), parallel_iterations=1)
        if looped * batch < samples:
            tf.cond(work, last, lambda: work)
        return model.get_metrics_result()

    def call(data: Any, order: Any, work: bool) -> Any:
        return epoch(data, order, tf.constant(work))

    return call


def _build(model: Any, train: Set, batch_size: int) -> None:
    """Makes every variable before anything is compiled: weights, metrics, and the optimizer's."""
    few = min(_samples(train), batch_size)
    model.test_step(keras.tree.map_structure(lambda array: tf.constant(array[:few]), train))
    model.optimizer.build(model.trainable_variables)


def _needs_fit(model: Any, callbacks: Sequence[Any]) -> str:
    """Why whole epochs cannot be compiled, as far as it shows from outside; empty if nothing speaks against it."""
    own = [name for name in _REPLACEABLE if getattr(type(model), name) is not getattr(keras.Model, name)]
    if own:
        return f"the model has its own {' and '.join(own)}"
    if model.run_eagerly:
        return "the model is to run eagerly"
    if model.optimizer is None:
        return "the model has no optimizer"
    hooked = [
        type(callback).__name__
        for callback in callbacks
        if any(getattr(type(callback), name) is not getattr(keras.callbacks.Callback, name) for name in _BATCH_HOOKS)
    ]
    return f"{' and '.join(hooked)} must be called for each batch" if hooked else ""


def _plain(figures: Any) -> dict[str, float]:
    return {name: float(value) for name, value in figures.items()}


def _floats(history: Any) -> dict[str, list[float]]:
    return {name: [float(value) for value in values] for name, values in history.items()}


def _samples(data: Set) -> int:
    return len(keras.tree.flatten(data)[0])


def _constant(data: Set | None) -> Any:
    return None if data is None else keras.tree.map_structure(tf.constant, data)


def _float32(data: Set) -> Set:
    """Doubles become singles, as ``fit`` has them."""

    def single(array: Any) -> Any:
        array = np.asarray(array)
        return array.astype(np.float32) if array.dtype == np.float64 else array

    singles: Set = keras.tree.map_structure(single, data)
    return singles


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {next(iter(str(error).strip().splitlines()), '')[:200]}"
