"""The child process that finds out on which layer TensorFlow's converter crashes: it converts each of them alone.

The layer that was announced last when the process died is the one.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import numpy as np

from tinyhil import worker
from tinyhil.artifacts import arrays
from tinyhil.artifacts.temporary import TemporaryFolder
from tinyhil.progress import Reporter
from tinyhil.quantize import keras_file
from tinyhil.quantize.converter import convert
from tinyhil.quantize.keras_network import Network

MOST = 40
"""Layers that are tried, so that the time is bounded: each takes about a second."""
_SAMPLES = 4


def work(request: dict[str, Any], reporter: Reporter) -> dict[str, Any]:
    """Converts the layers of ``request['model']`` by ``request['scheme']``; each class of layers once."""
    import keras

    name = request["name"]
    samples = arrays.read_inputs(Path(request["dataset"]), "train")
    network = Network(keras_file.load(Path(request["model"]), name), name, samples)
    kinds = {type(layer): layer for layer in reversed(network.model.layers) if _alone(layer)}
    tried = list(kinds.values())[:MOST]
    for number, layer in enumerate(tried, 1):
        reporter.progress(number, len(tried), f"layer {layer.name!r} ({type(layer).__name__})")
        # A layer that cannot be taken alone says nothing; one that crashes does.
        with contextlib.suppress(Exception):
            _try(keras, layer, request["scheme"])
    return {}


def _alone(layer: Any) -> bool:
    """Whether a layer has one input, of a fixed shape."""
    shape = getattr(getattr(layer, "input", None), "shape", None)
    return shape is not None and type(layer).__name__ != "InputLayer" and None not in shape[1:]


def _try(keras: Any, layer: Any, scheme: str) -> None:
    model = keras.Sequential([keras.Input(layer.input.shape[1:], dtype=layer.input.dtype), layer])
    generator = np.random.default_rng(0)
    samples = (generator.random((_SAMPLES, *layer.input.shape[1:]), np.float32),)
    network = Network(model, layer.name, samples)
    with TemporaryFolder() as folder:
        network.save(folder)
        feeds = [network.feed(sample) for sample in zip(*samples, strict=True)]
        convert(str(folder), "float32", feeds, layer.name)
        convert(str(folder), scheme, feeds, layer.name)


if __name__ == "__main__":
    worker.serve(work)
