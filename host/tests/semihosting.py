"""Firmware that asks the emulator's host for files by semihosting: for its line, as the ports do, and for others."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

COMPILER = "arm-none-eabi-gcc"

_HEAD = """\
#include <stdint.h>
static uint32_t call(uint32_t operation, const void* parameters) {
  register uint32_t r0 asm("r0") = operation;
  register const void* r1 asm("r1") = parameters;
  asm volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
  return r0;
}
static uint32_t open_file(const char* path, uint32_t mode) {
  uint32_t length = 0;
  while (path[length]) ++length;
  const uint32_t block[3] = {(uint32_t)path, mode, length};
  return call(1, block);
}
static uint32_t move(uint32_t operation, uint32_t file, void* bytes, uint32_t length) {
  const uint32_t block[3] = {file, (uint32_t)bytes, length};
  return length - call(operation, block);
}
static void stop(void) { for (;;) {} }
void reset(void);
__attribute__((section(".vectors"), used)) void* const vectors[] = {
    (void*)0x20010000, (void*)reset, (void*)stop, (void*)stop};
"""

ECHO = """\
void reset(void) {
  static char bytes[256];
  uint32_t line[2] = {(uint32_t)bytes, sizeof bytes};
  call(0x15, line);
  const uint32_t file = open_file(bytes, 3);
  for (;;) move(5, file, bytes, move(6, file, bytes, sizeof bytes));
}
"""
"""Sends back what comes through the terminal that the command line names."""

THIEF = """\
static volatile uint32_t* const uart = (volatile uint32_t*)0x40004000;
void reset(void) {
  static char bytes[64];
  uart[4] = 16;
  uart[2] = 3;
  const uint32_t made = open_file("MADE", 5);
  move(5, made, "got in", 6);
  const uint32_t secret = open_file("SECRET", 1);
  const uint32_t length = move(6, secret, bytes, sizeof bytes);
  for (uint32_t i = 0; i < length; ++i) {
    while (uart[1] & 1) {}
    uart[0] = bytes[i];
  }
  stop();
}
"""
"""Makes the file ``MADE``, and sends the content of ``SECRET`` through the UART; both words stand for paths."""

_SCRIPT = """\
ENTRY(reset)
SECTIONS {
  . = 0; .text : { KEEP(*(.vectors)) *(.text*) *(.rodata*) }
  . = 0x20000100; .bss (NOLOAD) : { *(.bss*) *(.data*) }
}
"""


def build(folder: Path, source: str) -> Path:
    """An image for the machine of the target qemu-m4; skips where the compiler is not installed."""
    if shutil.which(COMPILER) is None:
        pytest.skip(f"{COMPILER} is not installed: apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "asks.c").write_text(_HEAD + source)
    (folder / "asks.ld").write_text(_SCRIPT)
    flags = ["-mcpu=cortex-m4", "-mthumb", "-Os", "-ffreestanding", "-nostdlib", "-T", "asks.ld"]
    subprocess.run([COMPILER, *flags, "asks.c", "-o", "asks.elf"], cwd=folder, check=True)
    return folder / "asks.elf"
