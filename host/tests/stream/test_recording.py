"""A recording that is played has the numbers that were seen live, to the last bit."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tinyhil.errors import ConfigError, DeviceError, StorageError
from tinyhil.link.frames import Frame, encode_frame
from tinyhil.session.recording import Kind as RecordKind
from tinyhil.session.recording import Recording
from tinyhil.session.records import RecordFile, pack, split
from tinyhil.stream.appearance import Stamps, TimeStyle, text_of
from tinyhil.stream.events import Answered, Came, Changed, Dropped, Event, Sent, State
from tinyhil.stream.line_log import LineLog
from tinyhil.stream.line_store import Kind, Line
from tinyhil.stream.model import Stream
from tinyhil.stream.player import Player
from tinyhil.stream.recording import Listened, Recorded, Recorder, body_of, event_of
from tinyhil.stream.series import Window
from tinyhil.stream.source import PortSource, pass_on

from .board import Board

PATIENCE_S = 30.0
EVENTS: list[Event] = [
    Changed(State.OPEN, "/dev/ttyACM0 is open", 100.0),
    Came(b"torn 1\nx:0.1 y:", 100.125),
    Came(b"2\n", 100.3),
    Came(b"x:0.2 y:nan\n\x00\x1b[2J\xc3\n", 100.31),
    Sent(b"1.57\n", 100.4),
    Sent(encode_frame(Frame(0x02, 7, b"\x00\x01")), 100.45),
    Came(encode_frame(Frame(0x83, 7, b"\x01\0\0\0\0\0abcd")) + b"x:0.3 y:3\n", 100.5),
    Answered("x 1  device 2", ("asked x", "device y"), (1.0, 2.0), 100.6),
    Answered("x [1 2]  device 3", (), (), 100.7),
    Dropped(123, 100.8),
    Changed(State.WAITING, "gone: \udcff", 101.0),
    Changed(State.OPEN, "", 101.1),
    Came(b">t:1000:5\nx:0.4 y:4\nx:0.5 y:5\n" + b"#" * 5000, 101.2),
]


def lines_of(stream: Stream) -> list[Line]:
    return list(stream.lines.lines(0, stream.lines.end))


def assert_same(one: Stream, other: Stream) -> None:
    assert lines_of(one) == lines_of(other)
    assert one.counts == other.counts
    assert one.unfinished == other.unfinished
    assert list(one.table.series) == list(other.table.series)
    assert one.table.curves == other.table.curves
    for series, again in zip(one.table.series.values(), other.table.series.values(), strict=True):
        for had, has in ((series.values, again.values), (series.times, again.times), (series.lines, again.lines)):
            np.testing.assert_array_equal(had, has)
        assert (series.unit, series.own_clock) == (again.unit, again.own_clock)
        for window in (Window(), Window(samples=2), Window(seconds=0.2)):
            np.testing.assert_array_equal(series.figures(window), again.figures(window))
    for style in TimeStyle:
        at = [(line.at, None) for line in lines_of(one)]
        assert [one.stamps.of(*times, style) for times in at] == [other.stamps.of(*times, style) for times in at]
    assert list(one.table.rows()) == list(other.table.rows())


def played(path: Path, speed: float = math.inf) -> Stream:
    with Player(path, speed) as player:
        stream = Stream()
        stream.stamps = player.stamps
        ends = time.monotonic() + PATIENCE_S
        while player.state is not State.ENDED:
            assert time.monotonic() < ends
            player.wait(0.05)
            pass_on(player.take(), stream)
        assert player.take() == []
    return stream


def recorded(path: Path, events: list[Event]) -> Stream:
    stream = Stream()
    stream.stamps = Stamps(99.0, 1e9)
    with Recorder(path, "/dev/ttyACM0", stream.stamps) as recorder:
        stream.writers.append(recorder)
        pass_on(events, stream)
    return stream


@pytest.mark.parametrize("event", EVENTS)
def test_an_event_comes_back_as_it_was(event: Event) -> None:
    kind, body = body_of(event)
    (record,), rest = split(pack(kind, body))
    assert rest == b""
    again = event_of(record)
    if isinstance(event, Changed):  # a text that no encoding has is written with a mark in place of what it lacks
        event = Changed(event.state, event.text.replace("\udcff", "?"), event.at)
    assert again == event


@pytest.mark.parametrize("speed", [math.inf, 20.0])
def test_every_view_has_the_same_numbers(tmp_path: Path, speed: float) -> None:
    path = tmp_path / "a.rec"
    live = recorded(path, [*EVENTS[:10], Changed(State.WAITING, "gone", 101.0), *EVENTS[11:]])
    assert live.table.series["x"].values.tolist() == [0.1, 0.2, 0.3, 0.4, 0.5]
    assert len(live.table.series["asked x"].values) == 1
    assert {line.kind for line in lines_of(live)} == {Kind.TEXT, Kind.PART, Kind.FRAME, Kind.NOTICE, Kind.SENT}
    assert_same(live, played(path, speed))


def test_a_port_and_its_recording(tmp_path: Path, board: Board) -> None:
    live, path = Stream(), tmp_path / "b.rec"

    def until(condition: Callable[[], bool]) -> None:
        ends = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < ends
            source.wait(0.05)
            pass_on(source.take(), live)

    with PortSource(board.path) as source, Recorder(path, board.path, live.stamps) as recorder:
        live.writers.append(recorder)
        for number in range(300):
            os.write(board.master, b"x:%d y:%.3f\n" % (number, math.sin(number / 10)))
            if number % 50 == 0:
                source.send(b"%d\n" % number)
        until(lambda: live.counts.lines == 300)
        until(lambda: sum(line.kind is Kind.SENT for line in lines_of(live)) == 6)
    again = played(path)
    assert again.table.series["x"].count >= 298
    assert_same(live, again)
    with Player(path) as player:
        assert player.address == board.path


def test_it_is_played_at_its_speed_and_another(tmp_path: Path) -> None:
    """No clock is asserted: what lies an hour ahead has not come yet, and comes at once when it is told to."""
    path = tmp_path / "a.rec"
    recorded(path, [Came(b"a\n", 100.0), Came(b"b\n", 3700.0), Came(b"c\n", 3700.0)])
    with Player(path, 1.0) as player:
        assert [event.at for event in player.take()] == [100.0]
        assert player.take() == []
        assert not player.wait(0.01)
        player.speed = 0.0
        assert not player.wait(0.01)
        player.speed = math.inf
        assert player.wait(0.01)
        assert [event.at for event in player.take()] == [3700.0, 3700.0]
        assert player.state is State.ENDED
        with pytest.raises(DeviceError, match="is a recording"):
            player.send(b"a")


def test_a_long_recording_comes_in_parts(tmp_path: Path) -> None:
    path = tmp_path / "a.rec"
    recorded(path, [Came(b"%015d\n" % number * 4096, 100.0) for number in range(100)])
    with Player(path) as player:
        first = player.take()
        assert 0 < len(first) < 100
        assert player.state is not State.ENDED


def test_the_recording_of_a_run_is_looked_at(tmp_path: Path) -> None:
    """Its records are those of the session: both directions, with what the session had waited for in vain left out."""
    path = tmp_path / "run.rec"
    with RecordFile(path) as file:
        head = (
            b'{"recipe":"sine","target":"sim","engine":"tflm","scheme":"int8","origin":{"model_sha256":"","project_sha256'
            b'":"","firmware_sha256":"","vectors_sha256":""},"kernels":"","flash_bytes":null,"ram_bytes":null,"sections":{},'
            b'"tool_versions":{},"started":"2026-01-01T00:00:00+00:00"}'
        )
        file.append(RecordKind.HEADER, head)
        at = np.array([0.5]).tobytes()
        file.append(RecordKind.OPEN, at + b"\0\0\0\0")
        file.append(RecordKind.SENT, at + encode_frame(Frame(0x01, 1, b"")))
        file.append(RecordKind.RECEIVED, at)
        file.append(RecordKind.TAKEN, at)
        file.append(RecordKind.RECEIVED, at + encode_frame(Frame(0x84, 1, b"")) + b"x:1\n")
        file.append(RecordKind.LOST, at + b"gone")
    stream = played(path)
    texts = [text_of(line) for line in lines_of(stream)]
    assert texts[0] == "the line is open"
    assert texts[1].startswith("[frame] HELLO #00000001")
    assert texts[2:] == ["[frame] CLEARED #00000001", "x:1", "gone"]
    assert stream.counts.bytes == len(encode_frame(Frame(0x84, 1, b""))) + 4
    assert stream.stamps.epoch == 1767225600.0


def test_what_is_cut_off_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.rec"
    recorded(path, [Came(b"a\n", 100.0), Came(b"b\n", 101.0)])
    path.write_bytes(path.read_bytes()[:-1])
    stream = played(path)
    assert [text_of(line) for line in lines_of(stream)] == ["a", f"{path} is cut off or damaged here"]


@pytest.mark.parametrize(
    "records",
    [
        [],
        [(RecordKind.RECEIVED, b"")],
        [(RecordKind.LISTENED, b"{}")],
        [(RecordKind.LISTENED, Listened("a", 0.0, 0.0, 99).pack())],
        [(RecordKind.LISTENED, Listened("a", 0.0, 0.0).pack()), (RecordKind.CHANGED, b"")],
        [(RecordKind.LISTENED, Listened("a", 0.0, 0.0).pack()), (RecordKind.CHANGED, bytes(8) + b"\xff")],
        [(RecordKind.LISTENED, Listened("a", 0.0, 0.0).pack()), (RecordKind.DROPPED, bytes(5))],
        [(RecordKind.LISTENED, Listened("a", 0.0, 0.0).pack()), (RecordKind.RECEIVED, b"\xff" * 8)],
    ],
)
def test_what_is_none_is_refused(tmp_path: Path, records: list[tuple[int, bytes]]) -> None:
    path = tmp_path / "a.rec"
    with RecordFile(path) as file:
        for record in records:
            file.append(*record)
    with pytest.raises(ConfigError):
        played(path)


def test_it_is_no_run_to_be_judged(tmp_path: Path) -> None:
    path = tmp_path / "a.rec"
    recorded(path, EVENTS[:1])
    with pytest.raises(ConfigError, match="a monitor has heard") as refused:
        Recording(path)
    assert "tinyhil monitor" in refused.value.hint


def test_another_file_is_not_overwritten_and_a_recording_is(tmp_path: Path) -> None:
    path = tmp_path / "thesis.txt"
    path.write_text("years of work")
    for place in (path, tmp_path):
        with pytest.raises(ConfigError):
            recorded(place, EVENTS)
    assert path.read_text() == "years of work"
    recorded(tmp_path / "a.rec", EVENTS)
    recorded(tmp_path / "a.rec", EVENTS[:2])
    with Player(tmp_path / "a.rec") as player:
        assert len(player.take()) == 2


def test_a_full_disk_ends_the_recording_and_nothing_else(tmp_path: Path) -> None:
    class Full:
        def take(self, event: Event | None) -> None:
            raise StorageError("cannot write a.rec: no space left", hint="free some")

    stream = Stream(joined=False)
    log = LineLog(tmp_path / "log.txt", stream)
    stream.writers += [Full(), log]
    pass_on([Came(b"x:1\nx:2\n", 100.0)], stream)
    log.close()
    assert stream.table.series["x"].values.tolist() == [1, 2]
    assert "no space left" in text_of(stream.lines.line(0))
    assert stream.failure is not None
    assert (tmp_path / "log.txt").read_text() == "x:1\nx:2\n"


def test_the_log_has_what_the_device_said_as_text(tmp_path: Path) -> None:
    stream = Stream(joined=False)
    stream.stamps = Stamps(99.0, 0.0)
    for frames in (False, True):
        with LineLog(tmp_path / f"{frames}.txt", stream, TimeStyle.RELATIVE, frames=frames, name="A") as log:
            stream.writers[:] = [log]
            pass_on([Came(b"\x1b[2Jx:1\n::error::no\n", 100.0), Sent(b"sent", 101.0), *EVENTS[6:7]], stream)
    expected = [r"    1.000000  [A] \x1b[2Jx:1", r"    1.000000  [A] \x3a:error::no", "    1.500000  [A] x:0.3 y:3"]
    assert (tmp_path / "False.txt").read_text().splitlines() == expected
    with_frames = (tmp_path / "True.txt").read_text().splitlines()
    assert [line for line in with_frames if "[frame]" not in line] == expected
    assert len(with_frames) == 4


def test_a_pipe_is_no_recording_and_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "b.rec"
    os.mkfifo(path)
    with pytest.raises(ConfigError, match="cannot be read: it is "):
        Recorded(path)
