from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyhil.device.flash_image import Part, merge
from tinyhil.errors import ConfigError
from tinyhil.targets import registry

SIZE = 256


@given(st.lists(st.tuples(st.integers(0, 40), st.binary(max_size=20)), max_size=4), st.randoms())
def test_every_part_lies_at_its_place_and_the_rest_is_erased(gaps: list[tuple[int, bytes]], order: object) -> None:
    parts, at = [], 0
    for index, (gap, data) in enumerate(gaps):
        parts.append(Part(str(index), at + gap, data))
        at += gap + len(data)
    order.shuffle(parts)  # type: ignore[attr-defined]
    image = merge(parts, SIZE)
    assert len(image) == SIZE
    rest = bytearray(image)
    for part in parts:
        assert image[part.offset : part.end] == part.data
        rest[part.offset : part.end] = b"\xff" * len(part.data)
    assert rest == b"\xff" * SIZE


def test_parts_may_touch_and_may_fill_the_flash() -> None:
    assert merge([Part("b", 3, b"def"), Part("a", 0, b"abc")], 6) == b"abcdef"


def test_parts_that_overlap_are_named() -> None:
    with pytest.raises(ConfigError, match="a at 0x0 ends at 0x3, behind the beginning of b at 0x2"):
        merge([Part("b", 2, b"def"), Part("a", 0, b"abc")], 6)


def test_a_part_beyond_the_flash_is_named() -> None:
    with pytest.raises(ConfigError, match="b at 0x3 ends at 0x6, behind the flash of 0x5 bytes"):
        merge([Part("a", 0, b"abc"), Part("b", 3, b"def")], 5)


def test_the_esp32_s_flash_takes_its_parts() -> None:
    """Of the sizes that they have at most: up to the next one, and the application up to its partition's end."""
    emulator = registry.get("qemu-esp32").emulator
    assert emulator is not None
    assert emulator.flash_image is not None
    offsets = [part.offset for part in emulator.flash_image.parts]
    assert offsets == [0x1000, 0x8000, 0xE000, 0x10000]
    sizes = [0x7000, 0xC00, 0x2000, registry.get("qemu-esp32").chip.flash_bytes]
    parts = [
        Part(part.file, part.offset, bytes([index]) * size)
        for index, (part, size) in enumerate(zip(emulator.flash_image.parts, sizes, strict=True))
    ]
    image = merge(parts, emulator.flash_image.size)
    assert len(image) == 4 * 1024 * 1024
    assert [image[offset] for offset in offsets] == [0, 1, 2, 3]
    assert (image[0], image[0x8000 + 0xC00]) == (0xFF, 0xFF)
