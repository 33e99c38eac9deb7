"""The root platformio.ini: one environment for each target, and each builds the rendered project in place."""

from __future__ import annotations

import configparser
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tinyhil.targets import registry
from tinyhil.toolchain import core_dir

ROOT = Path(__file__).parents[3]
TARGETS = [registry.get(path.stem) for path in sorted(registry.SHIPPED.glob("*.toml"))]


def test_it_is_what_the_target_files_make_of_it() -> None:
    done = subprocess.run([sys.executable, ROOT / "tools/write-platformio-ini", "--check"], cwd=ROOT)
    assert done.returncode == 0, "write it anew: make platformio-ini"


def test_it_has_an_environment_for_each_target_that_is_built() -> None:
    ini = configparser.ConfigParser(interpolation=None)
    ini.read(ROOT / "platformio.ini")
    # ESP-IDF's CMake wants its files at the top of a project.
    built = {each.name: each for each in TARGETS if each.build is not None and each.compiles.framework != "espidf"}
    assert {name.removeprefix("env:") for name in ini.sections() if name.startswith("env:")} == set(built)
    for name, target in built.items():
        assert ini[f"env:{name}"]["board"] == target.compiles.board
        assert set(target.compiles.flags) <= set(ini[f"env:{name}"]["build_flags"].split())
        assert ini[f"env:{name}"].get("build_unflags", "").split() == list(target.compiles.unflags)
        if target.upload is not None and target.upload.usb:
            lines = [ini[f"env:{name}"][f"monitor_{each}"] for each in ("dtr", "rts")]
            assert lines == [str(int(high)) for high in (target.link.dtr, target.link.rts)]


def test_platformio_builds_a_rendered_project_where_it_is(tmp_path: Path) -> None:
    """In a checkout of its own: a project, the platform, and the file."""
    if shutil.which("g++") is None:
        pytest.skip("g++ is not installed: apt-get install g++")
    project = tmp_path / "build/sine/native/project"
    (project / "src").mkdir(parents=True)
    (project / "src/main.cpp").write_text(
        '#include "there.h"\n#include "tinyhil_config.h"\nint main() { return THERE; }\n'
    )
    (project / "include").mkdir()
    (project / "include/tinyhil_config.h").write_text("#define THERE there()\n")
    (project / "lib/there").mkdir(parents=True)
    (project / "lib/there/there.h").write_text("#pragma once\nint there();\n")
    (project / "lib/there/there.cpp").write_text('#include "there.h"\nint there() { return 7; }\n')
    # Another target's project, which must not be compiled along.
    (tmp_path / "build/sine/other/project/src").mkdir(parents=True)
    (tmp_path / "build/sine/other/project/src/main.cpp").write_text("#error another target's\n")
    shutil.copytree(ROOT / "firmware/platform", tmp_path / "firmware/platform")
    shutil.copy(ROOT / "platformio.ini", tmp_path)
    core = core_dir.prepare(registry.get("native").compiles)
    quiet = {"PLATFORMIO_SETTING_ENABLE_TELEMETRY": "0", "PLATFORMIO_DISABLE_UPGRADE_CHECK": "true"}
    done = subprocess.run(
        [sys.executable, "-m", "platformio", "run", "-e", "native"],
        cwd=tmp_path,
        env={**os.environ, **quiet, "PLATFORMIO_CORE_DIR": str(core)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert subprocess.run([tmp_path / ".pio/build/native/firmware.elf"]).returncode == 7
