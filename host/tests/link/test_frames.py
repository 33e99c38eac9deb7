"""The frame codec against the table of cases that it shares with the firmware, and against any input at all."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyhil.errors import LocalLinkError
from tinyhil.link import cobs
from tinyhil.link.frames import (
    FRAME_TYPES,
    MAX_PAYLOAD,
    DecoderEvent,
    Frame,
    FrameDecoder,
    Reason,
    Rejected,
    Text,
    encode_frame,
)
from tinyhil.link.text import LONGEST_LINE

CHECKOUT = Path(__file__).parents[3]
TABLE: dict[str, Any] = json.loads((CHECKOUT / "firmware/lib/link/cases/frames.json").read_text("utf-8"))
LIMIT: int = TABLE["max_payload"]
each_case = pytest.mark.parametrize("case", TABLE["cases"], ids=lambda case: case["name"])

OTHER = Frame(0x81, 0x01020304, b"another frame")

# Type bytes that are text (0x09, 0x0A, 0x0D) are requests to come; no device sends one, and what it prints may look so.
TYPES = sorted(FRAME_TYPES - {0x09, 0x0A, 0x0D})
FRAMES = st.builds(Frame, st.sampled_from(TYPES), st.integers(0, 0xFFFFFFFF), st.binary(max_size=LIMIT))
TEXT_LIKE_FRAMES = st.builds(
    Frame, st.just(0x83), st.integers(0, 0xFFFFFFFF), st.text("\n a", min_size=30, max_size=LIMIT).map(str.encode)
)
PIECES = st.one_of(
    FRAMES.map(encode_frame),
    TEXT_LIKE_FRAMES.map(encode_frame),
    FRAMES.map(lambda frame: encode_frame(frame)[1:-1]),
    st.binary(max_size=80),
    st.text(max_size=40).map(str.encode),
    st.text("ab\n\t é\x81\x83", max_size=40).map(lambda text: text.encode("latin-1")),
    st.integers(500, 700).map(lambda size: b"a line that is longer than any frame " * (size // 36)),
    st.sampled_from([b"\n", b"\0", b"\n\0", b"boot\r\n"]),
)
STREAMS = st.lists(PIECES, max_size=12).map(b"".join)


def expected_events(case: dict[str, Any]) -> list[DecoderEvent]:
    events: list[DecoderEvent] = []
    for event in case["events"]:
        if "frame" in event:
            frame = event["frame"]
            events.append(Frame(frame["type"], frame["sequence"], bytes.fromhex(frame["payload"])))
        elif "text" in event:
            events.append(Text(event["text"].encode()))
        else:
            events.append(Rejected(Reason(event["rejected"])))
    return events


def byte_by_byte(decoder: FrameDecoder, stream: bytes) -> list[DecoderEvent]:
    return list(itertools.chain.from_iterable(decoder.feed(bytes((byte,))) for byte in stream))


@each_case
def test_case_whole(case: dict[str, Any]) -> None:
    assert FrameDecoder(LIMIT).feed(bytes.fromhex(case["stream"])) == expected_events(case)


@each_case
def test_case_byte_by_byte(case: dict[str, Any]) -> None:
    assert byte_by_byte(FrameDecoder(LIMIT), bytes.fromhex(case["stream"])) == expected_events(case)


@each_case
def test_case_behind_a_frame(case: dict[str, Any]) -> None:
    stream = encode_frame(OTHER) + bytes.fromhex(case["stream"])
    assert FrameDecoder(LIMIT).feed(stream) == [OTHER, *expected_events(case)]


@each_case
def test_case_before_a_frame(case: dict[str, Any]) -> None:
    decoder = FrameDecoder(LIMIT)
    stream = bytes.fromhex(case["stream"])
    assert decoder.feed(stream) == expected_events(case)
    unfinished = decoder.held_bytes > 0 or not stream.endswith(b"\0")
    *ended, last = decoder.feed(encode_frame(OTHER))
    assert last == OTHER
    assert unfinished or not ended


@each_case
def test_case_encodes(case: dict[str, Any]) -> None:
    frames = [event for event in expected_events(case) if isinstance(event, Frame)]
    encoded = b"".join(map(encode_frame, frames))
    assert (encoded == bytes.fromhex(case["stream"])) or not case["encodes"]


def test_worked_example_of_the_protocol_page() -> None:
    page = (CHECKOUT / "docs/protocol.md").read_text("utf-8").split("## Worked example")[1]
    body, wire = (bytes.fromhex(match) for match in re.findall(r"^    (?:body|wire) +([0-9a-f ]+)$", page, re.M))
    sequence = re.search(r"sequence (0x[0-9A-F]+)", page)
    assert sequence
    frame = Frame(0x01, int(sequence[1], 16), b"\x01\x01")
    assert encode_frame(frame) == wire == b"\0" + cobs.encode(body) + b"\0"
    assert FrameDecoder().feed(wire) == [frame]


@pytest.mark.parametrize(
    "frame", [Frame(0x10, 0, b""), Frame(1, -1, b""), Frame(1, 2**32, b""), Frame(1, 0, b"\0" * 4097)]
)
def test_frames_outside_the_protocol_are_not_encoded(frame: Frame) -> None:
    with pytest.raises(LocalLinkError):
        encode_frame(frame)


@given(st.lists(FRAMES | TEXT_LIKE_FRAMES, max_size=5))
def test_what_was_encoded_is_decoded(frames: list[Frame]) -> None:
    assert FrameDecoder(LIMIT).feed(b"".join(map(encode_frame, frames))) == frames


@given(st.one_of(st.binary(max_size=200), FRAMES.map(lambda frame: encode_frame(frame).strip(b"\0"))))
def test_a_decoded_chunk_encodes_to_itself(chunk: bytes) -> None:
    for event in FrameDecoder(LIMIT).feed(chunk.replace(b"\0", b"\1") + b"\0"):
        if isinstance(event, Frame):
            assert encode_frame(event) == b"\0" + chunk + b"\0"


@given(STREAMS, st.data())
def test_cuts_change_nothing(stream: bytes, data: st.DataObject) -> None:
    whole = FrameDecoder(LIMIT).feed(stream)
    assert byte_by_byte(FrameDecoder(LIMIT), stream) == whole
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=5)))
    decoder = FrameDecoder(LIMIT)
    pieces = [stream[start:end] for start, end in itertools.pairwise([0, *cuts, len(stream)])]
    assert list(itertools.chain.from_iterable(map(decoder.feed, pieces))) == whole


@given(STREAMS)
def test_a_delimiter_brings_any_decoder_back_into_step(stream: bytes) -> None:
    assert FrameDecoder(LIMIT).feed(stream + encode_frame(OTHER))[-1] == OTHER


@given(st.lists(st.one_of(PIECES, st.sampled_from([b"\x0b" * 9000, b"a" * 9000, b"\xe9\n" * 4500])), max_size=6))
def test_memory_is_bounded(pieces: list[bytes]) -> None:
    decoder = FrameDecoder(LIMIT)
    longest_chunk = cobs.longest_encoding(LIMIT + 9)
    for piece in pieces:
        decoder.feed(piece)
        assert decoder.held_bytes <= longest_chunk + max(LONGEST_LINE, longest_chunk)


def frame_of_text_bytes() -> tuple[Frame, bytes]:
    """A RESULT whose whole encoding is text bytes, with newlines: its code byte is 0x0A, its outputs are 0x0A too.

    Its sequence is searched so that the bytes of its CRC are text bytes as well.
    """
    text_bytes = {0x09, 0x0A, 0x0D, 0x1B, *range(0x20, 0x7F), *range(0x80, 0x100)}
    payload = b"\x2c\x21" + b"\x21\x21\x00\x21" + b"\x0a" * 0x20
    for sequence in itertools.count(0x21212121):
        frame = Frame(0x83, sequence, payload)
        chunk = encode_frame(frame)[1:-1]
        if set(chunk) <= text_bytes:
            return frame, chunk
    raise AssertionError


def test_a_frame_that_consists_of_text_bytes_is_a_frame_and_nothing_else() -> None:
    frame, chunk = frame_of_text_bytes()
    assert chunk[0] == ord("\n")
    assert b"\n" in chunk[1:]
    assert FrameDecoder().feed(b"\0" + chunk + b"\0") == [frame]
    assert byte_by_byte(FrameDecoder(), b"\0" + chunk + b"\0") == [frame]


def test_a_payload_of_the_protocol_s_limit_passes() -> None:
    frame = Frame(0x83, 1, bytes(range(256)) * (MAX_PAYLOAD // 256))
    assert FrameDecoder().feed(encode_frame(frame)) == [frame]
