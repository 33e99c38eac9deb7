"""Firmware for the tests of emulators: a dozen lines that run on the machine of the target qemu-m4."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tinyhil.targets import registry
from tinyhil.targets.model import Emulator

COMPILER = "arm-none-eabi-gcc"

# CMSDK UART0 (ARM DDI 0479): DATA 0, STATE 4 (1: transmitter full, 2: byte received), CTRL 8, BAUDDIV 0x10.
ECHO = """\
#include <stdint.h>
static volatile uint32_t* const uart = (volatile uint32_t*)0x40004000;
void reset(void) {
  uart[4] = 16;
  uart[2] = 3;
  for (;;) {
    if (uart[1] & 2) {
      uint32_t byte = uart[0];
      while (uart[1] & 1) {}
      uart[0] = byte;
    }
  }
}
__attribute__((section(".vectors"), used)) void* const vectors[] = {(void*)0x20010000, (void*)reset};
"""

SCRIPT = """\
ENTRY(reset)
SECTIONS { . = 0; .text : { KEEP(*(.vectors)) *(.text*) } }
"""


@pytest.fixture(scope="session")
def echo_firmware(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An image that sends back every byte that it receives."""
    if shutil.which(COMPILER) is None:
        pytest.skip(f"{COMPILER} is not installed: apt-get install gcc-arm-none-eabi")
    folder = tmp_path_factory.mktemp("echo")
    (folder / "echo.c").write_text(ECHO)
    (folder / "echo.ld").write_text(SCRIPT)
    flags = ["-mcpu=cortex-m4", "-mthumb", "-Os", "-nostdlib", "-T", "echo.ld"]
    subprocess.run([COMPILER, *flags, "echo.c", "-o", "echo.elf"], cwd=folder, check=True)
    return folder / "echo.elf"


@pytest.fixture
def qemu() -> Emulator:
    """The emulator of the shipped target; skips where it is not installed."""
    emulator = registry.get("qemu-m4").emulator
    assert emulator is not None
    if shutil.which(emulator.program) is None:
        pytest.skip(f"{emulator.program} is not installed: apt-get install {emulator.debian}")
    return emulator
