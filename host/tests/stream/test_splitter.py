"""Lines and frames come out of a stream whole, wherever it is cut, and nothing is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyhil.link.frames import ANSWER_TYPES, Frame, encode_frame
from tinyhil.stream.splitter import LONGEST_LINE, Item, Part, Splitter

FRAMES = st.builds(Frame, st.sampled_from(sorted(ANSWER_TYPES)), st.integers(0, 0xFFFFFFFF), st.binary(max_size=300))
TEXT = st.binary(max_size=40).map(lambda data: data.replace(b"\0", b"\x81").replace(b"\n", b"\r"))


def fed(data: bytes, cuts: list[int]) -> list[Item]:
    splitter, items, at = Splitter(), [], 0
    for cut in [*sorted(cut % (len(data) + 1) for cut in cuts), len(data)]:
        items += splitter.feed(data[at:cut])
        at = cut
    return [*items, *splitter.finish()]


@given(st.lists(TEXT | FRAMES, max_size=12), st.lists(st.integers(0, 5000), max_size=8))
def test_what_was_sent_comes_out(sent: list[bytes | Frame], cuts: list[int]) -> None:
    data = b"".join(encode_frame(each) if isinstance(each, Frame) else each + b"\n" for each in sent)
    assert fed(data, cuts) == sent


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=8))
def test_no_byte_of_what_is_no_frame_is_lost(data: bytes, cuts: list[int]) -> None:
    items = fed(data, cuts)
    assert all(isinstance(item, bytes) for item in items)
    assert b"\n".join(item for item in items if isinstance(item, bytes)) == data.removesuffix(b"\n")


@given(st.binary(max_size=60), FRAMES, st.binary(min_size=1, max_size=60))
def test_a_damaged_frame_is_no_frame(before: bytes, frame: Frame, damage: bytes) -> None:
    wire = bytearray(encode_frame(frame))
    wire[3] ^= 1 if wire[3] not in (1,) else 2
    items = fed(before + bytes(wire), [])
    assert not any(isinstance(item, Frame) for item in items)
    assert b"\n".join(item for item in items if isinstance(item, bytes)) == (before + bytes(wire)).removesuffix(b"\n")


def test_text_that_a_frame_interrupts_goes_on_behind_it() -> None:
    frame = Frame(0x84, 7, b"")
    assert fed(b"x:1." + encode_frame(frame) + b"25\n", []) == [frame, b"x:1.25"]


def test_a_line_goes_out_with_its_newline() -> None:
    splitter = Splitter()
    assert splitter.feed(b"hello\nwor") == [b"hello"]
    assert splitter.unfinished == b"wor"
    splitter.feed(encode_frame(Frame(0x84, 7, b"")))
    assert splitter.feed(b"ld\n") == [b"world"]


@pytest.mark.parametrize("noise", [b"\0" * 50_000, b"a" * 50_000, b"\x81" * 50_000, b"\0\x81\x82" * 20_000])
def test_noise_without_a_newline_takes_bounded_memory(noise: bytes) -> None:
    splitter = Splitter()
    items: list[Item] = []
    for at in range(0, len(noise), 777):
        items += splitter.feed(noise[at : at + 777])
        assert len(splitter.unfinished) < 3 * LONGEST_LINE
    items += splitter.finish()
    assert b"".join(item for item in items if isinstance(item, bytes)) == noise
    assert all(len(item) <= LONGEST_LINE for item in items if isinstance(item, bytes))


def test_the_pieces_of_a_long_line_are_marked() -> None:
    items = fed(b"short\n" + b"1" * (2 * LONGEST_LINE + 5) + b"\nshort\n", [])
    assert [type(item) for item in items] == [bytes, Part, Part, Part, bytes]
