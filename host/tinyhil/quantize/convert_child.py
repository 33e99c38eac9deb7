"""The child process that converts.

Keras model to .tflite, test vectors, and the float model's outputs for them. Imports TensorFlow.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tinyhil import tflite, worker
from tinyhil.artifacts import store
from tinyhil.errors import MissingToolError
from tinyhil.progress import Reporter
from tinyhil.quantize import stage, vectors
from tinyhil.quantize.canonical import canonical


def work(request: dict[str, Any], reporter: Reporter) -> dict[str, Any]:
    """Converts as ``request`` says; writes the model and the vectors with the float outputs."""
    try:
        import keras
        import tensorflow as tf
    except ModuleNotFoundError as error:
        raise MissingToolError(
            f"{error.name} is not installed, it is needed to quantize", hint="pip install 'tinyhil[train]'"
        ) from error
    folder = Path(request["folder"])
    model = keras.models.load_model(request["model"], compile=False)
    with np.load(request["dataset"], allow_pickle=False) as dataset:
        train_x, test_x = dataset["train_x"], dataset["test_x"]
    reporter.progress(1, 4, "loaded")
    content = _convert(
        tf, model, train_x[: request["representative_samples"]], per_channel_dense=request["per_channel_dense"]
    )
    store.write_bytes(folder / stage.MODEL, content)
    reporter.progress(2, 4, f"converted: {len(content)} bytes")
    facts = tflite.read(content, stage.MODEL)
    inputs, exhaustive = vectors.choose(facts.inputs, [test_x])
    real = [spec.dequantize(part).astype(np.float32) for spec, part in zip(facts.inputs, inputs, strict=True)]
    # Vectors carry the model's batch of one; Keras gets them as one batch.
    outputs = model.predict(real[0].reshape(-1, *train_x.shape[1:]), verbose=0)
    shaped = np.asarray(outputs, np.float64).reshape(-1, *facts.outputs[0].shape)
    with store.storage(folder):
        np.savez(folder / stage.VECTORS, input_0=inputs[0], float_0=shaped)
    reporter.progress(3, 4, f"{len(inputs[0])} vectors")
    return {"exhaustive": exhaustive}


def _convert(tf: Any, model: Any, samples: Any, *, per_channel_dense: bool) -> bytes:
    """Full int8 with a fixed batch of one, so that no shape arithmetic is left in the graph."""
    signature = [tf.TensorSpec([1, *samples.shape[1:]], tf.float32)]

    def representative() -> Iterator[list[Any]]:
        for sample in samples:
            yield [sample[np.newaxis].astype(np.float32)]

    with tempfile.TemporaryDirectory(prefix="tinyhil-") as folder:
        model.export(folder, format="tf_saved_model", input_signature=signature, verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = representative
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = tf.int8
        converter.inference_output_type = tf.int8
        # TensorFlow has no public switch for this yet; per-channel Dense is what engines silently get wrong.
        converter._experimental_disable_per_channel_quantization_for_dense_layers = not per_channel_dense
        return canonical(bytes(converter.convert()))


if __name__ == "__main__":
    worker.serve(work)
