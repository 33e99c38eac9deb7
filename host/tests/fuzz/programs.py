"""Builds the programs of firmware/fuzz: two for libFuzzer, by clang, and a shared library, by g++.

All of them are built with the warnings of the firmware's own build as errors.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

CHECKOUT = Path(__file__).parents[3]
FIRMWARE = CHECKOUT / "firmware"
CORPUS = FIRMWARE / "fuzz" / "corpus"

_FLAGS = ["-std=gnu++11", "-O2", "-g", "-Wall", "-Wextra", "-Werror"]
_FUZZER = ["-fsanitize=fuzzer,address,undefined", "-fno-sanitize-recover=all"]
_PREPROCESSING = "-DTINYHIL_PREPROCESSING"
# Without a runtime library, which a Python process has not loaded: a report is a trap, and ends the worker.
_LIBRARY = ["-shared", "-fPIC", "-fsanitize=undefined", "-fsanitize-undefined-trap-on-error"]

_SOURCES = {
    "decoder": (["fuzz_decoder.cpp"], ["link"]),
    "server": (["fuzz_server.cpp", "expected.cpp", "fake_model.cpp"], ["link", "engine", "server"]),
    "differential": (["differential.cpp"], ["link"]),
}


class BuildError(Exception):
    """A program could not be built; the message is the compiler's, or says what is missing."""


def why_no_libfuzzer(folder: Path) -> str | None:
    """What libFuzzer would need here, or None if it works. ``folder`` takes a small program."""
    install = "apt-get install --no-install-recommends clang libclang-rt-dev"
    if shutil.which("clang++") is None:
        return f"clang++ is not installed: {install}"
    source = folder / "nothing.cpp"
    folder.mkdir(parents=True, exist_ok=True)
    source.write_text('extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }\n')
    done = subprocess.run(["clang++", *_FUZZER, source, "-o", folder / "nothing"], capture_output=True, check=False)
    return None if done.returncode == 0 else f"clang++ has no libFuzzer: {install}"


def fuzzer(name: str, folder: Path, firmware: Path = FIRMWARE, *, preprocessing: bool = True) -> Path:
    """Builds "decoder" or "server" for libFuzzer, sanitizers included.

    Args:
        firmware: the folder with the sources under test; the harness is always that of the checkout.
        preprocessing: the server as it is compiled around sketches, which may have some; otherwise as for the rest.

    Raises:
        BuildError: the compiler is missing or refused it.
    """
    flags = [*_FUZZER, _PREPROCESSING] if preprocessing else _FUZZER
    return _build("clang++", flags, name, folder / f"fuzz_{name}", firmware)


def library(folder: Path, firmware: Path = FIRMWARE) -> Path:
    """Builds the C++ decoder as a shared library for the differential fuzzer.

    Raises:
        BuildError: the compiler is missing or refused it.
    """
    return _build("g++", _LIBRARY, "differential", folder / "differential.so", firmware)


def _build(compiler: str, flags: list[str], name: str, program: Path, firmware: Path) -> Path:
    if shutil.which(compiler) is None:
        raise BuildError(f"{compiler} is not installed")
    harness, libraries = _SOURCES[name]
    sources = [FIRMWARE / "fuzz" / source for source in harness]
    include = [f"-I{FIRMWARE / 'fuzz'}"]
    for folder in (firmware / "lib" / library for library in libraries):
        sources += sorted(folder.glob("*.cpp"))
        include.append(f"-I{folder}")
    program.parent.mkdir(parents=True, exist_ok=True)
    command = [compiler, *_FLAGS, *flags, *include, *map(str, sources), "-o", str(program)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BuildError(done.stderr)
    return program
