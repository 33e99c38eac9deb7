"""The engine tflm, compiled by every standard that a board's core may ask for, and run on a fake of its library.

The real library is a third party's that PlatformIO fetches; it is not in this repository, and may not be installed
where these tests run. So they show what the engine makes of what the library says, not that the library computes right:
that is for a run on a target. What is rendered for the model is the real thing.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tinyhil.artifacts.types import QuantizedModel
from tinyhil.render import render
from tinyhil.render.arena import estimate
from tinyhil.targets import registry
from tinyhil.targets.model import Target

Quantized = Callable[[Path, bytes], QuantizedModel]
Build = Callable[..., bytes]
Run = Callable[..., list[str]]

STANDARDS = ("gnu++11", "gnu++14")
FLAGS = ["-Wall", "-Wextra", "-Werror", "-g", "-fno-exceptions", "-fno-rtti"]
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]

WRONG_SCHEMA, OPERATORS_FULL, NOT_ALLOCATED, OTHER_TENSORS, INVOKE_FAILED, NOT_RESET, NO_INTERPRETER, TOO_LARGE = range(
    1, 9
)


def _program(firmware: Path, project: Path, folder: Path, *, standard: str, stateful: bool = False) -> Path:
    """The engine, what was rendered for the model, the fake and the driver, linked."""
    if shutil.which("g++") is None:
        pytest.skip("g++ is not installed: apt-get install g++")
    info = project / "src" / "model_info.cpp"
    if stateful:
        text = info.read_text()
        assert '"tflm", false' in text
        info = folder / "model_info.cpp"
        info.write_text(text.replace('"tflm", false', '"tflm", true'))
    fakes = firmware / "tests" / "fakes" / "tflm"
    include = [fakes, firmware / "lib" / "engine", project / "lib" / "model"]
    sources = [
        *sorted((firmware / "lib" / "engine" / "tflm").glob("*.cpp")),
        *sorted((project / "lib" / "model").glob("*.cpp")),
        info,
        fakes / "fake_tflm.cpp",
        firmware / "tests" / "tflm_driver.cpp",
    ]
    command = ["g++", f"-std={standard}", *FLAGS, *SANITIZERS, *(f"-I{path}" for path in include), *map(str, sources)]
    done = subprocess.run([*command, "-o", str(folder / "engine")], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    return folder / "engine"


@pytest.fixture(scope="session")
def rendered(
    two_operators: bytes, quantized_model: Quantized, qemu_m4: Target, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    folder = tmp_path_factory.mktemp("tflm")
    project, _ = render(quantized_model(folder, two_operators), qemu_m4, "tflm", folder / "project")
    return project.folder


@pytest.mark.parametrize("name", ["qemu-m4", "qemu-m33", "qemu-m7"])
def test_it_compiles_for_each_emulator_that_offers_it(
    name: str, firmware: Path, two_operators: bytes, quantized_model: Quantized, tmp_path: Path
) -> None:
    """By the target's own compiler and flags, over the fakes of TFLM and of the C++ library, which nothing installs."""
    target = registry.get(name)
    board = json.loads((firmware / "platform" / "boards" / f"{target.compiles.board}.json").read_text())["build"]
    compiler = f"{board['toolchain']}g++"
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    project = render(quantized_model(tmp_path, two_operators), target, "tflm", tmp_path / "project")[0].folder
    fakes = firmware / "tests" / "fakes"
    folders = [fakes / "tflm", firmware / "lib" / "engine", project / "lib" / "model"]
    sources = [*(project / "lib" / "tinyhil_engine" / "tflm").glob("*.cpp"), *(project / "lib/model").glob("*.cpp")]
    flags = [*board["machine_flags"], *target.compiles.flags, *target.engines["tflm"].flags]
    include = ["-nostdinc++", "-isystem", str(fakes / "std"), *(f"-I{each}" for each in folders)]
    command = [compiler, f"-std={STANDARDS[0]}", *flags, *FLAGS, "-fsyntax-only", *include]
    done = subprocess.run([*command, *map(str, sources)], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(sources) == 4


@pytest.fixture(scope="session", params=STANDARDS)
def run(
    request: pytest.FixtureRequest, firmware: Path, rendered: Path, tmp_path_factory: pytest.TempPathFactory
) -> Run:
    """Runs steps of the driver and returns the line of each."""
    program = _program(firmware, rendered, tmp_path_factory.mktemp("engine"), standard=request.param)
    return _runner(program)


@pytest.fixture(scope="session")
def run_stateful(firmware: Path, rendered: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("stateful")
    return _runner(_program(firmware, rendered, folder, standard=STANDARDS[0], stateful=True))


def _runner(program: Path) -> Run:
    def run(*steps: str) -> list[str]:
        done = subprocess.run([str(program), *steps], capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.splitlines()

    return run


@pytest.fixture(scope="session")
def capacity(two_operators: bytes) -> int:
    return estimate(two_operators)


def test_it_computes_and_registers_what_the_model_uses(run: Run) -> None:
    # 1 for the first inference, and three inputs of 5.
    assert run("init", "put:5", "invoke", "get", "fake") == ["0", "0", "0", "16", "1 1 2 0 1 1"]


@pytest.mark.parametrize(
    ("knob", "status"),
    [
        ("schema=2", WRONG_SCHEMA),
        ("refuse=1", OPERATORS_FULL),
        ("minimum=1000000", NOT_ALLOCATED),
        ("inputs=2", OTHER_TENSORS),
        ("bytes=3", OTHER_TENSORS),
        ("type=3", OTHER_TENSORS),
    ],
)
def test_what_the_library_refuses_has_a_status_of_its_own(run: Run, knob: str, status: int) -> None:
    got = run(knob, "init", "invoke", "profile", "usage", "operators", "fake")
    assert got[:3] == [str(status), str(NO_INTERPRETER), str(NO_INTERPRETER)]
    assert got[3].split()[2:] == ["0", "0"]
    assert got[4] == ""
    assert got[5].split()[0] == "0"  # the interpreter that failed is destroyed


def test_a_failed_inference_has_a_status_of_its_own(run: Run) -> None:
    got = run("init", "put:1", "invoke=1", "invoke", "profile", "invoke=0", "invoke")
    assert got == ["0", "0", str(INVOKE_FAILED), str(INVOKE_FAILED), "0"]


def test_it_is_prepared_in_the_first_bytes_of_the_arena(run: Run, capacity: int) -> None:
    got = run("minimum=600", "init", "usage", "prepare:600", "usage", "put:1", "invoke", "get", "prepare:599", "usage")
    assert got[0:2] == ["0", f"{capacity} {capacity} 300 0"]
    assert got[2:4] == ["0", f"{capacity} 600 300 0"]
    assert got[4:7] == ["0", "0", "4"]
    assert got[7:] == [str(NOT_ALLOCATED), f"{capacity} 599 0 0"]


@pytest.mark.parametrize("size", [1, 64, 511])
def test_the_library_never_sees_an_arena_without_room_for_itself(run: Run, size: int) -> None:
    assert run(f"prepare:{size}", "fake", "prepare:512")[0:3] == [str(NOT_ALLOCATED), "0 0 0 0 1 0", "0"]


def test_less_than_the_model_has_used_is_not_tried(run: Run) -> None:
    # The fake says that it uses half of what it needs.
    got = run("minimum=1600", "init", "minimum=600", "prepare:783", "fake", "prepare:784", "fake")
    assert got[1:3] == [str(NOT_ALLOCATED), "0 1 2 0 1 1"]
    assert got[3:5] == ["0", "1 2 4 0 1 1"]


def test_it_works_again_after_an_arena_that_was_too_small(run: Run) -> None:
    got = run("minimum=600", "prepare:599", "prepare:700", "put:1", "invoke", "get", "init", "put:1", "invoke", "fake")
    assert got[:5] == [str(NOT_ALLOCATED), "0", "0", "0", "4"]
    assert got[5:8] == ["0", "0", "0"]
    assert got[8].split()[:3] == ["1", "3", "6"]  # three interpreters were made, one is alive


def test_more_than_there_is_is_refused(run: Run, capacity: int) -> None:
    assert run("init", f"prepare:{capacity + 1}", f"prepare:{capacity}") == ["0", str(TOO_LARGE), "0"]


@pytest.mark.parametrize("beyond", [1, 17, 64])
def test_writing_behind_the_arena_is_counted(run: Run, capacity: int, beyond: int) -> None:
    steps = ["usage", f"beyond={beyond}", "put:0", "invoke", "usage"]
    for start, size in (("init", capacity), ("prepare:600", 600)):
        got = run(start, *steps)
        assert got[1].split()[1:] == [str(size), "0", "0"]
        assert got[4].split()[1:] == [str(size), "0", str(beyond)]
    # Preparing paints anew.
    assert run("prepare:600", *steps, "prepare:600", "usage")[-1].split()[3] == "0"


def test_every_operator_is_timed_and_only_when_asked(run: Run) -> None:
    got = run("operators=2", "init", "put:0", "invoke", "operators", "profile", "operators", "profile", "operators")
    assert got[3] == ""
    assert got[5] == got[7] == "FULLY_CONNECTED:100 RESHAPE:200"
    # An inference that is not timed adds nothing, even where there would be room.
    assert run("operators=1", "init", "put:0", "profile", "invoke", "operators")[-1] == "FULLY_CONNECTED:100"


def test_more_events_than_operators_are_ignored(run: Run) -> None:
    assert run("operators=9", "init", "put:0", "profile", "operators")[-1] == "FULLY_CONNECTED:100 RESHAPE:200"


def test_a_model_without_state_is_never_reset(run: Run) -> None:
    got = run("init", "put:0", "invoke", "restart", "invoke", "get", "fake")
    assert got[5] == "2"
    assert got[6].split()[3] == "0"


def test_a_stateful_model_is_taken_back(run_stateful: Run) -> None:
    got = run_stateful("init", "put:0", "invoke", "invoke", "get", "restart", "invoke", "get", "fake")
    assert (got[4], got[7]) == ("2", "1")
    assert got[8].split()[3] == "1"


def test_a_reset_that_fails_shows_at_the_next_inference(run_stateful: Run) -> None:
    got = run_stateful("init", "put:0", "reset=1", "restart", "invoke", "profile", "reset=0", "restart", "invoke")
    assert got == ["0", "0", "0", str(NOT_RESET), str(NOT_RESET), "0", "0"]


@pytest.mark.parametrize("standard", ["gnu++11", "gnu++2b"])
@pytest.mark.parametrize("exceptions", ["-fexceptions", "-fno-exceptions"])
def test_it_compiles_as_the_boards_cores_compile_it(
    firmware: Path, rendered: Path, tmp_path: Path, standard: str, exceptions: str
) -> None:
    """Every ESP32 core has exceptions on: placement new then looks for ``operator delete`` too.

    Only GCC looks at its access there; clang does not.
    """
    if shutil.which("g++") is None:
        pytest.skip("g++ is not installed: apt-get install g++")
    flags = [flag for flag in FLAGS if flag != "-fno-exceptions"]
    include = [firmware / "tests" / "fakes" / "tflm", firmware / "lib" / "engine", rendered / "lib" / "model"]
    source = firmware / "lib" / "engine" / "tflm" / "engine_tflm.cpp"
    command = ["g++", f"-std={standard}", *flags, exceptions, *(f"-I{path}" for path in include)]
    done = subprocess.run(
        [*command, "-c", str(source), "-o", str(tmp_path / "engine.o")], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
