"""TensorFlow's converter, from a SavedModel to a .tflite file by a scheme. Imports TensorFlow; for child processes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from tinyhil import tflite
from tinyhil.affine import DType
from tinyhil.artifacts.types import Array
from tinyhil.errors import ModelError

_OPERATOR = re.compile(r"'(tf\.[A-Za-z0-9_]+)' op|^\s*Op(?:s)?: *(.+)$|tf\.([A-Za-z0-9_]+)\(tensor", re.MULTILINE)


CALIBRATED = ("int8", "int8-per-channel", "int16x8")
"""Schemes by which activations are quantized, inputs and outputs too, in ranges that samples set."""
_NOWHERE = {
    "GELU": "give the layer activation='swish' or 'relu', and train it again",
}
"""Operators that the converter writes and that TensorFlow Lite Micro, and so every engine, is without; the way out."""


def refuse_operators(content: bytes, name: str) -> None:
    """Refuses a converted file with an operator that no engine has, by the layer that it comes from.

    Args:
        name: how the model is called in messages.

    Raises:
        ModelError: there is one.
    """
    graph = tflite.parse(content, name).main
    for operator in graph.operators:
        if operator.name in _NOWHERE:
            layer = graph.tensors[operator.outputs[0]].name.partition(";")[0]
            raise ModelError(
                f"{name}: {operator.name} of {layer} is no operator of TensorFlow Lite Micro",
                hint=_NOWHERE[operator.name],
            )


def require_quantized(content: bytes, scheme: str, name: str) -> None:
    """Refuses a converted file whose inputs and outputs are not quantized, where the scheme says that they are.

    Args:
        name: how the model is called in messages.

    Raises:
        ModelError: one is a float, or integers that stand for no reals.
    """
    if scheme not in CALIBRATED:
        return
    facts = tflite.read(content, name)
    for what, specs in (("input", facts.inputs), ("output", facts.outputs)):
        for spec in specs:
            if not spec.quantized and spec.dtype is not DType.INT32:  # an index, or one that a class has
                raise ModelError(
                    f"{name}: by the scheme {scheme} its {what} {spec.name!r} came out as {spec.dtype.name.lower()} "
                    "without a scale: it is not quantized",
                    hint="look at the samples that calibrate it: their values have to differ, and to be finite; or "
                    "give another --scheme",
                )


def convert(saved_model: str, scheme: str, samples: Sequence[dict[str, Array]], name: str) -> bytes:
    """A .tflite file.

    Args:
        saved_model: folder with a fixed batch of one.
        scheme: as in a recipe.
        samples: calibrate; for each the input arrays by their names, with the batch.
        name: how the model is called in messages.

    Raises:
        ModelError: the converter refuses the model.
    """
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_saved_model(saved_model)
    # TensorFlow has no public switch for this yet; per-channel Dense is what engines silently get wrong.
    converter._experimental_disable_per_channel_quantization_for_dense_layers = scheme != "int8-per-channel"
    if scheme != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if scheme in ("int8", "int8-per-channel"):
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
    if scheme == "int16x8":
        ops = tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
        converter.target_spec.supported_ops = [ops]
        converter.inference_input_type = converter.inference_output_type = tf.int16
    if scheme in CALIBRATED:
        converter.representative_dataset = lambda: iter(samples)
    try:
        return bytes(converter.convert())
    except Exception as error:  # what the converter raises is of many classes, none of which it documents
        raise _refused(error, scheme, name) from error


def _refused(error: Exception, scheme: str, name: str) -> ModelError:
    text = str(error)
    found = [next(part for part in groups if part).strip() for groups in _OPERATOR.findall(text)]
    named: Any = ", ".join(dict.fromkeys(found))
    cause = f"TensorFlow Lite has no operator for {named}" if named else (text.strip().splitlines() or ["no reason"])[0]
    return ModelError(
        f"TensorFlow's converter does not take {name} by the scheme {scheme}: {cause}",
        hint="replace the layer that needs it, or give another --scheme"
        if named
        else "convert it yourself, and give the .tflite file",
        detail=text,
    )
