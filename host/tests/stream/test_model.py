"""From bytes to lines, frames and series."""

from __future__ import annotations

import numpy as np
import pytest

from tinyhil.link.frames import Frame, encode_frame
from tinyhil.stream.appearance import spans_of, text_of
from tinyhil.stream.events import Came, Dropped
from tinyhil.stream.line_store import Kind
from tinyhil.stream.model import Stream
from tinyhil.stream.source import pass_on
from tinyhil.stream.trigger import Condition, Trigger


def texts(stream: Stream) -> list[str]:
    return [text_of(line) for line in stream.lines.lines(0, stream.lines.end)]


def test_lines_frames_and_series_of_one_stream() -> None:
    stream = Stream(joined=False)
    stream.feed(b"x:1 y:2\r\nx:2 y:", 0.5)
    stream.feed(encode_frame(Frame(0x84, 3, b"")), 0.6)
    stream.feed(b"4\n", 0.7)
    assert texts(stream) == ["x:1 y:2", "[frame] CLEARED #00000003", "x:2 y:4"]
    np.testing.assert_array_equal(stream.table.xy("x", "y"), [[1, 2], [2, 4]])
    assert stream.table.series["x"].lines.tolist() == [0, 2]
    assert (stream.counts.lines, dict(stream.counts.frames)) == (2, {0x84: 1})


def test_a_device_that_was_running_before() -> None:
    stream = Stream()
    stream.feed(b"5 y:2\nx:1 y:2\nx:2 y:3\n", 0.0)
    assert stream.table.series["x"].values.tolist() == [1, 2]
    assert texts(stream)[0] == "5 y:2"


def test_a_line_that_was_interrupted_is_not_read() -> None:
    stream = Stream(joined=False)
    stream.feed(b"x:1\nx:2\nx:3", 0.0)
    stream.interrupted(1.0)
    stream.notice("the port is gone", 1.0)
    stream.feed(b"4\nx:5\n", 2.0)
    assert stream.table.series["x"].values.tolist() == [1, 2, 5]
    assert texts(stream) == ["x:1", "x:2", "x:3", "the port is gone", "4", "x:5"]
    assert [line.kind for line in stream.lines.lines(2, 4)] == [Kind.PART, Kind.NOTICE]


def test_a_number_across_two_pieces_of_a_long_line_is_not_read() -> None:
    stream = Stream(joined=False)
    for _ in range(3):
        stream.feed(b"x:" + b"1" * 5000 + b"\n", 0.0)
    assert stream.table.series == {}


def test_a_line_that_lost_its_middle_is_not_read() -> None:
    stream = Stream(joined=False)
    pass_on([Came(b"x:1\nx:2\nx:3", 0.0), Dropped(1000, 1.0), Came(b"4\nx:5\n", 2.0)], stream)
    assert stream.table.series["x"].values.tolist() == [1, 2, 5]
    assert "1,000 bytes" in texts(stream)[3]


def test_rows_of_bytes() -> None:
    stream = Stream(joined=False, hexadecimal=True)
    for at in range(0, 40, 7):
        stream.feed(bytes(range(at, min(at + 7, 40))), 0.0)
    assert texts(stream) == [
        "00000000  00 01 02 03 04 05 06 07  08 09 0a 0b 0c 0d 0e 0f  ................",
        "00000010  10 11 12 13 14 15 16 17  18 19 1a 1b 1c 1d 1e 1f  ................",
    ]
    assert stream.unfinished == bytes(range(32, 40))
    stream.interrupted(0.0)
    assert texts(stream)[2].startswith("00000020  20 21 22 23 24 25 26 27 ")


def test_numbers_are_found_in_rows_of_bytes_too() -> None:
    stream = Stream(joined=False, hexadecimal=True)
    stream.feed(b"x:1\nx:2\n", 0.0)
    assert stream.table.series["x"].values.tolist() == [1, 2]


def test_a_trigger_is_told_of() -> None:
    stream = Stream(joined=False)
    trigger = Trigger("x", Condition.RISING, 2.5)
    stream.table.triggers.append(trigger)
    assert stream.feed(b"x:1\nx:2\n", 0.0) == []
    assert stream.feed(b"x:3\nx:4\n", 1.0) == [trigger]


@pytest.mark.parametrize(
    "noise",
    [
        b"\0",
        b"\x1b[2J\x1b]0;title\x07",
        b"\xe2\x82",
        b"a",
        b"1,2,",
        b"x:1 ",
        b"\r",
        b"\x1b[31m",
        b"{",
        b'{"a":',
        b">t:",
    ],
    ids=repr,
)
def test_a_flood_of_anything_takes_bounded_memory_and_nothing_is_obeyed(noise: bytes) -> None:
    """A line that never ends, and a great many short ones; all that is shown can be shown."""
    stream = Stream(most_lines=1000, most_bytes=1 << 20, capacity=1000)
    for ending in (b"", b"\n"):
        chunk = (noise + ending) * (4096 // len(noise + ending))
        for number in range(50):
            stream.feed(chunk, float(number))
            assert len(stream.unfinished) < 10_000
    assert stream.lines.held_bytes < 2 << 20
    assert stream.table.held_bytes < 1 << 20
    for line in stream.lines.lines(stream.lines.end - 100, stream.lines.end):
        assert text_of(line).isprintable()
        assert "".join(piece.text for piece in spans_of(line)).isprintable()


def test_a_line_of_ten_megabytes() -> None:
    stream = Stream(joined=False, most_bytes=1 << 20)
    for _ in range(160):
        stream.feed(b"#" * (1 << 16), 0.0)
        assert len(stream.unfinished) <= 4096 + (1 << 16)
    stream.feed(b"\nx:1\nx:2\n", 1.0)
    assert stream.lines.held_bytes < 3 << 20
    assert stream.table.series["x"].values.tolist() == [1, 2]
