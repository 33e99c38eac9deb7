"""A recipe's training settings: what is compiled, which epoch is kept, and what is refused."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from tinyhil.config.recipe import EarlyStopping, Train
from tinyhil.errors import ConfigError, ToolError
from tinyhil.progress import Silent
from tinyhil.train import fit

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")

_random = np.random.default_rng(0)
X = _random.normal(size=(60, 2)).astype(np.float32)
Y = (X[:, :1] - X[:, 1:]).astype(np.float32)
TRAIN, VALIDATION = (X[:40], Y[:40]), (X[40:], Y[40:])


def settings(**changed: Any) -> Train:
    return Train(**{"seed": 1, "epochs": 30, "batch_size": 8, "optimizer": "sgd", "loss": "mse", **changed})


def model(units: int = 1) -> Any:
    keras.utils.set_random_seed(1)
    return keras.Sequential([keras.Input((2,)), keras.layers.Dense(units)])


def loss_of(made: Any) -> float:
    return float(np.mean((made.predict(VALIDATION[0], verbose=0) - VALIDATION[1]) ** 2))


NOISY = settings(optimizer="adam", learning_rate=1.0)
"""The validation loss goes up and down, and ends elsewhere than at its lowest."""


def test_the_last_epoch_is_what_is_left() -> None:
    made = model()
    trained = fit.fit(made, TRAIN, VALIDATION, NOISY, Silent())
    losses = trained.history["val_loss"]
    assert min(losses) < losses[-1]
    assert (trained.epoch, len(losses), trained.fallback) == (30, 30, "")
    assert loss_of(made) == pytest.approx(losses[-1], rel=1e-3)


def test_the_best_epoch_is_kept() -> None:
    made = model()
    trained = fit.fit(made, TRAIN, VALIDATION, _but(NOISY, keep_best=True), Silent())
    losses = trained.history["val_loss"]
    assert trained.epoch == int(np.argmin(losses)) + 1 < len(losses) == 30
    assert loss_of(made) == pytest.approx(min(losses), rel=1e-3)


@pytest.mark.parametrize("restore", [False, True])
def test_it_stops_early(restore: bool) -> None:
    made = model()
    stop = EarlyStopping(patience=3, restore_best=restore)
    trained = fit.fit(made, TRAIN, VALIDATION, _but(NOISY, epochs=500, early_stopping=stop), Silent())
    losses = trained.history["val_loss"]
    assert len(losses) < 500
    assert int(np.argmin(losses)) + 1 == len(losses) - 3
    assert trained.epoch == len(losses) - (3 if restore else 0)
    assert loss_of(made) == pytest.approx(losses[trained.epoch - 1], rel=1e-3)


def test_progress_ends_with_the_last_epoch() -> None:
    told: list[tuple[int, int, str]] = []

    class Listener(Silent):
        def progress(self, done: int, total: int, note: str = "") -> None:
            told.append((done, total, note))

    trained = fit.fit(model(), TRAIN, VALIDATION, settings(epochs=250), Listener())
    assert [done for done, _, _ in told] == list(range(2, 251, 2))
    assert told[-1] == (250, 250, f"validation loss {trained.history['val_loss'][-1]:.4f}")


def test_settings_reach_keras() -> None:
    made = model(3)
    wanted = settings(optimizer="adam", learning_rate=0.25, loss="SparseCategoricalCrossentropy", from_logits=True)
    fit.compile_as(made, wanted)
    assert float(made.optimizer.learning_rate.numpy()) == 0.25
    assert made.loss.get_config()["from_logits"] is True
    fit.compile_as(made, settings(optimizer="adam"))
    assert float(made.optimizer.learning_rate.numpy()) == pytest.approx(0.001)


@pytest.mark.parametrize("xla_steps", [0, 10_000])
def test_a_training_that_diverges_ends(xla_steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tinyhil.train.loop.XLA_STEPS", xla_steps)
    with pytest.raises(ToolError, match=r"training diverged: the loss is (inf|nan) in epoch \d+") as caught:
        fit.fit(model(), TRAIN, VALIDATION, settings(learning_rate=1e6, epochs=100), Silent())
    assert "learning rate" in caught.value.hint


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"optimizer": "sdg"}, "sdg"),
        ({"loss": "msse"}, "msse"),
        ({"metrics": ("mea",)}, "mea"),
        ({"from_logits": True}, "'mse' takes no logits"),
        ({"loss": "MeanSquaredError", "from_logits": True}, "takes no logits"),
        ({"early_stopping": EarlyStopping(monitor="val_mae")}, "stops by 'val_mae'"),
    ],
)
def test_what_keras_does_not_know(changed: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=f"mine.toml: .*{words}"):
        fit.fit(model(), TRAIN, VALIDATION, settings(**changed), Silent(), "mine.toml")


def _but(old: Train, **changed: Any) -> Train:
    return Train(**{name: changed.get(name, getattr(old, name)) for name in old.__struct_fields__})
