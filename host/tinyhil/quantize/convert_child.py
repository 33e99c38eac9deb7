"""The child process that converts: Keras model to .tflite files, test vectors, and the float model's outputs for them.

One child makes all the schemes that are asked for, because TensorFlow takes longer to start than to convert.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tinyhil import tflite, worker
from tinyhil.artifacts import arrays, store
from tinyhil.artifacts.types import Array, Reals
from tinyhil.errors import MissingToolError, ModelError
from tinyhil.progress import Reporter
from tinyhil.quantize import keras_file, stage, vectors
from tinyhil.quantize.interpreters import LITERT, open_interpreter
from tinyhil.quantize.runner import run_all

_STEPS = 3
"""Of a scheme's progress."""


def work(request: dict[str, Any], reporter: Reporter) -> dict[str, Any]:
    """Converts as each of ``request['exports']`` says; returns what is known of each, in the same order."""
    try:
        import tensorflow as tf
    except ModuleNotFoundError as error:
        raise MissingToolError(
            f"{error.name} is not installed, it is needed to quantize", hint="pip install 'tinyhil[train]'"
        ) from error
    model = keras_file.load(Path(request["model"]))
    dataset = Path(request["dataset"])
    train_x, _ = arrays.read_set(dataset, "train")
    test_x, test_y = arrays.read_set(dataset, "test")
    with tempfile.TemporaryDirectory(prefix="tinyhil-") as folder:
        signature = [tf.TensorSpec([1, *train_x.shape[1:]], tf.float32)]
        model.export(folder, format="tf_saved_model", input_signature=signature, verbose=False)
        floats = _convert(tf, folder, "float32", train_x)
        test = _predict(model, test_x)
        made = []
        for export in request["exports"]:
            content = floats
            if export["scheme"] != "float32":
                content = _convert(tf, folder, export["scheme"], train_x[: export["representative_samples"]])
            content, rewrites = tflite.rewrite(content, stage.MODEL)
            place = Path(export["folder"])
            store.write_bytes(place / stage.MODEL, content)
            store.write_bytes(place / stage.FLOAT, floats)
            reporter.progress(1, _STEPS, f"{export['scheme']}: {len(content)} bytes")
            sent = _vectors(model, content, place, (train_x, test_x, test_y), test)
            reporter.progress(2, _STEPS, f"{export['scheme']}: vectors")
            made.append({**sent, "rewrites": rewrites, **_beside(content, place, reporter)})
            reporter.progress(_STEPS, _STEPS, f"{export['scheme']}: LiteRT")
    return {"made": made}


def _convert(tf: Any, saved_model: str, scheme: str, samples: Array) -> bytes:
    """The scheme by TensorFlow's converter; the batch is fixed to one, so that no shape arithmetic is in the graph."""

    def representative() -> Iterator[list[Any]]:
        for sample in samples:
            yield [sample[np.newaxis].astype(np.float32)]

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
    if scheme not in ("float32", "dynamic"):
        converter.representative_dataset = representative
    return bytes(converter.convert())


def _vectors(model: Any, content: bytes, folder: Path, data: tuple[Array, Array, Array], test: Array) -> dict[str, Any]:
    """Writes the vectors with the float model's outputs; returns what is known of them (``stage.expectations``)."""
    facts = tflite.read(content, stage.MODEL)
    if len(facts.inputs) != 1 or len(facts.outputs) != 1:
        raise ModelError(
            f"the model has {len(facts.inputs)} inputs and {len(facts.outputs)} outputs, one of each is supported here",
            hint="export it yourself, and give the .tflite file",
        )
    train_x, test_x, test_y = data
    inputs, exhaustive = vectors.choose(facts.inputs, [test_x])
    # Vectors carry the model's batch of one; Keras gets them as one batch.
    reals = facts.inputs[0].dequantize(inputs[0]).astype(np.float32).reshape(-1, *test_x.shape[1:])
    shape = facts.outputs[0].shape
    made = arrays.StoredVectors(
        inputs=inputs,
        samples=(vectors.spread(test_x),),
        floats=(_predict(model, reals).reshape(-1, *shape),),
        test=np.asarray(test, np.float64).reshape(-1, *shape),
        data=vectors.like(facts.inputs[0], inputs[0], exhaustive, train_x, len(test_x)),
        targets=test_y if not exhaustive and test_y.size else None,
    )
    arrays.write_vectors(folder / stage.VECTORS, made)
    count = len(inputs[0])
    return {
        "exhaustive": exhaustive,
        "available": count,
        "drawn": count if exhaustive else count - len(test_x),
        "saturated": [vectors.saturated(facts.inputs[0], test_x)],
    }


def _predict(model: Any, inputs: Array) -> Reals:
    return np.asarray(model.predict(inputs, verbose=0), np.float64)


def _beside(content: bytes, folder: Path, reporter: Reporter) -> dict[str, Any]:
    """What LiteRT makes of the vectors, to stand beside the reference; nothing where it does not take the model."""
    with contextlib.suppress(ModelError):
        interpreter = open_interpreter(LITERT, content)
        inputs = arrays.read_vectors(folder / stage.VECTORS).inputs
        outputs = run_all(interpreter, inputs, reporter, "LiteRT")
        arrays.write_tensors(folder / stage.LITERT_OUTPUTS, "output", outputs)
        return {"litert": interpreter.name}
    return {"litert": None}


if __name__ == "__main__":
    worker.serve(work)
