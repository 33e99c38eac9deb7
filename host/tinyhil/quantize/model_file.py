"""The stages for models that tinyhil has not trained: a .tflite file as it is, and a Keras file with samples.

A .tflite file has no float model: where its samples have classes, accuracy is judged by these, and else there is only
its fidelity. What its file leaves out is added as after an export of our own (``tinyhil.tflite.rewrite``): this changes
nothing that is computed, and the artifact says so. A Keras file becomes a FloatModel whose samples are divided: some
calibrate, the others test (``tinyhil.quantize.divided``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinyhil import kinds, tflite
from tinyhil.affine import TensorSpec
from tinyhil.artifacts import arrays, hashing, store
from tinyhil.artifacts.types import Array, FloatModel, QuantizedModel
from tinyhil.compare import classification
from tinyhil.data import npz, samples_file
from tinyhil.errors import ConfigError
from tinyhil.progress import Reporter
from tinyhil.quantize import divided, keras_config, quantized_folder, stage, vectors
from tinyhil.quantize import samples as files
from tinyhil.quantize.calibration import codes
from tinyhil.targets.allowance import Allowance

STAGE = "model-file"
SCHEME = "as given"
"""What a report calls the scheme of a .tflite file."""
DATASET = "dataset.npz"

_NAME = re.compile(r"[^a-z0-9]+")
_LONGEST = 32
"""Characters of a recipe's name."""


def name_of(path: Path) -> str:
    """A name for a user's model that is safe as a folder and in C: like a recipe's, of the file's own.

    Letters, digits and hyphens, a letter first; ``My Model (2).keras`` becomes ``my-model-2``.
    """
    words = _NAME.sub("-", path.stem.lower()).strip("-") or "model"
    named = words if words[0].isalpha() else f"model-{words}"
    return named[:_LONGEST].rstrip("-")


def tflite_model(
    path: Path, samples: Path | None, folder: Path, reporter: Reporter, allowance: Allowance | None = None
) -> tuple[QuantizedModel, bool]:
    """Makes a .tflite file and its expectations an artifact in ``folder``.

    Args:
        samples: a file of samples, or a folder of images (``samples_file``); None to draw inputs.
        allowance: how many vectors are wanted; None for all.

    Returns:
        The model, without float outputs, and whether it was found rather than made.

    Raises:
        ConfigError: a file cannot be read, or the samples do not fit the model.
        ModelError: the file is not a model, is damaged, or no interpreter takes it.
        MissingToolError: tflite-micro is not installed.
        StorageError: the folder cannot be written.
    """
    content = read(path)
    tflite.require_sound(content, str(path))
    rewritten, rewrites = tflite.rewrite(content, str(path))
    facts = tflite.read(rewritten, str(path))
    samples_sha256 = None if samples is None else samples_file.digest(samples)
    sources = hashing.of_sources([Path(__file__).parent, Path(tflite.__file__).parent])
    key = hashing.of_json(
        {
            "stage": sources,
            "model": hashing.of_bytes(content),
            "samples": samples_sha256,
        }
    )
    manifest = quantized_folder.load(folder, STAGE, key, allowance)
    found = manifest is not None
    if manifest is None:
        chosen = _inputs(facts, samples)
        count = len(chosen.vectors[0])
        sent = {
            "exhaustive": chosen.exhaustive,
            "available": count,
            "drawn": count - chosen.samples,
            "saturated": chosen.saturated,
            "codes": chosen.codes,
            "calibration": (),
            "targets_unused": chosen.targets_unused,
        }
        with store.scratch(folder) as new:
            store.write_bytes(new / quantized_folder.MODEL, rewritten)
            arrays.write_vectors(new / quantized_folder.VECTORS, _stored(chosen))
            computed = stage.expectations(new, reporter, sent, allowance, float_model=False, twice=True)
            made = (
                quantized_folder.MODEL,
                quantized_folder.VECTORS,
                quantized_folder.REFERENCE,
                quantized_folder.INSPECTION,
            )
            known = {**sent, **computed, "rewrites": rewrites, "litert": None}
            manifest = store.adopt(folder, new, STAGE, key, made, known)
    return quantized_folder.read(name_of(path), SCHEME, folder, manifest, allowance), found


@dataclass(frozen=True)
class _Inputs:
    """The inputs of a .tflite file.

    Attributes:
        vectors: one array per input tensor, (vectors, *shape) in its dtype.
        looked_at: real samples that the inspection looks at, likewise without the batch.
        exhaustive: whether the vectors are all there are.
        samples: how many of them are samples: the last ones.
        saturated: values of the samples that are cut off, and all of them, for each input.
        codes: how many different integers they become, for each input.
        labels: (samples,), the class of each; None where they are not known.
        targets_unused: why there are none, where the samples have targets.
    """

    vectors: tuple[Array, ...]
    looked_at: tuple[Array, ...]
    exhaustive: bool
    samples: int = 0
    saturated: tuple[tuple[int, int], ...] = ()
    codes: tuple[int | None, ...] = ()
    labels: Array | None = None
    targets_unused: str = ""


