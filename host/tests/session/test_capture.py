"""A capture asks what is missing, keeps what it has, and goes on when the port is back, over a real pseudo-terminal."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tinyhil.artifacts.types import Array, Capture
from tinyhil.errors import DeviceError, PortLostError, StaleFirmwareError
from tinyhil.session.capture import Infer
from tinyhil.session.conversation import RESTARTS_IN_VAIN
from tinyhil.session.journal import Answer, Journal, Ledger, Memory
from tinyhil.targets.model import Target

from .captures import capture_on
from .pty_device import BATCH, COUNT, IDENTITY, ORIGIN, REQUESTS, PtyDevice, device, vectors


def run(port: Path, target: Target, ledger: Ledger | None = None) -> Capture:
    return capture_on(port, IDENTITY, vectors(), target, ledger=ledger)


def assert_right(found: Capture) -> None:
    np.testing.assert_array_equal(found.outputs[0], vectors().reference[0])
    assert found.ticks == 10 * COUNT
    assert found.work == {
        "vectors": COUNT,
        "requests": REQUESTS,
        "input_bytes": 4 * COUNT,
        "output_bytes": 4 * COUNT,
    }


def test_an_unbroken_run(port: Path, target: Target) -> None:
    with device(port) as board:
        assert_right(run(port, target))
    assert board.role.inferences == COUNT


def test_the_device_can_be_asked_more_at_the_end(port: Path, target: Target) -> None:
    """More than one request, of vectors that are not its own; what the capture says of its own stays the same."""
    more = np.arange(-40, 40, dtype=np.int8).reshape(-1, 1, 4)
    asked = []

    def explore(answers: tuple[Array, ...], infer: Infer) -> None:
        np.testing.assert_array_equal(answers[0], vectors().reference[0])
        asked.append(infer((more,)))

    with device(port) as board:
        assert_right(capture_on(port, IDENTITY, vectors(), target, explore=explore))
    ((answer,),) = asked
    np.testing.assert_array_equal(answer, ~more)
    assert board.role.inferences == COUNT + len(more)


def test_what_is_asked_at_the_end_begins_again_where_the_port_is_lost(port: Path, target: Target) -> None:
    more = np.arange(-40, 40, dtype=np.int8).reshape(-1, 1, 4)
    asked, begun = [], []

    def leave(board: PtyDevice, inferences: int) -> None:
        if inferences > COUNT + 2 * BATCH and board.plugged == 1:
            board.reset()

    def explore(answers: tuple[Array, ...], infer: Infer) -> None:
        begun.append(answers)
        asked.append(infer((more,)))

    with device(port, leave):
        assert_right(capture_on(port, IDENTITY, vectors(), target, explore=explore))
    ((answer,),) = asked
    np.testing.assert_array_equal(answer, ~more)
    assert len(begun) == 2


def test_only_what_is_missing_is_asked(port: Path, target: Target) -> None:
    reference = vectors().reference[0].tobytes()
    kept = {
        start: Answer(start, BATCH, 10 * BATCH, reference[4 * start : 4 * (start + BATCH)])
        for start in range(0, 8 * BATCH, 2 * BATCH)
    }
    with device(port) as board:
        assert_right(run(port, target, Memory(dict(kept))))
    assert board.role.inferences == COUNT - 4 * BATCH


def test_nothing_is_asked_where_all_is_answered(port: Path, target: Target) -> None:
    ledger = Memory()
    with device(port) as board:
        run(port, target, ledger)
        assert_right(run(port, target, ledger))
    assert board.role.inferences == COUNT


def test_what_a_device_has_answered_before_it_stopped_is_kept(
    port: Path, hasty: Target, target: Target, tmp_path: Path
) -> None:
    def stop(board: PtyDevice, inferences: int) -> None:
        board.silent = inferences > 5 * BATCH

    path = tmp_path / "journal"
    with Journal(path, ORIGIN, resume=False) as journal, device(port, stop), pytest.raises(DeviceError) as caught:
        run(port, hasty, journal)
    assert f"{5 * BATCH} of {COUNT} vectors are answered and in the journal" in caught.value.message
    assert str(caught.value) == caught.value.message
    assert "--resume" in caught.value.hint
    with Journal(path, ORIGIN, resume=True) as journal, device(port) as board:
        assert journal.resumed == 5 * BATCH
        assert_right(run(port, target, journal))
    assert board.role.inferences == COUNT - 5 * BATCH


def test_a_run_without_a_journal_promises_none(port: Path, hasty: Target) -> None:
    def stop(board: PtyDevice, inferences: int) -> None:
        board.silent = inferences > 5 * BATCH

    with device(port, stop), pytest.raises(DeviceError) as caught:
        run(port, hasty)
    assert "journal" not in caught.value.message + caught.value.hint


def test_a_port_that_returns_under_another_name(port: Path, target: Target) -> None:
    names = set()

    def flicker(board: PtyDevice, inferences: int) -> None:
        names.add(port.readlink())
        if inferences > 3 * BATCH * board.plugged:
            board.reset()

    with device(port, flicker) as board:
        assert_right(run(port, target))
    assert board.plugged >= 3
    lost = board.role.inferences - COUNT
    assert 0 < lost <= 2 * BATCH * (board.plugged - 1), "only what was in flight is asked twice"


def test_a_port_that_does_not_return_is_given_up(port: Path, hasty: Target, tmp_path: Path) -> None:
    def leave(board: PtyDevice, inferences: int) -> None:
        if inferences > 3 * BATCH:
            board.unplug()

    with Journal(tmp_path / "journal", ORIGIN, resume=False) as journal, device(port, leave):
        with pytest.raises(DeviceError, match=r"went away and did not come back within 1 s") as caught:
            run(port, hasty, journal)
        kept = sum(answer.count for answer in journal.answers.values())
        assert BATCH <= kept <= 3 * BATCH, "a terminal that hangs up takes with it what it has not delivered"
        assert f"{kept} of {COUNT} vectors" in caught.value.message


def test_a_port_that_comes_and_goes_without_an_answer_is_given_up(port: Path, hasty: Target) -> None:
    def flicker(board: PtyDevice, inferences: int) -> None:
        if inferences:
            board.unplug()
            board.plug()

    # Which of its waits the deadline ends depends on how busy the machine is; that it ends one does not.
    given_up = r"the other end is gone|did not come back within|did not answer the handshake within"
    with device(port, flicker), pytest.raises(DeviceError, match=given_up):
        run(port, hasty)


def test_a_port_that_is_lost_at_the_same_place_again_and_again_is_given_up(port: Path, target: Target) -> None:
    """Each time the device has answered something since, so silence is not what ends it."""
    begun: list[tuple[Array, ...]] = []

    def leave(board: PtyDevice, inferences: int) -> None:
        if board.plugged == len(begun) and inferences >= COUNT + 2 * BATCH * len(begun):
            board.reset()

    def explore(answers: tuple[Array, ...], infer: Infer) -> None:
        begun.append(answers)
        for _ in range(3):
            infer((vectors().inputs[0][:BATCH],))

    with device(port, leave), pytest.raises(PortLostError):
        capture_on(port, IDENTITY, vectors(), target, explore=explore)
    assert len(begun) == RESTARTS_IN_VAIN + 2


def test_what_an_earlier_run_has_left_is_named_where_the_device_cannot_even_be_reached(
    port: Path, hasty: Target, tmp_path: Path
) -> None:
    with Journal(tmp_path / "journal", ORIGIN, resume=False) as journal:
        journal.add(Answer(0, BATCH, 40, bytes(4 * BATCH)))
    with Journal(tmp_path / "journal", ORIGIN, resume=True) as journal, pytest.raises(DeviceError) as caught:
        run(port, hasty, journal)
    assert caught.value.message.endswith(f"; {BATCH} vectors are answered and in the journal")
    assert "--resume" in caught.value.hint


def test_another_board_that_is_plugged_in_instead_is_refused(port: Path, target: Target) -> None:
    def swap(board: PtyDevice, inferences: int) -> None:
        if inferences > 3 * BATCH and board.plugged == 1:
            board.role.welcome = replace(board.role.welcome, model_sha256=b"x" * 32)
            board.reset()

    with device(port, swap), pytest.raises(StaleFirmwareError):
        run(port, target)


def test_a_device_whose_program_has_ended_is_not_waited_for(port: Path, target: Target) -> None:
    """The end of a process can be seen a little later than the end of its terminal."""
    looks = -1

    def end(board: PtyDevice, inferences: int) -> None:
        nonlocal looks
        if inferences > 3 * BATCH:
            looks = 0
            board.unplug()

    def check() -> None:
        nonlocal looks
        if looks >= 0:
            looks += 1
            if looks > 3:
                raise DeviceError("the emulator ended")

    with device(port, end), pytest.raises(DeviceError, match=r"^the emulator ended"):
        capture_on(port, IDENTITY, vectors(), target, check)
