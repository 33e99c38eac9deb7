from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from tinyhil.errors import MissingToolError
from tinyhil.targets import registry
from tinyhil.targets.model import FIRMWARE, PYTHON, Ability, Program, Target
from tinyhil.toolchain import core_dir, doctor


@pytest.fixture
def target(tmp_path: Path) -> Target:
    return registry.get("qemu-m4", user=tmp_path)


def found(targets: list[Target]) -> dict[str, doctor.Finding]:
    findings = doctor.survey(targets)
    by_name = {finding.name: finding for finding in findings}
    assert len(by_name) == len(findings), "something is listed twice"
    return by_name


def program(directory: Path, name: str, script: str) -> None:
    path = directory / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_versions_of_python_packages_are_the_installed_ones(target: Target) -> None:
    findings = found([target])
    assert findings["platformio"].found_version == importlib.metadata.version("platformio")
    assert findings["pyelftools"].install_hint == "python -m pip install 'pyelftools'"


def test_programs_of_all_targets_are_listed_once_with_their_users(target: Target) -> None:
    other = msgspec.structs.replace(target, name="other")
    findings = found([target, other])
    assert target.emulator is not None
    assert target.build is not None
    for name in (target.emulator.program, *(each.name for each in target.build.programs)):
        assert findings[name].needed_for == f"targets: {target.name}, other"


def test_firmware_that_is_a_program_itself_is_nothing_to_install(target: Target) -> None:
    assert target.emulator is not None
    assert target.build is not None
    emulator = msgspec.structs.replace(target.emulator, program=FIRMWARE, debian="")
    native = msgspec.structs.replace(target, emulator=emulator)
    findings = found([native])
    assert set(findings) - set(found([])) == {program.name for program in target.build.programs}


def test_a_target_that_compiles_nothing_needs_no_program(target: Target) -> None:
    assert target.emulator is not None
    emulator = msgspec.structs.replace(target.emulator, program=PYTHON, debian="")
    assert set(found([msgspec.structs.replace(target, build=None, emulator=emulator)])) == set(found([]))


def test_without_targets_nothing_of_theirs_is_looked_for(target: Target) -> None:
    assert target.emulator is not None
    assert target.emulator.program not in found([])


def test_found_missing_and_broken_programs(target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, "good", "echo good 1.2; echo second line")
    program(tmp_path, "broken", "exit 1")
    assert target.build is not None
    names = {"good": "good 1.2", "broken": None, "absent": None}
    build = msgspec.structs.replace(
        target.build, programs=tuple(Program(name=name, debian=f"{name}-pkg {name}-lib") for name in names)
    )
    monkeypatch.setenv("PATH", str(tmp_path))
    findings = found([msgspec.structs.replace(target, build=build)])
    for name, version in names.items():
        assert findings[name].found_version == version
        assert findings[name].install_hint == f"sudo apt-get install {name}-pkg {name}-lib"
    assert findings["setpriv"].found_version is None


def test_a_program_without_its_ability_counts_as_missing(
    target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert target.emulator is not None
    program(tmp_path, "emulator", 'if [ "$1" = -M ]; then echo "esp32  a chip"; else echo emulator 1.0; fi')
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    for machine, version in (("esp32", "emulator 1.0"), ("esp64", None)):
        ability = Ability(arguments=("-M", "help"), expects=rf"^{machine}\s", lacking=f"the machine {machine}")
        emulator = msgspec.structs.replace(
            target.emulator, program="emulator", debian="", install="ask its maker", ability=ability
        )
        finding = found([msgspec.structs.replace(target, emulator=emulator)])["emulator"]
        assert finding.found_version == version
        assert finding.install_hint == "ask its maker"
        assert finding.targets == (target.name,)
    assert finding.needed_for.endswith("installed is one that lacks the machine esp64")


def test_a_missing_package_is_none(monkeypatch: pytest.MonkeyPatch, target: Target) -> None:
    really = importlib.metadata.version

    def version(name: str) -> str:
        if name == "tensorflow":
            raise importlib.metadata.PackageNotFoundError(name)
        return really(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    finding = found([target])["tensorflow"]
    assert finding.found_version is None
    assert finding.install_hint == "python -m pip install 'tinyhil[train]'"


def test_scons_is_what_platformio_wants(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    versions = core_dir.versions()
    fits = found([target])["scons"]
    assert fits.found_version == versions.wanted_scons
    assert fits.needed_for.endswith(f"wants {versions.wanted_scons}")

    monkeypatch.setattr(core_dir, "versions", lambda: replace(versions, scons="4.0.0"))
    wrong = found([target])["scons"]
    assert wrong.found_version is None
    assert wrong.needed_for.endswith("installed is 4.0.0")
    assert wrong.install_hint == f"python -m pip install scons=={versions.wanted_scons}"


def test_scons_without_platformio(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent() -> core_dir.Versions:
        raise MissingToolError("PlatformIO is not installed")

    monkeypatch.setattr(core_dir, "versions", absent)
    assert found([target])["scons"].needed_for == "build"


def test_nothing_is_imported_to_be_found() -> None:
    code = (
        "import sys\nfrom tinyhil.toolchain import doctor\nfrom tinyhil.targets import registry\n"
        "doctor.survey([registry.get('qemu-m4')])\n"
        "print(sorted({'tensorflow', 'tflite_micro', 'bakenn', 'jinja2', 'serial', 'SCons'} & set(sys.modules)))"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(doctor.__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
