"""The wheel, installed into an empty venv outside the checkout, has all that rendering and building need."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest

from .cli import REPOSITORY, run_without_us

pytestmark = pytest.mark.long


def test_it_carries_the_device_s_sources_and_the_templates(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("firmware/lib", "firmware/src", "firmware/platform", "templates"):
        for path in (REPOSITORY / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                assert f"tinyhil/_resources/{path.relative_to(REPOSITORY).as_posix()}" in names
    assert "tinyhil/targets/data/qemu-m4.toml" in names
    assert "tinyhil/config/recipes/sine.toml" in names
    assert "tinyhil/py.typed" in names
    assert "tinyhil/targets/engines/chirale.toml" in names
    assert "tinyhil/_resources/templates/starter/.github/workflows/hil.yml.j2" in names
    # The starter project's tests belong to it; ours do not.
    ours = [name for name in names if not name.startswith("tinyhil/_resources/templates/starter/")]
    assert not any("tests" in name or ".pio" in name for name in ours)


def test_it_renders_builds_and_runs_outside_the_checkout(venv: Path, made: Path, tmp_path: Path) -> None:
    """The trained and quantized model is brought along, because this venv has no TensorFlow."""
    shutil.copytree(made / "sine" / "model", tmp_path / "build" / "sine" / "model")
    tinyhil = venv / "bin/tinyhil"
    location = run_without_us(venv / "bin/python", "-c", "import tinyhil; print(tinyhil.__file__)", cwd=tmp_path).stdout
    assert str(venv) in location
    rendered = run_without_us(tinyhil, "render", "sine", cwd=tmp_path).stdout
    assert "train      unchanged" in rendered
    assert (tmp_path / "build/sine/qemu-m4/project/platformio.ini").is_file()
    run_without_us(tinyhil, "build", "sine", cwd=tmp_path)
    assert (tmp_path / "build/sine/qemu-m4/firmware/firmware.elf").is_file()
    assert "256/256 outputs exact" in run_without_us(tinyhil, "run", "sine", cwd=tmp_path).stdout


def test_it_gives_the_checkout_s_firmware(venv: Path, made: Path, tmp_path: Path) -> None:
    """Same model, same sources: the same bytes, whatever folder they were built in."""
    shutil.copytree(made / "sine" / "model", tmp_path / "build" / "sine" / "model")
    run_without_us(venv / "bin/tinyhil", "build", "sine", cwd=tmp_path)
    image = Path("sine/qemu-m4/firmware/firmware.elf")
    assert (tmp_path / "build" / image).read_bytes() == (made / image).read_bytes()
