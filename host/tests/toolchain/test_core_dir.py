from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from tinyhil.errors import MissingToolError, StorageError, ToolError
from tinyhil.targets.model import LOCAL_PLATFORM, Build
from tinyhil.toolchain import core_dir

LOCAL = Build(platform=LOCAL_PLATFORM, board="any", ports=("any",))
HOST = Path(core_dir.__file__).parents[2]


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder of one test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def tool(core: Path | None) -> Path:
    assert core is not None
    return core / "packages" / "tool-scons"


def test_platformio_finds_the_tool_without_its_registry(fresh: Path) -> None:
    core = core_dir.prepare(LOCAL)
    code = (
        "from platformio.package.manager.core import get_core_package_dir\n"
        "print(get_core_package_dir('tool-scons', auto_install=False))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PLATFORMIO_CORE_DIR": str(core)},
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == str(tool(core)), done.stderr


def test_the_tool_runs_the_installed_scons(fresh: Path) -> None:
    script = tool(core_dir.prepare(LOCAL)) / "scons.py"
    done = subprocess.run([sys.executable, str(script), "--version"], capture_output=True, text=True, check=True)
    assert importlib.metadata.version("scons") in done.stdout


def test_it_lies_in_the_cache_under_both_versions(fresh: Path) -> None:
    core = core_dir.prepare(LOCAL)
    assert core is not None
    assert core.parent == fresh / "tinyhil" / "platformio"
    for package in ("platformio", "scons"):
        assert importlib.metadata.version(package) in core.name


@pytest.mark.parametrize("given", ["", "relative/folder"])
def test_without_a_valid_cache_variable_it_is_the_users_cache(
    given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", given)
    monkeypatch.setenv("HOME", str(tmp_path))
    core = core_dir.prepare(LOCAL)
    assert core is not None
    assert core.is_relative_to(tmp_path / ".cache" / "tinyhil")
    assert not (tmp_path / ".platformio").exists()


def test_a_boards_platform_keeps_the_users_own_folder(fresh: Path) -> None:
    assert core_dir.prepare(msgspec.structs.replace(LOCAL, platform="espressif32@6")) is None
    assert not fresh.exists()


def test_a_second_call_changes_nothing(fresh: Path) -> None:
    package = tool(core_dir.prepare(LOCAL))
    before = {path.name: path.stat().st_mtime_ns for path in [package, *package.iterdir()]}
    assert tool(core_dir.prepare(LOCAL)) == package
    assert {path.name: path.stat().st_mtime_ns for path in [package, *package.iterdir()]} == before


@pytest.mark.parametrize("damage", ["missing file", "other content", "not a folder"])
def test_damage_is_repaired(damage: str, fresh: Path) -> None:
    package = tool(core_dir.prepare(LOCAL))
    manifest = package / "package.json"
    good = manifest.read_text()
    if damage == "missing file":
        manifest.unlink()
    elif damage == "other content":
        manifest.write_bytes(b"\xff")
    else:
        package.rename(package.with_name("gone"))
        package.write_text("")
    core_dir.prepare(LOCAL)
    assert manifest.read_text() == good
    assert [path.name for path in package.parents[1].iterdir()] == ["packages"]


def test_many_processes_at_once(fresh: Path) -> None:
    code = (
        "import sys\nfrom tinyhil.targets.model import LOCAL_PLATFORM, Build\nfrom tinyhil.toolchain import core_dir\n"
        "print('ready', flush=True); input()\n"
        "print(core_dir.prepare(Build(platform='local', board='b', ports=('p',))))"
    )
    environment = {**os.environ, "PYTHONPATH": str(HOST)}
    children = [
        subprocess.Popen(
            [sys.executable, "-c", code], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    for child in children:
        assert child.stdin is not None
        child.stdin.write("\n")
        child.stdin.flush()
    answers = {child.communicate()[0].strip() for child in children}
    assert answers == {str(core_dir.prepare(LOCAL))}
    assert {child.returncode for child in children} == {0}


def test_a_rival_that_was_quicker_is_left_in_place(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tool(core_dir.prepare(LOCAL))
    inode = package.stat().st_ino
    answers = iter([False])  # as if the rival had finished just after this process looked
    really = core_dir._holds
    monkeypatch.setattr(core_dir, "_holds", lambda *arguments: next(answers, None) is None and really(*arguments))
    core_dir.prepare(LOCAL)
    assert package.stat().st_ino == inode


def test_manifest_and_marker_name_the_version_that_platformio_wants(fresh: Path) -> None:
    package = tool(core_dir.prepare(LOCAL))
    versions = core_dir.versions()
    for name in ("package.json", ".piopm"):
        assert json.loads((package / name).read_text())["version"] == versions.package
    # The package's version packs that of SCons: 4.11.1 becomes 4.41101.0.
    numbers = [int(number) for number in versions.wanted_scons.split(".")]
    assert versions.package.split(".")[1] == f"{numbers[0]}{numbers[1]:02d}{numbers[2]:02d}"


@pytest.mark.parametrize("installed", [None, "4.0.0"])
def test_an_scons_that_does_not_fit_is_named_with_the_one_that_does(
    installed: str | None, fresh: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = core_dir.versions()
    monkeypatch.setattr(core_dir, "versions", lambda: replace(found, scons=installed))
    with pytest.raises(MissingToolError, match=f"needs SCons {found.wanted_scons}") as caught:
        core_dir.prepare(LOCAL)
    assert caught.value.hint == f"python -m pip install scons=={found.wanted_scons}"
    assert (installed or "none") in caught.value.message
    assert not fresh.exists()


def test_platformio_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "platformio.dependencies", None)
    with pytest.raises(MissingToolError, match="PlatformIO is not installed") as caught:
        core_dir.prepare(LOCAL)
    assert caught.value.hint == "python -m pip install platformio"


def test_a_wish_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platformio.dependencies.get_core_dependencies", lambda: {"tool-scons": ">=5"})
    with pytest.raises(ToolError, match="asks for tool-scons '>=5'"):
        core_dir.versions()


def test_a_cache_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(StorageError, match=r"cannot prepare .*Not a directory") as caught:
        core_dir.prepare(LOCAL)
    assert "XDG_CACHE_HOME" in caught.value.hint
