"""A Keras model in the form in which TensorFlow's converter takes it. Imports TensorFlow; for child processes.

The converter, as of TensorFlow 2.21, ends with SIGSEGV on the loop that a recurrent layer makes of its steps. So such a
layer is unrolled: the model is built a second time from its configuration, with ``unroll=True``, a fixed number of
steps, and the same weights, and it is asked whether it computes the same. What is compared with is always the model as
the user saved it.

Keras' LayerNormalization negates the mean, which the converter leaves in float32 between integers. It is written as
(x - mean) * rsqrt(variance + epsilon) * gamma + beta, as in its definition, which is in integers throughout. Its
Embedding counts negative numbers from the end, by comparisons and a choice; they are left out. Its
UpSampling layers repeat by TILE, which TensorFlow Lite Micro has not in int8.

An input that nothing but Embedding layers take has numbers of words, whatever its type: ``keras.Input((n,))`` says
float32, and quantized, such a number would not come back whole. It becomes an input of int32.
"""

from __future__ import annotations

import copy
import functools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinyhil.artifacts.types import Array, Reals
from tinyhil.errors import ModelError
from tinyhil.quantize import keras_config

MAX_STEPS = 128
"""Of all recurrent layers together. A step makes about 20 operators, and 128 convert in about a minute."""
_RECURRENT = ("SimpleRNN", "LSTM", "GRU", "RNN", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D")
_COMPARED = 8
"""Samples for which the rebuilt model is asked whether it computes the same."""
_SAME = 1e-4
"""Of the largest output: the order of sums may differ, nothing else."""


class Network:
    """A model, ready to be converted.

    Args:
        model: the Keras model as it was saved.
        name: how its file is called in messages.
        samples: one array per input, (samples, *shape); sizes that the model leaves open are theirs.

    Attributes:
        notes: what was changed for the converter, in sentences.
        keys: names of the inputs in the SavedModel, in the model's order.

    Raises:
        ModelError: a recurrent layer cannot be unrolled.
    """

    def __init__(self, model: Any, name: str, samples: Sequence[Array]) -> None:
        import keras

        self._keras = keras
        self._given = model
        self._name = name
        self.shapes = [part.shape[1:] for part in samples]
        self.keys = _keys([tensor.name for tensor in model.inputs])
        self.notes: list[str] = []
        self.model = self._prepared([part[:_COMPARED] for part in samples])
        self.dtypes = [np.dtype(keras.backend.standardize_dtype(tensor.dtype)) for tensor in self.model.inputs]

    def predict(self, inputs: Sequence[Array]) -> tuple[Reals, ...]:
        """What the model as it was saved makes of samples, one array per output, (samples, *shape).

        Raises:
            ModelError: it does not take them: a word's number is larger than the vocabulary.
        """
        return self._predict(self._given, inputs)

    def save(self, folder: str | Path) -> None:
        """Writes a SavedModel, with a batch that is fixed to one, so that no shape arithmetic is in the graph."""
        import tensorflow as tf

        keras = self._keras
        archive = keras.export.ExportArchive()
        archive.track(self.model)
        # The names say the order, which converters take from the alphabet.
        outputs = _keys([f"output_{index}" for index in range(len(self.model.outputs))])

        def serve(*tensors: Any) -> dict[str, Any]:
            given = self._packed(self.model, tensors)
            return dict(zip(outputs, keras.tree.flatten(self.model(given, training=False)), strict=True))

        signature = [
            tf.TensorSpec([1, *shape], dtype, name=key)
            for shape, dtype, key in zip(self.shapes, self.dtypes, self.keys, strict=True)
        ]
        archive.add_endpoint(name="serve", fn=serve, input_signature=signature)
        archive.write_out(str(folder), verbose=False)

    def feed(self, samples: Sequence[Array]) -> dict[str, Array]:
        """One sample, one array per input without the batch, as the converter takes it."""
        return {
            key: part[np.newaxis].astype(dtype)
            for key, part, dtype in zip(self.keys, samples, self.dtypes, strict=True)
        }

    def _packed(self, model: Any, inputs: Sequence[Any]) -> Any:
        """Inputs as the model takes them: one alone, a list or a dict."""
        structure = model.inputs[0] if isinstance(model, self._keras.Sequential) else model.input
        return self._keras.tree.pack_sequence_as(structure, list(inputs))

    def _predict(self, model: Any, inputs: Sequence[Array], *, few: bool = False) -> tuple[Reals, ...]:
        """Args: ``few`` samples are computed without a trace of the model, which takes longer than they do."""
        import tensorflow as tf

        given = self._packed(model, inputs)
        try:
            found = model(given, training=False) if few else model.predict(given, verbose=0)
        except tf.errors.InvalidArgumentError as error:
            line = next((line for line in str(error).splitlines() if "indices" in line), str(error).splitlines()[0])
            raise ModelError(
                f"{self._name} does not take its samples: {line.strip()}",
                hint="numbers of words begin at 0, and are less than the first argument of layers.Embedding",
            ) from error
        return tuple(np.asarray(part, np.float64) for part in self._keras.tree.flatten(found))

    def _prepared(self, samples: Sequence[Array]) -> Any:
        config = copy.deepcopy(self._given.get_config())
        recurrent = [part for _, part in keras_config.described(config) if part["class_name"] in _RECURRENT]
        replaced = any(part["class_name"] in _REPLACED for _, part in keras_config.described(config))
        pixels = any(layer["config"].get("dtype") == "uint8" for layer in _all_entries(config))
        if not recurrent and not replaced and not pixels:
            return self._given
        _forget_shapes(config)
        for layer, shape in zip(_entries(config), self.shapes, strict=True):
            own = layer["config"]
            own["batch_shape"] = (None, *shape)
            if str(own["dtype"]).startswith("float") and _takes_words(config, own["name"]):
                self.notes.append(f"input {own['name']!r} takes numbers of words: as int32 in place of {own['dtype']}")
                own["dtype"] = "int32"
            elif own["dtype"] == "uint8":
                self.notes.append(f"input {own['name']!r} takes pixels: as quantized reals in place of uint8")
                own["dtype"] = "float32"
        for part in recurrent:
            if part["config"].get("stateful"):
                raise ModelError(
                    f"{self._name}: layer {part['config']['name']!r} ({part['class_name']}) is stateful, and keeps "
                    "variables from one call to the next, which TensorFlow Lite Micro does not have",
                    hint="build the layer with stateful=False and load the same weights",
                )
        if any(not part["config"].get("unroll") for part in recurrent):
            self._bound(self._built(config))
            for part in recurrent:
                part["config"]["unroll"] = True
        made = self._built(config)
        for layer in _all_layers(made):
            replacement = _REPLACED.get(type(layer).__name__)
            if replacement is not None and getattr(layer, "interpolation", "nearest") == "nearest":
                layer.call = functools.partial(replacement.call, layer)
                self.notes.append(f"layer {layer.name!r} ({type(layer).__name__}): {replacement.note}")
        self._compare(made, samples)
        return made

    def _built(self, config: dict[str, Any]) -> Any:
        made = type(self._given).from_config(copy.deepcopy(config))
        made.set_weights(self._given.get_weights())
        return made

    def _bound(self, model: Any) -> None:
        """Refuses too many steps before they are built, and says which layers are unrolled."""
        found = []
        for layer in _all_layers(model):
            if isinstance(layer, self._keras.layers.RNN):
                steps = layer.get_build_config()["input_shape"][1]
                if steps is None:
                    raise ModelError(
                        f"{self._name}: layer {layer.name!r} ({type(layer).__name__}) takes an open number of steps",
                        hint="give all inputs a fixed shape: keras.Input((steps, features))",
                    )
                found.append((layer, steps))
        total = sum(steps for _, steps in found)
        listed = ", ".join(f"{layer.name!r} ({type(layer).__name__}) {steps}" for layer, steps in found)
        if total > MAX_STEPS:
            raise ModelError(
                f"{self._name}: recurrent layers have {total} steps: {listed}; they are unrolled, because TensorFlow's "
                f"converter crashes on loops, and at most {MAX_STEPS} steps together are, about 20 operators each",
                hint="use fewer steps: a larger hop, or layers.Conv1D with strides before the recurrent layer",
            )
        self.notes.append(f"unrolled, because TensorFlow's converter crashes on loops, steps of layers: {listed}")

    def _compare(self, made: Any, samples: Sequence[Array]) -> None:
        both = [self._predict(model, samples, few=True) for model in (made, self._given)]
        for ours, wanted in zip(*both, strict=True):
            error, most = float(np.abs(ours - wanted).max()), float(np.abs(wanted).max())
            if not error <= _SAME * max(most, 1.0):
                raise ModelError(
                    f"{self._name}, as it was rebuilt for TensorFlow's converter, differs from itself by {error:g}; "
                    f"its largest output is {most:g}",
                    hint="convert it yourself, and give the .tflite file",
                )


def _layer_normalization(layer: Any, inputs: Any) -> Any:
    """What the layer computes, (batch, *shape), without a negated mean."""
    from keras import ops

    if layer.rms_scaling:
        return type(layer).call(layer, inputs)
    mean = ops.mean(inputs, axis=layer.axis, keepdims=True)
    centred = inputs - mean
    variance = ops.mean(ops.square(centred), axis=layer.axis, keepdims=True)
    made = centred * ops.rsqrt(variance + layer.epsilon)
    shape = [1] * len(inputs.shape)
    for axis in [layer.axis] if isinstance(layer.axis, int) else layer.axis:
        shape[axis] = inputs.shape[axis]
    made = made if layer.gamma is None else made * ops.reshape(layer.gamma, shape)
    return made if layer.beta is None else made + ops.reshape(layer.beta, shape)


def _embedding(layer: Any, inputs: Any) -> Any:
    """Rows of the layer's table, (batch, *shape, columns), for numbers from 0 on."""
    import tensorflow as tf

    return tf.gather(tf.convert_to_tensor(layer.embeddings), tf.cast(inputs, tf.int32))


def _upsampling(layer: Any, inputs: Any) -> Any:
    """Pixels or steps repeated, (batch, *shape), by one operator of TensorFlow Lite."""
    import tensorflow as tf

    plane = len(inputs.shape) == 4
    if getattr(layer, "data_format", "") == "channels_first":
        return type(layer).call(layer, inputs)
    factors = layer.size if plane else (layer.size, 1)
    pixels = inputs if plane else tf.expand_dims(inputs, 2)
    size = [extent * factor for extent, factor in zip(pixels.shape[1:3], factors, strict=True)]
    made = tf.image.resize(pixels, size, method="nearest")
    return made if plane else tf.squeeze(made, 2)


@dataclass(frozen=True)
class _Replacement:
    """What a layer is exported as: how it is called, and what is said of it."""

    call: Callable[[Any, Any], Any]
    note: str


_REPLACED = {
    "LayerNormalization": _Replacement(_layer_normalization, "the mean is subtracted, where Keras negates and adds it"),
    "UpSampling1D": _Replacement(_upsampling, "RESIZE_NEAREST_NEIGHBOR, where Keras repeats by TILE"),
    "UpSampling2D": _Replacement(_upsampling, "RESIZE_NEAREST_NEIGHBOR, where Keras repeats by TILE"),
    "Embedding": _Replacement(_embedding, "numbers count from 0 on, where Keras counts negative ones from the end"),
}
"""Layers of which the converter makes operators that engines are without, by their classes."""


def _keys(names: Sequence[str]) -> list[str]:
    """Names of letters, digits and underscores whose order is that of the alphabet."""
    safe = [re.sub(r"\W", "_", name) for name in names]
    return safe if len(safe) == 1 else [f"x{index:02d}_{name}" for index, name in enumerate(safe)]


def _entries(config: dict[str, Any]) -> list[dict[str, Any]]:
    """The descriptions of the input layers, in the order of the model's inputs."""
    listed = keras_config.layers({"config": config})
    if "input_layers" in config:
        by_name = {layer["config"].get("name"): layer for layer in listed}
        return [by_name[name] for name in keras_config.names(config["input_layers"])]
    if not listed or listed[0]["class_name"] != "InputLayer":
        raise ModelError(
            f"the model {config.get('name', '')!r} begins with no input, so it cannot be rebuilt for the converter",
            hint="begin it with keras.Input(shape)",
        )
    return listed[:1]


def _all_entries(config: dict[str, Any]) -> list[dict[str, Any]]:
    """The descriptions of all input layers that a model has of its own."""
    return [layer for layer in keras_config.layers({"config": config}) if layer["class_name"] == "InputLayer"]


def _forget_shapes(part: Any) -> None:
    """Takes away the shapes that layers were built with, some of them open, so that they are found anew."""
    if isinstance(part, dict):
        part.pop("build_config", None)
        part.pop("build_input_shape", None)
    for value in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        _forget_shapes(value)


def _takes_words(config: dict[str, Any], entry: str) -> bool:
    """Whether an input goes into Embedding layers alone."""
    listed = keras_config.layers({"config": config})
    if "input_layers" in config:
        takers = [layer for layer in listed if entry in _sources(layer.get("inbound_nodes"))]
    else:
        takers = listed[1:2]
    return bool(takers) and all(layer["class_name"] == "Embedding" for layer in takers)


def _sources(part: Any) -> Iterator[str]:
    """The layers whose outputs a layer takes."""
    if isinstance(part, dict):
        if "keras_history" in part:
            yield part["keras_history"][0]
        for value in part.values():
            yield from _sources(value)
    elif isinstance(part, list | tuple):
        for value in part:
            yield from _sources(value)


def _all_layers(model: Any) -> Iterator[Any]:
    """The layers of a model, those in models inside of it and in wrappers too."""
    inner = [getattr(model, name, None) for name in ("layer", "forward_layer", "backward_layer")]
    for layer in [*getattr(model, "layers", ()), *(each for each in inner if each is not None)]:
        yield layer
        yield from _all_layers(layer)
