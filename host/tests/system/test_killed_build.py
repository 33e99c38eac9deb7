"""A run that is killed while it builds leaves nothing behind that goes on building, and the next run builds.

The number of kills is 4, or what TINYHIL_BUILD_KILLS says:
``TINYHIL_BUILD_KILLS=50 pytest host/tests/system/test_killed_build.py -m long``.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from dataclasses import replace

import pytest

from .cli import Cli

KILLS = int(os.environ.get("TINYHIL_BUILD_KILLS", "4"))
GONE_WITHIN = 2.0
"""Seconds after which nothing may be left."""
PATIENCE = 60.0
"""Seconds after which the test gives up waiting; nothing is measured by it."""
LONGEST_DELAY = 2.0
"""Seconds of a build in which it is killed."""

SLOW_COMPILER = """#!/bin/sh
case "$*" in *" -c "*) sleep 60;; esac
exec {real} "$@"
"""
"""A build whose compiler takes so long is at work whenever it is killed."""


@pytest.mark.long
@pytest.mark.skipif(shutil.which("g++") is None, reason="blocked: g++ is not installed")
def test_nothing_goes_on_building(tinyhil: Cli, tiny_model: bytes) -> None:
    (tinyhil.cwd / "tiny.tflite").write_bytes(tiny_model)
    command = ("build", "tiny.tflite", "--target", "native")
    assert tinyhil("render", *command[1:]).code == 0
    compiler = tinyhil.cwd / "slow" / "g++"
    compiler.parent.mkdir()
    compiler.write_text(SLOW_COMPILER.format(real=shutil.which("g++")))
    compiler.chmod(0o755)
    slow = replace(tinyhil, path=f"{compiler.parent}{os.pathsep}{os.environ['PATH']}")
    dice = random.Random(20_261_130)
    building = 0
    for _ in range(KILLS):
        for folder in (tinyhil.cwd / "build").glob("*/native"):
            shutil.rmtree(folder / "project/.pio", ignore_errors=True)
            shutil.rmtree(folder / "firmware", ignore_errors=True)
        with slow.start(*command) as running:
            end = time.monotonic() + PATIENCE
            while not any("platformio run" in each for each in tinyhil.leftovers()):
                assert running.poll() is None, running.communicate()
                assert time.monotonic() < end, "waited in vain for the build"
                time.sleep(0.01)
            time.sleep(dice.uniform(0.0, LONGEST_DELAY))
            building += any(str(compiler) in each for each in tinyhil.leftovers())
            running.kill()
            running.wait()
        assert running.returncode == -signal.SIGKILL
        end = time.monotonic() + GONE_WITHIN
        while tinyhil.leftovers() and time.monotonic() < end:
            time.sleep(0.05)
        assert tinyhil.leftovers() == []
    assert building, "no compiler was met at work"
    done = tinyhil(*command)
    assert done.code == 0, done.err
    assert list(tinyhil.cwd.glob("build/*/native/firmware/firmware.elf"))
