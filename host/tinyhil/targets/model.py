"""The facts of a target. Everything that differs between targets is a field here and a value in a file.

Ownership: a :class:`Target` is a passive fact; devices, transports and the toolchain read it and never change it.
"""

from __future__ import annotations

import shlex
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from tinyhil.errors import ConfigError
from tinyhil.targets.wire import Link, Positive, Power, Upload

Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,31}$")]
"""Names of targets, recipes and engines: they become folder names."""


class Chip(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The chip's limits, against which an image is judged before it is flashed.

    Attributes:
        cpu: its name.
        flash_bytes: what an image may take of the flash.
        ram_bytes: what there is of RAM.
        static_ram_bytes: what an image's static data may take of it, where the linker ends before that; 0 for all.
        ram: address ranges of the RAM, first and past the last, where the image's own layout does not tell: on a chip
            that copies code to RAM before it starts, or that sees the same RAM under two addresses. Where the same
            bytes are in the image under both, only one range is named.
    """

    cpu: str
    flash_bytes: Positive
    ram_bytes: Positive
    static_ram_bytes: Annotated[int, Meta(ge=0)] = 0
    ram: tuple[tuple[int, int], ...] = ()

    @property
    def static_ram(self) -> int:
        """Bytes that an image's static data may take, the arena among them."""
        return self.static_ram_bytes or self.ram_bytes


class Program(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A program that the target needs on PATH.

    Attributes:
        name: of the program.
        debian: the Debian packages that bring it, separated by blanks.
        install: how to get it where Debian has it not.
    """

    name: str
    debian: str = ""
    install: str = ""

    @property
    def hint(self) -> str:
        """The next step of somebody who lacks it."""
        return f"sudo apt-get install {self.debian}" if self.debian else self.install


LOCAL_PLATFORM = "local"
"""The value of ``build.platform`` that stands for the project's own platform, firmware/platform."""


class Build(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How PlatformIO builds for the target.

    Attributes:
        platform: PlatformIO platform, or ``local`` for the project's own one (firmware/platform).
        board: PlatformIO board id.
        framework: PlatformIO framework, empty for bare metal and the host.
        ports: folders of firmware/lib/port that drive the chip: its own, and what it shares with others.
        flags: further compiler flags.
        unflags: compiler flags of the framework's that are left out.
        programs: what has to be on PATH.
    """

    platform: str
    board: str
    ports: Annotated[tuple[str, ...], Meta(min_length=1)]
    framework: Literal["", "arduino", "espidf"] = ""
    flags: tuple[str, ...] = ()
    unflags: tuple[str, ...] = ()
    programs: tuple[Program, ...] = ()

    @property
    def local(self) -> bool:
        """Whether it builds with the project's own platform, which needs no registry."""
        return self.platform == LOCAL_PLATFORM

    @property
    def sketch(self) -> bool:
        """Whether it is a sketch: the framework has main() and calls setup() and loop()."""
        return self.framework == "arduino"

    @property
    def library(self) -> bool:
        """Whether a model can be a library for a sketch: not where the framework takes components of its own form."""
        return self.sketch or not self.framework


class Pace(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a run's time is reckoned with, before it begins: how many vectors it sends follows from it (allowance.py).

    Neither is measured by a run, so that every run on the target asks the same. The defaults are those of a slow board
    behind a UART of 115,200 baud.

    Attributes:
        bytes_per_second: of inputs and outputs that the line carries.
        macs_per_second: multiply-accumulates of the default engine.
    """

    bytes_per_second: Positive = 11_000
    macs_per_second: Positive = 5_000_000


FIRMWARE = "{firmware}"
"""What stands for the path of the firmware image in a target file."""

PYTHON = "{python}"
"""What stands for the Python that runs tinyhil."""

_COMES_ALONG = (FIRMWARE, PYTHON)
"""Programs that nobody has to install."""


class Ability(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What tells an emulator from another program of the same name.

    Attributes:
        arguments: with which it is asked.
        expects: regular expression that its answer has to match.
        lacking: what it lacks where that is not so: "machine esp32".
    """

    arguments: tuple[str, ...]
    expects: str
    lacking: str


class FlashPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One file of a flash image, and where in the flash it begins.

    Attributes:
        offset: in bytes.
        file: a file that PlatformIO puts beside the image it links, or the path of one in PlatformIO's packages.
    """

    offset: Annotated[int, Meta(ge=0)]
    file: str


class FlashImage(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The flash chip that an emulator wants whole.

    Attributes:
        size: of the chip, in bytes.
        parts: what is in it; the rest is erased.
    """

    size: Positive
    parts: tuple[FlashPart, ...]


UART: Literal["uart"] = "uart"
SEMIHOSTING: Literal["semihosting"] = "semihosting"

LineName = Literal["uart", "semihosting"]
"""What carries the bytes between an emulated chip and this computer."""


class Semihosting(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How an emulator is told that the firmware is to take a terminal of this computer instead of its UART.

    In ``arguments`` stand, besides what the emulator's own may have:

    - ``{terminal}``: the terminal's path, which the firmware asks for as its command line
    - ``{seed}``: a random number of 32 bits, eight hexadecimal digits, that differs from start to start

    Attributes:
        arguments: that the emulator gets besides its own.
    """

    arguments: Annotated[tuple[str, ...], Meta(min_length=1)]


class Emulator(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A program that stands in for the board.

    In ``arguments``, ``environment`` and ``address`` stand for what each run has of its own:

    - ``{firmware}``: the path of the image
    - ``{python}``: the Python that runs tinyhil
    - ``{flash_image}``: that of the flash image
    - ``{port}``: a TCP port of this computer that nobody listens at
    - ``{temporary}``: a folder that is removed at the end; ``firmware`` and ``project`` in it are links to the ELF file
      and to the rendered project, for programs that take no path with a blank

    Attributes:
        program: found on PATH; ``{firmware}`` where the firmware is itself a program for the host, ``{python}`` for the
            Python that runs tinyhil.
        debian: the Debian package that brings it, if it is to be found on PATH and Debian has it.
        install: how to get it otherwise, in a sentence.
        ability: what else makes it the right program.
        arguments: its arguments.
        environment: variables that it gets beside ours.
        serial_port: regular expression whose first group is the path of the serial port in the program's output.
        address: the alternative: where the program offers the serial line, ``socket://127.0.0.1:{port}``.
        flash_image: what ``{flash_image}`` is made of.
        templates: files of templates/emulator that are rendered into the project, in its folder ``emulator``.
        last_words: regular expression of the lines of its output that say why it ended, or of which a group says it; by
            default the last line does.
        console: whether it has a console on its standard input, whose end ends it, and may be a script that starts the
            real program: it gets a pipe, and whatever it has started ends with us.
        start_within: seconds in which it has to offer its serial line; 0 for those of an answer.
        semihosting: what it takes for the faster line, which runs then use if nobody asks for another; where it is
            absent, the serial line above is the only one.
    """

    program: str
    arguments: tuple[str, ...]
    serial_port: str = ""
    address: str = ""
    debian: str = ""
    install: str = ""
    ability: Ability | None = None
    environment: dict[str, str] = {}
    flash_image: FlashImage | None = None
    templates: tuple[str, ...] = ()
    last_words: str = ""
    console: bool = False
    start_within: Annotated[float, Meta(ge=0)] = 0.0
    semihosting: Semihosting | None = None

    def __post_init__(self) -> None:
        """Refuses a file that leaves open how to get the program, or where its serial line is."""
        hints = bool(self.debian) + bool(self.install)
        if hints != (self.program not in _COMES_ALONG):
            raise ValueError(
                "`debian` names the package of `program`, or `install` says how to get it; "
                f"neither where that is {' or '.join(_COMES_ALONG)}"
            )
        if bool(self.serial_port) == bool(self.address):
            raise ValueError("where the serial line is, either `serial_port` or `address` says")
        if any("{flash_image}" in argument for argument in self.arguments) != (self.flash_image is not None):
            raise ValueError("`flash_image` says what {flash_image} in `arguments` is made of")
        if self.semihosting is not None and not any("{terminal}" in each for each in self.semihosting.arguments):
            raise ValueError("`semihosting` has to tell the firmware its {terminal}")

    @property
    def line(self) -> LineName:
        """What carries the bytes of a run where nobody says it."""
        return UART if self.semihosting is None else SEMIHOSTING

    @property
    def on_path(self) -> Program | None:
        """What has to be installed to run it, None where that is nothing."""
        if self.program in _COMES_ALONG:
            return None
        return Program(name=self.program, debian=self.debian, install=self.install)


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


DTypeName = Literal["int4", "int8", "uint8", "int16", "int32", "int64", "float16", "float32", "bool", "resource"]


class Engine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How an engine is built for the target, and what it computes correctly there.

    Attributes:
        kernels: kernel set; ``reference`` are TFLM's own.
        profile: the engine's own name for the CPU, where it has one.
        per_channel_dense: whether it computes Dense layers that are quantized per channel.
        dense: how the scheme ``int8`` exports Dense layers where it computes both; per channel is more accurate.
        ops: TFLite operators it takes; a custom one is ``CUSTOM(<its name>)``. Empty where it is ``ahead_of_time`` and
            takes all that tinyhil compiles.
        versions: the highest version of an operator that it takes, for those of ``ops`` whose later ones it does not.
        dtypes: element types of the tensors that it computes, and of its weights. Constants of int32 and int64 (biases,
            shapes, paddings) go with their operators.
        also: element types that it computes in some of ``ops`` only: these.
        ahead_of_time: whether tinyhil itself compiles the model for it, operator by operator: then that is asked what
            it takes of each operator, and ``dtypes``, ``versions`` and ``also`` do not matter.
        max_inputs, max_outputs: how many of them a model may have.
        whole_file: whether the image holds the model file as it is, rather than its weights alone.
        library: the PlatformIO library that it comes from, as in ``lib_deps``.
        component: the component of ESP-IDF that it comes from, with its version, as ``name@version``.
        programs: what has to be on PATH besides what the target's build needs.
        leave_out: sources of that library that are not compiled, as patterns of their paths.
        flags: compiler flags for the whole project, the library included: what has to be the same on both sides.
        default_arena: bytes of working memory where the project is told no other size; 0 to estimate it by the model.
        max_arena: most bytes of working memory that the chip can spare; 0 for a share of its RAM.
    """

    kernels: Literal["portable", "cmsis-nn", "reference", "esp-nn"]
    per_channel_dense: bool
    dense: Literal["per-tensor", "per-channel"] = "per-channel"
    ops: tuple[str, ...] = ()
    profile: str = ""
    library: str = ""
    component: str = ""
    programs: tuple[Program, ...] = ()
    leave_out: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    default_arena: Annotated[int, Meta(ge=0)] = 0
    max_arena: Annotated[int, Meta(ge=0)] = 0
    versions: dict[str, Positive] = {}
    dtypes: tuple[DTypeName, ...] = ("int8",)
    also: dict[DTypeName, tuple[str, ...]] = {}
    ahead_of_time: bool = False
    max_inputs: Positive = 255
    max_outputs: Positive = 255
    whole_file: bool = False

    def __post_init__(self) -> None:
        """Refuses a file without operators, and more facts of operators that it does not take: one is misspelt."""
        if not self.ops and not self.ahead_of_time:
            raise ValueError("`ops` names the operators that the engine takes")
        if unknown := sorted(set(self.versions) - set(self.ops)):
            raise ValueError(f"`versions` names {', '.join(unknown)}, which `ops` does not")
        for dtype, some in self.also.items():
            if dtype in self.dtypes:
                raise ValueError(f"`also` has {dtype}, which `dtypes` has for all operators")
            if unknown := sorted(set(some) - set(self.ops)):
                raise ValueError(f"`also` names {', '.join(unknown)}, which `ops` does not")


class Target(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One target file.

    Attributes:
        name: as in ``--target``.
        title: one line for people.
        honest_about: what its figures may and may not be taken for.
        default_engine: a key of ``engines``.
        emulator: what stands in for the board, where something does.
        upload: how the firmware gets onto the device, where that is a step of its own.
        build: None where there is nothing to compile: the target runs the model file itself (tinyhil.sim).
        pace: what a run's time is reckoned with.
        power: how the board's power is switched, where something can.
    """

    name: Name
    title: str
    honest_about: str
    default_engine: Name
    chip: Chip
    link: Link
    measure: Measure
    engines: dict[Name, Engine]
    build: Build | None = None
    emulator: Emulator | None = None
    upload: Upload | None = None
    pace: Pace = Pace()
    power: Power | None = None

    @property
    def start_within(self) -> float:
        """Seconds in which the device has to be there after it was switched on."""
        return max(self.link.answer_within, self.emulator.start_within if self.emulator else 0.0)

    @property
    def upload_program(self) -> str:
        """What an upload starts, as a shell would take it, where it leaves its port in the project; else nothing."""
        if self.upload is None or not self.upload.port or self.emulator is None:
            return ""
        return " ".join(
            word if word == FIRMWARE else shlex.quote(word)
            for word in (self.emulator.program, *self.emulator.arguments)
        )

    @property
    def compiles(self) -> Build:
        """How it builds, for what has no use for a target that does not.

        Raises:
            ConfigError: it compiles nothing.
        """
        if self.build is None:
            raise ConfigError(
                f"target {self.name} compiles nothing: it runs the model file itself",
                hint="leave the step out, or choose another target: tinyhil targets lists them",
            )
        return self.build
