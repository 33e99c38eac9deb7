"""What is to be run, and who is told of it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tinyhil.progress import Reporter, Silent


class Observer(Protocol):
    """Who is told of the stages."""

    def stage(self, name: str) -> contextlib.AbstractContextManager[Reporter]:
        """A stage begins; it ends with the context."""

    def result(self, note: str, *, found: bool) -> None:
        """What the current stage has made, and whether it was found rather than made."""

    def warning(self, text: str) -> None:
        """What the user should know although the run goes on."""


class Unwatched:
    """An observer that nobody listens to."""

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[Reporter]:
        """Ignores it."""
        yield Silent()

    def result(self, note: str, *, found: bool) -> None:
        """Ignores it."""

    def warning(self, text: str) -> None:
        """Ignores it."""


@dataclass(frozen=True)
class Request:
    """What is to be run.

    Attributes:
        recipe: name of the recipe, or a user's own .keras or .tflite file.
        target: name of the target.
        engine: name of the engine, None for the target's default.
        scheme: how the model is quantized, None for the recipe's way.
        build_dir: where everything is put.
        port: a device that is already running, instead of starting one; for a board, where it is plugged in.
        firmware: an ELF file to run instead of the one that the project builds.
        resume: ask the device only for what the journal of an interrupted run lacks.
        record: a file for the whole conversation with the device.
        data: an ``.npz`` file to train on instead of the recipe's own data.
        flash: whether a board that runs anything else is flashed first.
        force: go on in spite of the problems that pre-flight finds.
        samples: an .npz file with inputs for a user's own model.
        built_from: another model file that the device is built from, while everything else goes by the model itself:
            how a fault is planted in order to see that it is found. Its inputs and outputs have the same types and
            shapes.
        search: how many inputs are tried beyond the vectors where these are not all there are; None for as many as the
            recipe says.
    """

    recipe: str
    target: str
    engine: str | None = None
    scheme: str | None = None
    build_dir: Path = Path("build")
    port: str | None = None
    firmware: Path | None = None
    resume: bool = False
    record: Path | None = None
    data: Path | None = None
    flash: bool = False
    force: bool = False
    samples: Path | None = None
    built_from: Path | None = None
    search: int | None = 0
