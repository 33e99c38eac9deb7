"""Lines are shown with the device's colours, and no terminal obeys anything else in them."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyhil.link.frames import Frame
from tinyhil.link.inference import Result
from tinyhil.link.messages import Error, ErrorCode
from tinyhil.stream import frame_text
from tinyhil.stream.appearance import Stamps, TimeStyle, row_of_bytes, spans_of, text_of
from tinyhil.stream.line_store import Kind, Line
from tinyhil.stream.styles import PLAIN, Span, Style, coloured, shown, spans

COMMANDS = "\x00\x07\x08\r\n\x1b\x7f\x85\x9b\x9d\u202e\u2066\u2028\ud83d"
PIECES = st.one_of(
    st.text(st.characters() | st.sampled_from(COMMANDS), max_size=8),
    st.lists(st.integers(0, 300), max_size=6).map(lambda codes: f"\x1b[{';'.join(map(str, codes))}m"),
    st.sampled_from(["\x1b[2J", "\x1b]0;title\x07", "\x1b[38;5m", "\x1b[38;2;1;2;3m", "\x1b[m", "\x1b["]),
)


def line(data: bytes, kind: Kind = Kind.TEXT) -> Line:
    return Line(0, 0.0, kind, data)


@given(st.lists(PIECES, max_size=8).map("".join))
def test_nothing_but_colours_reaches_a_terminal(text: str) -> None:
    pieces = spans(text)
    assert "".join(piece.text for piece in pieces) == shown(text)
    written = coloured(pieces)
    assert not set(re.sub("\x1b\\[[0-9;]+m", "", written)) & set(COMMANDS.replace("\n", ""))
    assert not re.search("\x1b\\[(?:[^m]*;)?(?:5|6|8)m", re.sub("[34]8;5;\\d+|[34]8;2;\\d+;\\d+;\\d+", "", written))
    assert coloured(spans(written)) == written


@given(st.binary(max_size=60), st.sampled_from([Kind.TEXT, Kind.PART, Kind.NOTICE, Kind.SENT]))
def test_a_line_is_one_row(data: bytes, kind: Kind) -> None:
    text = text_of(line(data, kind))
    assert not set(text) & set(COMMANDS + "\t")
    assert "".join(span.text for span in spans_of(line(data, kind))) == text or kind not in (Kind.TEXT, Kind.PART)


@pytest.mark.parametrize(
    ("codes", "style"),
    [
        ("31", Style(foreground=1)),
        ("1;92;44", Style(foreground=10, background=4, bold=True)),
        ("38;5;200", Style(foreground=200)),
        ("48;2;1;2;3", Style(background=(1, 2, 3))),
        ("38:5:7", Style(foreground=7)),
        ("31;0", PLAIN),
        ("31;", PLAIN),
        ("1;22", PLAIN),
        ("5;8", PLAIN),
        ("38;5;256", PLAIN),
        ("38;2;1;2", PLAIN),
        ("38;2;1;2;3;48;5;8", Style(foreground=(1, 2, 3), background=8)),
        ("3;4;7;9;23;24;27;29", PLAIN),
        ("100;39;49", PLAIN),
    ],
)
def test_colours_of_a_device(codes: str, style: Style) -> None:
    assert spans(f"\x1b[{codes}mhello") == [Span("hello", style)]


def test_a_line_begins_plain() -> None:
    assert spans("\x1b[31mred\x1b[0m plain") == [Span("red", Style(foreground=1)), Span(" plain", PLAIN)]
    assert spans_of(line(b"plain")) == [Span("plain", PLAIN)]


def test_half_of_a_letter_is_shown_as_such() -> None:
    assert text_of(line(b"caf\xc3\r")) == "caf\ufffd"


def test_bytes_in_hexadecimal() -> None:
    row = text_of(line(row_of_bytes(0x1234, b"Hello, world!\n\x00\xff"), Kind.BYTES))
    assert row == "00001234  48 65 6c 6c 6f 2c 20 77  6f 72 6c 64 21 0a 00 ff  Hello, world!..."
    assert len(text_of(line(row_of_bytes(0, b"a"), Kind.BYTES)).rstrip()) < len(row)


def test_frames_in_words() -> None:
    result = Frame(Result.TYPE, 0xAB, Result(2, 99, b"\x01\x02").encode())
    assert frame_text.unpacked(frame_text.packed(result)) == result
    assert text_of(line(frame_text.packed(result), Kind.FRAME)) == (
        "[frame] RESULT #000000ab: count 2, ticks 99, outputs 2 bytes 01 02"
    )
    error = Frame(Error.TYPE, 1, Error(ErrorCode.NOT_READY, 7).encode())
    assert frame_text.described(error) == "ERROR #00000001: code NOT_READY, detail 7"
    assert "malformed" in frame_text.described(Frame(0x81, 1, b"abc"))
    assert frame_text.described(Frame(0x84, 1, b"")) == "CLEARED #00000001"
    assert frame_text.described(Frame(0x8F, 1, b"abc")) == "type 0x8f #00000001: 3 bytes 61 62 63"


@given(st.integers(0, 255), st.binary(max_size=200))
def test_any_frame_has_words(kind: int, payload: bytes) -> None:
    text = text_of(line(frame_text.packed(Frame(kind, 1, payload)), Kind.FRAME))
    assert not set(text) & set(COMMANDS)


def test_times() -> None:
    stamps = Stamps(start=100.0, epoch=time.mktime((2026, 11, 30, 15, 4, 5, 0, 0, -1)))
    assert stamps.of(101.25, 101.0, TimeStyle.CLOCK) == "15:04:06.250"
    assert stamps.of(101.25, 101.0, TimeStyle.RELATIVE) == "    1.250000"
    assert stamps.of(101.25, 101.0, TimeStyle.DELTA) == "  +0.250000"
    assert stamps.of(101.25, None, TimeStyle.DELTA) == "  +0.000000"
    assert stamps.of(101.25, None, TimeStyle.NONE) == ""
