"""The program that an upload leaves running, without PlatformIO: a shell that names a port stands for an emulator."""

from __future__ import annotations

import importlib.util
import shlex
from pathlib import Path
from typing import Any

import pytest

from tinyhil import resources
from tinyhil.progress import Silent
from tinyhil.toolchain import platformio

SCRIPT = resources.folder("firmware") / "platform/builder/left_running.py"


@pytest.fixture(scope="module")
def script() -> Any:
    spec = importlib.util.spec_from_file_location("left_running", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def image(tmp_path: Path) -> Path:
    (tmp_path / "linked.elf").write_bytes(b"an image")
    return tmp_path / "linked.elf"


# The child outlives whoever started it.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def emulator(words: str) -> str:
    return f"sh -c {shlex.quote(f'cat $0; echo; {words}')} {{firmware}}"


def test_it_runs_with_the_image_until_it_is_stopped(script: Any, image: Path, tmp_path: Path) -> None:
    folder = tmp_path / "upload"
    left = script.LeftRunning(str(folder))
    assert (
        left.start(str(image), emulator("echo char device redirected to /dev/null; while :; do sleep 0.1; done")) == 0
    )
    assert left.running() is not None
    assert (folder / "port").readlink() == Path("/dev/null")
    assert (folder / "output").read_text().startswith("an image")
    platformio.stop(folder, Silent())
    assert left.running() is None
    assert not (folder / "port").is_symlink()
    platformio.stop(folder, Silent())


def test_a_program_that_ends_or_is_not_there_is_an_error(
    script: Any, image: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    left = script.LeftRunning(str(tmp_path / "upload"))
    assert left.start(str(image), emulator("echo no such machine; exit 1")) == 1
    assert "no such machine" in capfd.readouterr().err
    assert left.start(str(image), "no-such-emulator {firmware}") == 1
    assert "no-such-emulator" in capfd.readouterr().err
