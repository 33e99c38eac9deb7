"""A run's raw samples, and what its host and the preprocessing of a user's own firmware make of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinyhil import kinds, tflite
from tinyhil.artifacts.types import Array, QuantizedModel
from tinyhil.compare import fidelity
from tinyhil.compare.preprocessing import Allowed, Preprocessing, RawFiles, Sides, judge
from tinyhil.data import npz, samples_file
from tinyhil.data.samples_file import SamplesFile
from tinyhil.errors import ConfigError
from tinyhil.options import Options
from tinyhil.pipeline.reference_outputs import reference_outputs
from tinyhil.progress import Reporter
from tinyhil.quantize import samples, vectors
from tinyhil.render import LIBRARY
from tinyhil.session import Session
from tinyhil.session.preprocessing import features
from tinyhil.session.tensors import quantized
from tinyhil.targets.allowance import Allowance, Inference
from tinyhil.verify import prepared

RAW = "raw"
"""Name of the raw samples in an .npz file."""


@dataclass(frozen=True)
class RawSamples:
    """Raw samples, and what the host makes of them.

    Attributes:
        raw: (samples, *shape).
        features: one array per input of the model, (samples, *shape) in its dtype.
        host: where the features are from.
    """

    raw: Array
    features: tuple[Array, ...]
    host: str


class RunPreprocessing:
    """Has the device preprocess raw samples, and compares what it makes of them; called with a session.

    Args:
        model: that the features are for.
        raw: the samples.
        allowed: the tolerances.
        reporter: told how far it is.

    Attributes:
        found: what was found; None until then.
    """

    def __init__(self, model: QuantizedModel, raw: RawSamples, allowed: Allowed, reporter: Reporter) -> None:
        self.found: Preprocessing | None = None
        self._model = model
        self._raw = raw
        self._allowed = allowed
        self._reporter = reporter

    def takes(self, allowance: Allowance, one: Inference) -> tuple[int, float]:
        """How many raw samples there are, and the seconds that they are reckoned to take beside the vectors.

        Each is sent, its features come back, and the model is asked twice: for the host's features and the device's.
        What the firmware's own function takes is not known.

        Args:
            allowance: says the target's pace.
            one: what an inference takes.
        """
        raw, features = self._raw.raw, self._raw.features
        moved = raw.nbytes + sum(part.nbytes for part in features)
        return len(raw), moved / allowance.pace.bytes_per_second + allowance.seconds(one, 2 * len(raw))

    def __call__(self, session: Session) -> None:
        """Asks the device, and keeps what was found.

        Raises:
            BlockedError: the device has no preprocessing, or it or the reference interpreter has failed.
            InputError: the samples are none as its preprocessing takes.
        """
        model, host, count = self._model, self._raw.features, len(self._raw.raw)
        made = features(session, self._raw.raw, lambda done: self._reporter.progress(done, count, "raw samples"))
        sides = Sides(
            host=host,
            device=made.inputs,
            reference=reference_outputs(model, host, stateful=tflite.stateful(model.ops), floats=False).reference,
            model=session.answers_to(host).outputs,
            end_to_end=session.answers_to(made.inputs).outputs,
        )
        measure = session.target.measure
        known = made.ticks is not None and measure.unit != "nothing"
        cost = (made.ticks or 0) * measure.per_tick / count if known else None
        self.found = judge(sides, (model.inputs, model.outputs), self._allowed, self._raw.host, cost)


def require_raw(options: Options) -> None:
    """Refuses options about raw samples without such.

    Raises:
        ConfigError: as it says.
    """
    if options.raw is None and (options.prepare is not None or options.features_lsb):
        raise ConfigError(
            "--prepare and --features-lsb are about raw samples, and there are none",
            hint="name a file of raw samples with --raw, or leave them out",
        )


def check(options: Options) -> None:
    """Sees that raw samples can be asked for, before anything runs.

    Raises:
        ConfigError: the options do not go together.
        InputError: a file is missing, or cannot be samples or code.
    """
    require_raw(options)
    if options.raw is None:
        return
    if options.form != LIBRARY:
        raise ConfigError(
            f"--raw {options.raw} is for firmware of your own, which may have preprocessing; a project has none",
            hint="add --as library and --firmware FILE (docs/own-firmware.md), or leave out --raw",
        )
    for path in (options.raw, options.prepare):
        if path is not None:
            npz.refuse_large(path)


def files(options: Options) -> RawFiles:
    """What raw samples, and the code that prepares them, are by their content.

    Raises:
        InputError: a file cannot be read.
    """
    raw, prepare = (None if path is None else samples_file.digest(path) for path in (options.raw, options.prepare))
    return RawFiles(raw, prepare)


def asked(options: Options, model: QuantizedModel, max_lsb: int, reporter: Reporter) -> RunPreprocessing | None:
    """What a run asks of the firmware's preprocessing; None where the options name no raw samples.

    Args:
        max_lsb: differences of outputs that are allowed.

    Raises:
        As :func:`raw_samples`.
    """
    raw = raw_samples(options, model, reporter)
    return None if raw is None else RunPreprocessing(model, raw, Allowed(options.features_lsb, max_lsb), reporter)


def raw_samples(options: Options, model: QuantizedModel, reporter: Reporter) -> RawSamples | None:
    """The raw samples that the options name, with the host's features; None where they name none.

    Raises:
        ConfigError: the file cannot be used, the code that is to prepare the samples fails, or every difference there
            can be is allowed.
        InputError: likewise.
    """
    if options.raw is None:
        return None
    fidelity.require_bound(model.inputs, options.features_lsb, "input", "allow fewer, with --features-lsb")
    found = samples_file.read(options.raw)
    raw = _raw(options.raw, found)
    if options.prepare is None:
        if set(found.arrays) <= {RAW, samples_file.TARGETS}:
            raise _wrong(options.raw, "has raw samples, and no features that the host makes of them")
        given = samples.read(options.raw, model.inputs).inputs
        parts = [vectors.quantized(spec, part) for spec, part in zip(model.inputs, given, strict=True)]
        host = f"features in {options.raw.name}"
    else:
        parts = list(quantized(prepared(options.prepare, raw, reporter), model.inputs))
        host = f"prepare() of {options.prepare.name}"
    if {len(part) for part in parts} != {len(raw)}:
        raise _wrong(options.raw, f"has {len(raw)} raw samples, and the host has features of {len(parts[0])}")
    shaped = (part.reshape(len(raw), *spec.shape) for spec, part in zip(model.inputs, parts, strict=True))
    return RawSamples(raw, tuple(shaped), host)


def _raw(path: Path, found: SamplesFile) -> Array:
    """The array ``raw`` of an .npz file, or the inputs of one of another form."""
    raw = found.arrays.get(RAW if path.suffix.lower() == ".npz" else samples_file.INPUTS)
    if raw is None:
        raise _wrong(path, f"has no array {RAW!r}: it has {samples_file.contents(found)}")
    if not raw.ndim or not len(raw):
        raise _wrong(path, "has no raw samples")
    if wrong := samples_file.not_finite(RAW, raw):
        raise _wrong(path, f"cannot be used: {wrong}")
    return raw.astype(np.float32) if raw.dtype.kind == "f" else raw  # as a device has it; the host is given the same


def _wrong(path: Path, what: str) -> ConfigError:
    return ConfigError(
        f"{path} {what}",
        hint="write it with numpy.savez(path, raw=..., x=...): the first axis of each is the sample; --prepare makes x",
        kind=kinds.SAMPLES,
    )
