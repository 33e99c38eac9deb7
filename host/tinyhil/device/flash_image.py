"""The content of a flash chip, put together from the files that are programmed into it one by one on a board.

An emulator of such a chip reads one file that is exactly as large as the chip. What no file fills is erased: ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinyhil.errors import ConfigError

ERASED = b"\xff"


@dataclass(frozen=True)
class Part:
    """What lies at one place of the flash.

    Attributes:
        name: of the file, for messages.
        offset: in bytes from the beginning of the chip.
        data: the file's content.
    """

    name: str
    offset: int
    data: bytes

    @property
    def end(self) -> int:
        """The first byte behind it."""
        return self.offset + len(self.data)


def merge(parts: Sequence[Part], size: int) -> bytes:
    """The content of a chip of ``size`` bytes.

    Raises:
        ConfigError: two parts overlap, or one reaches beyond the chip.
    """
    image = bytearray()
    last: Part | None = None
    for part in sorted(parts, key=lambda each: (each.offset, each.end)):
        if last is not None and part.offset < last.end:
            raise ConfigError(
                f"{last.name} at {last.offset:#x} ends at {last.end:#x}, behind the beginning of {part.name} at "
                f"{part.offset:#x}",
                hint="correct the offsets in the target's file, or its partition table",
            )
        image += ERASED * (part.offset - len(image)) + part.data
        last = part
    if len(image) > size:
        assert last is not None
        raise ConfigError(
            f"{last.name} at {last.offset:#x} ends at {last.end:#x}, behind the flash of {size:#x} bytes",
            hint="correct the offsets or the size in the target's file",
        )
    return bytes(image) + ERASED * (size - len(image))
