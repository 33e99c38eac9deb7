"""Compiles a rendered project for a board as a row of the matrix says, over the fakes of core and library."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile

from tinyhil.targets import registry
from tinyhil.targets.model import Target

from .conftest import DEFINED
from .cores import COMPILERS, WARNINGS, WITHOUT_LIBRARY, Row

FIRMWARE = Path(__file__).parents[3] / "firmware"
FAKES = FIRMWARE / "tests" / "fakes"
KERNELS = FIRMWARE / "lib" / "kernels"
CHECK = ("-fsyntax-only",)
C_STANDARDS = {"gnu++11": "gnu99", "gnu++14": "gnu11", "gnu++17": "gnu11", "gnu++2b": "gnu17"}
"""Of the C that goes with each C++."""


@dataclass(frozen=True)
class Outcome:
    """What a compiler made of sources.

    Attributes:
        said: everything that it printed; nothing where all is well.
        sources: how many there were.
    """

    said: str
    sources: int


def compile_project(row: Row, project: Path, objects: Path | None = None) -> Outcome:
    """Every source of a project: its libraries and its entry with every warning, the model library as it asks for.

    Args:
        row: how.
        project: rendered for the row's target.
        objects: the folder for what is compiled; None to check only.
    """
    target = registry.get(row.target)
    build = target.compiles
    folders = sorted({path.parent for path in project.rglob("*.h")})
    macros = [*build.flags, *target.link.flags, "-DTINYHIL_TESTS_ALL_MACROS", *DEFINED[build.framework]]
    flags = [*macros, *_fakes(row), *(f"-I{folder}" for folder in [project / "lib" / "tinyhil_port", *folders])]
    model = project / "lib" / "model"
    of_model = json.loads((model / "library.json").read_text())["build"]["flags"]
    own = [flag for flag in of_model if not flag.startswith("-I")]
    ours = [path for path in sorted(project.rglob("*.cpp")) if model not in path.parents]
    outcomes = [
        _run([*row.command, *WARNINGS, *flags], ours, objects),
        _run([*row.command, *own, *flags], sorted(model.rglob("*.cpp")), objects),
        _run([*_c(row), *own, *flags], sorted(model.rglob("*.c")), objects),
    ]
    return _sum(outcomes)


def compile_library(row: Row, library: Path, sketch: Path) -> Outcome:
    """Every source of a library and a sketch around it, with the one include folder that the Arduino IDE gives.

    What the model's generators have made is compiled without warnings; ours and the sketch with all of them.

    Args:
        row: how.
        library: its folder, rendered for the row's target.
        sketch: the source of one's own.
    """
    flags = ["-DTINYHIL_TESTS_ALL_MACROS", "-DARDUINO=10819", *_fakes(row), f"-I{library / 'src'}"]
    names = {path.name for path in FIRMWARE.rglob("*.cpp")} | {
        "model_info.cpp",
        "model_data.cpp",
        "model_operators.cpp",
    }
    plus = sorted(library.rglob("*.cpp"))
    outcomes = [
        _run([*row.command, *WARNINGS, *flags], [sketch, *(path for path in plus if path.name in names)], None),
        _run([*row.command, "-w", *flags], [path for path in plus if path.name not in names], None),
        _run([*_c(row), "-w", *flags], sorted(library.rglob("*.c")), None),
    ]
    return _sum(outcomes)


def compile_kernels(row: Row) -> Outcome:
    """Every kernel, whatever a model takes of them."""
    return _run([*row.command, *WARNINGS, *_fakes(row), f"-I{KERNELS}"], sorted(KERNELS.glob("*.cpp")), None)


def compile_ports(target: Target, ways: Sequence[str]) -> Outcome:
    """The ports of a target that builds without a framework, by its own compiler; nothing is left to the optimiser.

    Args:
        target: its facts.
        ways: standard of C++ and further flags.
    """
    build = target.compiles
    board = json.loads((FIRMWARE / "platform" / "boards" / f"{build.board}.json").read_text())["build"]
    ports = FIRMWARE / "lib" / "port"
    sources = [path for name in build.ports for path in sorted((ports / name).glob("*.cpp"))]
    command = [f"{board['toolchain']}g++", *board["machine_flags"], *ways, *WARNINGS, *build.flags, f"-I{ports}"]
    return _run(command, sources, None)


def static_bytes(objects: Path) -> int:
    """Bytes of RAM of the variables in a folder of object files."""
    total = 0
    for path in objects.glob("*.o"):
        with path.open("rb") as stream:
            sections = ELFFile(stream).iter_sections()
            wanted = SH_FLAGS.SHF_ALLOC | SH_FLAGS.SHF_WRITE
            total += sum(each["sh_size"] for each in sections if each["sh_flags"] & wanted == wanted)
    return total


def _fakes(row: Row) -> list[str]:
    framework = registry.get(row.target).compiles.framework
    folders = [FAKES / framework, FAKES / "tflm", *([FAKES / "std"] if row.compiler in WITHOUT_LIBRARY else [])]
    return [f"-I{folder}" for folder in folders]


def _c(row: Row) -> list[str]:
    """The C compiler with the row's flags, without those that are C++'s alone."""
    prefix, always = COMPILERS[row.compiler]
    program = "clang" if row.compiler == "clang" else f"{prefix}gcc"
    flags = [flag for flag in row.flags if "rtti" not in flag]
    return [program, *always, f"-std={C_STANDARDS[row.standard]}", *flags]


def _run(command: Sequence[str], sources: Sequence[Path], objects: Path | None) -> Outcome:
    """One process for all sources of a kind, which stops at none."""
    if not sources:
        return Outcome("", 0)
    how = CHECK if objects is None else ("-c", "-Os")
    done = subprocess.run([*command, *how, *map(str, sources)], cwd=objects, capture_output=True, text=True)
    failed = f"{command[0]} ended with {done.returncode}\n" if done.returncode else ""
    return Outcome(done.stdout + done.stderr + failed, len(sources))


def _sum(outcomes: Iterable[Outcome]) -> Outcome:
    several = list(outcomes)
    return Outcome("".join(each.said for each in several), sum(each.sources for each in several))
