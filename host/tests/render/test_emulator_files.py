"""What is rendered for an emulator: Renode's script and platform, held as text against what they rely on.

Renode itself may not be there. The facts are those of its ``platforms/cpus/nrf52840.repl`` and of its UART's model,
which has the registers RXD and TXD only without DMA; where Renode is on PATH, its own file is read.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import msgspec
import pytest

from tinyhil import resources
from tinyhil.artifacts.types import QuantizedModel
from tinyhil.errors import ConfigError
from tinyhil.render import render
from tinyhil.targets import registry
from tinyhil.targets.model import Target

PERIPHERALS = {"uart0": 0x40002000, "timer0": 0x40008000}
MEMORIES = {"FLASH": (0x00000000, 0x100000), "RAM": (0x20000000, 0x40000)}


@pytest.fixture
def target() -> Target:
    return registry.get("renode-nano33ble")


@pytest.fixture
def files(model: QuantizedModel, target: Target, tmp_path: Path) -> dict[str, str]:
    """The rendered project."""
    made, _ = render(model, target, "compiled", tmp_path / "project")
    return {name: data.decode(errors="replace") for name, data in resources.read_tree(made.folder).items()}


def commands(script: str) -> list[str]:
    return [line for line in script.splitlines() if line and not line.startswith((":", "//"))]


def test_the_script_loads_the_board_and_the_firmware_and_offers_the_uart(files: dict[str, str]) -> None:
    assert commands(files["emulator/renode.resc"]) == [
        "using sysbus",
        'mach create "renode-nano33ble"',
        "machine LoadPlatformDescription $ORIGIN/renode.repl",
        "sysbus LoadELF $elf",
        "start",
        'emulation CreateServerSocketTerminal $port "term" false',
        "connector Connect sysbus.uart0 term",
    ]


def test_the_platform_is_the_board_with_what_the_driver_knows(files: dict[str, str], target: Target) -> None:
    (counter,) = [flag.partition("=")[2] for flag in target.compiles.flags if "NRF_COUNTER" in flag]
    assert commands(files["emulator/renode.repl"]) == [
        'using "platforms/boards/arduino_nano_33_ble.repl"',
        "uart0:",
        "    easyDMA: false",
        "sysbus:",
        "    init:",
        '        Tag <0x10000000, 0x10000FFF> "FICR"',
        f"counter: Python.PythonPeripheral @ sysbus {counter}",
        "    size: 0x8",
        "    initable: false",
        "    script: '''",
        "from System import DateTime",
        "if request.isRead:",
        "    cpu = self.GetMachine()['sysbus.cpu']",
        "    count = cpu.ExecutedInstructions if request.offset == 0 else DateTime.Now.Ticks",
        "    request.value = int(count & 0xFFFFFFFF)",
        "'''",
    ]


def test_nothing_that_varies_from_run_to_run_is_rendered(files: dict[str, str], tmp_path: Path, target: Target) -> None:
    emulator = target.emulator
    assert emulator is not None
    text = files["emulator/renode.resc"] + files["emulator/renode.repl"]
    assert str(tmp_path) not in text
    assert not re.search(r"\b\d{4,5}\b", text), "a port"
    said = " ".join(emulator.arguments)
    for variable in ("$elf=@{temporary}/firmware", "$port={port}", "include @{temporary}/project/emulator/renode.resc"):
        assert f"-e {variable}" in said
    assert {"--console", "--plain"} <= set(emulator.arguments)
    assert set(emulator.environment.values()) == {"{temporary}"}, "Renode deletes $TMPDIR/renode-*"


def test_the_driver_and_the_linker_script_agree_with_the_platform(files: dict[str, str]) -> None:
    driver = files["lib/tinyhil_port/nrf/port_nrf.cpp"]
    assert f"uart = reinterpret_cast<Uart*>({PERIPHERALS['uart0']:#x})" in driver
    assert f"timer = reinterpret_cast<Timer*>({PERIPHERALS['timer0']:#x})" in driver
    script = files["lib/tinyhil_port/nrf/nrf52840.ld"]
    units = {"K": 1024, "M": 1024 * 1024}
    found = {
        name: (int(origin, 16), int(length) * units[unit])
        for name, origin, length, unit in re.findall(r"(\w+) +\(\w+\) *: ORIGIN = (\w+), LENGTH = (\d+)([KM])", script)
    }
    assert found == MEMORIES


def test_an_installed_renode_says_the_same() -> None:
    renode = shutil.which("renode")
    if renode is None:
        pytest.skip("blocked: renode is not installed")
    places = [Path(renode).resolve().parent, Path("/opt/renode"), Path("/usr/lib/renode")]
    found = [path for place in places if (path := place / "platforms/cpus/nrf52840.repl").is_file()]
    if not found:
        pytest.skip("blocked: renode keeps its platforms in itself")
    text = found[0].read_text()
    for name, address in PERIPHERALS.items():
        assert re.search(rf"^{name}: .* @ sysbus {address:#x}\b", text, re.IGNORECASE | re.MULTILINE)
    assert re.search(r"^ram: .*sysbus 0x20000000.*\n    size: 0x40000$", text, re.MULTILINE)
    assert re.search(r"^flash: .*sysbus 0x0\n    size: 0x100000$", text, re.MULTILINE)
    assert "easyDMA" in text


def test_other_targets_get_none_of_it(model: QuantizedModel, qemu_m4: Target, tmp_path: Path) -> None:
    made, _ = render(model, qemu_m4, "compiled", tmp_path / "project")
    assert not (made.folder / "emulator").exists()


def test_a_template_that_does_not_exist_is_named(model: QuantizedModel, target: Target, tmp_path: Path) -> None:
    assert target.emulator is not None
    emulator = msgspec.structs.replace(target.emulator, templates=("renode.resc", "absent.resc"))
    with pytest.raises(ConfigError, match=r"no template emulator/absent\.resc\.j2"):
        render(model, msgspec.structs.replace(target, emulator=emulator), "compiled", tmp_path / "project")


def test_a_port_that_does_not_exist_is_named(model: QuantizedModel, target: Target, tmp_path: Path) -> None:
    build = msgspec.structs.replace(target.compiles, ports=("bare_metal", "nowhere"))
    with pytest.raises(ConfigError, match="renode-nano33ble names the port 'nowhere'"):
        render(model, msgspec.structs.replace(target, build=build), "compiled", tmp_path / "project")
