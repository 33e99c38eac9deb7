"""A recording plays the device's part, byte for byte; what does not fit it is refused with its place."""

from __future__ import annotations

import os
import time
from pathlib import Path

import msgspec
import numpy as np
import pytest

from tinyhil.artifacts.types import Array, Capture
from tinyhil.deadline import Deadline
from tinyhil.errors import BlockedError, ConfigError, DeviceError
from tinyhil.link.line_rate import Baud, Switched
from tinyhil.session import recording
from tinyhil.session.capture import Infer
from tinyhil.session.journal import Answer, Memory
from tinyhil.session.lines import Line, PortLines
from tinyhil.session.recording import Header, Kind, Recorder, Recording
from tinyhil.session.records import RecordFile, unpack
from tinyhil.targets.model import Target

from .captures import capture_on
from .pty_device import BATCH, IDENTITY, ORIGIN, REQUESTS, PtyDevice, device, vectors

FORMAT_1 = Path(__file__).parent / "format1"
HEADER = Header("inverter", "qemu-m4", "compiled", "int8", ORIGIN, "portable", 10, 20, {".text": 10}, {"gcc": "12"})


def record(port: Path, target: Target, path: Path, kept: dict[int, Answer] | None = None, max_baud: int = 0) -> Capture:
    kept = dict(kept or {})
    with RecordFile(path) as file:
        lines = Recorder(PortLines(str(port), target.link.baud, max_baud=max_baud), file, HEADER, list(kept.values()))
        return capture_on(lines, IDENTITY, vectors(), target, ledger=Memory(kept))


def replay(path: Path, target: Target) -> Capture:
    played = Recording(path)
    try:
        return capture_on(played, IDENTITY, vectors(), target, ledger=Memory(played.answers))
    finally:
        played.close()


def assert_same(one: Capture, other: Capture) -> None:
    np.testing.assert_array_equal(one.outputs[0], other.outputs[0])
    np.testing.assert_array_equal(one.outputs[0], vectors().reference[0])
    assert vars(one).keys() == vars(other).keys()
    assert {**vars(one), "outputs": None} == {**vars(other), "outputs": None}, "the link's counters included"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.rec"


def test_a_replay_captures_the_same(port: Path, target: Target, path: Path) -> None:
    with device(port):
        recorded = record(port, target, path)
    assert_same(replay(path, target), recorded)


def test_a_wrong_device_is_as_wrong_in_the_replay(port: Path, target: Target, path: Path) -> None:
    with device(port, model=lambda vector: vector):
        recorded = record(port, target, path)
    again = replay(path, target)
    np.testing.assert_array_equal(again.outputs[0], vectors().inputs[0])
    np.testing.assert_array_equal(again.outputs[0], recorded.outputs[0])


def test_lost_answers_are_lost_again(port: Path, target: Target, path: Path) -> None:
    """Requests are repeated by the clock, so the replay needs the recording's."""
    lost = 0

    def lose(board: PtyDevice, inferences: int) -> None:
        nonlocal lost
        board.silent = inferences > 3 * BATCH and lost < 2
        lost += board.silent

    link = msgspec.structs.replace(target.link, answer_within=20.0)
    patient = msgspec.structs.replace(target, link=link)
    with device(port, lose):
        recorded = record(port, patient, path)
    assert recorded.counters["resends"] > 0
    assert_same(replay(path, patient), recorded)


def test_a_port_that_went_away_goes_away_again(port: Path, target: Target, path: Path) -> None:
    def flicker(board: PtyDevice, inferences: int) -> None:
        if inferences > 3 * BATCH * board.plugged:
            board.reset()

    with device(port, flicker) as board:
        recorded = record(port, target, path)
    assert board.plugged > 1
    assert_same(replay(path, target), recorded)


def test_a_line_that_became_faster_is_played_as_it_was(port: Path, target: Target, path: Path) -> None:
    asked = []

    def baud(payload: bytes) -> Switched:
        asked.append(Switched.decode(payload))
        return asked[-1]

    with device(port, more={Baud.TYPE: baud}):
        recorded = record(port, target, path, max_baud=921_600)
    assert asked == [Switched(921_600), Switched(0)]
    assert_same(replay(path, target), recorded)


class HeldUp(PortLines):
    """Lines whose larger writes take a while, as where the other end takes bytes slowly."""

    def open(self, deadline: Deadline) -> Line:
        line = super().open(deadline)
        write = line.transport.write

        def slowly(data: bytes, deadline: Deadline) -> None:
            write(data, deadline)
            time.sleep(0.15 if len(data) > 2 * BATCH * 4 else 0.0)

        line.transport.write = slowly  # type: ignore[method-assign]
        return line


def test_a_write_that_was_held_up_is_as_long_in_the_replay(port: Path, target: Target, path: Path) -> None:
    with device(port), RecordFile(path) as file:
        lines = Recorder(HeldUp(str(port), target.link.baud), file, HEADER, [])
        recorded = capture_on(lines, IDENTITY, vectors(), target)
    with path.open("rb") as stream:
        kinds = [one.kind for one in unpack(stream)]
    assert Kind.TAKEN in kinds
    assert_same(replay(path, target), recorded)


def test_what_the_journal_had_is_part_of_the_recording(port: Path, target: Target, path: Path) -> None:
    reference = vectors().reference[0].tobytes()
    with device(port) as board:
        recorded = record(port, target, path, {BATCH: Answer(BATCH, BATCH, 40, reference[4 * BATCH : 8 * BATCH])})
        assert board.role.inferences == len(reference) // 4 - BATCH
    assert_same(replay(path, target), recorded)


