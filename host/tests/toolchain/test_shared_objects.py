"""What was compiled once is copied into other projects, wherever they lie; what differs in anything is compiled."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tinyhil.progress import Silent
from tinyhil.targets.model import Build
from tinyhil.toolchain import core_dir, platformio

Writer = Callable[[Path], Path]
UNITS = {"main.o", "engine.o", "model.o", "info.o", "port.o"}


class Heard(Silent):
    """Keeps what PlatformIO prints, and how far it says to be."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.steps: list[tuple[int, int]] = []

    def text(self, line: str) -> None:
        self.lines.append(line)

    def progress(self, done: int, total: int, note: str = "") -> None:
        self.steps.append((done, total))

    def units(self, pattern: str) -> set[str]:
        """Names of the objects of which a line of the output tells."""
        found = (re.fullmatch(pattern, line) for line in self.lines)
        return {Path(line[1]).name for line in found if line}

    @property
    def compiled(self) -> set[str]:
        return self.units(r"Compiling (\S+)")

    @property
    def copied(self) -> set[str]:
        return self.units(r"Retrieved `(\S+)' from cache")


@pytest.fixture(autouse=True)
def cache_of_this_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def build(project: Path, needs: Build) -> tuple[Heard, bytes]:
    heard = Heard()
    return heard, platformio.build(project, "sample", needs, heard).elf.read_bytes()


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.fixture(scope="module")
def built(write_project: Writer, needs: Build, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """The cache after the first project, which was built when nothing was shared yet, and its image."""
    folder = tmp_path_factory.mktemp("first")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        heard, elf = build(write_project(folder / "first"), needs)
    assert heard.compiled == UNITS
    assert heard.copied == set()
    return folder / "cache", elf


@pytest.fixture
def first(built: tuple[Path, bytes], cache_of_this_test: Path) -> bytes:
    """The image of the first project, whose objects this test's own cache has."""
    cache, elf = built
    shutil.copytree(cache, cache_of_this_test, symlinks=True)
    return elf


def test_a_second_project_compiles_nothing_again(
    first: bytes, write_project: Writer, needs: Build, tmp_path: Path
) -> None:
    heard, elf = build(write_project(tmp_path / "deeper" / "second, with a blank"), needs)
    assert (heard.compiled, heard.copied) == (set(), UNITS)
    assert elf == first
    assert heard.steps == [(step, len(UNITS) + 1) for step in range(1, len(UNITS) + 2)]


def test_a_second_model_compiles_only_its_own_units(
    first: bytes, write_project: Writer, needs: Build, tmp_path: Path
) -> None:
    project = write_project(tmp_path / "second")
    change(project / "lib/model/model.c", "? 1 : 2", "? 3 : 4")
    heard, elf = build(project, needs)
    assert (heard.compiled, heard.copied) == ({"model.o"}, UNITS - {"model.o"})
    assert elf != first


@pytest.mark.parametrize(
    ("file", "old", "new", "compiled"),
    [
        ("lib/model/model.h", "int model_run(int x);", "int  model_run(int x);", {"model.o", "engine.o"}),
        ("platformio.ini", "build_flags = -g", "build_flags = -g -DWHATEVER", UNITS),
        ("lib/tinyhil_engine/library.json", '"-Wall", ', "", {"engine.o"}),
    ],
    ids=["header", "flag of the project", "flag of a library"],
)
def test_what_differs_in_anything_is_compiled(
    first: bytes,
    write_project: Writer,
    needs: Build,
    tmp_path: Path,
    file: str,
    old: str,
    new: str,
    compiled: set[str],
) -> None:
    project = write_project(tmp_path / "second")
    change(project / file, old, new)
    heard, _ = build(project, needs)
    assert heard.compiled == compiled


def test_with_other_headers_of_the_user_s_everything_is_compiled(
    first: bytes, write_project: Writer, needs: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CPATH", str(tmp_path))
    heard, _ = build(write_project(tmp_path / "second"), needs)
    assert (heard.compiled, heard.copied) == (UNITS, set())


def test_after_an_upgrade_of_the_compiler_everything_is_compiled(
    first: bytes, write_project: Writer, needs: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "arm-none-eabi-gcc").write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo another && exit\nPATH=${PATH#*:}\nexec arm-none-eabi-gcc "$@"\n'
    )
    (folder / "arm-none-eabi-gcc").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    heard, elf = build(write_project(tmp_path / "second"), needs)
    assert (heard.compiled, heard.copied) == (UNITS, set())
    assert elf == first


@pytest.mark.long
def test_builds_at_the_same_time_do_not_disturb_each_other(
    first: bytes, write_project: Writer, needs: Build, tmp_path: Path
) -> None:
    objects = next(core_dir_of(needs).glob("objects/*"))
    for path in objects.rglob("?" * 64):
        path.unlink()
    projects = [write_project(tmp_path / name) for name in ("second", "third", "fourth")]
    command = [sys.executable, "-c", BUILDS]
    running = [subprocess.Popen([*command, str(project)], stdout=subprocess.DEVNULL) for project in projects]
    assert [child.wait() for child in running] == [0, 0, 0]
    assert {(project / ".pio/build/sample/firmware.elf").read_bytes() for project in projects} == {first}
    assert {path.name for path in objects.rglob("*") if "tmp" in path.name} == set()


BUILDS = """\
import sys
from pathlib import Path
from tinyhil.progress import Silent
from tinyhil.targets import registry
from tinyhil.toolchain import platformio
platformio.build(Path(sys.argv[1]), "sample", registry.get("qemu-m4").build, Silent())
"""


def core_dir_of(needs: Build) -> Path:
    found = core_dir.prepare(needs)
    assert found is not None
    return found


def test_where_nothing_can_be_kept_everything_is_compiled(write_project: Writer, needs: Build, tmp_path: Path) -> None:
    (core_dir_of(needs) / "objects").write_text("in the way")
    heard, _ = build(write_project(tmp_path / "first"), needs)
    assert heard.compiled == UNITS


def test_what_was_not_used_for_long_goes_when_there_is_too_much(
    first: bytes, write_project: Writer, needs: Build, tmp_path: Path
) -> None:
    objects = next(core_dir_of(needs).glob("objects/*"))
    before = set(objects.rglob("?" * 64))
    assert len(before) == len(UNITS)
    old = objects / "00" / ("0" * 64)
    old.parent.mkdir(exist_ok=True)
    with old.open("wb") as stream:
        stream.truncate(2 << 30)  # a hole, which takes no space on the disk
    os.utime(old, (0, 0))
    project = write_project(tmp_path / "second")
    change(project / "lib/model/model.c", "? 1 : 2", "? 3 : 4")
    build(project, needs)
    assert not old.exists()
    assert before <= set(objects.rglob("?" * 64))
