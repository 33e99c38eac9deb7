"""What is in the table: the model files of a folder, each with the targets and engines that were asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyhil import kinds
from tinyhil.errors import ConfigError
from tinyhil.pipeline.sources.opening import TFLITE
from tinyhil.quantize import keras_config
from tinyhil.targets import registry

ALL = "all"
"""In place of an engine's name: every engine of each target."""
_SAMPLES = ".npz"


@dataclass(frozen=True)
class Case:
    """One row to be.

    Attributes:
        path: the model file.
        target: name of the target.
        engine: name of the engine.
    """

    path: Path
    target: str
    engine: str

    @property
    def keras(self) -> bool:
        """Whether it is a Keras file, which is quantized first."""
        return self.path.suffix.lower() in keras_config.SUFFIXES

    @property
    def samples_beside(self) -> Path:
        """Where its samples are, if there are any."""
        return self.path.with_suffix(_SAMPLES)

    @property
    def samples(self) -> Path | None:
        """Its samples; None where there are none."""
        return self.samples_beside if self.samples_beside.is_file() else None


def placements(targets: Sequence[str], engines: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Target and engine of each column of the table.

    Args:
        targets: names of targets.
        engines: names of engines, each for the targets that have it; ``ALL`` for all of each target; none for each
            target's own choice.

    Raises:
        ConfigError: there is no such target, no target of these has such an engine, or a target has none of them.
    """
    found: list[tuple[str, str]] = []
    for name in dict.fromkeys(targets):
        target = registry.get(name)
        if ALL in engines:
            wanted = list(target.engines)
        elif engines:
            wanted = [engine for engine in dict.fromkeys(engines) if engine in target.engines]
        else:
            wanted = [target.default_engine]
        if not wanted:
            registry.engine(target, engines[0])  # which says what there is
        found += [(name, engine) for engine in wanted]
    for engine in engines:
        if engine != ALL and engine not in {each for _, each in found}:
            raise ConfigError(
                f"no target of {', '.join(targets)} has an engine {engine!r}",
                hint="'tinyhil targets' lists them",
                kind=kinds.UNKNOWN_NAME,
            )
    return tuple(found)


def plan(folder: Path, placed: Sequence[tuple[str, str]]) -> tuple[Case, ...]:
    """Every row, file by file; what lies in folders inside of ``folder`` is left alone.

    Args:
        folder: the folder.
        placed: target and engine of each column.

    Raises:
        ConfigError: it is no folder, cannot be read, or has no model file.
    """
    try:
        entries = sorted(folder.iterdir(), key=lambda path: (path.name.lower(), path.name))
    except OSError as error:
        raise ConfigError(
            f"cannot list the folder {folder}: {error.strerror}",
            hint="give a folder with model files; a single file is for tinyhil run FILE",
        ) from error
    files = [path for path in entries if path.suffix.lower() in (*keras_config.SUFFIXES, TFLITE)]
    if not files:
        raise ConfigError(
            f"there is no {TFLITE}, .keras or .h5 file in {folder}", hint="folders inside of it are not looked into"
        )
    return tuple(Case(path, target, engine) for path in files for target, engine in placed)
