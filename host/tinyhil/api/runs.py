"""Runs and sessions, as scripts, notebooks, the command line and the pytest plugin open them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Unpack

from tinyhil.api import memory
from tinyhil.api.memory import Model
from tinyhil.api.signature import DEFAULTS, lists_every_option
from tinyhil.compare.verdict import Report
from tinyhil.errors import ConfigError
from tinyhil.history.keep import kept
from tinyhil.options import Options, Overrides, fields, overridden
from tinyhil.pipeline import opening
from tinyhil.pipeline.observer import Observer, SilentObserver
from tinyhil.pipeline.run import Run
from tinyhil.session import Session


@lists_every_option
def run(
    model: Model, options: Options | None = None, /, *, observer: Observer | None = None, **overrides: Unpack[Overrides]
) -> Report:
    """Builds a model for a target, runs it there, and judges it: ``tinyhil run`` as a function.

    The report is also written, as page, JSON, JUnit and Markdown, below ``build_dir``.

    Args:
        model: name of a recipe; path of a .keras or .tflite file; a Keras model in memory; or a .tflite file's bytes,
            as ``TFLiteConverter.convert`` returns them. A model in memory is kept as a file below ``build_dir``.
        options: how it is run; the defaults of the keywords below where it is left out.
        observer: told of the stages as they are carried out; nobody by default.
        overrides: options by name, in place of those in ``options``.

    Returns:
        The report, whatever the verdict: ``report.verdict`` is "pass" or "fail", ``report.fidelity`` and
        ``report.accuracy`` have the figures, errors in the unit of the model's own output.

    Raises:
        BlockedError: the run could not be carried out, so there is no verdict. The report that says so is written too.
        InputError: the model, its samples or an option cannot be used.
        TypeError: there is no option of that name.
    """
    return verify(open_run(model, options, observer=observer, **overrides))


def verify(run: Run) -> Report:
    """Judges a run, and keeps it in the history; that it could not be kept is a warning to the run's observer.

    Raises:
        BlockedError: as ``run``.
        InputError: as ``run``.
    """
    with kept(run):
        return run.verify()


@lists_every_option
@contextlib.contextmanager
def open_session(
    model: Model, options: Options | None = None, /, *, observer: Observer | None = None, **overrides: Unpack[Overrides]
) -> Iterator[Session]:
    """Builds a model for a target and starts it there; a context manager that gives a session to ask it.

    The device is stopped when the context ends, also by an exception or Ctrl-C; a board goes on running.

    ``session.infer(x)`` takes one array per input tensor, (vectors, *shape): floats are real values and are quantized
    as the tensor says, integers are the tensor's own. What it returns has the outputs as the device gave them in
    ``.outputs`` and in real units in ``.real``: one array per output tensor, (vectors, *shape), in the tensor's dtype
    and as float64. ``numpy.asarray`` of it is ``.real[0]`` where the model has one output.

    Args:
        model: as for ``tinyhil.run``.
        options: as for ``tinyhil.run``.
        observer: as for ``tinyhil.run``.
        overrides: as for ``tinyhil.run``.

    Raises:
        BlockedError: the device cannot be had, or does not answer.
        InputError: the model, its samples or an option cannot be used; in ``infer``: the inputs do not fit the model.
        TypeError: there is no option of that name.
    """
    with session_with(open_run(model, options, observer=observer, **overrides)) as session:
        yield session


def open_run(
    model: Model, options: Options | None = None, /, *, observer: Observer | None = None, **overrides: Unpack[Overrides]
) -> Run:
    """A run whose stages are called one by one; nothing is made yet. Arguments and errors are those of ``run``."""
    chosen = overridden(DEFAULTS if options is None else options, overrides)
    for field in fields():
        value, least = getattr(chosen, field.name), field.about.least
        if least is not None and value is not None and value < least:
            raise ConfigError(f"{field.name} is {value}, the least is {least}", hint="give a larger number")
    named, chosen = memory.as_files(model, chosen)
    return opening.open_run(named, chosen, SilentObserver() if observer is None else observer)


@contextlib.contextmanager
def session_with(run: Run) -> Iterator[Session]:
    """A session with the device of a run, which is started for it and stopped when the context ends."""
    with run.running_device() as device, device.session() as session:
        yield session


@contextlib.contextmanager
def open_replay(file: Path, build_dir: Path, observer: Observer, prepare: Path | None = None) -> Iterator[Run]:
    """A run whose device is a recording, until the context ends. Its report is judged, and not written.

    Args:
        file: the recording.
        build_dir: where its model is, or is made.
        observer: told of the stages.
        prepare: as ``Options.prepare`` was in the recorded run.

    Raises:
        ConfigError: the file is no recording, or what it was made with is unknown here: recipe, model file, target.
    """
    with opening.open_replay(file, build_dir, observer, prepare) as run:
        yield run