def _inputs(facts: tflite.ModelFacts, samples: Path | None) -> _Inputs:
    """Drawn, and those of the samples."""
    specs = facts.inputs
    if samples is None:
        chosen, exhaustive = vectors.draw(specs)
        looked_at = tuple(
            spec.dequantize(vectors.spread(part)).astype(np.float32) for spec, part in zip(specs, chosen, strict=True)
        )
        return _Inputs(chosen, looked_at, exhaustive)
    given = files.read(samples, specs)
    chosen, exhaustive = vectors.choose(specs, given.inputs)
    labels, unused = _labels(given.targets, facts, exhaustive=exhaustive)
    scores = facts.outputs[0].elements
    if given.classes and len(facts.outputs) == 1 and len(given.classes) != scores:
        raise ConfigError(
            f"{samples} has {len(given.classes)} classes, {', '.join(given.classes)}; the model has {scores} scores",
            hint="name the classes by their numbers, from 0 on: which score is of which name is not known",
            kind=kinds.SAMPLES,
        )
    return _Inputs(
        vectors=chosen,
        looked_at=tuple(_reals(spec, vectors.spread(part)) for spec, part in zip(specs, given.inputs, strict=True)),
        exhaustive=exhaustive,
        samples=0 if exhaustive else len(given.inputs[0]),
        saturated=tuple(vectors.saturated(spec, part) for spec, part in zip(specs, given.inputs, strict=True)),
        codes=tuple(codes(specs, given.inputs)),
        labels=labels,
        targets_unused=unused,
    )


def _reals(spec: TensorSpec, part: Array) -> Array:
    """Samples as reals, whichever they are."""
    return (spec.dequantize(part) if part.dtype == spec.dtype.numpy else part).astype(np.float32)


def _labels(targets: Array | None, facts: tflite.ModelFacts, *, exhaustive: bool) -> tuple[Array | None, str]:
    """The targets as classes, or why they are none; nothing of both where there are no targets."""
    if targets is None:
        return None, ""
    if exhaustive:
        return None, "all inputs there are are sent in place of the samples"
    if len(facts.outputs) != 1:
        return None, f"the model has {len(facts.outputs)} outputs"
    outputs = facts.outputs[0].elements
    labels = classification.labels(targets, outputs)
    if labels is None:
        return None, f"targets of shape {targets.shape} and type {targets.dtype} are no classes of {outputs} scores"
    return labels, ""


def _stored(chosen: _Inputs) -> arrays.StoredVectors:
    if chosen.labels is None:
        return arrays.StoredVectors(chosen.vectors, samples=chosen.looked_at)
    count = len(chosen.vectors[0])
    data = np.arange(count) >= count - chosen.samples
    return arrays.StoredVectors(chosen.vectors, samples=chosen.looked_at, data=data, targets=chosen.labels)


def keras_model(path: Path, samples: Path, folder: Path, reporter: Reporter) -> tuple[FloatModel, bool]:
    """Makes a Keras file and its samples a FloatModel in ``folder``, as if it had been trained there.

    Args:
        samples: a file with inputs ``x`` and perhaps targets ``y``, or a folder of images; or an .npz file with
            ``train_x``, ``test_x`` and perhaps ``train_y``, ``test_y``, which are then taken as they are. Of a model
            with several inputs, arrays of their names, or ``x_0``, ``x_1``, ..., in place of ``x``.

    Returns:
        The model, and whether it was found rather than made.

    Raises:
        ConfigError: a file cannot be read, or the samples do not fit the model.
        ModelError: it is no Keras file, or damaged, too large, or brings code along.
        MissingToolError: h5py is not installed, which .h5 files need.
        StorageError: the folder cannot be written.
    """
    content = read(path)
    samples_sha256 = samples_file.digest(samples)
    key = hashing.of_json(
        {
            "stage": hashing.of_sources([Path(__file__).parent]),
            "model": hashing.of_bytes(content),
            "samples": samples_sha256,
        }
    )
    manifest = store.load(folder, STAGE, key)
    found = manifest is not None
    copy = f"model{path.suffix.lower()}"
    if manifest is None:
        sets, further = divided.sets(samples, keras_config.inputs(path))
        with store.scratch(folder) as new:
            store.write_bytes(new / copy, content)
            arrays.write_dataset(new / DATASET, sets, further)
            manifest = store.adopt(folder, new, STAGE, key, (copy, DATASET), {})
    return FloatModel(name_of(path), folder / copy, folder / DATASET, key, file=str(path)), found


def read(path: Path) -> bytes:
    """The content of a user's model file.

    Raises:
        ConfigError: there is no such file, it cannot be read, or is larger than any model can be.
    """
    return _read(path, tflite.MAX_BYTES if path.suffix.lower() == ".tflite" else npz.MAX_BYTES)


def _read(path: Path, most: int) -> bytes:
    """A user's file, if it is not larger than what is possible at all."""
    try:
        with path.open("rb") as stream:
            content = stream.read(most + 1)
    except OSError as error:
        raise ConfigError(
            f"cannot read {path}: {error.strerror}", hint="paths are relative to the current folder"
        ) from error
    if len(content) > most:
        raise ConfigError(f"{path} has more than {most:,} bytes", hint="use fewer samples, or a smaller model")
    return content
