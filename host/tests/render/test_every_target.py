"""Every shipped target that is built: a project that stands alone, that PlatformIO understands, the same every time."""

from __future__ import annotations

import fnmatch
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tinyhil import resources
from tinyhil.artifacts.types import QuantizedModel
from tinyhil.render import render
from tinyhil.targets import registry
from tinyhil.targets.model import Target

ENGINES = {path.name for path in (Path(__file__).parents[3] / "firmware/lib/engine").iterdir() if path.is_dir()}
SHIPPED = [registry.get(path.stem) for path in sorted(registry.SHIPPED.glob("*.toml"))]
CASES = [
    pytest.param(target, engine, id=f"{target.name}-{engine}")
    for target in SHIPPED
    if target.build is not None
    for engine in target.engines
    if engine in ENGINES
]


def config(project: Path) -> dict[str, dict[str, Any]]:
    """What PlatformIO makes of the project's file."""
    done = subprocess.run(
        [sys.executable, "-m", "platformio", "project", "config", "--json-output", "-d", project],
        env={**os.environ, "PLATFORMIO_SETTING_ENABLE_TELEMETRY": "0", "PLATFORMIO_DISABLE_UPGRADE_CHECK": "true"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return {section: dict(options) for section, options in json.loads(done.stdout)}


@pytest.mark.parametrize(("target", "engine"), CASES)
def test_platformio_accepts_it_and_it_is_the_same_every_time(
    model: QuantizedModel, target: Target, engine: str, tmp_path: Path
) -> None:
    project, _ = render(model, target, engine, tmp_path / "project")
    again, _ = render(model, target, engine, tmp_path / "again")
    files = resources.read_tree(project.folder)
    assert resources.read_tree(again.folder) == files
    facts = config(project.folder)[f"env:{target.name}"]
    assert facts["board"] == target.compiles.board
    assert int(facts["monitor_speed"]) == target.link.baud
    flags = " ".join(facts.get("build_flags", []))
    assert [flag for flag in target.compiles.flags if flag not in flags] == []
    assert facts.get("build_unflags", []) == list(target.compiles.unflags)
    if target.upload is not None and target.upload.usb:
        lines = bool(facts["monitor_dtr"]), bool(facts["monitor_rts"])
        assert lines == (target.link.dtr, target.link.rts)
    library = target.engines[engine].library
    assert facts.get("lib_deps", []) == ([library] if library else [])
    # A program begins in one place.
    entry = {"arduino": "src/sketch.cpp", "espidf": "src/idf.cpp"}.get(target.compiles.framework, "src/main.cpp")
    assert {"src/sketch.cpp", "src/idf.cpp", "src/main.cpp"} & set(files) == {entry}
    if target.compiles.framework == "espidf":
        named = re.search(r"SRCS (.*)", files["src/CMakeLists.txt"].decode())
        assert named is not None
        assert {f"src/{name}" for name in re.findall(r'"(.*?)"', named[1])} == set(fnmatch.filter(files, "src/*.cpp"))
        assert (engine == "tflm") == ("esp-tflite-micro" in files["src/idf_component.yml"].decode())
    if target.compiles.framework:
        assert facts["framework"] == [target.compiles.framework]
        assert "@" in facts["platform"], "a platform whose version is not pinned"
        assert f"-DTINYHIL_BAUD={target.link.baud}" in flags
    assert (f"-DTINYHIL_MAX_BAUD={target.link.max_baud}" in flags) == bool(target.link.max_baud)
