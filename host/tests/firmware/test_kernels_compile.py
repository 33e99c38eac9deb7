"""Every kernel by itself, without a warning, by every standard that a board's core may ask for."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

WARNINGS = ("-Wall", "-Wextra", "-Wshadow", "-Werror")
COMPILERS = {
    "g++": ("-funsigned-char",),
    "arm-none-eabi-gcc": ("-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"),
}
SOURCES = sorted((Path(__file__).parents[3] / "firmware" / "lib" / "kernels").glob("*.*"))


@pytest.mark.parametrize("standard", ["gnu++11", "gnu++20"])
@pytest.mark.parametrize("compiler", COMPILERS)
def test_kernels_compile_without_a_warning(tmp_path: Path, compiler: str, standard: str) -> None:
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    assert len(SOURCES) > 20
    everything = tmp_path / "all.cpp"  # headers too, each included twice
    for source in SOURCES:
        everything.write_text(f'#include "{source}"\n' * (2 if source.suffix == ".h" else 1))
        command = [compiler, *COMPILERS[compiler], f"-std={standard}", *WARNINGS, "-Os", "-fno-rtti", "-fsyntax-only"]
        exceptions = "-fexceptions" if standard == "gnu++11" else "-fno-exceptions"
        done = subprocess.run([*command, exceptions, everything], capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, ""), source.name
