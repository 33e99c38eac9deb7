"""From what the user names to a run of it: on a device, or from a recording of one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from tinyhil import kinds
from tinyhil.artifacts import foreign, store
from tinyhil.errors import ConfigError
from tinyhil.options import Options, restored
from tinyhil.pipeline import placement, run_preprocessing
from tinyhil.pipeline.answers import LiveDevice, RecordedDevice
from tinyhil.pipeline.device_copy import CopyOfFile, DeviceCopy, TrueCopy
from tinyhil.pipeline.observer import Observer
from tinyhil.pipeline.run import Run
from tinyhil.pipeline.sources import open_source
from tinyhil.pipeline.sources.opening import TFLITE
from tinyhil.pipeline.stages import Stages
from tinyhil.session.recording import Header, Recording, is_recording


def open_run(model: str, options: Options, observer: Observer) -> Run:
    """The run of a model on a device; nothing is made yet.

    Args:
        model: name of a recipe, or a path to a .keras or .tflite file.
        options: how it is to be run.
        observer: told of the stages.

    Raises:
        ConfigError: the recipe, file, target, engine or scheme is unknown or wrong; or samples are missing, or there
            are some for what takes none.
    """
    _check_outputs(options)
    run_preprocessing.check(options)
    place, stages = placement.chosen(options), Stages(observer)
    source, layout = open_source(model, options, place, stages)
    copy: DeviceCopy = TrueCopy() if options.built_from is None else CopyOfFile(options.built_from)
    return Run(source, copy, LiveDevice(place.target, options, layout), place, layout, options, stages)


def _check_outputs(options: Options) -> None:
    """Sees that what is to be written can be, before anything runs.

    Raises:
        ConfigError: --record names a file with something else in it, or no file.
        StorageError: a file or the build folder cannot be written.
    """
    store.refuse_unwritable_folder(options.build_dir)
    if options.record is None:
        return
    other = "" if options.record.is_dir() else foreign.why_not_regular(options.record)
    if other:
        raise ConfigError(f"--record {options.record} leads to {other}", hint="name a file with --record")
    store.refuse_unwritable(options.record)
    if options.record.is_file() and options.record.stat().st_size and not is_recording(options.record):
        raise ConfigError(
            f"{options.record} exists and is no recording, so it is not overwritten",
            hint="remove it, or name another file with --record",
        )


@contextlib.contextmanager
def open_replay(file: Path, build_dir: Path, observer: Observer, prepare: Path | None = None) -> Iterator[Run]:
    """A run whose device is a recording, until the context ends. Its report is judged, and not written.

    Args:
        prepare: makes the features of raw samples, as in the recorded run; a recording names no code.

    Raises:
        ConfigError: the file is no recording, or what it was made with is unknown here: recipe, model file, target.
    """
    recording = Recording(file)
    with contextlib.closing(recording):
        header = recording.header
        options = replace(_options(header, build_dir), prepare=prepare)
        run_preprocessing.require_raw(options)
        place, stages = placement.chosen(options), Stages(observer)
        source, layout = open_source(header.model or header.recipe, options, place, stages)
        answers = RecordedDevice(file, recording, place.target)
        yield Run(source, TrueCopy(), answers, place, layout, options, stages)


def _options(header: Header, build_dir: Path) -> Options:
    """The options of the recorded run.

    Raises:
        ConfigError: an option of it is none of this version.
    """
    said = {name: getattr(header, name) for name in ("target", "engine", "scheme", "search", "samples", "data")}
    try:
        kept = restored({**{name: value for name, value in said.items() if value != ""}, **header.options})
    except TypeError as error:
        raise ConfigError(
            f"the recording is not of this version of tinyhil: {error}",
            hint="record it again",
            kind=kinds.OTHER_VERSION,
        ) from error
    if header.model.lower().endswith(TFLITE):
        kept.pop("scheme", None)  # the file is quantized already
    # Whatever pre-flight finds now did not keep the run from being recorded.
    return Options(**kept, build_dir=build_dir, force=True)
