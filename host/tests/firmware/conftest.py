"""Builds the programs of firmware/tests once a run, with the sanitizers on and every warning an error."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from tinyhil.targets.model import Target

from . import python_server

FIRMWARE = Path(__file__).parents[3] / "firmware"
TESTS = FIRMWARE / "tests"
FLAGS = ["-std=gnu++11", "-Wall", "-Wextra", "-Werror", "-g"]
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]


def _sources(*libraries: str) -> list[Path]:
    return [path for library in libraries for path in sorted((FIRMWARE / "lib" / library).glob("*.cpp"))]


def _compile(folder: Path, *arguments: str | Path, include: Iterable[Path] = ()) -> None:
    """Runs the compiler in a folder."""
    if shutil.which("g++") is None:
        pytest.skip("g++ is not installed: apt-get install g++")
    libraries = [FIRMWARE / "lib" / library for library in ("link", "engine", "server")]
    paths = [f"-I{path}" for path in (*libraries, *include)]
    command = ["g++", *FLAGS, *SANITIZERS, *paths, *map(str, arguments)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


@pytest.fixture(scope="session")
def firmware() -> Path:
    """The folder with the device's sources."""
    return FIRMWARE


@pytest.fixture(scope="session")
def link_driver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """lib/link behind a line of commands."""
    folder = tmp_path_factory.mktemp("link")
    _compile(folder, TESTS / "link_driver.cpp", *_sources("link"), "-o", "link_driver")
    return folder / "link_driver"


@pytest.fixture(scope="session")
def sketch_driver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """lib/sketch over what notes what it is asked for."""
    folder = tmp_path_factory.mktemp("sketch")
    include = [FIRMWARE / "lib" / "sketch", FIRMWARE / "lib" / "port", FIRMWARE / "src"]
    _compile(folder, TESTS / "sketch_driver.cpp", *_sources("sketch"), "-o", "sketch_driver", include=include)
    return folder / "sketch_driver"


@pytest.fixture(scope="session")
def demo_driver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """lib/demo behind a line of commands."""
    folder = tmp_path_factory.mktemp("demo")
    include = [FIRMWARE / "lib" / "demo"]
    _compile(folder, TESTS / "demo_driver.cpp", *_sources("demo"), "-o", "demo_driver", include=include)
    return folder / "demo_driver"


