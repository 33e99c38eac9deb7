"""The emulated targets beside the default one, as a user has them."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from tinyhil.compare import health
from tinyhil.targets import registry
from tinyhil.toolchain import image

from .cli import REPOSITORY, Cli
from .conftest import NEEDED
from .test_hil_plugin import run_pytest

FAKE_EMULATOR = REPOSITORY / "host/tests/device/fake_emulator.py"
FLASH_LIMIT = 12 * 1024
RAM_LIMIT = 8 * 1024


@pytest.fixture(scope="session")
def microbit(sine_on: Callable[..., Path]) -> Path:
    """A build folder with everything of ``sine`` on ``qemu-microbit`` in it."""
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        pytest.skip(f"blocked: {', '.join(missing)} is not installed")
    return sine_on("qemu-microbit")


def report_of(tinyhil: Cli, target: str, *arguments: str | Path) -> dict[str, object]:
    done = tinyhil("run", "sine", "--target", target, "--json", "out.json", *arguments)
    assert done.code == 0, done.out + done.err
    report: dict[str, object] = json.loads((tinyhil.cwd / "out.json").read_text())
    return report


@pytest.mark.long
def test_the_microbit_is_exact_and_counts_the_same_every_time(tinyhil: Cli, microbit: Path) -> None:
    reports = [report_of(tinyhil, "qemu-microbit", "--build-dir", microbit) for _ in range(2)]
    for report in reports:
        assert report["verdict"] == "pass"
        fidelity = report["fidelity"]
        assert isinstance(fidelity, dict)
        assert (fidelity["vectors"], fidelity["mismatches"]) == (256, 0)
        assert report["microseconds_per_inference"] is None
    counts = {report["instructions_per_inference"] for report in reports}
    assert len(counts) == 1
    (count,) = counts
    assert isinstance(count, float)
    assert count > 1000


FAMILIES = ("qemu-m33", "qemu-m7", "qemu-m55", "qemu-rv32")


def require(target: str) -> None:
    """Skips where the target's compiler or its emulator is not installed."""
    facts = registry.get(target)
    assert facts.emulator is not None
    needed = [facts.emulator.program, *(program.name for program in facts.compiles.programs)]
    if missing := [name for name in needed if shutil.which(name) is None]:
        pytest.skip(f"blocked: {', '.join(missing)} is not installed; tools/system-packages emulators installs it")


@pytest.mark.parametrize(
    "target",
    [pytest.param(each, marks=pytest.mark.long if each in ("qemu-m33", "qemu-m7") else ()) for each in FAMILIES],
)
def test_the_sine_is_exact_on_every_chip_family(sine_on: Callable[..., Path], target: str) -> None:
    require(target)
    report = json.loads((sine_on(target) / "sine" / target / "report.json").read_text())
    assert report["verdict"] == "pass"
    assert (report["fidelity"]["vectors"], report["fidelity"]["mismatches"]) == (256, 0)
    assert {found["kind"] for found in report["findings"]}.isdisjoint(health.STRICT)
    assert report["instructions_per_inference"] > 1000
    assert report["microseconds_per_inference"] is None


@pytest.mark.long
@pytest.mark.parametrize("recipe", ["digits", "conv-digits"])
def test_pictures_are_exact_on_every_chip_family(tinyhil: Cli, recipe: str) -> None:
    """Trained once for all of them, and nothing looks wrong with the model.

    Helium takes fewer instructions than the DSP extension, and that than RISC-V.
    """
    counts = {}
    for target in FAMILIES:
        require(target)
        done = tinyhil("run", recipe, "--target", target, "--strict", "--json", "out.json")
        assert done.code == 0, done.out + done.err
        report = json.loads((tinyhil.cwd / "out.json").read_text())
        assert report["strict"]
        assert report["fidelity"]["mismatches"] == 0
        counts[target] = report["instructions_per_inference"]
    assert counts["qemu-m55"] < counts["qemu-m33"] < counts["qemu-rv32"]


def test_the_microbit_s_image_is_small(microbit: Path) -> None:
    """RAM with the stack that is set aside."""
    path = microbit / "sine/qemu-microbit/firmware/firmware.elf"
    with path.open("rb") as stream:
        stack = ELFFile(stream).get_section_by_name(".stack")["sh_size"]
    assert stack >= 1024
    sizes = image.read(path)
    assert 0 < sizes.flash_bytes <= FLASH_LIMIT
    assert 0 < sizes.ram_bytes + stack <= RAM_LIMIT


@pytest.mark.long
def test_the_hardware_in_the_loop_tests_pass_on_the_microbit(tinyhil: Cli, microbit: Path) -> None:
    done = run_pytest(tinyhil, "hil_tests", "--target", "qemu-microbit", "--build-dir", microbit)
    assert done.returncode == 0, done.stdout
    assert re.search(r"\d\d passed, \d skipped in", done.stdout)


@pytest.mark.parametrize("target", ["qemu-m4", pytest.param("qemu-microbit", marks=pytest.mark.long)])
def test_both_lines_carry_the_same_verdict(tinyhil: Cli, made: Path, microbit: Path, target: str) -> None:
    """And the same counts of instructions; the report says which line it was."""
    fast, slow, unsaid = (
        report_of(tinyhil, target, "--build-dir", made, *line)
        for line in (("--line", "semihosting"), ("--line", "uart"), ())
    )
    assert [report["line"] for report in (fast, slow, unsaid)] == ["semihosting", "uart", "semihosting"]
    assert {**fast, "line": "uart"} == slow
    assert unsaid == fast


