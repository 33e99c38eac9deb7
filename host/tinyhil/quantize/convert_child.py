"""The child process that converts: Keras model to .tflite files, test vectors, and the float model's outputs for them.

One child makes all the schemes that are asked for, because TensorFlow takes longer to start than to convert.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinyhil import tflite, worker
from tinyhil.artifacts import arrays, store
from tinyhil.artifacts.temporary import TemporaryFolder
from tinyhil.artifacts.types import Array, Reals
from tinyhil.errors import MissingToolError, ModelError
from tinyhil.progress import Reporter
from tinyhil.quantize import keras_file, quantized_folder, vectors
from tinyhil.quantize.calibration import calibration, codes
from tinyhil.quantize.converter import CALIBRATED, convert, refuse_operators, require_quantized
from tinyhil.quantize.interpreters import LITERT, open_interpreter
from tinyhil.quantize.keras_network import Network
from tinyhil.quantize.runner import run_all

_STEPS = 3
"""Of a scheme's progress."""


@dataclass(frozen=True)
class _Data:
    """What a model is calibrated and tested by: one array per input, (samples, *shape)."""

    train: tuple[Array, ...]
    test: tuple[Array, ...]
    targets: Array


def work(request: dict[str, Any], reporter: Reporter) -> dict[str, Any]:
    """Converts as each of ``request['exports']`` says; returns what is known of each, in the same order."""
    try:
        import tensorflow as tf
    except ModuleNotFoundError as error:
        raise MissingToolError(
            f"{error.name} is not installed, it is needed to quantize", hint="pip install 'tinyhil[train]'"
        ) from error
    dataset, name = Path(request["dataset"]), request["name"]
    data = _Data(
        arrays.read_inputs(dataset, "train"),
        arrays.read_inputs(dataset, "test"),
        arrays.read_set(dataset, "test")[1],
    )
    model = keras_file.load(Path(request["model"]), name)
    keras_file.require_finite(model, name)
    network = Network(model, name, data.train)
    test = network.predict(data.test)
    with TemporaryFolder() as folder:
        network.save(folder)
        feeds = [network.feed(sample) for sample in zip(*data.train, strict=True)]
        floats = convert(str(folder), "float32", feeds, name)
        made = []
        for export in request["exports"]:
            content = floats
            if export["scheme"] != "float32":
                content = convert(str(folder), export["scheme"], feeds[: export["representative_samples"]], name)
            refuse_operators(content, name)
            order = _Order.of(tf, content, network)
            content, rewrites = tflite.rewrite(content, quantized_folder.MODEL)
            tflite.require_sound(content, quantized_folder.MODEL)
            require_quantized(content, export["scheme"], name)
            place = Path(export["folder"])
            store.write_bytes(place / quantized_folder.MODEL, content)
            store.write_bytes(place / quantized_folder.FLOAT, floats)
            reporter.progress(1, _STEPS, f"{export['scheme']}: {len(content)} bytes")
            sent = _vectors(network, order, content, place, data, test)
            reporter.progress(2, _STEPS, f"{export['scheme']}: vectors")
            known = _calibration(export, [data.train[number] for number in order.inputs])
            made.append(
                {**sent, **known, "rewrites": rewrites, "notes": network.notes, **_beside(content, place, reporter)}
            )
            reporter.progress(_STEPS, _STEPS, f"{export['scheme']}: LiteRT")
    return {"made": made}


@dataclass(frozen=True)
class _Order:
    """Which of the Keras model's inputs and outputs each of a .tflite file's is."""

    inputs: list[int]
    outputs: list[int]

    @staticmethod
    def of(tf: Any, content: bytes, network: Network) -> _Order:
        """As the file's signature says; the order of its tensors says nothing."""
        if len(network.keys) == len(network.model.outputs) == 1:
            return _Order([0], [0])
        interpreter = tf.lite.Interpreter(model_content=content)
        runner = interpreter.get_signature_runner()
        sides = []
        for details, named in (
            (interpreter.get_input_details(), runner.get_input_details()),
            (interpreter.get_output_details(), runner.get_output_details()),
        ):
            places = {detail["index"]: place for place, (_, detail) in enumerate(sorted(named.items()))}
            sides.append([places[detail["index"]] for detail in details])
        return _Order(*sides)


def _vectors(
    network: Network, order: _Order, content: bytes, folder: Path, data: _Data, test: Sequence[Reals]
) -> dict[str, Any]:
    """Writes the vectors with the float model's outputs; returns what is known of them (``stage.expectations``)."""
    facts = tflite.read(content, quantized_folder.MODEL)
    samples = [data.test[place] for place in order.inputs]
    inputs, exhaustive = vectors.choose(facts.inputs, samples)
    # Vectors carry the model's batch of one; Keras gets them as one batch, and its inputs in its own order.
    given: list[Array] = [np.zeros(0)] * len(inputs)
    for place, spec, part, sample in zip(order.inputs, facts.inputs, inputs, samples, strict=True):
        given[place] = spec.dequantize(part).astype(np.float32).reshape(-1, *sample.shape[1:])
    floats = network.predict(given)
    count, tested = len(inputs[0]), len(samples[0])
    made = arrays.StoredVectors(
        inputs=inputs,
        samples=tuple(vectors.spread(part) for part in samples),
        floats=tuple(
            floats[place].reshape(-1, *spec.shape) for place, spec in zip(order.outputs, facts.outputs, strict=True)
        ),
        test=tuple(
            test[place].reshape(-1, *spec.shape) for place, spec in zip(order.outputs, facts.outputs, strict=True)
        ),
        data=vectors.like(facts.inputs[0], inputs[0], exhaustive, data.train[order.inputs[0]], tested),
        targets=data.targets if not exhaustive and data.targets.size else None,
    )
    arrays.write_vectors(folder / quantized_folder.VECTORS, made)
    return {
        "exhaustive": exhaustive,
        "available": count,
        "drawn": count if exhaustive else count - tested,
        "saturated": [vectors.saturated(spec, part) for spec, part in zip(facts.inputs, samples, strict=True)],
        "codes": codes(facts.inputs, samples),
    }


def _calibration(export: dict[str, Any], train: Sequence[Array]) -> dict[str, Any]:
    """What the samples are like by which a scheme calibrates each input; nothing where it does not calibrate."""
    if export["scheme"] not in CALIBRATED:
        return {"calibration": ()}
    return {"calibration": [asdict(calibration(part[: export["representative_samples"]])) for part in train]}


def _beside(content: bytes, folder: Path, reporter: Reporter) -> dict[str, Any]:
    """What LiteRT makes of the vectors, to stand beside the reference; nothing where it does not take the model."""
    with contextlib.suppress(ModelError):
        interpreter = open_interpreter(LITERT, content)
        inputs = arrays.read_vectors(folder / quantized_folder.VECTORS).inputs
        outputs = run_all(interpreter, inputs, reporter, "LiteRT")
        arrays.write_tensors(folder / quantized_folder.LITERT_OUTPUTS, "output", outputs)
        return {"litert": interpreter.name}
    return {"litert": None}


if __name__ == "__main__":
    worker.serve(work)
