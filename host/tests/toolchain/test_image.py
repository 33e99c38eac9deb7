from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tinyhil.errors import StorageError, ToolError
from tinyhil.targets import registry
from tinyhil.toolchain import image

COMPILER = "arm-none-eabi-gcc"

SCRIPT = """\
ENTRY(start)
MEMORY { FLASH (rx) : ORIGIN = 0, LENGTH = 64K  RAM (rwx) : ORIGIN = 0x20000000, LENGTH = 64K }
SECTIONS {
  .text : { KEEP(*(.vectors)) *(.text*) *(.rodata*) . = ALIGN(4); } > FLASH
  .init_array : { KEEP(*(.init_array)) } > FLASH
  .data : { *(.data*) } > RAM AT > FLASH
  .bss (NOLOAD) : { *(.bss*) } > RAM
  .noinit (NOLOAD) : { *(.noinit*) } > RAM
  .stack (ORIGIN(RAM) + LENGTH(RAM) - 2K) (NOLOAD) : { . += 2K; __stack_top = .; } > RAM
}
"""

SOURCE = """\
void start(void) { for (;;) {} }
void (*vectors[])(void) __attribute__((section(".vectors"))) = {start};
void (*constructors[])(void) __attribute__((section(".init_array"), used)) = {start, start};
volatile char data[DATA] = {1};
volatile char bss[BSS];
volatile char noinit[NOINIT] __attribute__((section(".noinit")));
const char constants[CONSTANTS] __attribute__((used)) = {1};
"""

SIZES = {"DATA": 40, "BSS": 100, "NOINIT": 12, "CONSTANTS": 64}

Linker = Callable[..., Path]


@pytest.fixture
def link(tmp_path: Path) -> Linker:
    """Links a bare-metal program whose sections have the given sizes."""
    if shutil.which(COMPILER) is None:
        pytest.skip(f"{COMPILER} is not installed: apt-get install gcc-arm-none-eabi")

    def linker(*flags: str, **sizes: int) -> Path:
        (tmp_path / "link.ld").write_text(SCRIPT)
        (tmp_path / "source.c").write_text(SOURCE)
        program = tmp_path / "program.elf"
        defines = [f"-D{name}={size}" for name, size in (SIZES | sizes).items()]
        subprocess.run(
            [
                COMPILER,
                "-mcpu=cortex-m4",
                "-mthumb",
                "-nostdlib",
                "-Wl,-T,link.ld",
                *defines,
                *flags,
                "source.c",
                "-o",
                program,
            ],
            cwd=tmp_path,
            check=True,
        )
        return program

    return linker


def test_ram_is_all_variables_and_not_the_stack(link: Linker) -> None:
    assert image.read(link()).ram_bytes == SIZES["DATA"] + SIZES["BSS"] + SIZES["NOINIT"]


@pytest.mark.parametrize(
    ("name", "in_flash", "in_ram"),
    [("DATA", True, True), ("BSS", False, True), ("NOINIT", False, True), ("CONSTANTS", True, False)],
)
def test_bytes_count_where_they_lie(link: Linker, name: str, in_flash: bool, in_ram: bool) -> None:
    before = image.read(link())
    after = image.read(link(**{name: SIZES[name] + 32}))
    assert after.flash_bytes - before.flash_bytes == 32 * in_flash
    assert after.ram_bytes - before.ram_bytes == 32 * in_ram


def test_flash_is_what_a_programmer_would_write(link: Linker, tmp_path: Path) -> None:
    program = link()
    raw = tmp_path / "raw.bin"
    subprocess.run(["arm-none-eabi-objcopy", "-O", "binary", program, raw], check=True)
    assert image.read(program).flash_bytes == raw.stat().st_size


def test_sections_are_those_of_the_linker_script(link: Linker) -> None:
    program = link()
    sections = {section.name: section for section in image.read(program).sections}
    listing = subprocess.run(["arm-none-eabi-size", "-A", program], check=True, capture_output=True, text=True).stdout
    for name, size, address in re.findall(
        r"^(\.(?:text|init_array|data|bss|noinit))\s+(\d+)\s+(\d+)", listing, re.MULTILINE
    ):
        assert (sections[name].size, sections[name].address) == (int(size), int(address))
    assert set(sections) == {".text", ".init_array", ".data", ".bss", ".noinit"}
    data = sections[".data"]
    assert data.load_address == sections[".init_array"].address + sections[".init_array"].size
    assert data.address == 0x20000000


