"""The options of a run: one frozen set, which command line, pytest plugin, recordings and Python API share.

A new option is one field of :class:`Options` (with its twin in :class:`Overrides`, by which type checkers know the
keyword arguments of ``tinyhil.run``) and its use. All fronts take their flags, help and defaults from here, and a
recording keeps every option that has a meaning without the device.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Container, Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar, get_args, get_type_hints

if TYPE_CHECKING:
    import numpy.typing as npt

_T = TypeVar("_T")
_KEY = "tinyhil"


class Level(IntEnum):
    """How far a run goes with an option: a command that goes up to a level takes the options of all levels to there."""

    MODEL = 0
    PLACEMENT = 1
    BUILD = 2
    DEVICE = 3
    ANSWERS = 4
    HIDDEN = 5


@dataclass(frozen=True)
class About:
    """What the fronts say of an option.

    Attributes:
        help: one or two sentences.
        level: which commands take it.
        metavar: of its value; empty for a flag.
        short: a flag of one letter, with its dash; empty for none.
        usual: what happens without it, where its default is not the word for that.
        least: the smallest number that it takes.
        recorded: whether a recording keeps it: it has a meaning where another device answers, or none does.
        in_memory: whether the Python API takes arrays in place of the file, and writes it.
        number: whether the Python API takes a number in place of the text.
        flag: on a command line, where it cannot be called by its name in Python.
        single: whether it is for one run alone: it names what several runs cannot share.
    """

    help: str
    level: Level
    metavar: str = ""
    short: str = ""
    usual: str = ""
    least: int | None = None
    recorded: bool = True
    in_memory: bool = False
    number: bool = False
    flag: str = ""
    single: bool = False


def _option(default: _T, help: str, level: Level, **about: Any) -> _T:
    field: _T = dataclasses.field(default=default, metadata={_KEY: About(help, level, **about)})
    return field


@dataclass(frozen=True)
class Options:
    """How a model is run. A path that is not absolute is relative to the current folder."""

    target: str = _option(
        "qemu-m4", "Where it runs; 'tinyhil targets' lists them.", Level.PLACEMENT, metavar="NAME", short="-t"
    )
    """Name of the target."""
    engine: str | None = _option(
        None, "The engine that computes the model on the target.", Level.PLACEMENT, metavar="NAME", usual="the target's"
    )
    """Name of the engine; None for the target's default."""
    scheme: str | None = _option(
        None,
        "How the model is quantized: float32, int8, int8-per-channel, int16x8 or dynamic.",
        Level.PLACEMENT,
        metavar="NAME",
        usual="the recipe's",
    )
    """How the model is quantized; None for the recipe's way."""
    samples: Path | None = _option(
        None,
        "Inputs for a model of your own, perhaps with targets: .npz, .npy, .csv, or a folder of images by class.",
        Level.MODEL,
        metavar="FILE|DIR",
        in_memory=True,
    )
    """A file of samples, or a folder of images by class, for a user's own model."""
    data: Path | None = _option(
        None,
        "Train on these samples instead of the recipe's own: .npz, .npy, .csv, or a folder of images by class.",
        Level.MODEL,
        metavar="FILE|DIR",
        in_memory=True,
    )
    """A file of samples to train on instead of the recipe's own data."""
    force: bool = _option(
        False, "Go on in spite of what pre-flight finds. The report lists it.", Level.BUILD, recorded=False
    )
    """Go on in spite of the problems that pre-flight finds."""
    form: str = _option(
        "project",
        "What the firmware is to be: a project of its own, or a library for a sketch of yours; then name what you have "
        "built around it with --firmware.",
        Level.BUILD,
        metavar="project|library",
        flag="--as",
        recorded=False,
        single=True,
    )
    """``project``, or ``library`` for firmware of the user's own, which ``firmware`` names."""
    port: str | None = _option(
        None,
        "The port of a board, or of a device that is already running: a device path, usb:SERIALNUMBER, "
        "socket://host:port, rfc2217://host:port or unix:/path.",
        Level.DEVICE,
        metavar="PORT",
        recorded=False,
        single=True,
    )
    """A device that is already running, instead of starting one; for a board, where it is plugged in."""
    line: str | None = _option(
        None,
        "What carries the bytes of an emulator that is started: uart, or semihosting, which is much faster.",
        Level.DEVICE,
        metavar="NAME",
        usual="what the target says",
    )
    """What carries the bytes of an emulator that is started, ``uart`` or ``semihosting``; None for the target's."""
    firmware: Path | None = _option(
        None,
        "Run this ELF file instead of building one.",
        Level.ANSWERS,
        metavar="FILE",
        recorded=False,
        single=True,
    )
    """An ELF file to run instead of the one that the project builds."""
    resume: bool = _option(
        False,
        "Go on with an interrupted run: ask only for answers that its journal does not have.",
        Level.ANSWERS,
        recorded=False,
    )
    """Ask the device only for what the journal of an interrupted run lacks."""
    strict: bool = _option(
        False,
        "Fail a run that would pass, but with a warning of what looks wrong with the model or its samples.",
        Level.ANSWERS,
    )
    """Whether findings on the model and its samples (``tinyhil.compare.health.STRICT``) fail the run."""
    record: Path | None = _option(
        None,
        "Record the whole conversation with the device in this file.",
        Level.ANSWERS,
        metavar="FILE",
        recorded=False,
        single=True,
    )
    """A file for the whole conversation with the device."""
    search: int | None = _option(
        None,
        "More inputs to try, where the vectors are not all possible inputs; 0 for none.",
        Level.ANSWERS,
        metavar="COUNT",
        short="-n",
        usual="as the recipe says",
        least=0,
    )
    """How many inputs are tried beyond the vectors where these are not all there are; None for the recipe's number."""
    max_lsb: int | None = _option(
        None,
        "Differences from the reference that are allowed, in LSB; of float outputs in units in the last place (ULP).",
        Level.ANSWERS,
        metavar="COUNT",
        usual="the recipe's, and 0 for a model of your own",
        least=0,
    )
    """The largest difference from the reference in LSB, in ULP where outputs are floats; None for the recipe's."""
    raw: Path | None = _option(
        None,
        "Raw samples for the preprocessing of firmware of your own (--as library): an .npz file with raw, and perhaps "
        "with x, the features that the host makes of them.",
        Level.ANSWERS,
        metavar="FILE",
        single=True,
    )
    """A file of raw samples, which the firmware's own preprocessing takes to the model's inputs."""
    prepare: Path | None = _option(
        None,
        "A Python file with prepare(raw), which makes the features of raw samples on the host.",
        Level.ANSWERS,
        metavar="FILE",
        usual="x in the file of raw samples",
        recorded=False,
        single=True,
    )
    """A Python file with a function ``prepare`` from raw samples to features; None for those in the file ``raw``. A
    recording does not name it: it may come from anywhere, and is not to say what code runs here."""
    features_lsb: int = _option(
        0,
        "Differences of features between device and host that are allowed, in LSB of the input; of floats in ULP.",
        Level.ANSWERS,
        metavar="COUNT",
        least=0,
        single=True,
    )
    """The largest difference between features of device and host in LSB of the model's input, in ULP of floats."""
    budget: str = _option(
        "60s",
        "Time that vectors and search may take, by what the target's file says of its pace: 90s, 5min.",
        Level.PLACEMENT,
        metavar="TIME",
        number=True,
    )
    """Time that vectors and search may take, as it is reckoned before they begin: ``90s``, ``5min``."""
    vectors: str | None = _option(
        None,
        "Send this many vectors, whatever time they take; 'all' for all there are.",
        Level.PLACEMENT,
        metavar="COUNT|all",
        usual="what the budget allows",
        number=True,
    )
    """How many vectors are sent, or ``all``; None for as many as the budget allows."""
    build_dir: Path = _option(
        Path("build"), "Folder for everything that is made.", Level.MODEL, metavar="DIR", recorded=False
    )
    """Where everything is put."""
    flash: bool = _option(False, "Flash a board that runs anything else first.", Level.HIDDEN, recorded=False)
    """Whether a board that runs anything else is flashed first."""
    built_from: Path | None = _option(
        None, "Build the device from this model file.", Level.HIDDEN, metavar="FILE", recorded=False
    )
    """Another model file that the device is built from, while everything else goes by the model itself: how a fault is
    planted in order to see that it is found. Its inputs and outputs have the same types and shapes."""


