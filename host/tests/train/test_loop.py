"""The loop of compiled epochs against Keras' own ``fit``: the same weights and order give the same numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from tinyhil.train import loop

# Keras' own call, where it reads a variable.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")

SAMPLES, BATCH, EPOCHS = 50, 16, 3
"""Three full batches and a partial one of 2; the validation set has a full one and one of 4."""
_random = np.random.default_rng(0)
X = _random.normal(size=(70, 5)).astype(np.float32)
Y = X[:, :1] * 2 - X[:, 1:2] + _random.normal(size=(70, 1)).astype(np.float32) * 0.1
CLASSES = _random.integers(0, 3, 70).astype(np.int32)
IMAGES = _random.normal(size=(70, 8, 8, 1)).astype(np.float32)
layers = keras.layers


@dataclass(frozen=True)
class Case:
    layers: Callable[[], list[Any]]
    compile: Callable[[], dict[str, Any]]
    x: Any
    y: Any
    figures: tuple[str, ...] = field(default=("loss",))


def crossentropy() -> Any:
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


QUICK = ("regression",)
CASES = {
    "regression": Case(
        lambda: [keras.Input((5,)), layers.Dense(8, "relu"), layers.Dense(1)],
        lambda: {"optimizer": "rmsprop", "loss": "mse", "metrics": ["mae"]},
        X,
        Y,
        ("loss", "mae"),
    ),
    "not built, regularized": Case(
        lambda: [layers.Dense(8, "relu", kernel_regularizer="l2"), layers.Dense(1)],
        lambda: {"optimizer": keras.optimizers.SGD(0.01, momentum=0.9), "loss": "mae"},
        X,
        Y,
    ),
    "classes": Case(
        lambda: [keras.Input((5,)), layers.Dense(8, "relu"), layers.Dense(3)],
        lambda: {"optimizer": "adam", "loss": crossentropy(), "metrics": ["accuracy"]},
        X,
        CLASSES,
        ("loss", "accuracy"),
    ),
    "one-hot classes, a metric with a memory": Case(
        lambda: [keras.Input((5,)), layers.Dense(3, "softmax")],
        lambda: {"optimizer": "adamw", "loss": "categorical_crossentropy", "metrics": [keras.metrics.AUC(name="auc")]},
        X,
        np.eye(3, dtype=np.float32)[CLASSES],
        ("loss", "auc"),
    ),
    "two classes": Case(
        lambda: [keras.Input((5,)), layers.Dense(1, "sigmoid")],
        lambda: {"optimizer": "nadam", "loss": "binary_crossentropy", "metrics": ["accuracy"]},
        X,
        (CLASSES > 0).astype(np.int32),
        ("loss", "accuracy"),
    ),
    "convolution": Case(
        lambda: [keras.Input((8, 8, 1)), layers.Conv2D(4, 3), layers.Dropout(0.0), layers.Flatten(), layers.Dense(3)],
        lambda: {"optimizer": "adam", "loss": crossentropy()},
        IMAGES,
        CLASSES,
    ),
    # Without a bias: one before the normalization has a gradient of nothing but rounding, which Adam blows up.
    "batch normalization": Case(
        lambda: [keras.Input((5,)), layers.Dense(8, use_bias=False), layers.BatchNormalization(), layers.Dense(1)],
        lambda: {"optimizer": "adam", "loss": "mse"},
        X,
        Y,
    ),
    "recurrent": Case(
        lambda: [keras.Input((5, 1)), layers.GRU(4), layers.Dense(1)],
        lambda: {"optimizer": "adam", "loss": "mse"},
        X[..., np.newaxis],
        Y,
    ),
}


def model(case: Case, **further: Any) -> Any:
    keras.utils.set_random_seed(5)
    made = keras.Sequential(case.layers())
    made.compile(**case.compile(), **further)
    return made


def halves(case: Case) -> tuple[loop.Set, loop.Set]:
    return (case.x[:SAMPLES], case.y[:SAMPLES]), (case.x[SAMPLES:], case.y[SAMPLES:])


def by_fit(made: Any, case: Case, epochs: int = EPOCHS, **further: Any) -> dict[str, list[float]]:
    train, validation = halves(case)
    further = {"validation_data": validation, "shuffle": False, **further}
    history: dict[str, list[float]] = made.fit(*train, epochs=epochs, batch_size=BATCH, verbose=0, **further).history
    return history


def by_us(made: Any, case: Case, epochs: int = EPOCHS, **further: Any) -> loop.Outcome:
    further = {"shuffle": False, **further}
    return loop.fit(made, *halves(case), epochs=epochs, batch_size=BATCH, **further)


def assert_equal(ours: dict[str, list[float]], theirs: dict[str, list[float]], tolerance: float = 2e-6) -> None:
    assert list(ours) == list(theirs)
    for name, values in theirs.items():
        np.testing.assert_allclose(ours[name], values, rtol=tolerance, err_msg=name)


@pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])
@pytest.mark.parametrize(
    "name", [pytest.param(each, marks=() if each in QUICK else pytest.mark.long) for each in CASES]
)
def test_it_computes_what_fit_computes(name: str, xla: bool) -> None:
    case = CASES[name]
    theirs, ours = model(case), model(case)
    expected, outcome = by_fit(theirs, case), by_us(ours, case, xla=xla)
    assert outcome.fallback == ""
    assert set(outcome.history) == {*case.figures, *(f"val_{figure}" for figure in case.figures)}
    assert_equal(outcome.history, expected)
    # Weights, and what is not trained: moving means, the states of random generators.
    for mine, other in zip(ours.variables, theirs.variables, strict=True):
        np.testing.assert_allclose(mine.numpy(), other.numpy(), atol=2e-6, err_msg=mine.path)
    assert int(ours.optimizer.iterations) == int(theirs.optimizer.iterations) == EPOCHS * 4


@pytest.mark.long
def test_dropout_drops_what_it_drops_in_fit() -> None:
    # XLA has a random generator of its own, so both have to use it.
    case = Case(
        lambda: [keras.Input((5,)), layers.Dropout(0.5, seed=3), layers.Dense(1)], CASES["regression"].compile, X, Y
    )
    expected = by_fit(model(case, jit_compile=True), case)
    assert_equal(by_us(model(case, jit_compile=True), case).history, expected)
    plain = by_us(model(Case(lambda: [keras.Input((5,)), layers.Dense(1)], case.compile, X, Y)), case).history
    assert plain["loss"] != expected["loss"]


@pytest.mark.long
@pytest.mark.parametrize("samples", [7, 16, 32])
def test_any_number_of_samples(samples: int) -> None:
    """Fewer than a batch, exactly one, exactly two."""
    case = CASES["classes"]
    few = (case.x[:samples], case.y[:samples])
    theirs = model(case).fit(*few, epochs=2, batch_size=BATCH, shuffle=False, verbose=0).history
    for xla in (False, True):
        assert_equal(loop.fit(model(case), few, epochs=2, batch_size=BATCH, shuffle=False, xla=xla).history, theirs)


@pytest.mark.long
def test_every_epoch_has_an_order_of_its_own() -> None:
    case = CASES["regression"]
    shuffled = by_us(model(case), case, shuffle=True, seed=4)
    generator, made, expected = np.random.default_rng(4), model(case), []
    for _ in range(EPOCHS):
        order = generator.permutation(SAMPLES)
        once = made.fit(case.x[order], case.y[order], epochs=1, batch_size=BATCH, shuffle=False, verbose=0)
        expected += once.history["loss"]
    np.testing.assert_allclose(shuffled.history["loss"], expected, rtol=2e-6)
    assert by_us(model(case), case, shuffle=True, seed=4).history == shuffled.history
    assert by_us(model(case), case, shuffle=True, seed=5).history != shuffled.history


@pytest.mark.long
@pytest.mark.parametrize("restore", [False, True])
def test_early_stopping_stops_where_fit_stops(restore: bool) -> None:
    case = Case(CASES["regression"].layers, lambda: {"optimizer": keras.optimizers.Adam(0.1), "loss": "mse"}, X, Y)

    def stopper() -> Any:
        return keras.callbacks.EarlyStopping(patience=2, restore_best_weights=restore)

    theirs, ours = model(case), model(case)
    stops = (stopper(), stopper())
    expected = by_fit(theirs, case, epochs=60, callbacks=[stops[0]])
    outcome = by_us(ours, case, epochs=60, callbacks=[stops[1]])
    assert 3 < len(expected["loss"]) < 60
    assert stops[0].best_epoch < stops[0].stopped_epoch
    assert (stops[1].best_epoch, stops[1].stopped_epoch) == (stops[0].best_epoch, stops[0].stopped_epoch)
    assert_equal(outcome.history, expected, 1e-5)
    for mine, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-5)


@pytest.mark.long
def test_a_callback_may_change_the_learning_rate() -> None:
    case = CASES["regression"]

    def schedule() -> Any:
        return keras.callbacks.LearningRateScheduler(lambda epoch: 0.01 / (epoch + 1))

    expected = by_fit(model(case), case, callbacks=[schedule()])
    assert "learning_rate" in expected
    assert_equal(by_us(model(case), case, callbacks=[schedule()]).history, expected)
    assert_equal(by_us(model(case), case, callbacks=[schedule()], xla=True).history, expected)


class OwnStep(keras.Sequential):  # type: ignore[misc]
    def train_step(self, data: Any) -> Any:
        super().train_step(data)
        return {"own": tf.constant(7.0)}


def test_a_model_with_a_step_of_its_own_is_trained_by_fit() -> None:
    made = OwnStep(CASES["regression"].layers())
    made.compile("sgd", "mse")
    outcome = by_us(made, CASES["regression"], callbacks=[])
    assert outcome.fallback == "the model has its own train_step"
    assert outcome.history["own"] == [7.0] * EPOCHS


def test_a_callback_for_each_batch_gets_fit() -> None:
    seen: list[int] = []

    class EachBatch(keras.callbacks.Callback):  # type: ignore[misc]
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            seen.append(batch)

    outcome = by_us(model(CASES["regression"]), CASES["regression"], callbacks=[EachBatch()])
    assert outcome.fallback == "EachBatch must be called for each batch"
    assert seen == [0, 1, 2, 3] * EPOCHS


def test_a_model_that_runs_eagerly_gets_fit() -> None:
    made = model(CASES["regression"], run_eagerly=True)
    assert by_us(made, CASES["regression"], epochs=1).fallback == "the model is to run eagerly"


@pytest.mark.long
def test_what_xla_cannot_compile_is_trained_by_fit_from_the_same_weights() -> None:
    class InPython(keras.layers.Layer):  # type: ignore[misc]
        def call(self, x: Any) -> Any:
            return x * tf.ensure_shape(tf.numpy_function(lambda: np.float32(2.0), [], tf.float32), ())

    case = Case(lambda: [keras.Input((5,)), InPython(), layers.Dense(1)], CASES["regression"].compile, X, Y)
    outcome = by_us(model(case), case, xla=True)
    assert "whole epochs cannot be compiled" in outcome.fallback
    assert_equal(outcome.history, by_fit(model(case), case))
    assert by_us(model(case), case).fallback == ""  # a graph can call Python


def test_xla_is_for_many_steps_without_convolutions() -> None:
    dense, convolution = model(CASES["regression"]), model(CASES["convolution"])
    assert not loop.uses_xla(dense, loop.XLA_STEPS - 1)
    assert loop.uses_xla(dense, loop.XLA_STEPS)
    assert not loop.uses_xla(convolution, loop.XLA_STEPS)
    assert loop.uses_xla(model(CASES["regression"], jit_compile=True), 1)
