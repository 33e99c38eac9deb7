"""What the bare-metal ports promise, on the emulated machines that they are for: startup, faults, stack, clock.

``firmware/tests/bare_metal_driver.cpp`` is linked with nothing but the port, as its target's files say, and by the C
compiler, as the product links: the C++ library for Arm is a package of its own, which no target needs.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from tinyhil.deadline import Deadline
from tinyhil.device.emulator import EmulatorDevice
from tinyhil.targets import registry
from tinyhil.targets.model import SEMIHOSTING, UART, LineName, Target
from tinyhil.transport import Transport, open_transport

PATIENCE_SECONDS = 20.0
AGAIN_SECONDS = 0.5
WARNINGS = ("-Wall", "-Wextra", "-Werror")
EMULATED = (
    "qemu-m4",
    "qemu-microbit",
    *(pytest.param(name, marks=pytest.mark.long) for name in ("qemu-m33", "qemu-m7", "qemu-m55", "qemu-rv32")),
)
"""The first two in every run: the others share most of their code with them."""

UNDEFINED = {"co": 3, "rv": 2}
"""What an undefined instruction is, by the beginning of the CPU's name: a HardFault, an illegal instruction."""


def bare_metal() -> list[str]:
    """Targets whose startup code is ours."""
    targets = [registry.get(name) for name in registry.paths()]
    return [target.name for target in targets if target.build is not None and "bare_metal" in target.build.ports]


