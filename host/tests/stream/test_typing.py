"""What is typed becomes the bytes that it stands for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyhil.errors import InputError
from tinyhil.stream.typing import encoder


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b""])
@given(text=st.text())
def test_a_line_has_its_ending(ending: bytes, text: str) -> None:
    kept = text.encode("utf-8", "replace").decode()  # what no keyboard has is left out
    assert encoder(ending)(kept) == kept.encode() + ending


@given(st.binary())
def test_bytes_in_hexadecimal(data: bytes) -> None:
    encode = encoder(b"\n", hexadecimal=True)
    for text in (data.hex(), data.hex(" "), ", ".join(f"0x{byte:X}" for byte in data)):
        assert encode(text) == data


@pytest.mark.parametrize("text", ["zz", "123 4", "1 2 g"])
def test_what_is_no_byte_is_refused(text: str) -> None:
    encode = encoder(b"\n", hexadecimal=True)
    with pytest.raises(InputError, match="no row of bytes"):
        encode(text)
