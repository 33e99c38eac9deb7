"""Looks for everything that tinyhil and its targets need, without importing or installing any of it.

A finding is a fact, not a verdict: what is missing matters only to whoever wants the target or stage that needs it.
"""

from __future__ import annotations

import importlib.metadata
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tinyhil import process
from tinyhil.errors import MissingToolError, ToolError
from tinyhil.targets.model import Ability, Program, Target
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
        install_hint: the command that brings it, or the way to it.
        targets: those that do not run without it; of what all need, none is named.
    """

    name: str
    found_version: str | None
    needed_for: str
    install_hint: str
    targets: tuple[str, ...] = ()


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
    return findings + [_program(need, users) for need, users in _needs(targets).items()]


@dataclass(frozen=True)
class _Need:
    """A program that targets need, and what it has to be able to do."""

    program: Program
    ability: Ability | None = None


def _needs(targets: Iterable[Target]) -> dict[_Need, list[str]]:
    """Which targets need a program."""
    users: dict[_Need, list[str]] = {}
    for target in targets:
        needs = [_Need(program) for program in (target.build.programs if target.build is not None else ())]
        if target.emulator is not None and target.emulator.on_path is not None:
            needs.append(_Need(target.emulator.on_path, target.emulator.ability))
        for need in needs:
            users.setdefault(need, []).append(target.name)
    return users


def _program(need: _Need, users: list[str]) -> Finding:
    """A program counts as found only if it can do what is needed."""
    program, ability = need.program, need.ability
    version = _program_version(program.name)
    needed_for = f"targets: {', '.join(users)}"
    if version and ability and not process.answers(program.name, ability.arguments, ability.expects):
        needed_for += f"; installed is one that lacks {ability.lacking}"
        version = None
    return Finding(program.name, version, needed_for, program.hint, tuple(users))


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
