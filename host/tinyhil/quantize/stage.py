"""The stage: quantizes a trained model in one child process and computes what is expected of it in another.

What the engine computes correctly decides the export: under the scheme ``int8`` an engine that gets per-channel Dense
layers wrong gets per-tensor ones.

The reference is TFLM's own interpreter. Where it does not take the model, as with the scheme ``dynamic``, LiteRT
computes what is expected, and the reference's name says both.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from tinyhil import kinds, tflite, worker
from tinyhil.affine import TensorSpec
from tinyhil.artifacts import arrays, hashing, store
from tinyhil.artifacts.types import (
    Beside,
    Calibration,
    Clamped,
    DeadChannels,
    FloatModel,
    QuantizedModel,
    Saturated,
    Vectors,
)
from tinyhil.compare import fidelity
from tinyhil.config.recipe import Quantize, Scheme
from tinyhil.errors import CrashError, ModelError, StorageError, ToolError
from tinyhil.progress import Reporter
from tinyhil.quantize import blame, limits
from tinyhil.quantize import vectors as choice
from tinyhil.quantize.inspection import Inspection, TensorInspection
from tinyhil.quantize.interpreters import LITERT, TFLM
from tinyhil.quantize.selection import Available
from tinyhil.targets.allowance import Allowance, Inference
from tinyhil.targets.model import Engine

STAGE = "quantize"
CONVERTED = "convert"
"""The stage of a folder whose model is there, and of which nothing is expected yet."""
MODEL = "model.tflite"
FLOAT = "float.tflite"
VECTORS = "vectors.npz"
REFERENCE = "reference.npz"
LITERT_OUTPUTS = "litert.npz"
INSPECTION = "inspection.json"
_LAYERS = ("CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV")
"""What the names of operators end with whose outputs have channels that are learned; the first is DEPTHWISE, too."""


def export_for(scheme: Scheme, engine: Engine) -> Scheme:
    """The scheme by which a model is exported for an engine: ``int8`` leaves it to the engine how Dense layers are."""
    per_channel = engine.per_channel_dense and engine.dense == "per-channel"
    return "int8-per-channel" if scheme == "int8" and per_channel else scheme


def convert(model: FloatModel, settings: Quantize, folder: Path, reporter: Reporter) -> tuple[Path, bool]:
    """The quantized model of :func:`quantize` alone, before anything is computed of what is expected of it.

    Returns:
        The model file in ``folder``, and whether it was found rather than made.

    Raises:
        MissingToolError, ModelError, StorageError, ToolError: as ``quantize``.
    """
    key = _key(model, settings)
    found = _converted(folder, key) is not None
    if not found:
        _convert(model, [(settings, folder)], reporter)
    return folder / MODEL, found


def quantize(
    model: FloatModel, settings: Quantize, folder: Path, reporter: Reporter, allowance: Allowance | None = None
) -> tuple[QuantizedModel, bool]:
    """Quantizes ``model`` into ``folder``.

    Args:
        settings: with the scheme to export by, which is what :func:`export_for` says.
        allowance: how many vectors are wanted; None for all.

    Returns:
        The quantized model, and whether it was found rather than made.

    Raises:
        MissingToolError: TensorFlow or tflite-micro is not installed.
        ModelError: the model cannot be converted, or the result cannot be read or computed.
        StorageError: the folder cannot be written.
        ToolError: the conversion ended without a model, whatever the model.
    """
    return quantize_each(model, [(settings, folder)], reporter, allowance)[0]


def quantize_each(
    model: FloatModel,
    wanted: Sequence[tuple[Quantize, Path]],
    reporter: Reporter,
    allowance: Allowance | None = None,
) -> list[tuple[QuantizedModel, bool]]:
    """Quantizes ``model`` in several ways, each into a folder of its own; TensorFlow starts once for all of them.

    Args, Returns, Raises: as :func:`quantize`, for each.
    """
    keys = [_key(model, settings) for settings, _ in wanted]
    found = [load(folder, STAGE, key, allowance) for (_, folder), key in zip(wanted, keys, strict=True)]
    missing = [index for index, manifest in enumerate(found) if manifest is None]
    made: dict[int, store.Manifest] = {}
    fresh = [index for index in missing if _converted(wanted[index][1], keys[index]) is None]
    if fresh:
        _convert(model, [wanted[index] for index in fresh], reporter)
    for index in missing:
        folder, key = wanted[index][1], keys[index]
        facts = _converted(folder, key)
        if facts is None:
            raise StorageError(f"{folder} has changed while it was written", hint="let nothing else write there")
        made[index] = _complete(folder, key, facts, reporter, allowance)
    return [
        (read(model.recipe, settings.scheme, folder, manifest or made[index], allowance), manifest is not None)
        for index, ((settings, folder), manifest) in enumerate(zip(wanted, found, strict=True))
    ]


def _key(model: FloatModel, settings: Quantize) -> str:
    sources = hashing.of_sources([Path(__file__).parent, Path(tflite.__file__).parent])
    return hashing.of_json({"stage": sources, "model": model.key, "export": msgspec.to_builtins(settings)})


def _converted(folder: Path, key: str) -> dict[str, Any] | None:
    """What is known of the model in ``folder``, with or without what is expected of it; None where it is another."""
    manifest = store.load(folder, CONVERTED, key) or store.load(folder, STAGE, key)
    return manifest.facts if manifest is not None and _describes(folder, manifest.facts) else None


def _convert(model: FloatModel, wanted: Sequence[tuple[Quantize, Path]], reporter: Reporter) -> None:
    with contextlib.ExitStack() as stack:
        new = [stack.enter_context(store.scratch(folder)) for _, folder in wanted]
        settings = [each for each, _ in wanted]
        made = _convert_into(model, list(zip(settings, new, strict=True)), reporter)
        for (each, folder), place, facts in zip(wanted, new, made, strict=True):
            beside = (LITERT_OUTPUTS,) if facts["litert"] is not None else ()
            store.adopt(folder, place, CONVERTED, _key(model, each), (MODEL, FLOAT, VECTORS, *beside), facts)


def _convert_into(
    model: FloatModel, wanted: Sequence[tuple[Quantize, Path]], reporter: Reporter
) -> list[dict[str, Any]]:
    request = {"model": str(model.path), "name": model.file or model.path.name, "dataset": str(model.dataset)}
    exports = [{"folder": str(folder), **msgspec.to_builtins(settings)} for settings, folder in wanted]
    what = f"quantize {model.recipe}"
    try:
        result = worker.call(
            "tinyhil.quantize.convert_child",
            {**request, "exports": exports},
            what=what,
            reporter=reporter,
            limits=limits.of_conversion(model.path, model.dataset, len(exports)),
        )
    except CrashError as error:
        scheme = wanted[0][0].scheme
        raise blame.of_crash(error, {**request, "scheme": scheme}, reporter) from error
    made: list[dict[str, Any]] = result["made"]
    return made


def _complete(
    folder: Path, key: str, converted: dict[str, Any], reporter: Reporter, allowance: Allowance | None
) -> store.Manifest:
    """Computes what is expected of the model in ``folder``, and makes it the artifact of the stage."""
    named = converted["litert"]
    with store.scratch(folder) as new:
        with store.storage(new):
            for name in (MODEL, FLOAT, VECTORS, *((LITERT_OUTPUTS,) if named is not None else ())):
                shutil.copyfile(folder / name, new / name)
        computed = expectations(new, reporter, converted, allowance, float_model=True)
        beside = named is not None and not computed["reference"].startswith(named)
        files = (MODEL, FLOAT, VECTORS, REFERENCE, INSPECTION, *((LITERT_OUTPUTS,) if beside else ()))
        facts = {**converted, **computed, "litert": named if beside else None}
        return store.adopt(folder, new, STAGE, key, files, facts)


def expectations(
    folder: Path,
    reporter: Reporter,
    facts: dict[str, Any],
    allowance: Allowance | None = None,
    *,
    float_model: bool,
    inspected: bool = True,
    twice: bool = False,
) -> dict[str, Any]:
    """Has the reference outputs of vectors in ``folder`` and the inspection of its model computed.

    Args:
        facts: of the vectors: ``available`` how many there are, ``drawn`` how many of them are no samples,
            ``exhaustive`` whether they are all inputs there are.
        allowance: how many vectors are wanted; None for all.
        float_model: whether there is one to compare with.
        inspected: whether the model is looked into, for which there are samples beside the vectors.
        twice: whether the reference has to compute the same with other bytes in free memory: for files of unknown make.

    Returns:
        ``reference``, the interpreter's name, and why it is not TFLM where it is not; ``computed``, for how many
        vectors.

    Raises:
        MissingToolError: an interpreter that is needed is not installed.
        ModelError: no interpreter takes the model, or what it computes depends on memory that is not the model's.
    """
    count = wanted(folder, facts, allowance)
    places = None if count == facts["available"] else _available(folder, facts).places(count).tolist()
    request = {
        "folder": str(folder),
        "float": float_model,
        "inspected": inspected,
        "places": places,
        "twice": twice,
    }
    listening = _Listening(reporter)
    what = "compute the reference"
    module = "tinyhil.quantize.reference_child"
    try:
        allowed = limits.of_reference(folder / MODEL, folder / VECTORS, count, litert=False)
        computed = worker.call(module, {**request, "interpreter": TFLM}, what=what, reporter=listening, limits=allowed)
        return {**computed, "computed": count}
    except (ModelError, ToolError) as error:
        if error.kind is kinds.DAMAGED_MODEL:
            raise
        refused = error
    reason = listening.reason() or refused.message
    reporter.text(f"TFLM's interpreter does not take the model: {reason}")
    try:
        allowed = limits.of_reference(folder / MODEL, folder / VECTORS, count, litert=True)
        computed = worker.call(module, {**request, "interpreter": LITERT}, what=what, reporter=reporter, limits=allowed)
    except (ModelError, ToolError) as error:
        raise ModelError(
            f"no interpreter takes the model: TFLM: {reason}; LiteRT: {error.message}",
            hint="export it with operators of TensorFlow Lite only, and with a fixed batch of 1",
            detail=error.detail,
        ) from refused
    name = f"{computed['reference']}, because TFLM does not take the model ({reason})"
    return {"reference": name, "computed": count}


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


def _litert(folder: Path, name: str | None, outputs: tuple[TensorSpec, ...], sent: Vectors) -> Beside | None:
    """LiteRT against the reference in the vectors that are sent; None where it is not there, or is the reference."""
    if name is None:
        return None
    places = slice(None) if sent.places is None else sent.places
    other = tuple(part[places] for part in arrays.read_tensors(folder / LITERT_OUTPUTS, "output"))
    found = fidelity.compare(other, sent.reference, outputs, 0)
    return Beside(name, found.mismatches, found.max_lsb)


def inference(content: bytes, name: str) -> Inference:
    """What an inference of a model takes.

    Raises:
        ModelError: as ``tflite.read``.
    """
    facts = tflite.read(content, name)
    nbytes = sum(spec.nbytes for spec in (*facts.inputs, *facts.outputs))
    return Inference(nbytes, tflite.macs(tflite.parse(content, name)))


def wanted(folder: Path, facts: dict[str, Any], allowance: Allowance | None) -> int:
    """How many vectors of the model in ``folder`` are to be sent; ``facts`` as for :func:`expectations`."""
    available: int = facts["available"]
    if allowance is None:
        return available
    return allowance.vectors(inference((folder / MODEL).read_bytes(), MODEL), available)


def load(folder: Path, name: str, key: str, allowance: Allowance | None) -> store.Manifest | None:
    """The manifest of the model in ``folder``, if what is expected of it is known for as many vectors as are wanted.

    Args:
        name: of the stage.
        key: of what it was made from.
    """
    manifest = found(folder, name, key)
    if manifest is None or manifest.facts["computed"] < wanted(folder, manifest.facts, allowance):
        return None
    return manifest


def found(folder: Path, name: str, key: str) -> store.Manifest | None:
    """The manifest of the model in ``folder``, if its facts are those of its vectors; else it is made anew.

    Args:
        name: of the stage.
        key: of what it was made from.
    """
    manifest = store.load(folder, name, key)
    if manifest is None:
        return None
    computed = len(arrays.read_tensors(folder / REFERENCE, "reference")[0])
    holds = _describes(folder, manifest.facts) and manifest.facts["computed"] == computed
    return manifest if holds and computed <= manifest.facts["available"] else None


def _describes(folder: Path, facts: dict[str, Any]) -> bool:
    """Whether what is said of the vectors in ``folder`` is what they are."""
    inputs = arrays.read_vectors(folder / VECTORS).inputs
    specs = tflite.read((folder / MODEL).read_bytes(), MODEL).inputs
    whole = not facts["exhaustive"] or choice.whole(specs, inputs)
    return facts["available"] == len(inputs[0]) and 0 <= facts["drawn"] <= len(inputs[0]) and whole


def _available(folder: Path, facts: dict[str, Any]) -> Available:
    in_row = tflite.stateful(tflite.read((folder / MODEL).read_bytes(), MODEL).ops)
    return Available(facts["available"], facts["drawn"], facts["exhaustive"], in_row)


def read(
    recipe: str, scheme: str, folder: Path, manifest: store.Manifest, allowance: Allowance | None = None
) -> QuantizedModel:
    """The model that lies in ``folder``, as its manifest describes it.

    Args:
        allowance: how many of its vectors are wanted; None for all.
    """
    facts = tflite.read((folder / MODEL).read_bytes(), str(folder / MODEL))
    known = _inspected(folder, manifest)
    sent = _vectors(folder, manifest.facts, allowance)
    return QuantizedModel(
        recipe=recipe,
        path=folder / MODEL,
        sha256=manifest.files[MODEL],
        scheme=scheme,
        inputs=facts.inputs,
        outputs=facts.outputs,
        ops=facts.ops,
        vectors=sent,
        key=manifest.key,
        reference=manifest.facts["reference"],
        rewrites=tuple(manifest.facts["rewrites"]),
        inspection=folder / INSPECTION,
        litert=_litert(folder, manifest.facts["litert"], facts.outputs, sent),
        saturated=tuple(Saturated(*each) for each in manifest.facts["saturated"]),
        targets_unused=manifest.facts.get("targets_unused", ""),
        notes=tuple(manifest.facts.get("notes", ())),
        calibration=tuple(Calibration(**each) for each in manifest.facts["calibration"]),
        codes=tuple(manifest.facts["codes"]),
        clamped=tuple(Clamped(each.made_by, each.clamped) for each in known if each.clamped),
        dead=tuple(DeadChannels(each.made_by, each.dead, each.channels) for each in known if _is_dead(each)),
    )


def _inspected(folder: Path, manifest: store.Manifest) -> tuple[TensorInspection, ...]:
    """What operators make of the samples; nothing where there are none: drawn vectors reach all ends by intention."""
    if INSPECTION not in manifest.files or not manifest.facts["saturated"]:
        return ()
    found = msgspec.json.decode((folder / INSPECTION).read_bytes(), type=Inspection)
    if not any(each.dead < each.channels for each in found.tensors if each.made_by == "input"):
        return ()  # all samples are the same: of one nothing follows
    return tuple(each for each in found.tensors if each.made_by != "input")


def _is_dead(found: TensorInspection) -> bool:
    """Whether it is a layer of weights with a channel that never changes, ."""
    return bool(found.dead) and found.made_by.endswith(_LAYERS)


def _vectors(folder: Path, facts: dict[str, Any], allowance: Allowance | None) -> Vectors:
    """Those that are wanted, of those whose reference outputs are known."""
    stored, reference = arrays.read_vectors(folder / VECTORS), arrays.read_tensors(folder / REFERENCE, "reference")
    count = wanted(folder, facts, allowance)
    everything = Vectors(
        stored.inputs, reference, stored.floats or None, facts["exhaustive"], stored.data, stored.targets
    )
    if count == facts["available"]:
        return everything
    available = _available(folder, facts)
    places = available.places(count)
    known = np.searchsorted(available.places(facts["computed"]), places)
    return Vectors(
        inputs=tuple(part[places] for part in stored.inputs),
        reference=tuple(part[known] for part in reference),
        float_outputs=tuple(part[places] for part in stored.floats) or None,
        exhaustive=False,
        data=None if stored.data is None else stored.data[places],
        targets=None if stored.targets is None else stored.targets[places[places >= available.drawn] - available.drawn],
        places=places,
        available=available.count,
    )
