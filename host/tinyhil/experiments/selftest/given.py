"""Faults in what a run is given: a model's health, its file, and samples.

No firmware is built for them. Each is planted in a copy, in a folder of its own, and the copy is read by the code that
reads it in every run.
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tinyhil import tflite
from tinyhil.artifacts import arrays, store
from tinyhil.artifacts.types import Array, QuantizedModel
from tinyhil.compare import health
from tinyhil.experiments.selftest.faults import Check, Fault, Given, LeftOut
from tinyhil.experiments.selftest.layers import content, layers, put
from tinyhil.options import Options
from tinyhil.pipeline.opening import open_run
from tinyhil.pipeline.run import Run
from tinyhil.quantize import samples
from tinyhil.quantize.calibration import calibration

VECTORS = 32
"""How many vectors tell that outputs are constant."""
_FAR = 1e6
"""How far beyond all other samples one lies that is an error of measurement, as a factor."""


def given_faults(true: Run, model: QuantizedModel) -> Iterator[Fault | LeftOut]:
    """The faults of a run.

    Args:
        true: the run without a fault.
        model: what it runs.
    """
    graph = tflite.parse(model.path.read_bytes(), str(model.path)).main
    found = layers(graph)
    if found:
        yield Fault("health", "all weights are zero: every output is constant", Check.HEALTH, trial=_constant)
    else:
        yield LeftOut("health", "the model has no layer with int8 weights")
    trained = true.source.trained
    if model.calibration and trained is not None:
        yield Fault("health", "one sample alone sets the range of the input", Check.HEALTH, trial=_outlier)
        yield Fault("health", "one sample calibrates the model", Check.HEALTH, trial=_single)
    else:
        yield LeftOut("health", "nothing is known of the samples that calibrated the model")
    quantized = next((tensor.index for tensor in graph.used if tensor.scales), None)
    if quantized is not None:
        yield Fault("health", "a scale is no number", Check.FINITE, trial=_changed(_without_scale(quantized)))
    yield Fault("model file", "the second half is missing", Check.SOUND, trial=_halved)
    made = graph.operators[-1].outputs[0]
    yield Fault("model file", "the output is declared larger than it is", Check.SOUND, trial=_changed(_larger(made)))
    yield Fault("samples", "one bit of the compressed file is flipped", Check.SAMPLES, trial=_flipped_samples)
    if model.vectors.inputs[0].size:
        yield Fault("samples", "one value is NaN", Check.SAMPLES, trial=_undefined_sample)


def _noticed(model: QuantizedModel, kind: str) -> str:
    """What is said of a model's health, of this kind."""
    return next((each.cause for each in health.strict(health.findings(model)) if each.kind == kind), "")


# --- the model


def _constant(given: Given) -> str | None:
    def change(raw: Any) -> None:
        for layer in layers(tflite.parse(given.true.quantize().path.read_bytes(), "the model").main):
            put(raw, layer.weights, np.zeros_like(content(raw, layer.weights)))

    model = _run_of(given, _planted(given, change)).quantize()
    if not any((part == part[:1]).all() for part in model.vectors.reference):
        return None  # what is left of the model, such as a sum with the input, follows the input
    return _noticed(model, "constant-output")


def _outlier(given: Given) -> str:
    def plant(part: Array) -> Array:
        changed = part.astype(np.float64)
        changed.flat[0] = _FAR * (1.0 + np.abs(part).max())
        return changed

    return _noticed(_calibrated(given, plant), "range-by-one-sample")


def _single(given: Given) -> str:
    return _noticed(_calibrated(given, lambda part: part[:1]), "few-samples")


def _calibrated(given: Given, plant: Callable[[Array], Array]) -> QuantizedModel:
    """The model as if other samples had calibrated it."""
    trained, model = given.true.source.trained, given.true.quantize()
    assert trained is not None
    inputs = arrays.read_inputs(trained.dataset, "train")
    return replace(model, calibration=tuple(calibration(plant(part)) for part in inputs))


def _changed(change: Callable[[Any], None]) -> Callable[[Given], str]:
    """A trial of a model file with a change that has to be refused."""
    return lambda given: _refused(given, _planted(given, change))


def _refused(given: Given, file: Path) -> str:
    """Nothing, or the refusal of a model file is raised: as a run looks at it, before anything computes it."""
    _run_of(given, file).source.content()
    return ""


def _halved(given: Given) -> str:
    data = given.true.quantize().path.read_bytes()
    file = given.folder / "planted.tflite"
    store.write_bytes(file, data[: len(data) // 2])
    return _refused(given, file)


def _without_scale(tensor: int) -> Callable[[Any], None]:
    def change(raw: Any) -> None:
        known = raw.subgraphs[0].tensors[tensor].quantization
        known.scale = [math.nan, *known.scale[1:]]

    return change


def _larger(tensor: int) -> Callable[[Any], None]:
    def change(raw: Any) -> None:
        shape = [int(size) for size in raw.subgraphs[0].tensors[tensor].shape]
        raw.subgraphs[0].tensors[tensor].shape = [*shape[:-1], shape[-1] + 1]

    return change


def _planted(given: Given, change: Callable[[Any], None]) -> Path:
    model = given.true.quantize()
    raw = tflite.unpack(model.path.read_bytes(), str(model.path))
    change(raw)
    file = given.folder / "planted.tflite"
    store.write_bytes(file, tflite.pack(raw))
    return file


def _run_of(given: Given, file: Path) -> Run:
    """A run of a model file on its own."""
    asked = given.true.options
    options = Options(target=asked.target, build_dir=given.folder / "build", vectors=str(VECTORS), search=0)
    return open_run(str(file), options, given.observer)


# --- samples


def _flipped_samples(given: Given) -> str:
    file = _samples(given, given.true.quantize().vectors.inputs)
    with zipfile.ZipFile(file) as archive:
        first = archive.infolist()[0]
        with archive.open(first) as member:
            member.read()
    raw = bytearray(file.read_bytes())
    # A local header has 30 bytes, then name and extra field, whose lengths it ends with.
    header = raw[first.header_offset : first.header_offset + 30]
    data = first.header_offset + 30 + int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
    raw[data + first.compress_size // 2] ^= 1
    store.write_bytes(file, bytes(raw))
    return _read(given, file)


def _undefined_sample(given: Given) -> str:
    model = given.true.quantize()
    real = [
        spec.dequantize(part).astype(np.float32) for spec, part in zip(model.inputs, model.vectors.inputs, strict=True)
    ]
    real[0].flat[0] = math.nan
    return _read(given, _samples(given, real))


def _samples(given: Given, inputs: Sequence[Array]) -> Path:
    file = given.folder / "samples.npz"
    names = ["x"] if len(inputs) == 1 else [f"x_{index}" for index in range(len(inputs))]
    with store.storage(file):
        np.savez_compressed(file, **dict(zip(names, inputs, strict=True)))  # type: ignore[arg-type]
    return file


def _read(given: Given, file: Path) -> str:
    """Nothing, or the refusal of samples is raised."""
    samples.read(file, given.true.quantize().inputs)
    return ""