if TYPE_CHECKING:
    FileOrArrays = str | Path | npt.ArrayLike | Mapping[str, npt.ArrayLike] | tuple[npt.ArrayLike, npt.ArrayLike]
    """An .npz file, or what is to be in it: x alone, x and y, or arrays by their names."""


class Overrides(TypedDict, total=False):
    """The fields of :class:`Options` as keyword arguments; a path may be a text there.

    A test holds the two against each other.
    """

    target: str
    engine: str | None
    scheme: str | None
    samples: FileOrArrays | None
    data: FileOrArrays | None
    force: bool
    form: str
    port: str | None
    line: str | None
    firmware: str | Path | None
    resume: bool
    strict: bool
    record: str | Path | None
    search: int | None
    max_lsb: int | None
    raw: str | Path | None
    prepare: str | Path | None
    features_lsb: int
    budget: str | int
    vectors: str | int | None
    build_dir: str | Path
    flash: bool
    built_from: str | Path | None


@dataclass(frozen=True)
class Field:
    """One option, as a front needs it.

    Attributes:
        name: of the field.
        type: of its value, without None.
        optional: whether None is among its values.
        default: its default.
        about: what is said of it.
    """

    name: str
    type: type
    optional: bool
    default: Any
    about: About

    @property
    def flag(self) -> str:
        """Its flag on a command line."""
        return self.about.flag or f"--{self.name.replace('_', '-')}"

    @property
    def is_switch(self) -> bool:
        """Whether it is on or off, and takes no value."""
        return self.type is bool


