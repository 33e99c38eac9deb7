"""The diagnosis on curves whose nature is known because they were made so."""

from __future__ import annotations

import numpy as np
import pytest

from tinyhil.compare.diagnosis import constant_loss, diagnose

EPOCHS = np.arange(100.0)
FALL = 0.02 + 0.98 * np.exp(-EPOCHS / 8)


def noise(size: float, seed: int = 0) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.random.default_rng(seed).normal(0.0, size, EPOCHS.size)


@pytest.mark.parametrize("size", [0.0, 0.002])
def test_converged(size: float) -> None:
    found = diagnose({"loss": FALL, "val_loss": FALL * 1.1 + noise(size)}, baseline=1.0)
    assert (found.kind, found.epoch) == ("converged", None)
    assert diagnose({"loss": FALL}).kind == "converged"


@pytest.mark.parametrize("began", [20, 50, 80])
@pytest.mark.parametrize("size", [0.0, 0.005])
def test_overfitting_and_when_it_began(began: int, size: float) -> None:
    risen = FALL + 0.01 * np.maximum(EPOCHS - began, 0) + noise(size)
    found = diagnose({"loss": FALL, "val_loss": risen}, baseline=1.0)
    assert found.kind == "overfitting"
    assert found.epoch is not None
    # Before the turn the loss may still fall, so its minimum is where fall and rise balance. Half a window (5) is
    # what smoothing can move it by, and the bottom of the valley has a width.
    truth = int(np.argmin(FALL + 0.01 * np.maximum(EPOCHS - began, 0))) + 2
    assert abs(found.epoch - truth) <= 6
    assert f"about epoch {found.epoch - 1}" in found.reason


def test_a_rise_of_both_is_no_overfitting() -> None:
    both = FALL + 0.001 * np.maximum(EPOCHS - 50, 0)
    assert diagnose({"loss": both, "val_loss": both}, baseline=1.0).kind == "converged"


def test_a_gap_alone_is_no_overfitting() -> None:
    assert diagnose({"loss": FALL, "val_loss": FALL + 0.2}, baseline=1.0).kind == "converged"


def test_underfitting() -> None:
    flat = 0.3 + 0.2 * np.exp(-EPOCHS / 8)
    found = diagnose({"loss": flat, "val_loss": flat}, baseline=0.5)
    assert found.kind == "underfitting"
    assert "60% of a constant model's 0.5" in found.reason
    assert diagnose({"loss": flat, "val_loss": flat}, baseline=2.0).kind == "converged"
    assert "of the first epoch's" in diagnose({"loss": flat}).reason


def test_unstable() -> None:
    swinging = FALL + 0.3 * (-1.0) ** EPOCHS + 0.3
    found = diagnose({"loss": FALL, "val_loss": swinging}, baseline=1.0)
    assert found.kind == "unstable"
    assert "varies" in found.reason
    jumping = FALL + np.abs(noise(0.4))
    assert diagnose({"loss": FALL, "val_loss": jumping}).kind == "unstable"


def test_a_training_that_goes_off_is_unstable() -> None:
    assert diagnose({"loss": 1 + EPOCHS}).reason.startswith("the training loss rose from 1 to ")
    assert diagnose({"loss": [1.0, np.nan]}).reason == "the training loss is not finite in epoch 2"
    assert diagnose({"loss": [1.0, 0.1], "val_loss": [np.inf, 1.0]}).kind == "unstable"


@pytest.mark.parametrize("epochs", [1, 2, 3, 4, 5])
def test_few_epochs_are_enough_to_judge(epochs: int) -> None:
    assert diagnose({"loss": FALL[:epochs], "val_loss": FALL[:epochs]}, baseline=100.0).kind == "converged"


def test_nothing_cannot_be_judged() -> None:
    with pytest.raises(ValueError, match="no loss"):
        diagnose({"val_loss": [1.0]})


def test_the_loss_of_a_model_that_ignores_its_inputs() -> None:
    reals = np.array([[1.0], [2.0], [3.0], [6.0]])
    assert constant_loss("mse", reals) == constant_loss("MeanSquaredError", reals) == pytest.approx(3.5)
    assert constant_loss("mean_absolute_error", reals) == pytest.approx(1.5)
    classes = np.array([0, 0, 1, 2])
    entropy = 0.5 * np.log(2) + 0.5 * np.log(4)
    assert constant_loss("sparse_categorical_crossentropy", classes) == pytest.approx(entropy)
    assert constant_loss("CategoricalCrossentropy", np.eye(3)[classes]) == pytest.approx(entropy)
    assert constant_loss("binary_crossentropy", np.array([0, 1, 1, 1])) == pytest.approx(
        -0.25 * np.log(0.25) - 0.75 * np.log(0.75)
    )
    assert constant_loss("huber", reals) is None
    assert constant_loss("mse", []) is None
