"""Looks for everything that tinyhil and its targets need, without importing or installing any of it.

A finding is a fact, not a verdict: what is missing matters only to whoever wants the target or stage that needs it.
"""

from __future__ import annotations

import importlib.metadata
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tinyhil.errors import MissingToolError, ToolError
from tinyhil.targets.model import Target
from tinyhil.toolchain import core_dir
from tinyhil.toolchain.platformio import first_line_of_version

_PACKAGES = (
    ("tensorflow", "train, quantize", "tinyhil[train]"),
    ("tflite-micro", "quantize (the integer reference), the target sim", "tflite-micro"),
    ("bakenn", "render with the engine compiled", "bakenn"),
    ("jinja2", "render", "jinja2"),
    ("platformio", "build", "platformio"),
    ("pyelftools", "build (sizes)", "pyelftools"),
    ("pyserial", "verify (serial ports)", "pyserial"),
)
"""Distribution, what needs it, and what to give pip."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked for.

    Attributes:
        name: program or Python package.
        found_version: what it says of itself; None if it is not there or does not work.
        needed_for: stages or targets.
        install_hint: the command that brings it.
    """

    name: str
    found_version: str | None
    needed_for: str
    install_hint: str


def survey(targets: Sequence[Target]) -> list[Finding]:
    """Everything that tinyhil needs, then what ``targets`` need, each thing once."""
    findings = [
        Finding(name, _package_version(name), needed_for, f"python -m pip install '{requirement}'")
        for name, needed_for, requirement in _PACKAGES
    ]
    findings.append(_scons())
    findings.append(
        Finding(
            "setpriv",
            _program_version("setpriv"),
            "ending emulators even when tinyhil is killed",
            "sudo apt-get install util-linux",
        )
    )
    return findings + [
        Finding(name, _program_version(name), f"targets: {', '.join(users)}", f"sudo apt-get install {debian}")
        for (name, debian), users in _programs(targets).items()
    ]


def _programs(targets: Iterable[Target]) -> dict[tuple[str, str], list[str]]:
    """Which targets need a program; the key is its name and its Debian packages."""
    users: dict[tuple[str, str], list[str]] = {}
    for target in targets:
        emulator = target.emulator.on_path if target.emulator is not None else None
        compilers = target.build.programs if target.build is not None else ()
        for program in (*compilers, *([emulator] if emulator is not None else [])):
            users.setdefault((program.name, program.debian), []).append(target.name)
    return users


def _scons() -> Finding:
    """SCons counts as found only in the version that PlatformIO asks for."""
    try:
        versions = core_dir.versions()
    except (MissingToolError, ToolError):
        return Finding("scons", _package_version("scons"), "build", "python -m pip install scons")
    fits = versions.scons == versions.wanted_scons
    needed_for = f"build: PlatformIO {versions.platformio} wants {versions.wanted_scons}"
    if not fits and versions.scons:
        needed_for += f", installed is {versions.scons}"
    return Finding(
        "scons", versions.scons if fits else None, needed_for, f"python -m pip install scons=={versions.wanted_scons}"
    )


def _package_version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def _program_version(program: str) -> str | None:
    if shutil.which(program) is None:
        return None
    try:
        return first_line_of_version(program)
    except (MissingToolError, ToolError):
        return None
