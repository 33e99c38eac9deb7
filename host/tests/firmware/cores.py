"""How the cores of boards compile: one row for each core and CPU, and rows that cover what no core combines so far.

``source`` says where a core has its flags. They were read there on 2026-11-30, those of arduino-esp32 3.x in
esp32-arduino-libs for ESP-IDF 5.1. What is left out of them are flags that turn warnings off: ours are all on, and
errors; and extensions of the C3's instruction set that no compiler of C++ sees.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

WARNINGS = ("-Wall", "-Wextra", "-Werror", "-Wshadow")

COMPILERS = {
    "arm": ("arm-none-eabi-", ("-mthumb",)),
    "riscv": ("riscv64-unknown-elf-", ("-march=rv32imc", "-mabi=ilp32", "--specs=picolibc.specs")),
    "xtensa": ("xtensa-lx106-elf-", ("--specs=/usr/lib/xtensa-lx106-elf/picolibc.specs",)),
    "clang": ("clang", ()),
}
"""What a compiler's programs are called, and what it always gets. Debian's Xtensa is an LX106's, not an LX6's or LX7's:
of the same family, which is enough for a front end."""

WITHOUT_LIBRARY = ("arm", "riscv", "xtensa")
"""Debian's compilers that come without the C++ library, or whose library is a package that nothing here needs:
firmware/tests/fakes/std stands in for its <new>."""


@dataclass(frozen=True)
class Row:
    """One way to compile.

    Attributes:
        name: of the core, or of the row.
        compiler: a key of ``COMPILERS``.
        target: a board whose macros and model library are compiled.
        standard: of C++.
        flags: further flags.
        source: where they are from; nothing for a row of ours.
    """

    name: str
    compiler: str
    target: str
    standard: str
    flags: tuple[str, ...]
    source: str = ""

    @property
    def command(self) -> list[str]:
        """The C++ compiler with the row's flags."""
        prefix, always = COMPILERS[self.compiler]
        program = "clang++" if self.compiler == "clang" else f"{prefix}g++"
        return [program, *always, f"-std={self.standard}", *self.flags]

    @property
    def program(self) -> str:
        """What has to be on PATH."""
        return self.command[0]


_ESP = ("-fexceptions", "-fno-rtti")
_IDF = ("-fno-exceptions", "-fno-rtti")
_MBED = ("-fno-exceptions", "-fno-rtti", "-funsigned-char")
_MBED_STM32 = ("-fexceptions", "-fno-rtti", "-funsigned-char")
_ESP2 = "arduino-esp32 2.0.17, tools/platformio-build-%s.py: CXXFLAGS"
_ESP3 = "arduino-esp32 3.x, esp32-arduino-libs, %s/flags/cpp_flags"
_IDF5 = "ESP-IDF 5.5.3, tools/cmake/build.cmake and CMakeLists.txt, with the defaults of its configuration"
_VARIANT = "ArduinoCore-mbed 4.5.0, variants/%s/cxxflags.txt"

CORES = (
    Row("esp32 2.0", "xtensa", "esp32", "gnu++11", _ESP, _ESP2 % "esp32"),
    Row("esp32s3 2.0", "xtensa", "esp32s3-usb", "gnu++11", _ESP, _ESP2 % "esp32s3"),
    Row("esp32c3 2.0", "riscv", "esp32c3", "gnu++11", _ESP, _ESP2 % "esp32c3"),
    Row("esp32 3.x", "xtensa", "esp32", "gnu++2b", _ESP, _ESP3 % "esp32"),
    Row("esp32 ESP-IDF", "xtensa", "esp32-idf", "gnu++2b", _IDF, _IDF5),
    Row("esp32c3 3.x", "riscv", "esp32c3-usb", "gnu++2b", _ESP, _ESP3 % "esp32c3"),
    Row(
        "nano33ble",
        "arm",
        "nano33ble",
        "gnu++14",
        (*_MBED, "-mcpu=cortex-m4", "-mfloat-abi=softfp", "-mfpu=fpv4-sp-d16"),
        _VARIANT % "ARDUINO_NANO33BLE",
    ),
    Row(
        "portenta",
        "arm",
        "portenta",
        "gnu++14",
        (*_MBED_STM32, "-mcpu=cortex-m7", "-mfloat-abi=softfp", "-mfpu=fpv5-d16"),
        _VARIANT % "PORTENTA_H7_M7",
    ),
    Row("rp2040", "arm", "nano-rp2040", "gnu++14", (*_MBED, "-mcpu=cortex-m0plus"), _VARIANT % "NANO_RP2040_CONNECT"),
    Row("pico", "arm", "pico", "gnu++14", (*_MBED, "-mcpu=cortex-m0plus"), _VARIANT % "RASPBERRY_PI_PICO"),
)

FACTORS: tuple[tuple[str, ...], ...] = (
    tuple(COMPILERS),
    ("gnu++11", "gnu++14", "gnu++17", "gnu++2b"),
    ("-fexceptions", "-fno-exceptions"),
    ("-frtti", "-fno-rtti"),
    ("-funsigned-char", "-fsigned-char"),
    ("esp32", "nano33ble"),
)
"""What is combined: compiler, standard, three flags, and the board, whose core decides which macros there are."""


def pairwise(factors: tuple[tuple[str, ...], ...]) -> Iterator[tuple[str, ...]]:
    """Combinations of one value for each factor, about as few as it takes for each two values to meet in one."""
    open_ = {
        ((a, left), (b, right))
        for a, b in itertools.combinations(range(len(factors)), 2)
        for left in factors[a]
        for right in factors[b]
    }

    def met(row: tuple[str, ...]) -> set[tuple[tuple[int, str], tuple[int, str]]]:
        return set(itertools.combinations(enumerate(row), 2)) & open_

    while open_:
        best = max(itertools.product(*factors), key=lambda row: len(met(row)))
        open_ -= met(best)
        yield best


def _row(values: tuple[str, ...]) -> Row:
    compiler, standard, *flags, target = values
    return Row(" ".join(values), compiler, target, standard, tuple(flags))


PAIRS = tuple(map(_row, pairwise(FACTORS)))