@pytest.mark.parametrize("name", ["measured", "lost_answers", "port_away"])
def test_recordings_of_format_1_play_as_they_did(name: str, measured: Target, target: Target) -> None:
    """Made by the version before requests were repeated by the pace of the device: the bytes are the same to the last.

    In the first a device was measured, in the second five answers were lost, in the third the port went away twice.
    """
    more = np.arange(-40, 40, dtype=np.int8).reshape(-1, 1, 4)
    asked: list[Array] = []

    def explore(answers: tuple[Array, ...], infer: Infer) -> None:
        asked.extend(infer((more,)))

    played = Recording(FORMAT_1 / f"{name}.rec")
    found = capture_on(
        played,
        IDENTITY,
        vectors(),
        measured if name == "measured" else target,
        ledger=Memory(played.answers),
        explore=explore if name == "port_away" else None,
    )
    np.testing.assert_array_equal(found.outputs[0], vectors().reference[0])
    with pytest.raises(DeviceError, match="the recording ends"):
        played.received()
    played.close()
    assert (found.measurement is not None) == (name == "measured")
    assert found.counters["resends"] == (5 if name == "lost_answers" else 0)
    assert [answer.tolist() for answer in asked] == ([(~more).tolist()] if name == "port_away" else [])


def rewrite(path: Path, kind: Kind, change: bytes, at: int) -> int:
    """Changes the end of the ``at``-th record of a kind, CRC included; returns where it is in the file."""
    with path.open("rb") as stream:
        records = list(unpack(stream))
    chosen = [record for record in records if record.kind == kind][at]
    with RecordFile(path) as file:
        for one in records:
            file.append(one.kind, one.body[: -len(change)] + change if one is chosen else one.body)
    return chosen.start


def test_a_request_that_differs_is_an_error_with_its_place(port: Path, target: Target, path: Path) -> None:
    with device(port):
        record(port, target, path)
    place = rewrite(path, Kind.SENT, b"\x55\x00", -1)
    with pytest.raises(BlockedError, match=f"diverges from the recording at byte {place} of .* from byte [0-9]+ on"):
        replay(path, target)


def test_another_first_number_sends_other_bytes(port: Path, target: Target, path: Path) -> None:
    with device(port):
        record(port, target, path)
    rewrite(path, Kind.OPEN, b"\x01\x02\x03\x04", 0)
    with pytest.raises(BlockedError, match=r"the replay sends 14 bytes that differ .* from byte [1-7] on"):
        replay(path, target)


def test_other_requests_than_the_recorded_ones(port: Path, target: Target, path: Path, qemu_m4: Target) -> None:
    with device(port):
        record(port, target, path)
    with pytest.raises(BlockedError, match="diverges"):
        replay(path, qemu_m4)  # which asks all vectors at once


@pytest.mark.parametrize("cut", [1, 1000])
def test_a_recording_that_was_cut_off(port: Path, target: Target, path: Path, cut: int) -> None:
    with device(port):
        record(port, target, path)
    os.truncate(path, path.stat().st_size - cut)
    with pytest.raises(DeviceError, match=r"the recording ends before the run did: .* damaged or cut off"):
        replay(path, target)


def test_what_is_no_recording(path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        Recording(path)
    path.write_bytes(b"something else")
    with pytest.raises(ConfigError, match="not a recording of this version"):
        Recording(path)
    os.mkfifo(path.with_name("pipe"))
    for endless in (path.with_name("pipe"), Path("/dev/zero"), path.parent):
        with pytest.raises(ConfigError, match=f"{endless} cannot be read: it is a "):
            Recording(endless)


def test_the_header_says_what_and_when(port: Path, target: Target, path: Path) -> None:
    with device(port):
        record(port, target, path)
    played = Recording(path)
    played.close()
    assert played.header.origin == ORIGIN
    assert played.header.sections == HEADER.sections
    assert played.header.started


def test_times_do_not_run_backwards(port: Path, target: Target, path: Path) -> None:
    with device(port):
        record(port, target, path)
    with path.open("rb") as stream:
        times = [
            recording._TIME.unpack_from(one.body)[0]
            for one in unpack(stream)
            if one.kind in (Kind.OPEN, Kind.SENT, Kind.RECEIVED)
        ]
    assert times == sorted(times)
    assert times[0] >= 0.0
    assert len(times) > REQUESTS


def test_the_clock_is_what_the_recording_says(path: Path, port: Path, target: Target) -> None:
    """A time that is not in the file could decide something that the replay decides otherwise."""
    with device(port), RecordFile(path) as file:
        lines = Recorder(PortLines(str(port), target.link.baud), file, HEADER, [])
        line = lines.open(Deadline.after(1.0))
        told = [line.clock()]
        for _ in range(3):
            line.transport.read(1, 0.0)
            told += [line.clock(), line.clock()]
        line.transport.close()
    with path.open("rb") as stream:
        kinds = (Kind.OPEN, Kind.RECEIVED)
        times = [recording._TIME.unpack_from(one.body)[0] for one in unpack(stream) if one.kind in kinds]
    assert told == [times[0], *(time for time in times[1:] for _ in range(2))]


def test_nothing_is_waited_for(path: Path, port: Path, target: Target) -> None:
    with device(port):
        record(port, target, path)
    played = Recording(path)
    line = played.reopen(Deadline.after(0.0), lambda: None)
    assert line.transport.name == "recording"
    line.transport.close()
    played.close()
