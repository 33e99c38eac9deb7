"""What is in a matrix: every model on every target, computed by every engine that was asked for and that is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from tinyhil import kinds
from tinyhil.errors import ConfigError
from tinyhil.experiments.models import ALL, placements
from tinyhil.options import Options, fields
from tinyhil.pipeline import opening
from tinyhil.pipeline.observer import SilentObserver
from tinyhil.pipeline.run import Run
from tinyhil.quantize import export_for
from tinyhil.targets import registry

_BETWEEN = ","
"""Between the names of targets, and between those of engines."""


@dataclass(frozen=True, eq=False)
class Cell:
    """One run to be.

    Attributes:
        model: name of a recipe, or path of a model file, as the user has named it.
        run: the run, of which nothing is made here: a child opens its own. It says where everything is put.
    """

    model: str
    run: Run

    @property
    def target(self) -> str:
        """Name of the target."""
        return self.run.target.name

    @property
    def engine(self) -> str:
        """Name of the engine."""
        return self.run.engine

    @property
    def title(self) -> str:
        """How it is called wherever something is said of it."""
        return f"{self.model} on {self.target} ({self.engine})"

    @property
    def folder(self) -> Path:
        """Where its report is."""
        return self.run.layout.results

    @property
    def models(self) -> Path:
        """The folder in which the model is made, by one process at a time."""
        return self.run.layout.models

    @cached_property
    def quantized(self) -> tuple[Path, str]:
        """What it shares with others: the model, as it is exported for the engine."""
        return self.models, export_for(self.run.source.scheme, self.run.placement.engine)

    @property
    def boards(self) -> frozenset[str]:
        """The USB ids of the boards that it may be on; nothing where everything that it needs is its own."""
        upload = self.run.target.upload
        return frozenset() if upload is None else frozenset(upload.usb)

    @property
    def pace(self) -> float:
        """How fast the target is: the faster, the more vectors it is sent."""
        return self.run.target.pace.macs_per_second


@dataclass(frozen=True)
class Plan:
    """What is to be run.

    Attributes:
        cells: model by model, and in each target by target.
        left_out: engines that some targets have and others have not, in a line for each of these.
    """

    cells: tuple[Cell, ...]
    left_out: tuple[str, ...]


def plan(models: Sequence[str], options: Options) -> Plan:
    """The cells.

    Args:
        models: as ``Cell.model`` of each.
        options: of all runs; target and engine may be several names with commas between them.

    Raises:
        ConfigError: a name is unknown or named twice, a target has none of the engines, an option is for single runs
            or does not go with a model, or two names lead to one model.
    """
    targets, engines = _names("--target", options.target), _names("--engine", options.engine)
    _refuse_twice("the models", models)
    if ALL in engines and len(engines) > 1:
        raise ConfigError(
            f"--engine names {ALL}, and {' and '.join(each for each in engines if each != ALL)} beside it",
            hint=f"{ALL} is every engine of each target: leave the others out",
            kind=kinds.CONTRADICTION,
        )
    _refuse_single(options)
    placed = placements(targets, engines)
    cells = []
    for model in models:
        for target, engine in placed:
            own = replace(options, target=target, engine=engine)
            cells.append(Cell(model, opening.open_run(model, own, SilentObserver())))
    _refuse_shared(cells)
    return Plan(tuple(cells), tuple(_left_out(targets, placed)) if engines else ())


def _names(flag: str, value: str | None) -> list[str]:
    if value is None:
        return []
    names = [name.strip() for name in value.split(_BETWEEN)]
    if "" in names:
        raise ConfigError(
            f"{flag} {value!r} has an empty name", hint="write names with a comma between them", kind=kinds.UNKNOWN_NAME
        )
    _refuse_twice(flag, names)
    return names


def _refuse_twice(where: str, names: Sequence[str]) -> None:
    for number, name in enumerate(names):
        if name in names[:number]:
            raise ConfigError(
                f"{where} name {name!r} twice" if where == "the models" else f"{where} names {name!r} twice",
                hint="name it once: the same run is not carried out again",
                kind=kinds.CONTRADICTION,
            )


def _refuse_single(options: Options) -> None:
    for field in fields():
        if field.about.single and getattr(options, field.name) != field.default:
            raise ConfigError(
                f"{field.flag} is for a single run: several runs cannot share what it names",
                hint="leave it out, or name one model, one target and one engine",
                kind=kinds.CONTRADICTION,
            )


def _refuse_shared(cells: Sequence[Cell]) -> None:
    """Two names of one file, or two files of the same name and content, have one folder for what is made of them."""
    found: dict[Path, Cell] = {}
    for cell in cells:
        other = found.setdefault(cell.folder, cell)
        if other is not cell:
            raise ConfigError(
                f"{other.model} and {cell.model} are the same model", hint="name it once", kind=kinds.CONTRADICTION
            )


def _left_out(targets: Sequence[str], placed: Sequence[tuple[str, str]]) -> list[str]:
    """What each target has not that another one has, of the engines that were asked for."""
    asked = list(dict.fromkeys(engine for _, engine in placed))
    lines = []
    for name in targets:
        there = registry.get(name).engines
        absent = [engine for engine in asked if engine not in there]
        if absent:
            lines.append(f"{name} has no engine {' or '.join(absent)}")
    return lines
