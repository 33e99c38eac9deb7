"""Reads a linked firmware image (ELF): its sections, and how much flash and RAM it takes.

The figures are those of the chip, not of the file. *Flash* is every byte that has to be programmed: code, constants,
and the initial values of variables. *RAM* is every byte that is taken for good once the program runs: variables,
initialised or not. The space that a linker script sets aside for the stack (a section ``.stack``) is not counted,
because it is what is left over; the symbol that marks its top is reported instead.

Which sections take RAM, an image tells by itself where code runs from flash: those without bytes, those that are
writable, and those that are programmed elsewhere. An ESP32 has its boot loader copy code to RAM, from a file in which
nothing but the address says so, and reserves address space with sections that take no memory at all; for such a chip
the target's file names the addresses of its RAM.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from elftools.common.exceptions import ELFError
from elftools.construct import ConstructError
from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile

from tinyhil.errors import StorageError, ToolError

_STACK_SYMBOL = re.compile(r"_*e?stack(?:_?(?:top|end))?_*", re.IGNORECASE)
"""What linker scripts call the highest address of the stack: ``__stack_top``, ``_estack``, ``__StackTop``."""

_NOT_RELOCATED = {"ET_EXEC", "ET_DYN"}


@dataclass(frozen=True)
class Section:
    """One section that takes memory on the chip.

    Attributes:
        name: as in the linker script.
        address: where it is when the program runs.
        load_address: where its bytes are programmed.
        size: in bytes.
        in_flash: whether it has bytes that are programmed.
        in_ram: whether it takes RAM while the program runs.
    """

    name: str
    address: int
    load_address: int
    size: int
    in_flash: bool
    in_ram: bool


@dataclass(frozen=True)
class Image:
    """What an ELF file puts on the chip.

    Attributes:
        sections: in the order of the file.
        stack_top: name and value of the symbol that marks the top of the stack, None if there is none.
    """

    sections: tuple[Section, ...]
    stack_top: tuple[str, int] | None

    @property
    def flash_bytes(self) -> int:
        """Bytes to program: code, constants, and the initial values of variables."""
        return sum(section.size for section in self.sections if section.in_flash)

    @property
    def ram_bytes(self) -> int:
        """Bytes of variables, without the stack."""
        return sum(section.size for section in self.sections if section.in_ram)


def read(path: Path, ram: Sequence[tuple[int, int]] = ()) -> Image:
    """Reads the image in an ELF file.

    Args:
        path: the file.
        ram: address ranges of the RAM, first and past the last, where the image does not tell by itself.

    Raises:
        ToolError: the file is not a complete, linked ELF file.
        StorageError: it cannot be read at all.
    """
    try:
        with path.open("rb") as stream:
            elf = ELFFile(stream)
            if elf["e_type"] not in _NOT_RELOCATED:
                raise ToolError(f"{path} is an ELF file, but not a linked program", hint="build the firmware again")
            return Image(tuple(_sections(elf, ram)), _stack_top(elf))
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror}") from error
    # What pyelftools raises for a damaged file depends on where the damage is.
    except (ELFError, ConstructError, ValueError, KeyError, AttributeError, TypeError, IndexError) as error:
        raise ToolError(
            f"{path} is not a complete ELF file",
            hint="build the firmware again",
            detail=f"{type(error).__name__}: {error}",
        ) from error


def _sections(elf: Any, ram: Sequence[tuple[int, int]]) -> Iterator[Section]:
    segments = [segment for segment in elf.iter_segments() if segment["p_type"] == "PT_LOAD"]
    if not segments:
        raise ELFError("nothing to load")
    for section in elf.iter_sections():
        empty = section["sh_type"] == "SHT_NOBITS"
        flags = section["sh_flags"]
        if not flags & SH_FLAGS.SHF_ALLOC or section["sh_size"] == 0 or section.name.startswith(".stack"):
            continue
        address = section["sh_addr"]
        load_address = address
        for segment in segments:
            if segment.section_in_segment(section):
                load_address = segment["p_paddr"] + address - segment["p_vaddr"]
        # Constructor tables are writable by type, but stay in flash; a writable vector table is merged into code.
        variables = (
            section["sh_type"] == "SHT_PROGBITS" and flags & SH_FLAGS.SHF_WRITE and not flags & SH_FLAGS.SHF_EXECINSTR
        )
        yield Section(
            name=section.name,
            address=address,
            load_address=load_address,
            size=section["sh_size"],
            in_flash=not empty,
            in_ram=any(first <= address < end for first, end in ram)
            if ram
            else bool(empty or variables or load_address != address),
        )


def _stack_top(elf: Any) -> tuple[str, int] | None:
    table = elf.get_section_by_name(".symtab")
    if table is None:
        return None
    found = [
        (symbol.name, symbol["st_value"]) for symbol in table.iter_symbols() if _STACK_SYMBOL.fullmatch(symbol.name)
    ]
    return max(found, key=lambda item: int(item[1])) if found else None
