"""The facts of a target. Everything that differs between targets is a field here and a value in a file.

Ownership: a :class:`Target` is a passive fact; devices, transports and the toolchain read it and never change it.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,31}$")]
"""Names of targets, recipes and engines: they become folder names."""

Positive = Annotated[int, Meta(gt=0)]


class Chip(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The chip's limits, against which an image is judged before it is flashed."""

    cpu: str
    flash_bytes: Positive
    ram_bytes: Positive


class Program(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A program that the target needs on PATH, and the Debian packages that bring it."""

    name: str
    debian: str


LOCAL_PLATFORM = "local"
"""The value of ``build.platform`` that stands for the project's own platform, firmware/platform."""


class Build(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How PlatformIO builds for the target.

    Attributes:
        platform: PlatformIO platform, or ``local`` for the project's own one (firmware/platform).
        board: PlatformIO board id.
        framework: PlatformIO framework, empty for bare metal.
        port: folder of firmware/lib/port that drives the chip.
        flags: further compiler flags.
        programs: what has to be on PATH.
    """

    platform: str
    board: str
    port: str
    framework: str = ""
    flags: tuple[str, ...] = ()
    programs: tuple[Program, ...] = ()

    @property
    def local(self) -> bool:
        """Whether it builds with the project's own platform, which needs no registry."""
        return self.platform == LOCAL_PLATFORM


class Link(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The wire to the device.

    Attributes:
        baud: line rate in bit/s; an emulator ignores it.
        max_payload: largest frame payload in bytes that the firmware is built for (docs/protocol.md, WELCOME).
        answer_within: seconds of silence after which a device is given up.
        max_batch: most vectors in one request. Lower it where a model is so slow that a request of the largest size
            would take longer than ``answer_within``.
    """

    baud: Positive = 115200
    max_payload: Annotated[int, Meta(ge=100, le=4096)] = 1024
    answer_within: Annotated[float, Meta(gt=0)] = 10.0
    max_batch: Annotated[int, Meta(ge=1, le=65535)] = 65535


FIRMWARE = "{firmware}"
"""What stands for the path of the ELF file in a target file."""


class Emulator(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A program that stands in for the board.

    Attributes:
        program: found on PATH; ``{firmware}`` where the firmware is itself a program for the host.
        debian: the Debian package that brings it, if it is to be found on PATH.
        arguments: its arguments; ``{firmware}`` stands for the path of the ELF file.
        serial_port: regular expression whose first group is the path of the serial port in the program's output.
        last_words: regular expression of the lines of its output that say why it ended; by default the last line does.
    """

    program: str
    arguments: tuple[str, ...]
    serial_port: str
    debian: str = ""
    last_words: str = ""

    def __post_init__(self) -> None:
        """Refuses a program whose package is not named, so that a user who lacks it is told what to install."""
        if (self.program == FIRMWARE) == bool(self.debian):
            raise ValueError(f"`debian` names the package of `program`, and nothing where that is {FIRMWARE!r}")

    @property
    def on_path(self) -> Program | None:
        """What has to be installed to run it, None where that is the firmware alone."""
        return Program(name=self.program, debian=self.debian) if self.debian else None


class Measure(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a tick of the device's clock honestly stands for.

    Attributes:
        unit: ``instructions`` for an emulator that counts them, ``microseconds`` for a chip, ``nothing`` otherwise.
        per_tick: units per tick.
        method: how the figure comes about, for the report.
    """

    unit: Literal["instructions", "microseconds", "nothing"]
    per_tick: float = 1.0
    method: str = ""


class Engine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How an engine is built for the target, and what it computes correctly there.

    Attributes:
        kernels: kernel set.
        per_channel_dense: whether Dense layers may be quantized per channel.
        ops: TFLite builtin operators it takes.
        profile: the engine's own name for the CPU, where it has one.
        library: the PlatformIO library that it comes from, as in ``lib_deps``.
        header: a header of that library, by which PlatformIO sees that it is used.
        leave_out: sources of that library that are not compiled, as patterns of their paths.
        flags: compiler flags for the whole project, the library included: what has to be the same on both sides.
        dtypes: tensor types that it computes.
        versions: by operator, the highest version that it takes, where it does not take all.
        programs: what has to be on PATH besides what the target's build needs.
        default_arena: bytes of working memory where the project is told no other size; 0 to estimate it by the model.
        max_arena: most bytes of working memory that the chip can spare; 0 for a share of its RAM.
    """

    kernels: Literal["portable", "cmsis-nn", "reference", "esp-nn"]
    per_channel_dense: bool
    ops: tuple[str, ...]
    profile: str = ""
    library: str = ""
    header: str = ""
    leave_out: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    dtypes: tuple[str, ...] = ("int8",)
    versions: dict[str, int] = {}
    programs: tuple[Program, ...] = ()
    default_arena: Annotated[int, Meta(ge=0)] = 0
    max_arena: Annotated[int, Meta(ge=0)] = 0


class Target(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One target file.

    Attributes:
        name: as in ``--target``.
        title: one line for people.
        honest_about: what its figures may and may not be taken for.
        default_engine: a key of ``engines``.
    """

    name: Name
    title: str
    honest_about: str
    default_engine: Name
    chip: Chip
    build: Build
    link: Link
    measure: Measure
    engines: dict[Name, Engine]
    emulator: Emulator | None = None
