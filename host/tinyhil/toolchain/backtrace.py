"""Where a program has crashed: the addresses of code that it printed, decoded by ``addr2line`` and its image.

Which ``addr2line`` reads an image depends on the CPU. PlatformIO's compilers lie in its core folder and not on PATH.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile

from tinyhil import process
from tinyhil.errors import MissingToolError, ToolError
from tinyhil.link import known_texts

_BY_MACHINE = {
    "EM_XTENSA": ("xtensa-esp32-elf", "xtensa-esp32s3-elf", "xtensa-esp-elf", "xtensa-lx106-elf"),
    "EM_RISCV": ("riscv32-esp-elf", "riscv64-unknown-elf"),
    "EM_ARM": ("arm-none-eabi",),
}
"""What the names of a CPU's tools begin with."""

_UNKNOWN = "??"


def decoded(text: str, elf: Path) -> str:
    """The places in the source of all addresses in a crash's lines, one a line; empty where none can be told.

    Args:
        text: what the device printed.
        elf: the image that it runs.
    """
    addresses = [f"0x{address:08x}" for address in known_texts.addresses(text)]
    for program in _programs(elf) if addresses else ():
        try:
            output = process.run([program, "-fCp", "-e", str(elf), *addresses], what="decode a backtrace")
        except (MissingToolError, ToolError):
            continue
        lines = output.splitlines()
        known = [f"  {at}: {line}" for at, line in zip(addresses, lines, strict=False) if not line.startswith(_UNKNOWN)]
        if known:
            return "\n".join([f"in {elf.name}, by {Path(program).name}:", *known])
    return ""


def _programs(elf: Path) -> Iterator[str]:
    """The programs that may read an image, the likeliest first."""
    try:
        with elf.open("rb") as stream:
            machine = str(ELFFile(stream)["e_machine"])
    except (OSError, ELFError):
        return
    core = Path(os.environ.get("PLATFORMIO_CORE_DIR", Path.home() / ".platformio"))
    for prefix in (*_BY_MACHINE.get(machine, ()), ""):
        name = "-".join(filter(None, [prefix, "addr2line"]))
        if shutil.which(name):
            yield name
        elif prefix:
            yield from map(str, sorted(core.glob(f"packages/*/bin/{name}")))
