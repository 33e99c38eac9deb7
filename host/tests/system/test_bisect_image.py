"""Images that somebody else has built of a model, with one weight of one layer wrong: real compilers, real devices."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tinyhil.progress import Silent
from tinyhil.targets import registry
from tinyhil.toolchain import platformio

from .. import layered
from .cli import Cli

pytestmark = pytest.mark.long

NEEDS = {"native": ("g++",), "qemu-m4": ("qemu-system-arm", "arm-none-eabi-gcc")}
LAYER = 3


def built_wrong(project: Path, target: str) -> Path:
    """Builds a project in which a weight of the layer has its sign wrong; the image claims the project as it was."""
    weights = project / "lib/model/bknn_model_weights.c"
    array = re.compile(rf"(int8_t \w*_{LAYER - 1}_constant_0\[\d+\] = {{[^}}]*?)(-?)(\d\d+)")
    changed, times = array.subn(lambda found: f"{found[1]}{'' if found[2] else '-'}{found[3]}", weights.read_text(), 1)
    assert times == 1
    weights.write_text(changed)
    build = registry.get(target).build
    assert build is not None
    return platformio.build(project, target, build, Silent()).elf


def bisect(cli: Cli, target: str, *arguments: str | Path) -> tuple[int, str, dict[str, Any]]:
    done = cli("bisect", "m.tflite", "--target", target, "--json", "out.json", *arguments)
    assert done.code in (0, 1), done.out + done.err
    return done.code, done.out, json.loads((cli.cwd / "out.json").read_text())


@pytest.mark.parametrize("target", NEEDS)
def test_the_layer_is_told_as_far_as_the_image_tells(tinyhil: Cli, target: str) -> None:
    if missing := [name for name in NEEDS[target] if shutil.which(name) is None]:
        pytest.skip(f"blocked: {', '.join(missing)} is not installed")
    (tinyhil.cwd / "m.tflite").write_bytes(layered.dense_model())
    assert tinyhil("render", "m.tflite", "--target", target).code == 0
    (project,) = tinyhil.cwd.glob(f"build/m-*/{target}/project")
    theirs = shutil.copytree(project, tinyhil.cwd / "theirs")
    code, out, found = bisect(tinyhil, target, "--firmware", built_wrong(theirs, target))
    assert (code, found["verdict"], found["layer"], found["tested"]) == (1, "not located", None, [])
    assert found["whole"]["mismatches"] > 0
    # It says what to build, and that image tells the layer.
    told = re.search(r"^next:  have (\S+) built as that image was", out, re.MULTILINE)
    assert told is not None, out
    every = shutil.copytree(tinyhil.cwd / told[1], tinyhil.cwd / "every")
    code, out, found = bisect(tinyhil, target, "--firmware", built_wrong(every, target))
    assert (code, found["verdict"], found["layer"]) == (1, "found", LAYER)
    exact = {each["layer"]: not each["difference"]["mismatches"] for each in found["tested"]}
    assert exact == {1: True, 2: True, 3: False, 4: False}
    assert f"layer {LAYER} of 4, FULLY_CONNECTED" in out
    # Nothing of it is taken for the firmware that is built here.
    code, _, found = bisect(tinyhil, target)
    assert (code, found["verdict"]) == (0, "clean")