@pytest.fixture(scope="session")
def server_objects(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with lib/server and its driver, compiled: all but an engine."""
    folder = tmp_path_factory.mktemp("server")
    sources = [TESTS / "server_driver.cpp", *_sources("link", "engine", "server")]
    _compile(folder, "-c", *sources, include=[TESTS / "fakes"])
    return folder


@pytest.fixture(scope="session", params=["firmware", "sim"])
def implementation(request: pytest.FixtureRequest) -> str:
    """Which of the two implementations of the device's role is tested: lib/server, or tinyhil.sim.server."""
    return str(request.param)


def _server(implementation: str, request: pytest.FixtureRequest, fake: str) -> Path:
    """It over a fake engine."""
    if implementation == "sim":
        return python_server.register(fake)
    objects: Path = request.getfixturevalue("server_objects")
    program = objects / f"server_{fake}"
    _compile(objects, TESTS / "fakes" / f"{fake}.cpp", *sorted(objects.glob("*.o")), "-o", program)
    return program


@pytest.fixture(scope="session")
def counter(implementation: str, request: pytest.FixtureRequest) -> Path:
    """A server over a small stateful model, behind stdin and stdout."""
    return _server(implementation, request, "counter")


@pytest.fixture(scope="session")
def counter_firmware(request: pytest.FixtureRequest) -> Path:
    """The same, of the firmware alone."""
    return _server("firmware", request, "counter")


@pytest.fixture(scope="session")
def counter_sketch(server_objects: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[bool], Path]:
    """The same as around a sketch, which has registered preprocessing, or has not."""
    folder = tmp_path_factory.mktemp("counter_sketch")
    server = FIRMWARE / "lib" / "server" / "server.cpp"
    others = [path for path in sorted(server_objects.glob("*.o")) if path.name != "server.o"]

    def made(registers: bool) -> Path:
        program = folder / f"registers_{registers}"
        if not program.exists():
            fakes = [TESTS / "fakes" / "counter.cpp", *([TESTS / "fakes" / "raw_sample.cpp"] * registers)]
            include = [TESTS / "fakes"]
            _compile(folder, "-DTINYHIL_PREPROCESSING", *fakes, server, *others, "-o", program, include=include)
        return program

    return made


@pytest.fixture(scope="session")
def large(implementation: str, request: pytest.FixtureRequest) -> Path:
    """A server over a model with a tensor above the largest payload."""
    return _server(implementation, request, "large")


@pytest.fixture(scope="session")
def huge(implementation: str, request: pytest.FixtureRequest) -> Path:
    """A server over a model with tensors of almost 4 GiB."""
    return _server(implementation, request, "huge")


@pytest.fixture(scope="session")
def copy_firmware(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole firmware for the host, with an engine that copies 256 bytes, and a line with rates."""
    folder = tmp_path_factory.mktemp("copy")
    (folder / "tinyhil_config.h").write_text("#define TINYHIL_MAX_PAYLOAD 4096\n")
    program = [FIRMWARE / "src" / name for name in ("main.cpp", "app.cpp")]
    sources = [TESTS / "copy_engine.cpp", *program, *_sources("link", "engine", "server", "port/posix")]
    include = [folder, FIRMWARE / "src", FIRMWARE / "lib/port"]
    given = ["-DTEST_INPUTS=256", "-DTEST_OUTPUTS=256", "-DTINYHIL_MAX_BAUD=2000000"]
    _compile(folder, *given, *sources, "-o", "copy_engine", include=include)
    return folder / "copy_engine"


@pytest.fixture(scope="session")
def demo_firmware(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole firmware for the host with a demo, which silence does not bring back, and a line with rates."""
    folder = tmp_path_factory.mktemp("demo_firmware")
    never = 2**31
    (folder / "tinyhil_config.h").write_text(
        "#define TINYHIL_MAX_PAYLOAD 4096\n#define TINYHIL_DEMO_FROM 0.0f\n#define TINYHIL_DEMO_STEP 1.0f\n"
        "#define TINYHIL_DEMO_STEPS 100\n#define TINYHIL_DEMO_PERIOD_MS 20\n"
        f"#define TINYHIL_DEMO_AFTER_MS {never}u\n"
    )
    program = [FIRMWARE / "src" / name for name in ("main.cpp", "app.cpp")]
    sources = [TESTS / "copy_engine.cpp", *program, *_sources("link", "engine", "server", "demo", "port/posix")]
    include = [folder, FIRMWARE / "src", FIRMWARE / "lib/port", FIRMWARE / "lib/demo"]
    given = ["-DTEST_INPUTS=1", "-DTEST_OUTPUTS=1", "-DTINYHIL_MAX_BAUD=2000000"]
    _compile(folder, *given, *sources, "-o", "demo_firmware", include=include)
    return folder / "demo_firmware"


ENTRIES = {"arduino": "sketch.cpp", "espidf": "idf.cpp"}
"""Where a program of a framework begins."""
DEFINED = {"arduino": ("-DARDUINO=10819",), "espidf": ("-DESP_PLATFORM",)}
"""What a framework defines itself."""


@dataclass(frozen=True)
class Sketch:
    """The firmware as a program of a framework, built for a board's target over the fake of it.

    Attributes:
        program: the firmware over an engine that copies 256 bytes.
        facts: a program that prints what the port says of the board.
    """

    target: Target
    program: Path
    facts: Path


def _compile_sketch(folder: Path, target: Target, standard: str, *more: str) -> Sketch:
    (folder / "tinyhil_config.h").write_text(
        f"#define TINYHIL_MAX_PAYLOAD {target.link.max_payload}\n#define TINYHIL_BAUD {target.link.baud}\n"
    )
    fake, entry = TESTS / "fakes" / target.compiles.framework, ENTRIES[target.compiles.framework]
    include = [folder, FIRMWARE / "src", FIRMWARE / "lib/port", fake]
    given = [f"-std={standard}", *target.compiles.flags, *target.link.flags, *more]
    given += [*DEFINED[target.compiles.framework], "-funsigned-char", "-pthread"]
    given += ["-DTEST_INPUTS=256", "-DTEST_OUTPUTS=256"]
    port = [*sorted(fake.glob("*.cpp")), *_sources(*(f"port/{name}" for name in target.compiles.ports))]
    program = [FIRMWARE / "src" / name for name in (entry, "app.cpp")]
    firmware = [TESTS / "copy_engine.cpp", *program, *_sources("link", "engine", "server")]
    _compile(folder, *given, *firmware, *port, "-o", "sketch", include=include)
    _compile(folder, *given, TESTS / "port_facts.cpp", *port, "-o", "facts", include=include)
    return Sketch(target, folder / "sketch", folder / "facts")


@pytest.fixture(scope="session")
def compile_sketch() -> Callable[..., Sketch]:
    """Builds the firmware in a folder, for a target, by a language standard, with further flags."""
    return _compile_sketch


@pytest.fixture(scope="session")
def two_operators(build_tflite: Callable[..., bytes]) -> bytes:
    """FULLY_CONNECTED and behind it RESHAPE."""

    def edit(model: Any) -> None:
        graph = model.subgraphs[0]
        kind = schema.BuiltinOperator.RESHAPE
        model.operatorCodes.append(schema.OperatorCodeT(deprecatedBuiltinCode=kind, builtinCode=kind, version=1))
        copy = schema.TensorT(
            name="reshaped", shape=[1, 2], type=schema.TensorType.INT8, quantization=graph.tensors[3].quantization
        )
        graph.tensors.append(copy)
        graph.operators.append(schema.OperatorT(opcodeIndex=1, inputs=[3], outputs=[4]))
        graph.outputs = [4]

    return build_tflite(edit)