def fields(cls: type = Options) -> tuple[Field, ...]:
    """All options of ``cls``, in the order in which help shows them."""
    hints = get_type_hints(cls)
    found = []
    for field in dataclasses.fields(cls):
        (kind,) = (each for each in get_args(hints[field.name]) or (hints[field.name],) if each is not type(None))
        optional = hints[field.name] is not kind
        found.append(Field(field.name, kind, optional, field.default, field.metadata[_KEY]))
    return tuple(found)


def overridden(options: Options, overrides: Mapping[str, Any]) -> Options:
    """The options with some of them replaced; a text in place of a path is one, and a number in place of a text.

    Raises:
        TypeError: there is no option of that name.
    """
    known = {field.name: field for field in fields()}
    values = {name: _as_option(value, known.get(name)) for name, value in overrides.items()}
    unknown = sorted(values.keys() - {field.name for field in fields()})
    if unknown:
        raise TypeError(f"there is no option {unknown[0]!r}; there are {', '.join(field.name for field in fields())}")
    return dataclasses.replace(options, **values)


def _as_option(value: Any, field: Field | None) -> Any:
    if field is not None and field.type is Path and isinstance(value, str):
        return Path(value)
    if field is not None and field.about.number and isinstance(value, int):
        return str(value)
    return value


def recorded(options: Options) -> dict[str, str | int | bool | None]:
    """What a recording keeps: plain values, paths in full so that they lead to the same file from another folder."""
    kept: dict[str, str | int | bool | None] = {}
    for field in fields(type(options)):
        if field.about.recorded:
            value = getattr(options, field.name)
            kept[field.name] = str(value.resolve()) if isinstance(value, Path) else value
    return kept


def restored(kept: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse, as keyword arguments; what this version does not know is left out.

    Raises:
        TypeError: a value is of another type than the option.
    """
    arguments: dict[str, Any] = {}
    for field in fields():
        value = kept.get(field.name)
        if value is None or not field.about.recorded:
            continue
        wanted: type = str if field.type is Path else field.type
        if type(value) is not wanted:
            raise TypeError(f"{field.name} is {value!r}, and not of type {wanted.__name__}")
        arguments[field.name] = Path(str(value)) if field.type is Path else value
    return arguments


def flags_of(options: Options, names: Container[str]) -> list[str]:
    """The words on a command line that say the options ``names``, as far as they are not their defaults."""
    words = []
    for field in fields():
        value = getattr(options, field.name)
        if field.name in names and value != field.default:
            words += [field.flag] if field.is_switch else [field.flag, str(value)]
    return words
