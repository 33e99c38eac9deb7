"""The folder of a quantized model: its files, and what is read of them.

Facts of its manifest that follow from its files are held against them: nobody can write into it what is not so.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from tinyhil import tflite
from tinyhil.affine import TensorSpec
from tinyhil.artifacts import arrays, store
from tinyhil.artifacts.types import (
    Beside,
    Calibration,
    Clamped,
    DeadChannels,
    QuantizedModel,
    Saturated,
    Vectors,
)
from tinyhil.compare import fidelity
from tinyhil.quantize import vectors as choice
from tinyhil.quantize.inspection import Inspection, TensorInspection
from tinyhil.quantize.selection import Available
from tinyhil.targets.allowance import Allowance, Inference

MODEL = "model.tflite"
FLOAT = "float.tflite"
VECTORS = "vectors.npz"
REFERENCE = "reference.npz"
LITERT_OUTPUTS = "litert.npz"
INSPECTION = "inspection.json"
_LAYERS = ("CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV")
"""What the names of operators end with whose outputs have channels that are learned; the first is DEPTHWISE, too."""


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
    """How many vectors of the model in ``folder`` are to be sent; ``facts`` as for ``stage.expectations``."""
    count: int = facts["available"]
    if allowance is None:
        return count
    return allowance.vectors(inference((folder / MODEL).read_bytes(), MODEL), count)


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
    holds = describes(folder, manifest.facts) and manifest.facts["computed"] == computed
    return manifest if holds and computed <= manifest.facts["available"] else None


def available(folder: Path, facts: dict[str, Any]) -> Available:
    """The vectors that there are of the model in ``folder``; ``facts`` as for ``stage.expectations``."""
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


def describes(folder: Path, facts: dict[str, Any]) -> bool:
    """Whether what is said of the vectors in ``folder`` is what they are."""
    inputs = arrays.read_vectors(folder / VECTORS).inputs
    specs = tflite.read((folder / MODEL).read_bytes(), MODEL).inputs
    whole = not facts["exhaustive"] or choice.whole(specs, inputs)
    return facts["available"] == len(inputs[0]) and 0 <= facts["drawn"] <= len(inputs[0]) and whole


def _inspected(folder: Path, manifest: store.Manifest) -> tuple[TensorInspection, ...]:
    """What operators make of the samples; nothing where there are none: drawn vectors reach all ends by intention."""
    if INSPECTION not in manifest.files or not manifest.facts["saturated"]:
        return ()
    found = msgspec.json.decode((folder / INSPECTION).read_bytes(), type=Inspection)
    if not any(each.dead < each.channels for each in found.tensors if each.made_by == "input"):
        return ()  # all samples are the same: of one nothing follows
    return tuple(each for each in found.tensors if each.made_by != "input")


def _is_dead(found: TensorInspection) -> bool:
    """Whether it is a layer of weights with a channel that never changes."""
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
    there = available(folder, facts)
    places = there.places(count)
    known = np.searchsorted(there.places(facts["computed"]), places)
    return Vectors(
        inputs=tuple(part[places] for part in stored.inputs),
        reference=tuple(part[known] for part in reference),
        float_outputs=tuple(part[places] for part in stored.floats) or None,
        exhaustive=False,
        data=None if stored.data is None else stored.data[places],
        targets=None if stored.targets is None else stored.targets[places[places >= there.drawn] - there.drawn],
        places=places,
        available=there.count,
    )