def link(firmware: Path, target: Target, folder: Path, driver: str = "bare_metal_driver.cpp") -> Path:
    """Links a driver with the target's port, as the target's own board file and flags have it."""
    for program in target.compiles.programs:
        if shutil.which(program.name) is None:
            pytest.skip(f"{program.name} is not installed: apt-get install {program.debian}")
    ports = firmware / "lib" / "port"
    board = json.loads((firmware / "platform" / "boards" / f"{target.compiles.board}.json").read_text())["build"]
    sources = [path for name in target.compiles.ports for path in sorted((ports / name).glob("*.cpp"))]
    script = ports / board["ldscript"].removeprefix("tinyhil_port/")
    elf = folder / "driver.elf"
    of_board = [*board["machine_flags"], *board["optimisation"], *board["link_flags"]]
    language = ["-std=gnu++11", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics"]
    sections = ["-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections", f"-L{ports}", "-T", str(script)]
    files = map(str, [f"-I{firmware / 'lib' / 'kernels'}", firmware / "tests" / driver, *sources])
    command = [
        f"{board['toolchain']}gcc",
        *WARNINGS,
        *language,
        *of_board,
        *sections,
        *target.compiles.flags,
        f"-I{ports}",
        *files,
    ]
    subprocess.run([*command, "-o", str(elf)], check=True)
    return elf


@pytest.mark.parametrize("name", bare_metal())
def test_it_links_without_a_warning(firmware: Path, tmp_path: Path, name: str) -> None:
    elf = link(firmware, registry.get(name), tmp_path)
    assert elf.stat().st_size > 0


@pytest.fixture(scope="module", params=EMULATED)
def image(request: pytest.FixtureRequest, firmware: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A target's name and the driver for it."""
    name = str(request.param)
    return name, link(firmware, registry.get(name), tmp_path_factory.mktemp(name))


class Ask:
    """Sends a command to the driver, and returns the line that it answers."""

    def __init__(self, line: Transport) -> None:
        self._line = line

    def __call__(self, command: str, within: float = PATIENCE_SECONDS) -> str:
        self._line.write(command.encode(), Deadline.after(PATIENCE_SECONDS))
        return self._answer(within)

    def _answer(self, within: float) -> str:
        deadline = Deadline.after(within)
        said = b""
        while not said.endswith(b"\n") and not deadline.expired:
            said += self._line.read(1, deadline.remaining)
        return said.decode()

    def reset(self) -> None:
        """Resets the chip. What arrives before it has happened is lost, so it is asked until it answers."""
        self._line.write(b"r", Deadline.after(PATIENCE_SECONDS))
        asked = 1
        while not self("b", AGAIN_SECONDS):
            asked += 1
            assert asked * AGAIN_SECONDS < PATIENCE_SECONDS, "it did not come back"
        while asked > 1 and self._answer(AGAIN_SECONDS):  # in case the first questions were not lost
            asked -= 1


@contextlib.contextmanager
def asking(name: str, elf: Path, line: LineName) -> Iterator[Ask]:
    """The driver in a machine of its own."""
    emulator = registry.get(name).emulator
    assert emulator is not None
    if shutil.which(emulator.program) is None:
        pytest.skip(f"{emulator.program} is not installed: apt-get install {emulator.debian}")
    with EmulatorDevice(emulator, line=line) as device:
        port = device.start(elf, Deadline.after(PATIENCE_SECONDS))
        with contextlib.closing(open_transport(port, baud=115200, deadline=Deadline.after(PATIENCE_SECONDS))) as opened:
            yield Ask(opened)


@pytest.fixture(params=[UART, SEMIHOSTING])
def ask(request: pytest.FixtureRequest, image: tuple[str, Path]) -> Iterator[Ask]:
    """The driver, on each line that there is to it."""
    with asking(*image, request.param) as started:
        yield started


@pytest.mark.parametrize("command", ["h", "d"])
@pytest.mark.parametrize("name", EMULATED)
def test_a_cpu_s_own_instructions_give_what_plain_code_gives(
    firmware: Path, tmp_path: Path, name: str, command: str
) -> None:
    """The kernels' arithmetic, on a CPU with the DSP extension and on one without."""
    elf = link(firmware, registry.get(name), tmp_path, "kernels_driver.cpp")
    with asking(name, elf, SEMIHOSTING) as ask:
        assert ask(command) == "0\n"


def numbers(text: str) -> list[int]:
    return [int(word) for word in text.split()]


def test_an_instruction_is_a_tick(ask: Ask) -> None:
    """However many there are and wherever in a tick of the timer they begin, and every time again."""
    first = numbers(ask("t"))
    assert len(first) > 65
    assert [each - first[0] for each in first] == list(range(len(first)))
    for _ in range(3):
        assert numbers(ask("t")) == first


def test_milliseconds_are_near_a_thousandth_of_a_second(ask: Ask) -> None:
    """For pacing: QEMU's timer may lose part of a tick each time it is looked at, and must not run fast.

    By the UART a busy computer makes QEMU's clock jump a little, in whatever direction.
    """
    (ticks,) = numbers(ask("m"))
    assert 15_000_000 <= ticks <= 40_000_000


def test_the_stack_s_high_water_is_what_was_used_and_stays(ask: Ask) -> None:
    size, before = numbers(ask("s"))
    assert 0 < before < 300
    assert size >= 2048
    ask("d")
    again, after = numbers(ask("s"))
    assert again == size
    assert 700 < after < 700 + before
    assert numbers(ask("s")) == [size, after]


def test_a_reset_begins_anew_with_another_boot_id(ask: Ask) -> None:
    assert numbers(ask("i")) == [42, 0]
    assert numbers(ask("i")) == [43, 1]
    (first,) = numbers(ask("b"))
    assert numbers(ask("b")) == [first]
    ask("d")
    _, deep = numbers(ask("s"))
    ask.reset()
    assert numbers(ask("i")) == [42, 0]
    assert numbers(ask("b")) != [first]
    assert numbers(ask("s"))[1] < deep, "the stack was not painted again"


def test_a_fault_says_which_and_where(image: tuple[str, Path], ask: Ask) -> None:
    with image[1].open("rb") as stream:
        table = ELFFile(stream).get_section_by_name(".symtab")
        address = table.get_symbol_by_name("undefined")[0]["st_value"] & ~1
    said = re.fullmatch(r"\0fault ([0-9a-f]{2}) at ([0-9a-f]{8})\n", ask("u"))
    assert said is not None
    assert (int(said[1], 16), int(said[2], 16)) == (UNDEFINED[registry.get(image[0]).chip.cpu[:2]], address)


def test_cold_starts_differ_on_a_line_on_which_no_time_passes(image: tuple[str, Path]) -> None:
    """Without the host's number the first byte would come after the same count of instructions every time."""
    boots = []
    for _ in range(2):
        with asking(*image, SEMIHOSTING) as ask:
            boots += numbers(ask("b"))
    assert len(set(boots)) == 2
