"""The stage: quantizes a trained model in one child process and computes what is expected of it in another.

What the engine computes correctly decides the export: under the scheme ``int8`` an engine that gets per-channel Dense
layers wrong gets per-tensor ones.

The reference is TFLM's own interpreter. Where it does not take the model, as with the scheme ``dynamic``, LiteRT
computes what is expected, and the reference's name says both.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from tinyhil import tflite, worker
from tinyhil.artifacts import arrays, hashing, store
from tinyhil.artifacts.types import Beside, FloatModel, QuantizedModel, Vectors
from tinyhil.compare import fidelity
from tinyhil.config.recipe import Quantize, Scheme
from tinyhil.errors import ModelError, ToolError
from tinyhil.progress import Reporter
from tinyhil.quantize.interpreters import LITERT, TFLM
from tinyhil.targets.model import Engine

STAGE = "quantize"
MODEL = "model.tflite"
FLOAT = "float.tflite"
VECTORS = "vectors.npz"
REFERENCE = "reference.npz"
LITERT_OUTPUTS = "litert.npz"
INSPECTION = "inspection.json"


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
    return quantize_each(model, [(settings, folder)], reporter)[0]


def quantize_each(
    model: FloatModel, wanted: Sequence[tuple[Quantize, Path]], reporter: Reporter
) -> list[tuple[QuantizedModel, bool]]:
    """Quantizes ``model`` in several ways, each into a folder of its own; TensorFlow starts once for all of them.

    Args, Returns, Raises: as :func:`quantize`, for each.
    """
    keys = [_key(model, settings) for settings, _ in wanted]
    found = [store.load(folder, STAGE, key) for (_, folder), key in zip(wanted, keys, strict=True)]
    missing = [index for index, manifest in enumerate(found) if manifest is None]
    made: dict[int, store.Manifest] = {}
    if missing:
        converted = _convert(model, [wanted[index] for index in missing], reporter)
        for index, facts in zip(missing, converted, strict=True):
            made[index] = _complete(wanted[index][1], keys[index], facts, reporter)
    return [
        (read(model.recipe, settings.scheme, folder, manifest or made[index]), manifest is not None)
        for index, ((settings, folder), manifest) in enumerate(zip(wanted, found, strict=True))
    ]


def _key(model: FloatModel, settings: Quantize) -> str:
    sources = hashing.of_sources([Path(__file__).parent, Path(tflite.__file__).parent])
    return hashing.of_json({"stage": sources, "model": model.key, "export": msgspec.to_builtins(settings)})


def _convert(model: FloatModel, wanted: Sequence[tuple[Quantize, Path]], reporter: Reporter) -> list[dict[str, Any]]:
    for _, folder in wanted:
        store.make_folder(folder)
        store.forget(folder)
    result = worker.call(
        "tinyhil.quantize.convert_child",
        {
            "model": str(model.path),
            "dataset": str(model.dataset),
            "exports": [{"folder": str(folder), **msgspec.to_builtins(settings)} for settings, folder in wanted],
        },
        what=f"quantize {model.recipe}",
        reporter=reporter,
    )
    made: list[dict[str, Any]] = result["made"]
    return made


def _complete(folder: Path, key: str, converted: dict[str, Any], reporter: Reporter) -> store.Manifest:
    """Computes what is expected of the model in ``folder``, and writes the manifest."""
    computed = expectations(folder, reporter, float_model=True)
    beside = None
    if converted["litert"] is not None and not computed["reference"].startswith(converted["litert"]):
        beside = {"name": converted["litert"], **_differences(folder)}
    files = (MODEL, FLOAT, VECTORS, REFERENCE, INSPECTION)
    return store.save(folder, STAGE, key, files, {**converted, **computed, "litert": beside})


def expectations(folder: Path, reporter: Reporter, *, float_model: bool, inspected: bool = True) -> dict[str, Any]:
    """Has the reference outputs of the vectors in ``folder`` and the inspection of its model computed.

    Args:
        float_model: whether there is one to compare with.
        inspected: whether the model is looked into, for which there are samples beside the vectors.

    Returns:
        ``reference``, the interpreter's name, and why it is not TFLM where it is not.

    Raises:
        MissingToolError: an interpreter that is needed is not installed.
        ModelError: no interpreter takes the model.
    """
    request = {"folder": str(folder), "float": float_model, "inspected": inspected}
    listening = _Listening(reporter)
    what = "compute the reference"
    module = "tinyhil.quantize.reference_child"
    try:
        return worker.call(module, {**request, "interpreter": TFLM}, what=what, reporter=listening)
    except (ModelError, ToolError) as error:
        refused = error
    reason = listening.reason() or refused.message
    reporter.text(f"TFLM's interpreter does not take the model: {reason}")
    try:
        computed = worker.call(module, {**request, "interpreter": LITERT}, what=what, reporter=reporter)
    except (ModelError, ToolError) as error:
        raise ModelError(
            f"no interpreter takes the model: TFLM: {reason}; LiteRT: {error.message}",
            hint="export it with operators of TensorFlow Lite only, and with a fixed batch of 1",
            detail=error.detail,
        ) from refused
    return {"reference": f"{computed['reference']}, because TFLM does not take the model ({reason})"}


class _Listening:
    """Passes everything on, and keeps what the child says."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._lines: list[str] = []

    def progress(self, done: int, total: int, note: str = "") -> None:
        self._reporter.progress(done, total, note)

    def command(self, argv: Sequence[str]) -> None:
        self._reporter.command(argv)

    def text(self, line: str) -> None:
        self._lines.append(line.strip())
        self._reporter.text(line)

    def reason(self) -> str:
        """TFLM's own words for its refusal; the first line is the cause, the others are where it passed by."""
        return self._lines[0].rstrip(".") if self._lines else ""


def _differences(folder: Path) -> dict[str, int]:
    """LiteRT against the reference: vectors that differ, and the largest difference in LSB."""
    facts = tflite.read((folder / MODEL).read_bytes(), MODEL)
    other = arrays.read_tensors(folder / LITERT_OUTPUTS, "output")
    found = fidelity.compare(other, arrays.read_tensors(folder / REFERENCE, "reference"), facts.outputs, 0)
    return {"mismatches": found.mismatches, "max_lsb": found.max_lsb}


def read(recipe: str, scheme: str, folder: Path, manifest: store.Manifest) -> QuantizedModel:
    """The model that lies in ``folder``, as its manifest describes it."""
    facts = tflite.read((folder / MODEL).read_bytes(), str(folder / MODEL))
    stored = arrays.read_vectors(folder / VECTORS)
    vectors = Vectors(
        inputs=stored.inputs,
        reference=arrays.read_tensors(folder / REFERENCE, "reference"),
        float_outputs=stored.floats or None,
        exhaustive=manifest.facts["exhaustive"],
        data=stored.data,
        targets=stored.targets,
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
        rewrites=tuple(manifest.facts["rewrites"]),
        inspection=folder / INSPECTION,
        litert=Beside(**beside) if (beside := manifest.facts["litert"]) is not None else None,
    )
