"""A device whose bytes move is alive, however slow it is; one that never answers is given up, whatever it does."""

from __future__ import annotations

import os
import time
from pathlib import Path

import msgspec
import numpy as np
import pytest

from tinyhil.errors import UnansweredError
from tinyhil.progress import Silent
from tinyhil.session import PortLines, Session, capture, open_session
from tinyhil.session.conversation import MOST
from tinyhil.targets.model import Target

from .pty_device import IDENTITY, PtyDevice, device, vectors

LARGE = 40
"""Vectors in a request, so that it takes a while on a slow line."""


def patient_for(target: Target, seconds: float, max_batch: int = LARGE) -> Target:
    link = msgspec.structs.replace(target.link, answer_within=seconds, max_batch=max_batch)
    return msgspec.structs.replace(target, link=link)


def opened(port: Path, target: Target) -> Session:
    return open_session(PortLines(str(port), target.link.baud), IDENTITY, target, lambda: None, Silent())


def test_a_slow_device_is_waited_for_and_nothing_is_repeated(port: Path, target: Target) -> None:
    """A request takes 1.2 s to be taken, 0.5 s to be computed and 1.2 s to be answered, with patience for 2 s."""
    computed: list[int] = []

    def slowly(board: PtyDevice, inferences: int) -> None:
        if inferences and inferences not in computed:
            computed.append(inferences)
            time.sleep(0.5)

    with device(port, slowly) as board:
        board.pace = 1 / 150
        with opened(port, patient_for(target, 2.0)) as session:
            found = capture(session, vectors())
    np.testing.assert_array_equal(found.outputs[0], vectors().reference[0])
    assert computed == [LARGE, len(vectors().inputs[0])]
    assert found.counters["resends"] == 0
    assert board.role.inferences == len(vectors().inputs[0]), "nothing was computed twice"


@pytest.mark.parametrize(
    "babble", [b"", b"\x00\x93\x7f\x11\xff\x00" * 20, b"\xff\xfe\x01\x80" * 30], ids=["", "noise", "wrong baud"]
)
def test_bytes_that_mean_nothing_are_no_life(port: Path, hasty: Target, babble: bytes) -> None:
    with device(port) as board, opened(port, hasty) as session:
        board.babble, board.silent = babble, True
        with pytest.raises(UnansweredError, match=r"did not answer request 1 of 1 within"):
            session.infer([[1, 2, 3, 4]])


def test_a_device_that_only_talks_is_given_up_in_the_end(port: Path, hasty: Target) -> None:
    with device(port) as board, opened(port, hasty) as session:
        board.babble, board.silent = b"I am still here\n", True
        with pytest.raises(
            UnansweredError,
            match=rf"within {MOST * hasty.link.answer_within:g}\.\d s, although its bytes moved: it only prints now",
        ):
            session.infer([[1, 2, 3, 4]])


def test_a_device_that_talks_before_it_answers_is_waited_for(port: Path, target: Target) -> None:
    """Such as one whose engine prints a word now and then, and computes for twice as long as silence is borne."""

    def computing(board: PtyDevice, inferences: int) -> None:
        for _ in range(20 if inferences else 0):
            os.write(board.terminal, b"still computing\n")
            time.sleep(0.1)

    with device(port, computing), opened(port, patient_for(target, 1.0)) as session:
        assert session.infer([[1, 2, 3, 4]]).count == 1


def test_other_firmware_that_prints_is_not_waited_for(port: Path, hasty: Target) -> None:
    """Text is a sign of life of a device that has greeted, and of no other."""
    with device(port) as board:
        board.babble, board.silent = b"temperature 21.5\n", True
        with pytest.raises(
            UnansweredError,
            match=r"the handshake within 1 s: another program runs there, which prints: temperature 21.5$",
        ):
            opened(port, hasty)


def test_a_device_that_takes_bytes_slowly_and_never_answers_is_given_up(port: Path, target: Target) -> None:
    with device(port) as board, opened(port, patient_for(target, 0.5)) as session:
        board.pace, board.silent = 1 / 300, True
        with pytest.raises(UnansweredError, match="did not answer request 1 of 2"):
            session.infer(*vectors().inputs)
        assert session.counters["resends"] <= 2
