"""Builds a rendered project with PlatformIO, and uploads what it has built.

PlatformIO runs as a child process, by the Python that runs us, with its telemetry, its update checks and its colours
off. For a target of the project's own platform it makes no network connection, unless an engine comes from a library
that the project does not have yet. Variables of the environment by which
PlatformIO lets its user change what is compiled are blanked: an image depends on the project alone.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyhil import process, resources
from tinyhil.artifacts import hashing
from tinyhil.errors import DeviceError, StorageError, ToolError
from tinyhil.progress import Reporter
from tinyhil.targets.model import Build
from tinyhil.toolchain import core_dir, diagnosis, libraries
from tinyhil.toolchain.libraries import Library

_QUIET = {
    "PLATFORMIO_SETTING_ENABLE_TELEMETRY": "0",
    "PLATFORMIO_DISABLE_UPGRADE_CHECK": "true",
    "PLATFORMIO_DISABLE_PROGRESSBAR": "true",
    "PLATFORMIO_NO_ANSI": "true",
    "LC_ALL": "C.UTF-8",  # so that diagnosis.py can read what the compiler says
}

_BLANKED = tuple(
    f"PLATFORMIO_{name}"
    for name in (
        *("BUILD_FLAGS", "BUILD_SRC_FLAGS", "SRC_BUILD_FLAGS", "BUILD_UNFLAGS", "BUILD_SRC_FILTER", "SRC_FILTER"),
        *("WORKSPACE_DIR", "BUILD_DIR", "BUILD_CACHE_DIR", "LIBDEPS_DIR", "DEFAULT_ENVS", "EXTRA_SCRIPTS"),
        *("SRC_DIR", "INCLUDE_DIR", "LIB_DIR", "LIB_EXTRA_DIRS", "BOARDS_DIR"),
    )
)

_SOURCES = frozenset({".c", ".cc", ".cpp", ".S", ".s"})


@dataclass(frozen=True)
class BuildOutput:
    """What a build left behind.

    Attributes:
        elf: the linked image.
        map: the linker's map, None where the platform writes none.
        tool_versions: what built it: ``platformio``, ``scons`` (own platform only), and each compiler's first line.
        tool_sha256: of these, as ``FirmwareImage`` has it.
    """

    elf: Path
    map: Path | None
    tool_versions: Mapping[str, str]
    tool_sha256: Mapping[str, str]


def build(project: Path, environment: str, needs: Build, reporter: Reporter) -> BuildOutput:
    """Builds one environment of a project.

    Args:
        project: folder with the platformio.ini.
        environment: name of the ``[env:...]``.
        needs: the target's facts about its build.
        reporter: told the command, each line of output, and how many sources are compiled.

    Raises:
        MissingToolError: a compiler, PlatformIO or its SCons is not installed; the hint says how to get it.
        ToolError: the build failed; the message has the first error, ``detail`` all output.
        StorageError: the disk is full, or a folder cannot be written.
    """
    found = compilers(needs)
    _run(project, environment, needs, reporter, (), what=f"build the firmware for {environment}")

    folder = project / ".pio" / "build" / environment
    elf = folder / "firmware.elf"
    if not elf.is_file():
        raise ToolError(f"PlatformIO reports success, but there is no {elf}")
    linker_map = folder / "firmware.map"
    return BuildOutput(
        elf=elf,
        map=linker_map if linker_map.is_file() else None,
        tool_versions=_tool_versions(found, needs.local),
        tool_sha256=_tool_sha256(found, needs.local),
    )


def upload(project: Path, environment: str, needs: Build, port: str | None, reporter: Reporter) -> None:
    """Puts the firmware onto the device, after building what has changed: ``pio run -t upload``.

    Args:
        project: folder with the platformio.ini.
        environment: name of the ``[env:...]``.
        needs: the target's facts about its build.
        port: the device's serial port, None where there is none before the upload.
        reporter: told the command and each line of output.

    Raises:
        MissingToolError: as for ``build``.
        DeviceError: the upload failed; the message has the uploader's own, ``detail`` all output.
    """
    targets = ["--target", "upload", *(["--upload-port", port] if port is not None else [])]
    place = f" through {port}" if port is not None else ""
    try:
        _run(project, environment, needs, reporter, targets, what=f"flash {environment}{place}")
    except (ToolError, StorageError) as error:
        cause, hint = diagnosis.upload_problem(error.detail)
        raise DeviceError(
            f"could not flash {environment}{place}: {cause}" if cause else error.message, hint=hint, detail=error.detail
        ) from error


def stop(folder: Path, reporter: Reporter) -> None:
    """Ends the program that an upload has left running. Does nothing where none runs.

    Args:
        folder: in which its port is (firmware/platform/builder/left_running.py).
        reporter: told what was ended.

    Raises:
        ToolError: it does not end.
    """
    script = resources.folder("firmware") / "platform" / "builder" / "left_running.py"
    argv = [sys.executable, str(script), "stop", str(folder)]
    reporter.command(argv)
    process.run(argv, what=f"stop what runs for {folder}", on_line=reporter.text)


def _run(
    project: Path, environment: str, needs: Build, reporter: Reporter, targets: Sequence[str], *, what: str
) -> None:
    core = core_dir.prepare(needs)
    if not (project / "platformio.ini").is_file():
        raise ToolError(f"{project} is not a PlatformIO project: it has no platformio.ini", hint="render it first")
    argv = [sys.executable, "-m", "platformio", "run", "-d", str(project), "-e", environment, *targets]
    reporter.command(argv)
    try:
        process.run(argv, what=what, env=_environment(core), on_line=_follow(project, reporter))
    except ToolError as error:
        raise _explain(error, project, needs) from error


def library(project: Path, environment: str, wanted: str, needs: Build, reporter: Reporter) -> Library:
    """The library that an engine comes from, fetched where the project does not have it.

    Args:
        project: folder with the platformio.ini.
        environment: name of the ``[env:...]``.
        wanted: the entry of ``lib_deps``.
        needs: the target's facts about its build.
        reporter: told the command and each line of output.

    Raises:
        MissingToolError: it is not there and cannot be fetched, or PlatformIO is not installed.
        StorageError: a folder cannot be written.
    """
    found = libraries.find(project, environment, wanted)
    if found is not None:
        return found
    core = core_dir.prepare(needs)
    if not libraries.registry_answers():
        raise libraries.missing(project, environment, wanted, "PlatformIO's registry cannot be reached")
    argv = [sys.executable, "-m", "platformio", "pkg", "install", "-d", str(project), "-e", environment]
    reporter.command(argv)
    try:
        process.run(argv, what=f"fetch {wanted}", env=_environment(core), on_line=reporter.text)
    except ToolError as error:
        cause = diagnosis.first_error(error.detail)
        raise libraries.missing(project, environment, wanted, f"cannot be fetched: {cause}") from error
    found = libraries.find(project, environment, wanted)
    if found is None:
        raise libraries.missing(project, environment, wanted, "PlatformIO has fetched something else")
    return found


def _environment(core: Path | None) -> dict[str, str]:
    environment = {**_QUIET, "PYTHONEXEPATH": sys.executable}
    # PlatformIO takes an empty variable for none; one that is not set stays so.
    environment |= {name: "" for name in _BLANKED if name in os.environ}
    if core is not None:
        environment["PLATFORMIO_CORE_DIR"] = str(core)
        if "PLATFORMIO_PLATFORMS_DIR" in os.environ:  # would win over the project's own platform
            environment["PLATFORMIO_PLATFORMS_DIR"] = ""
    return environment


def _follow(project: Path, reporter: Reporter) -> Callable[[str], None]:
    """Passes PlatformIO's output on, and counts what it has compiled of the project's sources, or found compiled."""
    total = 1 + sum(  # 1 for linking
        path.suffix in _SOURCES for folder in ("src", "lib", ".pio/libdeps") for path in (project / folder).rglob("*")
    )
    done = 0

    def on_line(line: str) -> None:
        nonlocal done
        reporter.text(line)
        step = re.match(r"(?:Compiling |Linking |Retrieved `)(\S+?)(?:'|$)", line)
        if step:
            done = min(done + 1, total)  # a framework's sources are not in the project
            reporter.progress(done, total, Path(step[1]).name)

    return on_line


def _explain(error: ToolError, project: Path, needs: Build) -> ToolError | StorageError:
    refused = diagnosis.storage_problem(error.detail)
    if refused:
        return StorageError(
            f"cannot build in {project}: {refused}",
            hint="free some space, or build in another folder",
            detail=error.detail,
        )
    cause = diagnosis.first_error(error.detail)
    hint = "use a smaller model, or another target" if diagnosis.too_large(error.detail) else ""
    if needs.programs and diagnosis.lacks_a_library(error.detail):
        packages = dict.fromkeys(package for program in needs.programs for package in program.debian.split())
        hint = f"if a system header or library is missing: sudo apt-get install {' '.join(packages)}"
    return ToolError(f"{error.message}: {cause}" if cause else error.message, hint=hint, detail=error.detail)


def beside(output: BuildOutput, file: str) -> Path:
    """A file that belongs to an image: one that PlatformIO wrote beside it, or the path of one in its packages.

    Raises:
        ToolError: there is none.
    """
    path = (core_dir.packages() if "/" in file else output.elf.parent) / file
    if not path.is_file():
        raise ToolError(f"PlatformIO reports success, but there is no {path}")
    return path


def _tool_versions(compiled_by: Mapping[str, str], own_platform: bool) -> dict[str, str]:
    found = core_dir.versions()
    scons = {"scons": found.wanted_scons} if own_platform else {}
    return {"platformio": found.platformio, **scons, **compiled_by}


def _tool_sha256(compiled_by: Iterable[str], own_platform: bool) -> dict[str, str]:
    """Of a compiler its driver, which PATH leads to; the packages of a board's platform are PlatformIO's affair."""
    packages = ("platformio", "scons") if own_platform else ("platformio",)
    made = {name: hashing.of_distribution(name) for name in packages}
    for name in compiled_by:
        path = shutil.which(name)
        made[name] = "" if path is None else hashing.of_file(Path(path))
    return {name: digest for name, digest in made.items() if digest}


def require(needs: Build) -> None:
    """Returns where the programs are there that build for a target.

    Raises:
        MissingToolError: one is not installed; the hint says how to get it.
    """
    for program in needs.programs:
        process.require(program.name, debian=program.debian, install=program.install, purpose="build the firmware")


def compilers(needs: Build) -> dict[str, str]:
    """The programs on PATH that build for a target, and the first line of what each says of its version.

    Raises:
        MissingToolError: one is not installed; the hint says how to get it.
    """
    require(needs)
    return {program.name: first_line_of_version(program.name) for program in needs.programs}


def first_line_of_version(program: str) -> str:
    """The first line that ``program --version`` prints.

    Raises:
        MissingToolError: it is not there.
        ToolError: it fails.
    """
    output = process.run([program, "--version"], what=f"ask {program} for its version")
    return output.partition("\n")[0].strip()
