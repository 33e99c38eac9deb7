"""What the benchmarks share: devices built from the shipped sources, and the session that asks them.

The devices are the firmware as PlatformIO builds it, with the flags of the target's board, but with an engine that
only copies (firmware/tests/copy_engine.cpp), so that what is measured is the link. They are compiled without PlatformIO
because they are no project that a user could have.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from tinyhil import process, session
from tinyhil.affine import DType, TensorSpec
from tinyhil.artifacts.types import Vectors
from tinyhil.progress import Silent
from tinyhil.targets.model import Measure, Target

HERE = Path(__file__).parent
FIRMWARE = HERE.parent / "firmware"
PATIENCE = 30.0
"""Seconds after which a device that does not answer is given up."""

_APPLICATION = [FIRMWARE / "src", *(FIRMWARE / "lib" / name for name in ("link", "engine", "server"))]
_ARDUINO_ENTRY = "sketch.cpp"


@dataclass(frozen=True)
class Shape:
    """Bytes of a vector: an image with ten classes has 784 and 10, a sine 1 and 1."""

    inputs: int
    outputs: int


BLOCK = 64
"""Bytes that the echo sends back at a time."""


@dataclass(frozen=True)
class Goodput:
    """What a device was asked, and how long it took.

    Attributes:
        vectors: that were answered, each with ``inputs`` bytes of payload.
        seconds: that all of it took, the handshake included.
        steady: payload in bytes per second from the first answer to the last.
        resends: requests that were sent again.
    """

    vectors: int
    inputs: int
    seconds: float
    steady: float = 0.0
    resends: int = 0

    @property
    def rate(self) -> float:
        """Payload in bytes per second."""
        return self.vectors * self.inputs / self.seconds


def firmware(folder: Path, target: Target, shape: Shape) -> Path:
    """Compiles the firmware with the copying engine.

    Raises:
        MissingToolError: there is no compiler for the target.
    """
    (folder / "tinyhil_config.h").write_text(f"#define TINYHIL_MAX_PAYLOAD {target.link.max_payload}\n")
    sources = [path for where in _APPLICATION for path in sorted(where.glob("*.cpp")) if path.name != _ARDUINO_ENTRY]
    sizes = [f"-DTEST_INPUTS={shape.inputs}", f"-DTEST_OUTPUTS={shape.outputs}", *target.link.flags]
    program = folder / f"copy_{target.name}_{shape.inputs}_{shape.outputs}.elf"
    return _compile(program, target, [*sources, FIRMWARE / "tests/copy_engine.cpp"], sizes)


def echo(folder: Path, target: Target) -> Path:
    """Compiles the device that sends everything back, ``BLOCK`` bytes at a time, with the target's port.

    Raises:
        MissingToolError: there is no compiler for the target.
    """
    return _compile(folder / f"echo_{target.name}.elf", target, [HERE / "echo_device.cpp"], [f"-DTEST_BLOCK={BLOCK}"])


def text_device(folder: Path) -> Path:
    """Compiles the baseline's device.

    Raises:
        MissingToolError: there is no compiler.
    """
    program = folder / "text_device"
    _run("g++", "g++", ["-std=gnu++11", "-O2", str(HERE / "text_device.cpp"), "-o", str(program)])
    return program


def some_vectors(count: int, shape: Shape) -> Vectors:
    """So many random vectors of an int8 model; the references are what the copying engine answers."""
    values = np.random.default_rng(count).integers(-128, 128, (count, 1, shape.inputs), dtype=np.int8)
    return Vectors((values,), (values[:, :, : shape.outputs].copy(),), None, exhaustive=False)


def copying(shape: Shape) -> session.Identity:
    """What the firmware with the copying engine says of itself."""
    return session.Identity(
        "00" * 32,
        "00" * 32,
        (TensorSpec("in", DType.INT8, (1, shape.inputs), 1.0, 0),),
        (TensorSpec("out", DType.INT8, (1, shape.outputs), 1.0, 0),),
    )


def ask(port: str, target: Target, identity: session.Identity, vectors: Vectors, check: Callable[[], None]) -> Goodput:
    """Lets the product's own session ask a device, at the rates of the target, and makes sure of its answers."""
    stopwatch = _Stopwatch()
    inputs = sum(spec.nbytes for spec in identity.inputs)
    # Single inferences, which a run measures as well, are not what is measured here.
    target = msgspec.structs.replace(target, measure=Measure(unit="nothing"))
    started = time.perf_counter()
    lines = session.PortLines(port, target.link.baud, max_baud=target.link.max_baud)
    with session.open_session(lines, identity, target, check, stopwatch) as opened:
        captured = session.capture(opened, vectors)
    seconds = time.perf_counter() - started
    if not all(map(np.array_equal, captured.outputs, vectors.reference)):
        raise SystemExit("the device answered wrong: the figures would mean nothing")
    return Goodput(vectors.count, inputs, seconds, stopwatch.rate * inputs, captured.counters["resends"])


class _Stopwatch(Silent):
    """Notes when the first and the last answer arrived."""

    def __init__(self) -> None:
        self._first: tuple[int, float] | None = None
        self._last = (0, 0.0)

    def progress(self, done: int, total: int, note: str = "") -> None:
        """Called for each answer."""
        self._last = (done, time.perf_counter())
        self._first = self._first or self._last

    @property
    def rate(self) -> float:
        """Vectors per second from the first answer to the last, 0 if there was but one."""
        if self._first is None or self._first == self._last:
            return 0.0
        return (self._last[0] - self._first[0]) / (self._last[1] - self._first[1])


def _compile(program: Path, target: Target, sources: list[Path], further: list[str]) -> Path:
    """Compiles and links with the flags of firmware/platform/builder/main.py and the ports of the target."""
    needs = target.build
    assert needs is not None
    board = json.loads((FIRMWARE / f"platform/boards/{needs.board}.json").read_text())["build"]
    port = FIRMWARE / "lib/port"
    flags = [*board["machine_flags"], *board["optimisation"], "-ffunction-sections", "-fdata-sections"]
    language = ["-std=gnu++11", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics"]
    include = [f"-I{where}" for where in (program.parent, *_APPLICATION, port)]
    link = [*board["link_flags"], "-Wl,--gc-sections"]
    if "ldscript" in board:  # named as in a project, where the port lies under another name
        link += [f"-L{port}", "-T", str(port / Path(board["ldscript"]).relative_to("tinyhil_port"))]
    everything = [*sources, *(path for name in needs.ports for path in sorted((port / name).glob("*.cpp")))]
    compiler = board["toolchain"] + "gcc"
    debian = next((program.debian for program in needs.programs if program.name == compiler), compiler)
    _run(
        compiler,
        debian,
        [*flags, *language, *include, *further, *map(str, everything), *link, "-o", str(program)],
    )
    return program


def _run(compiler: str, debian: str, arguments: list[str]) -> None:
    process.require(compiler, debian=debian, purpose="build a device to measure")
    process.run([compiler, *arguments], what="build a device to measure")
