"""The stage for a model that was cut out of another one (``tinyhil.tflite.cut``): its file, and what is expected of it.

Its vectors are the whole model's own, as they stand in the link's bytes, and the reference is asked anew: with the
prefix itself, so that both sides compute the same file.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from tinyhil import tflite
from tinyhil.artifacts import arrays, hashing, store
from tinyhil.artifacts.types import Array, QuantizedModel
from tinyhil.progress import Reporter
from tinyhil.quantize import quantized_folder, stage

STAGE = "prefix"


def prefix_model(
    whole: QuantizedModel, prefix: tflite.Prefix, inputs: tuple[Array, ...], folder: Path, reporter: Reporter
) -> tuple[QuantizedModel, bool]:
    """Makes a prefix of ``whole`` and its expectations an artifact in ``folder``.

    Args:
        inputs: one array per input of the whole model, (vectors, *shape); the prefix is given those that it takes.

    Returns:
        The model, without float outputs, and whether it was found rather than made.

    Raises:
        MissingToolError: tflite-micro is not installed.
        ModelError: the link cannot carry its outputs, or no interpreter takes it.
        StorageError: the folder cannot be written.
    """
    tflite.read(prefix.data, f"{whole.path.name} up to operator {prefix.operator}")
    taken = [np.ascontiguousarray(inputs[position]) for position in prefix.inputs]
    sources = hashing.of_sources([Path(__file__).parent, Path(tflite.__file__).parent])
    inputs_sha256 = hashing.of_bytes(b"".join(part.tobytes() for part in taken))
    key = hashing.of_json({"stage": sources, "model": hashing.of_bytes(prefix.data), "inputs": inputs_sha256})
    manifest = quantized_folder.found(folder, STAGE, key)
    found = manifest is not None
    if manifest is None:
        count = len(inputs[0])
        sent = {
            "exhaustive": False,
            "available": count,
            "drawn": count,
            "saturated": (),
            "codes": (),
            "calibration": (),
        }
        with store.scratch(folder) as new:
            store.write_bytes(new / quantized_folder.MODEL, prefix.data)
            arrays.write_vectors(new / quantized_folder.VECTORS, arrays.StoredVectors(tuple(taken)))
            computed = stage.expectations(new, reporter, sent, float_model=False, inspected=False)
            made = (quantized_folder.MODEL, quantized_folder.VECTORS, quantized_folder.REFERENCE)
            facts = {**sent, **computed, "rewrites": (), "litert": None}
            manifest = store.adopt(folder, new, STAGE, key, made, facts)
    return replace(quantized_folder.read(whole.recipe, whole.scheme, folder, manifest), inspection=None), found
