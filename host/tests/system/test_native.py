"""The target ``native`` and its sanitizer build: the main job without an emulator."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tinyhil.progress import Silent
from tinyhil.targets import registry
from tinyhil.toolchain import platformio

from .cli import Cli
from .test_hil_plugin import run_pytest

TARGETS = ("native", "native-asan")


@pytest.fixture(scope="session")
def built(sine_on: Callable[..., Path]) -> Path:
    """A build folder with everything of ``sine`` on both targets in it."""
    if shutil.which("g++") is None:
        pytest.skip("blocked: g++ is not installed")
    return sine_on(*TARGETS)


@pytest.mark.parametrize("target", TARGETS)
def test_the_sine_is_exact_and_nothing_is_made_twice(tinyhil: Cli, built: Path, target: str) -> None:
    done = tinyhil("run", "sine", "--target", target, "--build-dir", built, "--json", "out.json")
    assert done.code == 0, done.out + done.err
    for stage in ("train", "quantize", "render", "build"):
        assert re.search(rf"^{stage} +unchanged ", done.out, re.MULTILINE), done.out
    report = json.loads((tinyhil.cwd / "out.json").read_text())
    assert report["verdict"] == "pass"
    assert (report["fidelity"]["vectors"], report["fidelity"]["mismatches"]) == (256, 0)
    assert (report["instructions_per_inference"], report["microseconds_per_inference"]) == (None, None)
    assert {"g++", "gcc"} <= set(report["tool_versions"])


@pytest.mark.parametrize("target", ["native", pytest.param("native-asan", marks=pytest.mark.long)])
def test_the_hardware_in_the_loop_tests_pass(tinyhil: Cli, built: Path, target: str) -> None:
    done = run_pytest(tinyhil, "hil_tests", "--target", target, "--build-dir", built)
    assert done.returncode == 0, done.stdout
    assert re.search(r"\d\d passed, \d skipped in", done.stdout)


@pytest.mark.parametrize("program", ["gcc", "g++"])
def test_no_compiler(tinyhil: Cli, path_without: Callable[..., str], built: Path, program: str) -> None:
    shutil.copytree(built / "sine/model", tinyhil.cwd / "build/sine/model")
    done = replace(tinyhil, path=path_without(program))("run", "sine", "--target", "native")
    assert done.code == 3, done.out + done.err
    assert f"{program} is not installed" in done.err
    assert "apt-get install g++" in done.err


def test_doctor_knows_the_firmware_is_no_program_to_install(tinyhil: Cli) -> None:
    tinyhil("doctor", "--json", "doctor.json")
    found = {item["name"]: item for item in json.loads((tinyhil.cwd / "doctor.json").read_text())}
    assert found["g++"]["needed_for"] == f"targets: {', '.join(sorted(TARGETS))}"
    assert not any("{" in name for name in found)


FIRST = "static_cast<const int8_t*>(input(0))[0]"
OVERFLOW = f"static int8_t few[4]; int8_t* volatile at = few; volatile int8_t got = at[4 + ({FIRST} & 1)]; (void)got;"
UNDEFINED = f"static int32_t most = 0x7fffffff; most += 1 + ({FIRST} & 1);"


@pytest.mark.parametrize(
    ("fault", "words"),
    [(OVERFLOW, "SUMMARY: AddressSanitizer: global-buffer-overflow"), (UNDEFINED, "runtime error: signed integer")],
)
def test_a_fault_in_the_firmware_ends_the_run_and_is_named(
    tinyhil: Cli, built: Path, tmp_path: Path, fault: str, words: str
) -> None:
    """Without the sanitizers both would go unnoticed."""
    project = tmp_path / "project"
    shutil.copytree(built / "sine/native-asan/project", project, ignore=shutil.ignore_patterns(".pio"))
    engine = project / "lib/tinyhil_engine/compiled/engine_compiled.cpp"
    source = engine.read_text()
    assert "uint32_t invoke() {\n" in source
    engine.write_text(source.replace("uint32_t invoke() {\n", f"uint32_t invoke() {{\n  {fault}\n"))
    target = registry.get("native-asan")
    assert target.build is not None
    elf = platformio.build(project, target.name, target.build, Silent()).elf
    done = tinyhil("verify", "sine", "--target", target.name, "--build-dir", built, "--firmware", elf)
    assert done.code == 3, done.out + done.err
    assert "the firmware ended with" in done.err
    assert words in done.err