def test_the_stack_is_named(link: Linker) -> None:
    assert image.read(link()).stack_top == ("__stack_top", 0x20000000 + 64 * 1024)


def test_a_stripped_image_has_sizes_but_no_symbols(link: Linker) -> None:
    whole = image.read(link())
    stripped = image.read(link("-s"))
    assert stripped.stack_top is None
    assert (stripped.flash_bytes, stripped.ram_bytes) == (whole.flash_bytes, whole.ram_bytes)


def test_an_object_file_is_no_image(link: Linker, tmp_path: Path) -> None:
    link()
    subprocess.run([COMPILER, "-c", *(f"-D{n}={s}" for n, s in SIZES.items()), "source.c"], cwd=tmp_path, check=True)
    with pytest.raises(ToolError, match="not a linked program"):
        image.read(tmp_path / "source.o")


def test_a_truncated_image_is_refused_wherever_it_ends(link: Linker, tmp_path: Path) -> None:
    whole = link().read_bytes()
    cut = tmp_path / "cut.elf"
    for length in [*range(0, len(whole), 101), len(whole) - 1]:
        cut.write_bytes(whole[:length])
        with pytest.raises(ToolError, match="is not a complete ELF file"):
            image.read(cut)


@pytest.mark.parametrize("content", [b"", b"\x7fELF", b"this is text\n" * 100, b"\x7fELF" + bytes(1000)])
def test_what_is_not_elf_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "other"
    path.write_bytes(content)
    with pytest.raises(ToolError) as caught:
        image.read(path)
    assert str(path) in caught.value.message
    assert caught.value.hint


def test_damage_is_refused_or_read_but_never_a_traceback(link: Linker, tmp_path: Path) -> None:
    whole = link().read_bytes()
    path = tmp_path / "damaged.elf"
    refused = 0
    headers = [*range(52), *range(len(whole) - 300, len(whole), 4)]  # of the file, and the last ones of its sections
    for position in headers:
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 0xFF]) + whole[position + 1 :])
        try:
            image.read(path)
        except ToolError:
            refused += 1
    assert 0 < refused < len(headers)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"cannot read .*No such file"):
        image.read(tmp_path / "absent.elf")


ESP_SCRIPT = """\
ENTRY(start)
SECTIONS {
  .iram0.vectors 0x40080000 : { KEEP(*(.vectors)) }
  .iram0.text : { *(.text*) . = ALIGN(4); }
  .dram0.data 0x3FFB0000 : { *(.data*) . = ALIGN(4); }
  .dram0.bss (NOLOAD) : { *(.bss*) *(.noinit*) . = ALIGN(4); }
  .flash_rodata_dummy 0x3F400020 (NOLOAD) : { . += 64K; }
  .flash.rodata 0x3F410020 : { *(.rodata*) *(.init_array) . = ALIGN(4); }
}
"""
"""As ESP-IDF lays an ESP32's image out: code in RAM, data in RAM, address space without memory, constants in flash."""


def test_code_that_is_copied_to_ram_takes_ram_and_reserved_addresses_do_not(link: Linker, tmp_path: Path) -> None:
    link()
    (tmp_path / "link.ld").write_text(ESP_SCRIPT)
    program = tmp_path / "esp.elf"
    defines = [f"-D{name}={size}" for name, size in SIZES.items()]
    subprocess.run(
        [COMPILER, "-mcpu=cortex-m4", "-mthumb", "-nostdlib", "-Wl,-T,link.ld", *defines, "source.c", "-o", program],
        cwd=tmp_path,
        check=True,
    )
    found = image.read(program, registry.get("esp32").chip.ram)
    by_name = {section.name: section for section in found.sections}
    assert by_name[".iram0.text"].in_ram
    assert by_name[".iram0.text"].in_flash
    assert not by_name[".flash_rodata_dummy"].in_ram
    assert not by_name[".flash.rodata"].in_ram
    in_ram = (".iram0.vectors", ".iram0.text", ".dram0.data", ".dram0.bss")
    assert found.ram_bytes == sum(by_name[name].size for name in in_ram)
    # What the image says by itself is wrong both ways.
    plain = {section.name: section for section in image.read(program).sections}
    assert plain[".flash_rodata_dummy"].in_ram
    assert not plain[".iram0.text"].in_ram
