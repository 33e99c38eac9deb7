"""What is measured of a device, over a real pseudo-terminal: the figures, their order, and restarts."""

from __future__ import annotations

from collections import Counter
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from tinyhil.artifacts.types import Capture, Measurement, Resources
from tinyhil.errors import DeviceError, RemoteLinkError
from tinyhil.link.fields import MessageType
from tinyhil.session import measuring
from tinyhil.session.journal import Answer, Memory
from tinyhil.session.lines import PortLines
from tinyhil.session.recording import Recorder
from tinyhil.session.records import RecordFile
from tinyhil.targets.model import Target

from ..link.device_role import ARENA_NEEDED, OPERATORS, STACK, WELCOME
from .captures import capture_on
from .pty_device import COUNT, IDENTITY, PtyDevice, device, vectors
from .test_recording import HEADER, assert_same, replay
from .test_stateful import board

SINGLES = measuring.WARM_UP + measuring.COUNT
RESOURCES = Resources(WELCOME.arena_bytes, WELCOME.arena_bytes, ARENA_NEEDED, 0, *STACK)
WHOLE = Measurement((10,) * 32, RESOURCES, OPERATORS)


def run(port: Path, target: Target, ledger: Memory | None = None) -> Capture:
    return capture_on(port, IDENTITY, vectors(), target, ledger=ledger)


def test_single_inferences_memory_and_operators(port: Path, measured: Target) -> None:
    with device(port) as board:
        found = run(port, measured)
    assert found.measurement == WHOLE
    records = [vector.tobytes() for vector in vectors().inputs[0]]
    turns = [*range(4), *range(32)]
    assert board.role.ran[COUNT:-1] == [records[turn] for turn in turns]
    assert board.role.inferences == COUNT + SINGLES + 1, "and one for the profile"
    assert found.ticks == 10 * COUNT, "the figure of the whole run has nothing of it"
    np.testing.assert_array_equal(found.outputs[0], vectors().reference[0])


def test_nothing_is_measured_where_figures_mean_nothing(port: Path, target: Target) -> None:
    with device(port) as board:
        assert run(port, target).measurement is None
    assert board.role.inferences == COUNT


def test_a_device_that_is_older_leaves_figures_out(port: Path, measured: Target) -> None:
    with device(port, knows_resources=False) as board:
        found = run(port, measured)
    assert found.measurement == Measurement((10,) * 32, None, ())
    assert board.role.inferences == COUNT + SINGLES


def test_an_engine_that_times_no_operators(port: Path, measured: Target) -> None:
    with device(port, operators=()):
        assert run(port, measured).measurement == Measurement((10,) * 32, RESOURCES, ())


def test_a_resumed_run_measures_the_same(port: Path, measured: Target) -> None:
    reference = vectors().reference[0].tobytes()
    with device(port) as board:
        found = run(port, measured, Memory({0: Answer(0, 4, 40, reference[:16])}))
    assert found.measurement == WHOLE
    assert board.role.inferences == COUNT - 4 + SINGLES + 1


@pytest.mark.parametrize("at", [COUNT // 4 + 1, COUNT // 4 + 20])
@pytest.mark.parametrize("kind", [MessageType.INFER, MessageType.USAGE, MessageType.PROFILE])
def test_a_restart_begins_the_measurement_again(port: Path, measured: Target, kind: MessageType, at: int) -> None:
    asked: Counter[int] = Counter()

    def once(request: int) -> bool:
        asked[request] += 1
        return request == kind and asked[request] == (at if kind is MessageType.INFER else 1)

    with device(port, restarts=once) as board:
        assert run(port, measured).measurement == WHOLE
    assert board.role.boots == 1
    turns = [*range(4), *range(32)]
    records = [vector.tobytes() for vector in vectors().inputs[0]]
    assert [record for record in board.role.ran if record in records][-36:] == [records[turn] for turn in turns]


def test_a_device_that_restarts_too_often_is_given_up(port: Path, measured: Target) -> None:
    asked = count(1)
    often = "restarted 6 times without coming further than the measurement"
    with (
        device(port, restarts=lambda request: request == MessageType.INFER and next(asked) % 30 == 0),
        pytest.raises(DeviceError, match=often),
    ):
        run(port, measured)


def test_a_device_that_restarts_at_every_profile_is_given_up(port: Path, measured: Target) -> None:
    with (
        device(port, restarts=lambda request: request == MessageType.PROFILE),
        pytest.raises(RemoteLinkError, match="restarted 6 times"),
    ):
        run(port, measured)


def test_a_model_with_state_is_reset_first(port: Path, measured: Target) -> None:
    with board(port) as device:
        found = run(port, measured)
    assert found.measurement == WHOLE
    assert len(device.role.ran) == SINGLES + 1


def test_the_replay_of_a_measured_run(port: Path, measured: Target, tmp_path: Path) -> None:
    path = tmp_path / "run.rec"
    asked = count(1)
    with (
        device(port, restarts=lambda request: request == MessageType.USAGE and next(asked) == 1),
        RecordFile(path) as f,
    ):
        lines = Recorder(PortLines(str(port), measured.link.baud), f, HEADER, [])
        recorded = capture_on(lines, IDENTITY, vectors(), measured)
    assert recorded.measurement == WHOLE
    assert_same(replay(path, measured), recorded)


def test_a_port_that_goes_away_during_the_measurement(port: Path, measured: Target) -> None:
    def flicker(board: PtyDevice, inferences: int) -> None:
        if inferences > COUNT + 5 and board.plugged == 1:
            board.reset()

    with device(port, flicker) as board:
        assert run(port, measured).measurement == WHOLE
    assert board.plugged == 2
