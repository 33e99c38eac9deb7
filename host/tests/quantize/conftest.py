"""Two small networks, quantized in every way by the real stage: the children run once for all tests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinyhil.artifacts.types import FloatModel, QuantizedModel
from tinyhil.config.recipe import Quantize, Scheme
from tinyhil.progress import Silent
from tinyhil.quantize import quantize_each

OUTLIER = 50.0
ALL: tuple[Scheme, ...] = ("float32", "int8", "int8-per-channel", "int16x8", "dynamic")

# Made in a child, so that TensorFlow is not in the process of the tests.
MAKE = """
import sys
import keras
import numpy as np
from keras import layers
keras.utils.set_random_seed(3)
images = keras.Sequential([
    keras.Input((8, 8, 1)), layers.Conv2D(4, 3, activation="relu"), layers.Dropout(0.2), layers.Flatten(),
    layers.Dense(10, use_bias=False),
])
number = keras.Sequential([keras.Input((1,)), layers.Dense(8, activation="relu"), layers.Dense(1)])
code = keras.Sequential([keras.Input((1,)), layers.Lambda(lambda x: x * 2)])
for name, model in (("images", images), ("number", number), ("code", code)):
    model.save(f"{sys.argv[1]}/{name}.keras")
test_x = np.load(f"{sys.argv[1]}/images.npz")["test_x"]
convolution = keras.Model(images.inputs, images.layers[0].output)
np.savez(
    f"{sys.argv[1]}/layers.npz",
    convolution=convolution.predict(test_x, verbose=0),
    output=images.predict(test_x, verbose=0),
)
"""


@pytest.fixture(scope="session")
def keras_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with images.keras (a classifier of 8x8), number.keras, and code.keras, which brings code along.

    In images.npz training inputs lie in 0..1; one validation and one test input is 50, which calibration must not see.
    """
    folder = tmp_path_factory.mktemp("keras")
    generator = np.random.default_rng(5)
    sets: dict[str, Any] = {}
    for name, samples in (("train", 40), ("validation", 8), ("test", 30)):
        x = generator.random((samples, 8, 8, 1), np.float32)
        if name != "train":
            x[0, 0, 0, 0] = OUTLIER
        sets |= {f"{name}_x": x, f"{name}_y": generator.integers(0, 10, samples).astype(np.int32)}
    sets["train_x"][0, 0, :2, 0] = 0.0, 1.0
    np.savez(folder / "images.npz", allow_pickle=False, **sets)
    subprocess.run([sys.executable, "-c", MAKE, str(folder)], check=True, capture_output=True)
    return folder


@pytest.fixture(scope="session")
def images(keras_files: Path) -> FloatModel:
    """A classifier; its Dense layer has 1,440 weights, enough for the scheme ``dynamic`` to quantize them."""
    return FloatModel("images", keras_files / "images.keras", keras_files / "images.npz", "images", {})


@pytest.fixture(scope="session")
def number(keras_files: Path) -> FloatModel:
    """A regression with one number in and one out; the data lies in 0..6."""
    generator = np.random.default_rng(6)
    sets: dict[str, Any] = {}
    for name, samples in (("train", 50), ("validation", 10), ("test", 20)):
        x = generator.uniform(0, 6, (samples, 1)).astype(np.float32)
        sets |= {f"{name}_x": x, f"{name}_y": np.sin(x)}
    np.savez(keras_files / "number.npz", allow_pickle=False, **sets)
    return FloatModel("number", keras_files / "number.keras", keras_files / "number.npz", "number", {})


@pytest.fixture(scope="session")
def quantized(images: FloatModel, tmp_path_factory: pytest.TempPathFactory) -> dict[Scheme, QuantizedModel]:
    """The classifier by each scheme."""
    return _quantized(images, tmp_path_factory.mktemp("images"), ALL)


@pytest.fixture(scope="session")
def quantized_number(number: FloatModel, tmp_path_factory: pytest.TempPathFactory) -> dict[Scheme, QuantizedModel]:
    """The regression by some schemes."""
    return _quantized(number, tmp_path_factory.mktemp("number"), ("float32", "int8", "int16x8", "dynamic"))


def _quantized(model: FloatModel, folder: Path, schemes: tuple[Scheme, ...]) -> dict[Scheme, QuantizedModel]:
    wanted = [(Quantize(scheme=scheme), folder / scheme) for scheme in schemes]
    made = quantize_each(model, wanted, Silent())
    assert not any(found for _, found in made)
    again = quantize_each(model, wanted, Silent())
    assert all(found for _, found in again)
    return {scheme: result for scheme, (result, _) in zip(schemes, again, strict=True)}
