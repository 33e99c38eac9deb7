"""The search for the smallest arena, on the whole firmware as a process, with an engine whose need is known."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from tinyhil.affine import DType, TensorSpec
from tinyhil.artifacts.types import Vectors
from tinyhil.deadline import Deadline
from tinyhil.device.emulator import EmulatorDevice
from tinyhil.errors import DeviceError
from tinyhil.progress import Silent
from tinyhil.session import Identity, PortLines, Session, arena, open_session
from tinyhil.session.arena import STEP, Attempt, Outcome, Sizing, smallest_arena, whole_arena
from tinyhil.targets import registry
from tinyhil.targets.model import Emulator, Target

FIRMWARE = Path(__file__).parents[3] / "firmware"
IDENTITY = Identity(
    (bytes(17 * n for n in range(16)) + bytes(range(1, 17))).hex(),
    (b"\xfe\xdc" + bytes(30)).hex(),
    (TensorSpec("in", DType.INT8, (1, 4), 1.0, 0),),
    (TensorSpec("out", DType.INT8, (1, 4), 1.0, 0),),
)
NEEDED = 1328
CAPACITY = 4096


def vectors() -> Vectors:
    inputs = np.random.default_rng(3).integers(-128, 127, (40, 1, 4), np.int8)
    return Vectors((inputs,), (~inputs,), None, exhaustive=False)


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The firmware with the engine of firmware/tests/fakes/arena.cpp."""
    if shutil.which("g++") is None:
        pytest.skip("g++ is not installed: apt-get install g++")
    folder = tmp_path_factory.mktemp("arena")
    (folder / "tinyhil_config.h").write_text("#define TINYHIL_MAX_PAYLOAD 128\n")
    parts = [FIRMWARE / part for part in ("lib/link", "lib/engine", "lib/server", "lib/port/posix")]
    program = [FIRMWARE / part for part in ("tests/fakes/arena.cpp", "src/main.cpp", "src/app.cpp")]
    sources = [*program, *(path for part in parts for path in sorted(part.glob("*.cpp")))]
    include = [
        f"-I{path}" for path in (folder, FIRMWARE / "tests/fakes", FIRMWARE / "lib/port", FIRMWARE / "src", *parts)
    ]
    flags = ["-std=gnu++11", "-Wall", "-Wextra", "-Werror", *include]
    done = subprocess.run(["g++", *flags, *sources, "-o", folder / "arena"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder / "arena"


@pytest.fixture
def native() -> Target:
    """A device that is given up after a short silence."""
    target = registry.get("native")
    return msgspec.structs.replace(target, link=msgspec.structs.replace(target.link, answer_within=0.5))


class ArenaDevice:
    """Starts the process anew each time, as a command does with a board or an emulator."""

    def __init__(self, program: Path, target: Target, identity: Identity = IDENTITY) -> None:
        self.starts = 0
        self._program = program
        self._target = target
        self._identity = identity

    @contextmanager
    def start(self) -> Iterator[Session]:
        self.starts += 1
        with EmulatorDevice(_emulator(self._target)) as device:
            port = device.start(self._program, Deadline.after(10.0))
            lines = PortLines(port, self._target.link.baud)
            with open_session(lines, self._identity, self._target, device.check, Silent()) as session:
                yield session


def _emulator(target: Target) -> Emulator:
    assert target.emulator is not None
    return target.emulator


def search(device: ArenaDevice) -> Sizing:
    return smallest_arena(device.start, vectors(), Silent())


OUTCOMES = {
    "REFUSES": Outcome.REFUSED,
    "ABORTS": Outcome.GONE,
    "HANGS": Outcome.GONE,
    "RESTARTS": Outcome.RESTARTED,
    "FAILS": Outcome.FAILED,
    "LIES": Outcome.WRONG,
    "OVERRUNS": Outcome.OVERRUN,
}


@pytest.mark.parametrize("fault", OUTCOMES)
def test_every_way_of_being_too_small(
    fault: str, program: Path, native: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(fault, str(NEEDED))
    with ArenaDevice(program, native).start() as session:
        assert arena.attempt(session, vectors(), NEEDED) == Attempt(NEEDED, Outcome.FITS, 932)
        small = arena.attempt(session, vectors(), NEEDED - 1)
        assert (small.size, small.outcome) == (NEEDED - 1, OUTCOMES[fault])
        if small.outcome is not Outcome.GONE:
            assert arena.attempt(session, vectors(), NEEDED).fits, "the session goes on"


@pytest.mark.parametrize("fault", OUTCOMES)
def test_the_smallest_arena_whatever_happens_below_it(
    fault: str, program: Path, native: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(fault, str(NEEDED))
    device = ArenaDevice(program, native)
    found = search(device)
    assert (found.smallest, found.capacity, found.said) == (NEEDED, CAPACITY, 932)
    assert [(attempt.size, attempt.fits) for attempt in found.attempts[-2:]] == [(NEEDED - STEP, False), (NEEDED, True)]
    gone = sum(attempt.outcome is Outcome.GONE for attempt in found.attempts)
    assert device.starts == 1 + gone
    assert {attempt.outcome for attempt in found.attempts} == {Outcome.FITS, OUTCOMES[fault]}


@pytest.mark.parametrize(
    ("needed", "smallest"), [(1, 16), (16, 16), (17, 32), (1321, 1328), (4080, 4080), (4081, 4096)]
)
def test_any_need_is_found(
    needed: int, smallest: int, program: Path, native: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REFUSES", str(needed))
    assert search(ArenaDevice(program, native)).smallest == smallest


def test_several_faults_at_several_sizes(program: Path, native: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    for fault, size in (("ABORTS", 200), ("RESTARTS", 500), ("REFUSES", 900), ("LIES", 1201), ("OVERRUNS", 1310)):
        monkeypatch.setenv(fault, str(size))
    assert search(ArenaDevice(program, native)).smallest == 1312


def test_a_capacity_that_is_no_multiple_of_the_step(
    program: Path, native: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAPACITY", "1000")
    monkeypatch.setenv("REFUSES", "990")
    assert search(ArenaDevice(program, native)).smallest == 992
    monkeypatch.setenv("REFUSES", "993")
    with pytest.raises(DeviceError, match=r"does not run in the whole arena of 992 bytes: .* \(status 9\)"):
        search(ArenaDevice(program, native))


def test_one_wrong_vector_is_enough(program: Path, native: Target) -> None:
    right = vectors()
    reference = right.reference[0].copy()
    reference[39, 0, 3] ^= 1
    wrong = replace(right, reference=(reference,))
    with ArenaDevice(program, native).start() as session:
        assert arena.attempt(session, wrong, CAPACITY) == Attempt(CAPACITY, Outcome.WRONG, 932, "1 of 40")


def test_sizes_that_do_not_behave_are_refused(program: Path, native: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that finds in its arena what a larger one has left there fits at the second try."""
    monkeypatch.setenv("REFUSES", str(NEEDED))
    tried: list[int] = []
    attempt = arena.attempt

    def forgiving(session: Session, asked: Vectors, size: int) -> Attempt:
        tried.append(size)
        return Attempt(size, Outcome.FITS, 0) if tried.count(size) == 2 else attempt(session, asked, size)

    monkeypatch.setattr(arena, "attempt", forgiving)
    with pytest.raises(DeviceError, match=f"an arena of {NEEDED - STEP} bytes does not behave the same twice"):
        search(ArenaDevice(program, native))


def test_memory_that_is_fixed(program: Path, native: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAPACITY", "0")
    with pytest.raises(DeviceError, match="memory is fixed"):
        search(ArenaDevice(program, native))


def test_another_model_is_not_sized(program: Path, native: Target) -> None:
    with pytest.raises(DeviceError, match="stale firmware"):
        search(ArenaDevice(program, native, replace(IDENTITY, model_sha256="00" * 32)))


def test_a_session_begins_in_the_whole_arena(program: Path, native: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that was cut off in the middle of its search leaves nothing behind."""
    monkeypatch.setenv("REFUSES", str(NEEDED))
    with EmulatorDevice(_emulator(native)) as device:
        port = device.start(program, Deadline.after(10.0))
        for _ in range(2):
            lines = PortLines(port, native.link.baud)
            with open_session(lines, IDENTITY, native, device.check, Silent()) as session:
                assert whole_arena(session).arena_bytes == CAPACITY
                assert arena.attempt(session, vectors(), 16).outcome is Outcome.REFUSED
