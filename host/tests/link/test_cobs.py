"""COBS against its definition, and its canonical form against everything that is not canonical."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tinyhil.link import cobs

BODIES = st.lists(
    st.one_of(st.binary(max_size=20), st.integers(250, 520).map(lambda size: b"\x05" * size)), max_size=6
).map(b"\0".join)


def by_definition(body: bytes) -> bytes:
    """The encoder as the paper writes it, one byte at a time, without an empty block behind a last full one."""
    blocks: list[bytes] = []
    block = bytearray()
    cut_for_length = False
    for byte in body:
        cut_for_length = False
        if byte == 0:
            blocks.append(bytes((len(block) + 1,)) + block)
            block.clear()
            continue
        block.append(byte)
        if len(block) == 254:
            blocks.append(b"\xff" + block)
            block.clear()
            cut_for_length = True
    if not cut_for_length:
        blocks.append(bytes((len(block) + 1,)) + block)
    return b"".join(blocks)


@given(BODIES)
@example(b"")
@example(b"\0")
@example(b"\1" * 254)
@example(b"\1" * 254 + b"\0")
@example(b"\1" * 508 + b"\0\0")
def test_encoder_is_the_definition(body: bytes) -> None:
    assert cobs.encode(body) == by_definition(body)


@given(BODIES)
def test_what_was_encoded_is_decoded(body: bytes) -> None:
    chunk = cobs.encode(body)
    assert 0 not in chunk
    assert cobs.decode(chunk) == body
    if body:
        assert len(chunk) <= cobs.longest_encoding(len(body))


@pytest.mark.parametrize("size", [1, 253, 254, 255, 507, 508, 509, 4105])
def test_longest_encoding_is_reached(size: int) -> None:
    assert len(cobs.encode(b"\1" * size)) == cobs.longest_encoding(size)


@given(
    st.one_of(st.binary(max_size=600), BODIES, BODIES.map(cobs.encode), BODIES.map(lambda b: cobs.encode(b) + b"\1"))
)
@example(b"\xff" + b"\1" * 254 + b"\1")
@example(b"\xff" + b"\1" * 254)
@example(b"\xff" + b"\1" * 253)
@example(b"\2")
@example(b"")
def test_only_the_canonical_encoding_is_decoded(chunk: bytes) -> None:
    body = cobs.decode(chunk)
    if body is not None:
        assert cobs.encode(body) == chunk


@given(BODIES)
def test_nothing_but_the_encoding_of_a_body_gives_the_body(body: bytes) -> None:
    chunk = cobs.encode(body)
    for other in (chunk[:-1], chunk + b"\1", b"\1" + chunk, b"\0" + chunk):
        assert cobs.decode(other) != body
