"""Builds the programs of firmware/tests once a run, with the sanitizers on and every warning an error."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

FIRMWARE = Path(__file__).parents[3] / "firmware"
FLAGS = ["-std=gnu++11", "-Wall", "-Wextra", "-Werror", "-g"]
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]


def _build(folder: Path, driver: str, *libraries: str, flags: tuple[str, ...] = ()) -> Path:
    """Compiles firmware/tests/<driver>.cpp with the sources of some libraries and returns the program.

    A library is a folder of firmware/lib, or one in it; ``../src`` is the application.
    """
    if shutil.which("g++") is None:
        pytest.skip("g++ is not installed: apt-get install g++")
    sources = [FIRMWARE / "tests" / f"{driver}.cpp"]
    include = [f"-I{folder}"]
    for library in libraries:
        sources += sorted((FIRMWARE / "lib" / library).glob("*.cpp"))
        include.append(f"-I{FIRMWARE / 'lib' / library}")
    program = folder / driver
    command = ["g++", *FLAGS, *SANITIZERS, *flags, *include, *map(str, sources), "-o", str(program)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return program


@pytest.fixture(scope="session")
def firmware() -> Path:
    """The folder with the device's sources."""
    return FIRMWARE


@pytest.fixture(scope="session")
def link_driver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """lib/link behind a line of commands."""
    return _build(tmp_path_factory.mktemp("link"), "link_driver", "link")


@pytest.fixture(scope="session")
def server_driver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """lib/server over a fake engine behind stdin and stdout."""
    return _build(tmp_path_factory.mktemp("server"), "server_driver", "link", "engine", "server")


@pytest.fixture(scope="session")
def copy_firmware(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole firmware for the host, with an engine that copies 256 bytes."""
    folder = tmp_path_factory.mktemp("copy")
    (folder / "tinyhil_config.h").write_text("#define TINYHIL_MAX_PAYLOAD 4096\n")
    libraries = ("../src", "link", "engine", "server", "port", "port/posix")
    return _build(folder, "copy_engine", *libraries, flags=("-DTEST_INPUTS=256", "-DTEST_OUTPUTS=256"))
