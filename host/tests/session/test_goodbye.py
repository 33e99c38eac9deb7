"""The end of a session: goodbye to a device that stays, where the session came to its end, and never at any price."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from tinyhil.artifacts.types import Capture
from tinyhil.deadline import Deadline
from tinyhil.link.line_rate import Baud, Switched
from tinyhil.progress import Silent
from tinyhil.session import Session, open_session
from tinyhil.session.ask import ask
from tinyhil.session.journal import Memory
from tinyhil.session.lines import Line, Lines, PortLines
from tinyhil.session.recording import Kind, Recorder, Recording
from tinyhil.session.records import RecordFile, unpack
from tinyhil.targets.model import Target
from tinyhil.transport import Rated

from .captures import capture_on
from .pty_device import IDENTITY, PtyDevice, device, vectors
from .test_recording import HEADER, assert_same

FAST = 921_600


def lines_to(port: Path, target: Target, *, stays: bool = True, max_baud: int = 0) -> PortLines:
    return PortLines(str(port), target.link.baud, max_baud=max_baud, stays=stays)


def opened(lines: Lines, target: Target) -> Session:
    return open_session(lines, IDENTITY, target, lambda: None, Silent())


class Rates(list[int]):
    """The rates that a device was asked for; it takes them all."""

    def take(self, payload: bytes) -> Switched:
        switched = Switched.decode(payload)
        self.append(switched.rate)
        return switched


@pytest.mark.parametrize("stays", [True, False])
def test_a_device_that_stays_is_told(port: Path, target: Target, stays: bool) -> None:
    with device(port) as plugged:
        capture_on(lines_to(port, target, stays=stays), IDENTITY, vectors(), target)
        assert plugged.role.goodbyes == int(stays)


def test_a_session_that_asked_nothing_and_one_that_is_closed_by_hand_end_likewise(port: Path, target: Target) -> None:
    with device(port) as plugged:
        with opened(lines_to(port, target, max_baud=FAST), target):
            pass
        session = opened(lines_to(port, target), target)
        session.close()
        session.close()
        assert plugged.role.goodbyes == 2


def test_one_that_is_given_up_says_nothing(port: Path, target: Target) -> None:
    """Whoever sees to it may want to find the device as it was."""
    with device(port) as plugged:
        with contextlib.suppress(KeyboardInterrupt), opened(lines_to(port, target), target) as session:
            session.infer(*vectors().inputs)
            raise KeyboardInterrupt
        assert plugged.role.goodbyes == 0


def test_an_older_device_is_left_as_before(port: Path, target: Target) -> None:
    asked = Rates()
    with device(port, knows_resources=False, more={Baud.TYPE: asked.take}):
        capture_on(lines_to(port, target, max_baud=FAST), IDENTITY, vectors(), target)
    assert asked == [FAST, 0]


def test_the_line_is_given_back_by_it(port: Path, target: Target) -> None:
    asked = Rates()
    with device(port, more={Baud.TYPE: asked.take}) as plugged:
        capture_on(lines_to(port, target, max_baud=FAST), IDENTITY, vectors(), target)
        assert plugged.role.goodbyes == 1
    assert asked == [FAST], "and the first rate need not be asked for"


class Watched(PortLines):
    """Lines of which it is noted what rates they are set to."""

    def open(self, deadline: Deadline) -> Line:
        line = super().open(deadline)
        assert isinstance(line.transport, Rated)
        self.rates: list[int] = []
        set_rate = line.transport.set_rate

        def noted(baud: int) -> None:
            self.rates.append(baud)
            set_rate(baud)

        line.transport.set_rate = noted  # type: ignore[method-assign]
        return line


def test_without_an_answer_it_is_said_at_the_first_rate_and_then_left(port: Path, target: Target) -> None:
    """It may have been the rate; and whatever it was, what was answered before stands."""
    lines = Watched(str(port), target.link.baud, max_baud=FAST, stays=True)
    with device(port, more={Baud.TYPE: Rates().take}) as plugged, opened(lines, target) as session:
        answers = session.infer(*vectors().inputs)
        assert lines.rates == [FAST]
        plugged.silent = True
    assert lines.rates == [FAST, target.link.baud]
    assert (answers.outputs[0] == vectors().reference[0]).all()


def test_a_device_that_is_gone_is_not_waited_for(port: Path, target: Target) -> None:
    with device(port) as plugged, opened(lines_to(port, target), target) as session:
        answers = session.infer(*vectors().inputs)
        plugged.unplug()
    assert plugged.plugged == 1
    assert (answers.outputs[0] == vectors().reference[0]).all()


def record(port: Path, target: Target, path: Path, *, stays: bool = True) -> Capture:
    with RecordFile(path) as file:
        lines = Recorder(lines_to(port, target, stays=stays, max_baud=FAST), file, HEADER, [])
        return capture_on(lines, IDENTITY, vectors(), target)


def replay(path: Path, target: Target) -> tuple[Capture, bool]:
    """What is captured again, and whether all of the recording was played."""
    with contextlib.closing(Recording(path)) as played:
        found = capture_on(played, IDENTITY, vectors(), target, ledger=Memory(played.answers))
        return found, played._peek() is None


@pytest.mark.parametrize(("stays", "older"), [(True, False), (True, True), (False, False)])
def test_it_is_part_of_a_recording(port: Path, target: Target, tmp_path: Path, stays: bool, older: bool) -> None:
    path = tmp_path / "run.rec"
    with device(port, knows_resources=not older, more={Baud.TYPE: Rates().take}) as plugged:
        recorded = record(port, target, path, stays=stays)
    assert plugged.role.goodbyes == int(stays and not older)
    again, whole = replay(path, target)
    assert_same(again, recorded)
    assert whole


def test_a_recording_whose_end_is_missing_is_as_good(port: Path, target: Target, tmp_path: Path) -> None:
    """Its run was killed in its goodbye."""
    path, cut = tmp_path / "run.rec", tmp_path / "cut.rec"
    with device(port):
        recorded = record(port, target, path)
    with path.open("rb") as stream:
        records = list(unpack(stream))
    last = max(at for at, each in enumerate(records) if each.kind == Kind.SENT)
    with RecordFile(cut) as file:
        for each in records[: last + 1]:
            file.append(each.kind, each.body)
    assert_same(replay(cut, target)[0], recorded)


def test_who_only_asks_for_the_name_says_it_where_that_was_all(port: Path) -> None:
    def greeted(plugged: PtyDevice, parting: bool) -> int:
        before = plugged.role.goodbyes
        assert ask(str(port), 115_200, parting=parting).welcome is not None
        return plugged.role.goodbyes - before

    with device(port) as plugged:
        assert [greeted(plugged, parting) for parting in (True, False, True)] == [1, 0, 1]


def test_who_is_not_answered_has_nobody_to_part_from(port: Path) -> None:
    with device(port) as plugged:
        plugged.silent = True
        assert ask(str(port), 115_200, 0.3, parting=True).welcome is None
        assert plugged.role.goodbyes == 0
