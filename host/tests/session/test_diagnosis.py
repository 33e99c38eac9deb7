"""Why a device is silent: each reason on a real pseudo-terminal, told apart by the kind of the error."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinyhil import kinds
from tinyhil.errors import BlockedError, UnansweredError
from tinyhil.kinds import Kind
from tinyhil.link.fields import MessageType
from tinyhil.progress import Silent
from tinyhil.session import PortLines, Session, open_session
from tinyhil.session.lines import Lines
from tinyhil.targets.model import Target

from . import bad_lines
from .bad_lines import BadLine, FastLines, bad_line
from .pty_device import IDENTITY
from .test_patience import patient_for


@pytest.fixture
def hasty(target: Target) -> Target:
    """A moment of patience: long enough for several greetings, of which it takes two, on a busy machine."""
    return patient_for(target, 1.2)


def opened(port: Path, target: Target, board: BadLine, lines: Lines | None = None) -> Session:
    identity = replace(IDENTITY, model_sha256=board.role.welcome.model_sha256.hex())
    lines = lines or PortLines(str(port), target.link.baud)
    return open_session(lines, identity, target, lambda: None, Silent())


SAID: list[tuple[str, bytes, Kind, str]] = [
    ("download", bad_lines.DOWNLOAD, kinds.BOOT_LOADER, "waiting for download"),
    ("empty flash", b"rst:0x10 (RTCWDT_RTC_RESET),boot:0x13\r\ninvalid header: 0xffffffff\r\n", kinds.CRASHES, ""),
    ("no program", b"ets Jun  8 2016 00:22:57\r\ninvalid header: 0xffffffff\r\n", kinds.BOOT_LOADER, "no program"),
    ("panic", bad_lines.PANIC, kinds.CRASHES, "LoadProhibited"),
    ("fault", bad_lines.FAULT, kinds.CRASHES, "fault 03 at 0000089a"),
    ("sketch", b"Temperature: 21.5 C\r\n", kinds.OTHER_PROGRAM, "Temperature: 21.5 C"),
    ("another language", "温度 21.5\r\n".encode(), kinds.OTHER_PROGRAM, "温度 21.5"),
    ("prompt", b"\x1b[0mshell> ", kinds.OTHER_PROGRAM, r"\x1b[0mshell>"),
    ("noise", bad_lines.NOISE, kinds.NOISE, "noise"),
]


@pytest.mark.parametrize(("said", "kind", "words"), [case[1:] for case in SAID], ids=[case[0] for case in SAID])
def test_what_is_said_instead_of_an_answer(port: Path, hasty: Target, said: bytes, kind: Kind, words: str) -> None:
    with bad_line(port, babble=said) as board, pytest.raises(UnansweredError) as caught:
        opened(port, hasty, board)
    assert caught.value.kind is kind, caught.value.message
    assert words in caught.value.message
    last = [line for line in said.decode("utf-8", "replace").splitlines() if line.strip("\0 ")][-1]
    if kind is not kinds.NOISE:
        assert last.replace("\x1b", r"\x1b").strip("\0 ") in caught.value.detail
    assert "\x1b" not in caught.value.message + caught.value.detail


def test_nothing_came_at_all(port: Path, hasty: Target) -> None:
    with bad_line(port) as board:
        board.silent = True
        with pytest.raises(UnansweredError) as caught:
            opened(port, hasty, board)
    assert caught.value.kind is kinds.NOTHING_CAME
    assert "nothing came from it" in caught.value.message


CHANGES = [
    (bad_lines.text_inside, kinds.PRINTS_IN_FRAMES),
    (bad_lines.returns_added, kinds.LINE_ENDINGS),
    (bad_lines.seven_bits, kinds.SEVEN_BITS),
    (bad_lines.flow_control, kinds.FLOW_CONTROL),
    (bad_lines.flipped, kinds.DAMAGED_ANSWERS),
    (bad_lines.cut(63), kinds.LONG_LOST),
]


@pytest.mark.parametrize(("change", "kind"), CHANGES, ids=[kind.id for _, kind in CHANGES])
def test_what_happens_to_answers(port: Path, hasty: Target, change: bad_lines.Change, kind: Kind) -> None:
    with bad_line(port, change=change) as board, pytest.raises(UnansweredError) as caught:
        opened(port, hasty, board)
    assert caught.value.kind is kind, caught.value.message
    assert sum(caught.value.rejected.values()) > 0, "they were chunks that the decoder rejects"


def test_a_device_that_stops_in_mid_run_is_never_the_wrong_port(port: Path, hasty: Target) -> None:
    with bad_line(port) as board, opened(port, hasty, board) as session:
        session.infer([[1, 2, 3, 4]])
        board.silent = True
        with pytest.raises(UnansweredError) as caught:
            session.infer([[5, 6, 7, 8]])
    assert caught.value.kind is kinds.WENT_SILENT
    assert "port" not in caught.value.message + caught.value.hint


def test_a_crash_in_mid_run(port: Path, hasty: Target) -> None:
    with bad_line(port) as board, opened(port, hasty, board) as session:
        board.silent = True
        board._put(bad_lines.FAULT)
        with pytest.raises(UnansweredError) as caught:
            session.infer([[1, 2, 3, 4]])
    assert caught.value.kind is kinds.CRASHES


def test_a_device_that_restarts_at_every_request_says_its_last_words(port: Path, target: Target) -> None:
    """It answers each greeting, so that nothing of it is silence."""

    def restarts(kind: int) -> bool:
        if kind == MessageType.INFER:
            board._put(b"abort() was called at PC 0x400d1aa3 on core 1\r\n")
        return kind == MessageType.INFER

    with (
        bad_line(port, restarts=restarts) as board,
        opened(port, target, board) as session,
        pytest.raises(BlockedError, match=r"restarted .* its program crashes, and says so") as caught,
    ):
        session.infer([[1, 2, 3, 4]])
    assert caught.value.kind is kinds.CRASHES
    assert "abort() was called at PC 0x400d1aa3" in caught.value.detail


@pytest.mark.parametrize(
    ("of_line", "longest"),
    [({"longest": 64}, 64), ({"longest": 256}, 256), ({"change": bad_lines.cut(255)}, 256)],
    ids=["requests, 64", "requests, 256", "answers, 256"],
)
def test_shorter_requests_are_tried_where_long_ones_are_lost(
    port: Path, target: Target, of_line: dict[str, Any], longest: int
) -> None:
    vectors = np.random.default_rng(9).integers(-128, 127, (300, 1, 4), np.int8)
    patient = patient_for(target, 10.0, max_batch=200)
    with bad_line(port, **of_line) as board, opened(port, patient, board, FastLines(str(port), 1)) as session:
        answers = session.infer(vectors)
        again = session.infer(vectors)
    np.testing.assert_array_equal(answers.outputs[0], ~vectors)
    assert again.requests == answers.requests > 300 / 200, "what was found out is kept"
    assert session.longest_payload < longest


def test_what_is_too_long_in_any_length(port: Path, target: Target) -> None:
    """Not even one vector arrives, but greetings do."""
    patient = patient_for(target, 10.0, max_batch=200)
    with (
        bad_line(port, longest=18) as board,
        opened(port, patient, board, FastLines(str(port), 1)) as session,
        pytest.raises(UnansweredError) as caught,
    ):
        session.infer(np.zeros((300, 1, 4), np.int8))
    assert caught.value.kind is kinds.LONG_LOST
    assert "none of" in caught.value.message
