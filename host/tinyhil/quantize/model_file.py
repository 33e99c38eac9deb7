"""The stages for models that tinyhil has not trained: a .tflite file as it is, and a .keras file with samples.

A .tflite file has no float model, so there is nothing to judge accuracy against: fidelity only. What its file leaves
out is added as after an export of our own (``tinyhil.tflite.rewrite``), which changes nothing of what is computed, and
the artifact says so; all else stays as it is. A .keras file becomes a FloatModel whose samples are
divided in order: the first ones calibrate, the others test.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinyhil import kinds, tflite, worker
from tinyhil.affine import TensorSpec
from tinyhil.artifacts import arrays, hashing, store
from tinyhil.artifacts.types import Array, FloatModel, QuantizedModel
from tinyhil.data import npz
from tinyhil.errors import ConfigError
from tinyhil.progress import Reporter
from tinyhil.quantize import samples as files
from tinyhil.quantize import stage, vectors
from tinyhil.targets.allowance import Allowance

STAGE = "model-file"
SCHEME = "as given"
"""What a report calls the scheme of a .tflite file."""
DATASET = "dataset.npz"
SETS = ("train", "test")
TRAIN_SHARE = 0.6
"""Of the samples that come with a .keras file, how many calibrate, from the first one on; the others test."""

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
        samples: an .npz file with real-valued inputs; None to draw them.
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
    rewritten, rewrites = tflite.rewrite(content, str(path))
    facts = tflite.read(rewritten, str(path))
    samples_sha256 = None if samples is None else hashing.of_bytes(_read(samples, npz.MAX_BYTES))
    sources = hashing.of_sources([Path(__file__).parent, Path(tflite.__file__).parent])
    key = hashing.of_json(
        {
            "stage": sources,
            "model": hashing.of_bytes(content),
            "samples": samples_sha256,
        }
    )
    manifest = stage.load(folder, STAGE, key, allowance)
    found = manifest is not None
    if manifest is None:
        store.make_folder(folder)
        store.forget(folder)
        chosen = _inputs(facts.inputs, samples)
        store.write_bytes(folder / stage.MODEL, rewritten)
        arrays.write_vectors(folder / stage.VECTORS, arrays.StoredVectors(chosen.vectors, samples=chosen.looked_at))
        count = len(chosen.vectors[0])
        sent = {"exhaustive": chosen.exhaustive, "available": count, "drawn": count - chosen.samples}
        computed = stage.expectations(folder, reporter, sent, allowance, float_model=False)
        made = (stage.MODEL, stage.VECTORS, stage.REFERENCE, stage.INSPECTION)
        manifest = store.save(folder, STAGE, key, made, {**sent, **computed, "rewrites": rewrites, "litert": None})
    return stage.read(name_of(path), SCHEME, folder, manifest, allowance), found


@dataclass(frozen=True)
class _Inputs:
    """The inputs of a .tflite file.

    Attributes:
        vectors: one array per input tensor, (vectors, *shape) in its dtype.
        looked_at: real samples that the inspection looks at, likewise without the batch.
        exhaustive: whether the vectors are all there are.
        samples: how many of them are samples: the last ones.
    """

    vectors: tuple[Array, ...]
    looked_at: tuple[Array, ...]
    exhaustive: bool
    samples: int


def _inputs(specs: tuple[TensorSpec, ...], samples: Path | None) -> _Inputs:
    """Drawn, and those of the samples."""
    if samples is None:
        chosen, exhaustive = vectors.draw(specs)
        looked_at = tuple(
            spec.dequantize(vectors.spread(part)).astype(np.float32) for spec, part in zip(specs, chosen, strict=True)
        )
        return _Inputs(chosen, looked_at, exhaustive, 0)
    reals = files.inputs(samples, [spec.shape[1:] for spec in specs])
    chosen, exhaustive = vectors.choose(specs, reals)
    return _Inputs(
        chosen, tuple(vectors.spread(part) for part in reals), exhaustive, 0 if exhaustive else len(reals[0])
    )


def keras_model(path: Path, samples: Path, folder: Path, reporter: Reporter) -> tuple[FloatModel, bool]:
    """Makes a .keras file and its samples a FloatModel in ``folder``, as if it had been trained there.

    Args:
        samples: an .npz file with inputs ``x`` and perhaps targets ``y``; or with ``train_x``, ``test_x`` and perhaps
            ``train_y``, ``test_y``, which are then taken as they are.

    Returns:
        The model, and whether it was found rather than made.

    Raises:
        ConfigError: a file cannot be read, or the samples do not fit the model.
        ModelError: it is no .keras file, or damaged, too large, or brings code along.
        MissingToolError: TensorFlow is not installed.
        StorageError: the folder cannot be written.
    """
    content = read(path)
    samples_sha256 = hashing.of_bytes(_read(samples, npz.MAX_BYTES))
    key = hashing.of_json(
        {
            "stage": hashing.of_sources([Path(__file__).parent]),
            "model": hashing.of_bytes(content),
            "samples": samples_sha256,
        }
    )
    manifest = store.load(folder, STAGE, key)
    found = manifest is not None
    if manifest is None:
        store.make_folder(folder)
        store.forget(folder)
        shape = worker.call(
            "tinyhil.quantize.keras_child", {"model": str(path)}, what=f"read {path}", reporter=reporter
        )["shape"]
        sets = _divided(samples, shape)
        store.write_bytes(folder / "model.keras", content)
        arrays.write_dataset(folder / DATASET, sets)
        manifest = store.save(folder, STAGE, key, ("model.keras", DATASET), {})
    return FloatModel(name_of(path), folder / "model.keras", folder / DATASET, key, {}), found


def _divided(path: Path, shape: list[int | None]) -> dict[str, arrays.Samples]:
    """Training and test set; targets of zeros with no columns where there are none."""
    stored = npz.read(path)
    if "train_x" in stored and "test_x" in stored:
        names = {name: arrays.set_names(name) for name in SETS}
        inputs = {name: stored[x] for name, (x, _) in names.items()}
        targets = {name: stored.get(y) for name, (_, y) in names.items()}
    else:
        array = stored.get(files.INPUTS)
        if array is None or len(array) < 2:
            raise ConfigError(
                f"{path} has no array {files.INPUTS!r} of two samples or more",
                hint="write it with numpy.savez(path, x=..., y=...): some samples calibrate, the others test",
                kind=kinds.SAMPLES,
            )
        # Here, where the array has the name and the count that the user knows.
        (array,) = files.as_float32(path, {files.INPUTS: array}, [_wanted(shape, array)])
        cut = min(max(1, round(TRAIN_SHARE * len(array))), len(array) - 1)
        inputs = {"train": array[:cut], "test": array[cut:]}
        y = stored.get(files.TARGETS)
        if y is not None and len(y) != len(array):
            raise ConfigError(f"{path} has {len(array)} inputs and {len(y)} targets", kind=kinds.SAMPLES)
        targets = {"train": None if y is None else y[:cut], "test": None if y is None else y[cut:]}
    sets: dict[str, arrays.Samples] = {}
    for name in SETS:
        array = inputs[name]
        (x,) = files.as_float32(path, {arrays.set_names(name)[0]: array}, [_wanted(shape, array)])
        y = targets[name]
        if y is not None and not np.isfinite(y.astype(np.float64)).all():
            raise ConfigError(
                f"{path} has targets that are NaN or infinite", hint="remove them and their inputs", kind=kinds.SAMPLES
            )
        sets[name] = x, np.zeros((len(array), 0), np.float32) if y is None else y
    return sets


def _wanted(shape: list[int | None], array: npt.NDArray[np.generic]) -> tuple[int, ...]:
    """The shape of a sample; a size that the model leaves open is taken from the samples."""
    return tuple(size or (array.shape[axis + 1] if array.ndim > axis + 1 else 1) for axis, size in enumerate(shape))


def read(path: Path) -> bytes:
    """The content of a user's model file.

    Raises:
        ConfigError: there is no such file, it cannot be read, or is larger than any model can be.
    """
    return _read(path, tflite.MAX_BYTES if path.suffix == ".tflite" else npz.MAX_BYTES)


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
