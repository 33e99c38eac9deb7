"""The stage: quantizes a trained model in one child process and computes the integer reference in another.

What the engine computes correctly decides the export: under the scheme ``int8`` an engine that gets per-channel Dense
layers wrong gets per-tensor ones.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from tinyhil import tflite, worker
from tinyhil.artifacts import hashing, store
from tinyhil.artifacts.types import FloatModel, QuantizedModel, Vectors
from tinyhil.config.recipe import Quantize, Scheme
from tinyhil.progress import Reporter
from tinyhil.targets.model import Engine

STAGE = "quantize"
MODEL = "model.tflite"
VECTORS = "vectors.npz"
REFERENCE = "reference.npz"


def export_for(scheme: Scheme, engine: Engine) -> Scheme:
    """The scheme by which a model is exported for an engine: ``int8`` leaves it to the engine how Dense layers are."""
    per_channel = engine.per_channel_dense and engine.dense == "per-channel"
    return "int8-per-channel" if scheme == "int8" and per_channel else scheme


def quantize(model: FloatModel, settings: Quantize, folder: Path, reporter: Reporter) -> tuple[QuantizedModel, bool]:
    """Quantizes ``model`` into ``folder``.

    Args:
        settings: with the scheme to export by, which is what :func:`export_for` says.

    Returns:
        The quantized model, and whether it was found rather than made.

    Raises:
        MissingToolError: TensorFlow or tflite-micro is not installed.
        ModelError: the result cannot be read or computed.
        StorageError: the folder cannot be written.
        ToolError: the conversion ended without a model.
    """
    export = {**msgspec.to_builtins(settings), "per_channel_dense": settings.scheme == "int8-per-channel"}
    sources = hashing.of_sources([Path(__file__).parent, Path(tflite.__file__).parent])
    wanted = hashing.of_json({"stage": sources, "model": model.key, "export": export})
    manifest = store.load(folder, STAGE, wanted)
    found = manifest is not None
    if manifest is None:
        store.make_folder(folder)
        store.forget(folder)
        manifest = _make(model, export, folder, wanted, reporter)
    return _read(model.recipe, settings.scheme, folder, manifest), found


def _make(model: FloatModel, export: dict[str, Any], folder: Path, key: str, reporter: Reporter) -> store.Manifest:
    converted = worker.call(
        "tinyhil.quantize.convert_child",
        {"model": str(model.path), "dataset": str(model.dataset), "folder": str(folder), **export},
        what=f"quantize {model.recipe}",
        reporter=reporter,
    )
    facts = tflite.read((folder / MODEL).read_bytes(), MODEL)
    computed = worker.call(
        "tinyhil.quantize.reference_child",
        {
            "model": str(folder / MODEL),
            "vectors": str(folder / VECTORS),
            "reference": str(folder / REFERENCE),
            "inputs": len(facts.inputs),
            "outputs": len(facts.outputs),
        },
        what="compute the integer reference",
        reporter=reporter,
    )
    return store.save(folder, STAGE, key, (MODEL, VECTORS, REFERENCE), {**converted, **computed})


def _read(recipe: str, scheme: str, folder: Path, manifest: store.Manifest) -> QuantizedModel:
    facts = tflite.read((folder / MODEL).read_bytes(), str(folder / MODEL))
    with (
        np.load(folder / VECTORS, allow_pickle=False) as stored,
        np.load(folder / REFERENCE, allow_pickle=False) as reference,
    ):
        vectors = Vectors(
            inputs=tuple(stored[f"input_{index}"] for index in range(len(facts.inputs))),
            reference=tuple(reference[f"reference_{index}"] for index in range(len(facts.outputs))),
            float_outputs=tuple(stored[f"float_{index}"] for index in range(len(facts.outputs))),
            exhaustive=manifest.facts["exhaustive"],
        )
    return QuantizedModel(
        recipe=recipe,
        path=folder / MODEL,
        sha256=manifest.files[MODEL],
        scheme=scheme,
        inputs=facts.inputs,
        outputs=facts.outputs,
        ops=facts.ops,
        vectors=vectors,
        key=manifest.key,
        reference=manifest.facts["reference"],
    )
