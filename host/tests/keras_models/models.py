"""Keras models as people write them, one of each kind, small: a builder function for each, with seeded samples.

Run as ``python models.py FOLDER [NAME ...]`` it saves them: ``NAME.keras`` and ``NAME.npz``. For child processes,
so that TensorFlow is not in the process of the tests.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers

SAMPLES = 40
AS_HDF5 = ("two_outputs",)
"""Saved as .h5, too."""
Made = tuple[Any, dict[str, Any]]
BUILDERS: dict[str, Callable[[], Made]] = {}


def listed(build: Callable[[], Made]) -> Callable[[], Made]:
    """Puts a builder into the list, by its name."""
    BUILDERS[build.__name__] = build
    return build


def reals(*shape: int) -> Any:
    """Samples between -1 and 1, always the same for a shape."""
    return np.random.default_rng(zlib.crc32(repr(shape).encode())).uniform(-1, 1, (SAMPLES, *shape)).astype(np.float32)


def words(length: int, vocabulary: int) -> Any:
    """Rows of numbers of words."""
    return np.random.default_rng(length).integers(0, vocabulary, (SAMPLES, length)).astype(np.int32)


def classes(count: int) -> Any:
    """Labels."""
    return np.random.default_rng(count).integers(0, count, SAMPLES).astype(np.int32)


def with_weights(model: Any) -> Any:
    """The model as if it had been trained: no bias is zero, and batch normalization has seen data."""
    generator = np.random.default_rng(1)
    for weight in model.weights:
        values = np.asarray(weight)
        if weight.dtype == "float32" and values.ndim == 1:
            change = generator.uniform(-0.2, 0.2, values.shape).astype(np.float32)
            weight.assign(values + (np.abs(change) if "variance" in weight.path else change))
    return model


def classifier(model: Any, x: Any, count: int) -> Made:
    """A model of ``count`` classes, with its samples."""
    return model, {"x": x, "y": classes(count)}


@listed
def dense_sigmoid() -> Made:
    """A yes or no from a row of figures: batch normalization, dropout, a sigmoid at the end."""
    model = keras.Sequential(
        [
            keras.Input((10,)),
            layers.Dense(16, use_bias=False),
            layers.BatchNormalization(),
            layers.Activation("relu"),
            layers.Dropout(0.3),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    x = reals(10)
    y = (x.sum(axis=1, keepdims=True) > 0).astype(np.float32)
    return model, {"x": x, "y": y}


@listed
def conv2d_global_average() -> Made:
    """The usual image classifier."""
    model = keras.Sequential(
        [
            keras.Input((12, 12, 3)),
            layers.Conv2D(8, 3, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.MaxPooling2D(2),
            layers.Conv2D(8, 3, activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dropout(0.2),
            layers.Dense(4, activation="softmax"),
        ]
    )
    return classifier(model, reals(12, 12, 3), 4)


@listed
def residual_add() -> Made:
    """A block of a ResNet, with a stride and a projection."""
    entry = keras.Input((8, 8, 4))
    x = layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False)(entry)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.BatchNormalization()(layers.Conv2D(8, 3, padding="same", use_bias=False)(x))
    x = layers.ReLU()(layers.Add()([x, layers.Conv2D(8, 1, strides=2)(entry)]))
    x = layers.Flatten()(layers.AveragePooling2D(2)(x))
    model = keras.Model(entry, layers.Dense(3, activation="softmax")(x))
    return classifier(model, reals(8, 8, 4), 3)


@listed
def concatenate_branches() -> Made:
    """A block of an Inception: branches beside each other."""
    entry = keras.Input((8, 8, 3))
    wide = layers.Conv2D(4, 3, padding="same", activation="relu")(entry)
    narrow = layers.Conv2D(4, 1, activation="relu")(entry)
    pooled = layers.MaxPooling2D(3, strides=1, padding="same")(entry)
    x = layers.GlobalMaxPooling2D()(layers.Concatenate()([wide, narrow, pooled]))
    return classifier(keras.Model(entry, layers.Dense(3, activation="softmax")(x)), reals(8, 8, 3), 3)


@listed
def conv1d_activity() -> Made:
    """Activities from an accelerometer."""
    model = keras.Sequential(
        [
            keras.Input((32, 3)),
            layers.Conv1D(8, 5, activation="relu"),
            layers.MaxPooling1D(2),
            layers.Conv1D(8, 3, padding="causal", dilation_rate=2, activation="relu"),
            layers.GlobalAveragePooling1D(),
            layers.Dense(4, activation="softmax"),
        ]
    )
    return classifier(model, reals(32, 3), 4)


@listed
def separable_convolution() -> Made:
    """Separable convolutions in two and one dimensions."""
    entry = keras.Input((10, 10, 3))
    x = layers.SeparableConv2D(8, 3, activation="relu")(entry)
    x = layers.Reshape((64, 8))(x)
    x = layers.SeparableConv1D(6, 3, activation="relu")(x)
    x = layers.GlobalAveragePooling1D()(x)
    return classifier(keras.Model(entry, layers.Dense(3, activation="softmax")(x)), reals(10, 10, 3), 3)


@listed
def depthwise_mobile() -> Made:
    """A block of a MobileNet V2."""
    entry = keras.Input((8, 8, 4))
    x = layers.ReLU(6.0)(layers.BatchNormalization()(layers.Conv2D(12, 1, use_bias=False)(entry)))
    x = layers.DepthwiseConv2D(3, padding="same", use_bias=False)(x)
    x = layers.ReLU(6.0)(layers.BatchNormalization()(x))
    x = layers.BatchNormalization()(layers.Conv2D(4, 1, use_bias=False)(x))
    x = layers.GlobalAveragePooling2D(keepdims=True)(layers.Add()([x, entry]))
    x = layers.Flatten()(layers.Conv2D(3, 1)(x))
    return classifier(keras.Model(entry, layers.Softmax()(x)), reals(8, 8, 4), 3)


@listed
def squeeze_excite() -> Made:
    """Channels weighted by a sigmoid, and hard swish: a block of a MobileNet V3."""
    entry = keras.Input((8, 8, 3))
    x = layers.Conv2D(8, 3, padding="same", activation="hard_swish")(entry)
    weights = layers.Dense(4, activation="relu")(layers.GlobalAveragePooling2D()(x))
    weights = layers.Reshape((1, 1, 8))(layers.Dense(8, activation="sigmoid")(weights))
    x = layers.GlobalAveragePooling2D()(layers.Multiply()([x, weights]))
    return classifier(keras.Model(entry, layers.Dense(3, activation="softmax")(x)), reals(8, 8, 3), 3)


@listed
def transposed_autoencoder() -> Made:
    """An autoencoder that widens by transposed convolutions."""
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(6, 3, strides=2, padding="same", activation="relu"),
            layers.Conv2DTranspose(6, 3, strides=2, padding="same", activation="relu"),
            layers.Conv2D(1, 3, padding="same", activation="sigmoid"),
        ]
    )
    x = np.abs(reals(8, 8, 1))
    return model, {"x": x, "y": x}


@listed
def upsampling_nearest() -> Made:
    """An autoencoder that widens by repeating pixels."""
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(6, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.UpSampling2D(),
            layers.Conv2D(1, 3, padding="same"),
        ]
    )
    x = reals(8, 8, 1)
    return model, {"x": x, "y": x}


@listed
def upsampling_bilinear() -> Made:
    """A small U-Net: bilinear widening, and a shortcut that is concatenated."""
    entry = keras.Input((8, 8, 2))
    first = layers.Conv2D(6, 3, padding="same", activation="relu")(entry)
    x = layers.Conv2D(8, 3, padding="same", activation="relu")(layers.MaxPooling2D(2)(first))
    x = layers.Concatenate()([layers.UpSampling2D(interpolation="bilinear")(x), first])
    model = keras.Model(entry, layers.Conv2D(1, 1, activation="sigmoid")(x))
    x = reals(8, 8, 2)
    y = (x[..., :1] > 0).astype(np.float32)
    return model, {"x": x, "y": y}


@listed
def embedding_text() -> Made:
    """Words by their numbers: the usual first text classifier."""
    model = keras.Sequential(
        [
            keras.Input((12,), dtype="int32"),
            layers.Embedding(50, 8),
            layers.GlobalAveragePooling1D(),
            layers.Dense(8, activation="relu"),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    x = words(12, 50)
    y = (x[:, :1] > 25).astype(np.float32)
    return model, {"x": x, "y": y}


@listed
def embedding_lstm() -> Made:
    """Words by numbers that the model takes as floats, as ``Input((n,))`` says, and an LSTM."""
    model = keras.Sequential(
        [keras.Input((6,)), layers.Embedding(30, 6), layers.LSTM(6), layers.Dense(3, activation="softmax")]
    )
    return classifier(model, words(6, 30), 3)


@listed
def lstm_sequence() -> Made:
    """Two LSTM layers, the first of which gives its sequence."""
    model = keras.Sequential(
        [
            keras.Input((8, 3)),
            layers.LSTM(8, return_sequences=True),
            layers.Dropout(0.2),
            layers.LSTM(6),
            layers.Dense(3, activation="softmax"),
        ]
    )
    return classifier(model, reals(8, 3), 3)


@listed
def gru_forecast() -> Made:
    """A forecast by a GRU; the number of steps is open in the model, and the samples have it."""
    model = keras.Sequential([keras.Input((None, 2)), layers.GRU(8), layers.Dense(1)])
    x = reals(10, 2)
    return model, {"x": x, "y": x.mean(axis=(1, 2))[:, np.newaxis]}


@listed
def bidirectional_tagger() -> Made:
    """A label for each step, from both directions."""
    model = keras.Sequential(
        [
            keras.Input((6, 4)),
            layers.Bidirectional(layers.LSTM(5, return_sequences=True)),
            layers.TimeDistributed(layers.Dense(3, activation="softmax")),
        ]
    )
    return model, {"x": reals(6, 4)}


@listed
def simple_rnn() -> Made:
    """A SimpleRNN."""
    model = keras.Sequential([keras.Input((7, 3)), layers.SimpleRNN(8), layers.Dense(2)])
    x = reals(7, 3)
    return model, {"x": x, "y": x[:, 0, :2]}


@listed
def multi_head_attention() -> Made:
    """A block of a transformer: attention and layer normalization."""
    entry = keras.Input((8, 8))
    x = layers.Add()([entry, layers.MultiHeadAttention(2, 4)(entry, entry)])
    x = layers.LayerNormalization()(x)
    x = layers.Add()([x, layers.Dense(8)(layers.Dense(16, activation="relu")(x))])
    x = layers.GlobalAveragePooling1D()(layers.LayerNormalization()(x))
    return classifier(keras.Model(entry, layers.Dense(3, activation="softmax")(x)), reals(8, 8), 3)


@listed
def dot_attention() -> Made:
    """Plain attention by dot products."""
    entry = keras.Input((6, 4))
    query, value = layers.Dense(6)(entry), layers.Dense(6)(entry)
    x = layers.GlobalAveragePooling1D()(layers.Attention()([query, value]))
    return classifier(keras.Model(entry, layers.Dense(3, activation="softmax")(x)), reals(6, 4), 3)


@listed
def two_inputs() -> Made:
    """An image and a row of figures."""
    image, figures = keras.Input((6, 6, 1), name="image"), keras.Input((3,), name="figures")
    x = layers.Flatten()(layers.Conv2D(4, 3, activation="relu")(image))
    x = layers.Concatenate()([layers.Dense(6, activation="relu")(x), layers.Dense(4)(figures)])
    model = keras.Model([image, figures], layers.Dense(3, activation="softmax")(x))
    inputs, y = {"image": reals(6, 6, 1), "figures": 3 * reals(3)}, classes(3)
    return model, {**inputs, "y": y}


@listed
def two_outputs() -> Made:
    """A class and a place."""
    entry = keras.Input((8, 8, 1))
    x = layers.Flatten()(layers.Conv2D(4, 3, strides=2, activation="relu")(entry))
    what = layers.Dense(5, activation="softmax", name="what")(x)
    where = layers.Dense(2, name="where")(x)
    return keras.Model(entry, [what, where]), {"x": reals(8, 8, 1)}


@listed
def leaky_and_prelu() -> Made:
    """Slopes below zero, fixed and learned, and a tanh."""
    model = keras.Sequential(
        [
            keras.Input((8, 8, 2)),
            layers.Conv2D(6, 3),
            layers.LeakyReLU(negative_slope=0.1),
            layers.Conv2D(6, 3),
            layers.PReLU(alpha_initializer="random_uniform", shared_axes=[1, 2]),
            layers.Flatten(),
            layers.Dense(6, activation="tanh"),
            layers.Dense(3, activation="softmax"),
        ]
    )
    return classifier(model, reals(8, 8, 2), 3)


@listed
def swish_convolution() -> Made:
    """Swish, as in an EfficientNet, zero padding and cropping."""
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Rescaling(0.5, offset=0.1),
            layers.ZeroPadding2D(1),
            layers.Conv2D(6, 3, strides=2),
            layers.Activation("swish"),
            layers.Cropping2D(1),
            layers.Flatten(),
            layers.Dense(3, activation="softmax"),
        ]
    )
    return classifier(model, reals(8, 8, 3), 3)


@listed
def elu_and_negative() -> Made:
    """ELU, and a negation: the converter leaves both in float32."""
    entry = keras.Input((8,))
    x = keras.ops.negative(layers.Dense(12, activation="elu")(entry))
    return classifier(keras.Model(entry, layers.Dense(3, activation="softmax")(x)), reals(8), 3)


@listed
def gelu_dense() -> Made:
    """Gelu, for which TensorFlow Lite Micro has no operator."""
    dense = layers.Dense(12, activation="gelu")
    return classifier(keras.Sequential([keras.Input((8,)), dense, layers.Dense(3)]), reals(8), 3)


@listed
def code_in_a_lambda() -> Made:
    """A Lambda layer: code in a file, which is not run."""
    model = keras.Sequential([keras.Input((4,)), layers.Lambda(lambda x: x * 2), layers.Dense(2)])
    return model, {"x": reals(4)}


def save(folder: Path, names: Iterable[str]) -> None:
    """Builds and saves models with their samples."""
    for name in names:
        keras.utils.set_random_seed(1)
        model, samples = BUILDERS[name]()
        with_weights(model).save(folder / f"{name}.keras")
        if name in AS_HDF5:
            model.save(folder / f"{name}.h5")
        np.savez(folder / f"{name}.npz", allow_pickle=False, **samples)


if __name__ == "__main__":
    save(Path(sys.argv[1]), sys.argv[2:] or list(BUILDERS))
