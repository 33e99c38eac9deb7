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

from tinyhil import kinds, tflite, worker
from tinyhil.artifacts import hashing, store
from tinyhil.artifacts.types import FloatModel, QuantizedModel
from tinyhil.config.recipe import Quantize, Scheme
from tinyhil.errors import CrashError, ModelError, StorageError, ToolError
from tinyhil.progress import Reporter
from tinyhil.quantize import blame, limits
from tinyhil.quantize.interpreters import LITERT, TFLM
from tinyhil.quantize.quantized_folder import (
    FLOAT,
    INSPECTION,
    LITERT_OUTPUTS,
    MODEL,
    REFERENCE,
    VECTORS,
    available,
    describes,
    load,
    read,
    wanted,
)
from tinyhil.targets.allowance import Allowance
from tinyhil.targets.model import Engine

STAGE = "quantize"
CONVERTED = "convert"
"""The stage of a folder whose model is there, and of which nothing is expected yet."""


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
    return manifest.facts if manifest is not None and describes(folder, manifest.facts) else None


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
    places = None if count == facts["available"] else available(folder, facts).places(count).tolist()
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