@pytest.mark.long
def test_the_hardware_in_the_loop_tests_pass_by_the_uart(tinyhil: Cli, made: Path) -> None:
    """Those for which the line matters: by the other one test_hil_plugin has them all."""
    files = [f"hil_tests/test_{name}.py" for name in ("handshake", "link_faults", "recovery")]
    done = run_pytest(tinyhil, *files, "--target", "qemu-m4", "--line", "uart", "--build-dir", made)
    assert done.returncode == 0, done.stdout
    assert re.search(r"\d\d passed in", done.stdout)


@pytest.mark.parametrize(
    ("arguments", "cause"),
    [
        (("--target", "native", "--line", "semihosting"), "--line is for an emulated chip that is started here"),
        (("--target", "qemu-esp32", "--line", "semihosting"), "has no line by semihosting"),
        (
            ("--target", "qemu-m4", "--port", "/dev/none", "--line", "uart"),
            "--line is for an emulated chip that is started here",
        ),
    ],
)
def test_a_line_that_there_is_not_is_refused(tinyhil: Cli, arguments: tuple[str, ...], cause: str) -> None:
    done = tinyhil("run", "sine", *arguments)
    assert done.code == 2, done.out + done.err
    assert cause in done.err


def test_the_sine_is_exact_on_renode(tinyhil: Cli, made: Path) -> None:
    if shutil.which("renode") is None:
        pytest.skip("blocked: renode is not installed")
    shutil.copytree(made / "sine/model", tinyhil.cwd / "build/sine/model")
    report = report_of(tinyhil, "renode-nano33ble")
    assert report["verdict"] == "pass"
    assert report["instructions_per_inference"] is not None
    assert report["microseconds_per_inference"] is None


def test_renode_s_image_is_built_and_begins_where_the_chip_does(tinyhil: Cli, made: Path) -> None:
    shutil.copytree(made / "sine/model", tinyhil.cwd / "build/sine/model")
    done = tinyhil("build", "sine", "--target", "renode-nano33ble")
    assert done.code == 0, done.out + done.err
    with (tinyhil.cwd / "build/sine/renode-nano33ble/firmware/firmware.elf").open("rb") as stream:
        elf = ELFFile(stream)
        top = elf.get_section_by_name(".symtab").get_symbol_by_name("__stack_top")[0]["st_value"]
        text = elf.get_section_by_name(".text")
        assert text["sh_addr"] == 0
        assert int.from_bytes(text.data()[:4], "little") == top == 0x20000000 + 0x40000


@pytest.fixture
def behind_a_socket(made: Path, tmp_path: Path) -> Callable[..., str]:
    """Writes the target ``native`` with its serial line behind a TCP port, through a program that is no emulator."""
    if shutil.which("g++") is None:
        pytest.skip("blocked: g++ is not installed")
    shutil.copytree(made / "sine/model", tmp_path / "build/sine/model")

    def write(name: str, emulator: str) -> str:
        text = (REPOSITORY / "host/tinyhil/targets/data/native.toml").read_text().replace('"native"', f'"{name}"', 1)
        before, _, rest = text.partition("[emulator]\n")
        _, _, after = rest.partition("[measure]\n")
        (tmp_path / "targets").mkdir()
        (tmp_path / "targets" / f"{name}.toml").write_text(f"{before}[emulator]\n{emulator}\n[measure]\n{after}")
        return name

    return write


def test_a_whole_run_through_a_tcp_port(tinyhil: Cli, behind_a_socket: Callable[..., str]) -> None:
    arguments = [str(FAKE_EMULATOR), "{port}", "{temporary}/firmware"]
    target = behind_a_socket(
        "bridged",
        f"program = {json.dumps(sys.executable)}\ninstall = 'is there'\narguments = {json.dumps(arguments)}\n"
        'address = "socket://127.0.0.1:{port}"\nenvironment = { TMPDIR = "{temporary}" }',
    )
    report = report_of(tinyhil, target)
    assert report["verdict"] == "pass"
    fidelity = report["fidelity"]
    assert isinstance(fidelity, dict)
    assert (fidelity["vectors"], fidelity["mismatches"]) == (256, 0)


@pytest.mark.long
def test_the_parts_of_a_flash_image_are_kept_with_the_firmware(
    tinyhil: Cli, behind_a_socket: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One from beside the linked image, one from PlatformIO's packages, as for the ESP32."""
    monkeypatch.setenv("PLATFORMIO_CORE_DIR", str(tmp_path / "core"))
    package = tmp_path / "core/packages/framework/tools"
    package.mkdir(parents=True)
    (package / "app0.bin").write_bytes(b"from the package")
    parts = "{ offset = 0, file = 'firmware.map' }, { offset = 0x200000, file = 'framework/tools/app0.bin' }"
    target = behind_a_socket(
        "flashed",
        f"program = 'sh'\ndebian = 'dash'\n"
        f"arguments = ['-c', 'cp {{flash_image}} {tmp_path}/flash; exec {{firmware}}']\n"
        f"serial_port = 'redirected to (\\S+)'\nflash_image = {{ size = 0x400000, parts = [{parts}] }}",
    )
    assert report_of(tinyhil, target)["verdict"] == "pass"
    flash = (tmp_path / "flash").read_bytes()
    linker_map = (tmp_path / "build/sine/flashed/firmware/firmware.map").read_bytes()
    assert len(flash) == 0x400000
    assert flash.startswith(linker_map + b"\xff")
    assert flash[0x200000:0x200011] == b"from the package\xff"
    (package / "app0.bin").unlink()
    shutil.rmtree(tmp_path / "build/sine/flashed")
    done = tinyhil("build", "sine", "--target", target)
    assert done.code == 3
    assert "there is no" in done.err
    assert "app0.bin" in done.err
