"""The command line as a user has it: a real process, real tools, real QEMU.

The artifacts of the recipe ``sine`` are made once for all workers, and tests work on copies of them. The checkout's own
``build`` folder is left alone: the hardware-in-the-loop tests work there at the same time.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from ..shared import Shared
from .cli import REPOSITORY, Cli, run_without_us

NEEDED = ("qemu-system-arm", "arm-none-eabi-gcc")


@pytest.fixture
def tinyhil(tmp_path: Path) -> Iterator[Cli]:
    """The command line in an empty folder; whatever a test does, nothing may be left running."""
    cli = Cli(tmp_path)
    yield cli
    assert cli.leftovers() == []


@pytest.fixture(scope="session")
def sine_on(make_once: Shared, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Makes a build folder of the caller's own, with the model ``sine`` and everything of it on some targets.

    ``sine_on()`` has the model only. It is trained once, and is built and run once for each target.
    """

    def model(folder: Path) -> None:
        done = Cli(folder)("quantize", "sine")
        assert done.code == 0, done.out + done.err

    def run(target: str, trained: Path, folder: Path) -> None:
        shutil.copytree(trained, folder / "build/sine/model")
        done = Cli(folder)("run", "sine", "--target", target)
        assert done.code == 0, done.out + done.err

    def make(*targets: str) -> Path:
        trained = make_once("sine", model) / "build/sine/model"
        build = tmp_path_factory.mktemp("sine") / "build"
        shutil.copytree(trained, build / "sine/model")
        for target in targets:
            ran = make_once(target, partial(run, target, trained)) / "build/sine"
            shutil.copytree(ran / "model", build / "sine/model", dirs_exist_ok=True)  # with the scheme of this target
            shutil.copytree(ran / target, build / "sine" / target, ignore=shutil.ignore_patterns(".pio"))
        return build

    return make


@pytest.fixture(scope="session")
def made(sine_on: Callable[..., Path]) -> Path:
    """A build folder with everything of ``sine`` on ``qemu-m4`` in it."""
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        pytest.skip(f"blocked: {', '.join(missing)} is not installed")
    return sine_on("qemu-m4")


@pytest.fixture
def copied(made: Path, tmp_path: Path) -> Path:
    """A copy of the build folder in ``tmp_path``, as ``--build-dir`` expects it."""
    shutil.copytree(made / "sine", tmp_path / "build" / "sine")
    return tmp_path / "build"


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as it is published."""
    folder = tmp_path_factory.mktemp("wheel")
    run_without_us(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", folder, REPOSITORY, cwd=folder)
    (path,) = folder.glob("tinyhil-*.whl")
    return path


@pytest.fixture(scope="session")
def venv(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty venv with the wheel and the dependencies that it declares, without the extra ``train``."""
    folder = tmp_path_factory.mktemp("venv")
    run_without_us(sys.executable, "-m", "venv", folder, cwd=folder)
    lock = REPOSITORY / "requirements.lock"
    run_without_us(folder / "bin/python", "-m", "pip", "install", "--quiet", "-c", lock, wheel, cwd=folder)
    return folder


@pytest.fixture
def path_without(tmp_path: Path) -> Callable[..., str]:
    """Makes a PATH on which some programs are missing, and a script stands where a real one was."""

    def make(*missing: str, **added: str) -> str:
        folder = tmp_path / "bin"
        folder.mkdir()
        for directory in os.environ["PATH"].split(os.pathsep):
            for program in Path(directory).iterdir() if Path(directory).is_dir() else []:
                if program.name not in missing and not os.path.lexists(folder / program.name):
                    (folder / program.name).symlink_to(program)
        for name, script in added.items():
            stand_in = folder / name.replace("_", "-")
            stand_in.unlink(missing_ok=True)
            stand_in.write_text(script)
            stand_in.chmod(0o755)
        return str(folder)

    return make


@pytest.fixture
def target_file(tmp_path: Path) -> Callable[..., str]:
    """Writes a user's target: the shipped ``qemu-m4`` with some texts replaced; returns its name."""

    def write(name: str, *changes: tuple[str, str]) -> str:
        text = (REPOSITORY / "host/tinyhil/targets/data/qemu-m4.toml").read_text().replace('"qemu-m4"', f'"{name}"', 1)
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        (tmp_path / "targets").mkdir(exist_ok=True)
        (tmp_path / "targets" / f"{name}.toml").write_text(text)
        return name

    return write
