"""A session for questions of one's own, over a real pseudo-terminal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinyhil.affine import DType, TensorSpec
from tinyhil.errors import DeviceError, InputError, PortLostError, StaleFirmwareError
from tinyhil.link.fields import MessageType
from tinyhil.progress import Silent
from tinyhil.session import Identity, Session, open_session
from tinyhil.session.lines import PortLines
from tinyhil.session.tensors import quantized
from tinyhil.targets.model import Target

from ..link.device_role import ARENA_NEEDED, STACK
from .pty_device import COUNT, IDENTITY, INPUTS, OUTPUTS, PtyDevice, device, vectors
from .test_stateful import board, expected


def live(port: Path, target: Target, identity: Identity = IDENTITY) -> Session:
    lines = PortLines(str(port), target.link.baud)
    return open_session(lines, identity, target, lambda: None, Silent())


def test_rows_of_any_length_are_answered_in_order(port: Path, target: Target) -> None:
    sent = vectors()
    told: list[int] = []
    with device(port) as plugged, live(port, target) as session:
        for rows in ([0], [7, 3], range(COUNT)):
            chosen = sent.inputs[0][list(rows)]
            answers = session.infer(chosen, on_answer=told.append)
            np.testing.assert_array_equal(answers.inputs[0], chosen)
            np.testing.assert_array_equal(answers.outputs[0], sent.reference[0][list(rows)])
            assert answers.count == len(chosen)
            assert answers.ticks == 10 * len(chosen)
    assert plugged.role.inferences == 1 + 2 + COUNT
    assert told[:2] == [1, 2]
    assert told[-1] == COUNT


def test_real_values_are_quantized_and_come_back_real(port: Path, target: Target) -> None:
    with device(port), live(port, target) as session:
        answers = session.infer([[1.4, -3.5, 200.0, 0.0]])
    assert answers.inputs[0].tolist() == [[[1, -4, 127, 0]]]
    assert answers.real[0].tolist() == [[[-2.0, 3.0, -128.0, -1.0]]]


def test_memory_and_greeting(port: Path, target: Target) -> None:
    with device(port) as plugged, live(port, target) as session:
        used = session.usage()
        assert used is not None
        assert (used.arena_used, used.stack_bytes, used.stack_used) == (ARENA_NEEDED, *STACK)
        first = session.welcome
        assert session.greet() == first
        plugged.role.restart()
        assert session.greet().boot_id != first.boot_id
        assert session.counters["restarts"] == 0, "that was a greeting, no surprise"


def test_an_older_device_tells_nothing_of_its_memory(port: Path, target: Target) -> None:
    with device(port, knows_resources=False), live(port, target) as session:
        assert session.usage() is None


def test_a_restart_before_an_answer_is_no_failure(port: Path, target: Target) -> None:
    asked: list[int] = []

    def once(kind: int) -> bool:
        asked.append(kind)
        return asked.count(MessageType.USAGE) == 1 and kind == MessageType.USAGE

    with device(port, restarts=once), live(port, target) as session:
        assert session.usage() is not None
        assert session.counters["restarts"] == 1


def flicker(at: int) -> Any:
    """Unplugs the device before the answer to vector ``at``, and plugs it in again at once, restarted."""

    def before(plugged: PtyDevice, inferences: int) -> None:
        if inferences >= at and plugged.plugged == 1:
            plugged.reset()

    return before


def test_a_port_that_returns_is_asked_for_the_rest(port: Path, target: Target) -> None:
    with device(port, flicker(20)) as plugged, live(port, target) as session:
        boot = session.welcome.boot_id
        answers = session.infer(*vectors().inputs)
        assert session.welcome.boot_id != boot
    np.testing.assert_array_equal(answers.outputs[0], vectors().reference[0])
    assert plugged.plugged == 2
    assert COUNT < plugged.role.inferences < 2 * COUNT, "what was answered is not asked again"


def test_what_was_done_again_adds_up_over_lines_and_greetings(port: Path, target: Target) -> None:
    asked: list[int] = []

    def at_first(kind: int) -> bool:
        asked.append(kind)
        return asked.count(MessageType.USAGE) == 1 and kind == MessageType.USAGE

    with device(port, restarts=at_first) as plugged, live(port, target) as session:
        seen = []
        for again in (lambda: None, plugged.unplug, session.greet):
            again()
            if plugged.terminal < 0:
                plugged.plug()
            session.usage()
            seen.append(session.counters)
        session.close()
        assert session.counters["ports_reopened"] == 1, "it is told of a session that is over as well"
    assert [each["restarts"] for each in seen] == [1, 1, 1]
    assert [each["ports_reopened"] for each in seen] == [0, 1, 1]
    assert seen[0]["bytes_sent"] < seen[1]["bytes_sent"] < seen[2]["bytes_sent"]


def test_a_model_with_state_begins_again(port: Path, target: Target) -> None:
    with board(port, before=flicker(20)) as plugged, live(port, target) as session:
        for _ in range(2):
            answers = session.infer(*vectors().inputs)
            np.testing.assert_array_equal(answers.outputs[0], expected(vectors()))
        session.reset()
    assert plugged.plugged == 2
    assert [len(run) for run in plugged.role.runs if run] == [20, COUNT, COUNT]
    assert plugged.role.runs[-1] == [], "the reset begins another one"


def test_every_question_finds_the_port_again(port: Path, target: Target) -> None:
    with device(port) as plugged, live(port, target) as session:
        for ask in (session.usage, session.reset, session.greet, lambda: session.infer([[1, 2, 3, 4]])):
            boot = session.welcome.boot_id
            plugged.reset()
            ask()
            assert session.welcome.boot_id != boot


def test_a_port_that_stays_away_is_given_up(port: Path, hasty: Target) -> None:
    def gone(plugged: PtyDevice, inferences: int) -> None:
        if inferences >= 20 and plugged.plugged == 1:
            plugged.plugged = 2
            plugged.unplug()

    with (
        device(port, gone),
        live(port, hasty) as session,
        pytest.raises(DeviceError, match=r"did not come back within 1 s"),
    ):
        session.infer(*vectors().inputs)


def test_a_port_that_goes_again_and_again_is_given_up(port: Path, hasty: Target) -> None:
    def always(plugged: PtyDevice, inferences: int) -> None:
        if inferences > 0:
            plugged.reset()

    with device(port, always), live(port, hasty) as session, pytest.raises(PortLostError):
        session.infer(*vectors().inputs)


def test_a_device_that_falls_silent(port: Path, hasty: Target) -> None:
    with device(port) as plugged, live(port, hasty) as session:
        plugged.silent = True
        with pytest.raises(DeviceError, match=r"did not answer request 1 of 1 within 1 s"):
            session.infer([[1, 2, 3, 4]])


def test_a_program_that_has_died_is_the_cause(port: Path, hasty: Target) -> None:
    def died() -> None:
        raise DeviceError("the emulator ended with exit code 1")

    lines = PortLines(str(port), hasty.link.baud)
    with device(port) as plugged:
        plugged.silent = True
        with pytest.raises(DeviceError, match="ended with exit code 1"):
            open_session(lines, IDENTITY, hasty, died, Silent())
    port.unlink()
    with pytest.raises(DeviceError, match="ended with exit code 1"):
        open_session(lines, IDENTITY, hasty, died, Silent())


def test_a_session_that_is_closed_says_so(port: Path, target: Target) -> None:
    with device(port) as plugged:
        session = live(port, target)
        session.close()
        with pytest.raises(DeviceError, match="the session is closed"):
            session.infer([[1, 2, 3, 4]])
    assert plugged.role.inferences == 0


def test_nothing_is_asked_twice_in_one_attempt(port: Path, target: Target) -> None:
    """And the session goes on behind it."""
    with device(port, flicker(8)) as plugged, live(port, target) as session:
        with pytest.raises(PortLostError), session.one_attempt():
            session.infer(*vectors().inputs)
        assert plugged.role.boots == 1
        assert session.infer([[1, 2, 3, 4]]).outputs[0].tolist() == [[[-2, -3, -4, -5]]]


def test_another_model_is_stale_and_the_port_is_free_again(port: Path, target: Target) -> None:
    other = Identity("0" * 64, IDENTITY.project_sha256, INPUTS, OUTPUTS)
    with device(port):
        with pytest.raises(StaleFirmwareError):
            live(port, target, other)
        live(port, target).close()


SCALAR = TensorSpec("s", DType.INT8, (1, 1), 0.5, 0)
WIDE = TensorSpec("w", DType.INT16, (1, 2, 2), 0.25, 0)
PLAIN = TensorSpec("f", DType.FLOAT32, (1, 2), 0.0, 0)


@pytest.mark.parametrize(
    ("values", "spec", "wanted"),
    [
        ([1, -2], SCALAR, [1, -2]),
        ([0.5, -1.0], SCALAR, [1, -2]),
        ([[3]], SCALAR, [3]),
        (np.ones((2, 1, 2, 2)), WIDE, [4] * 8),
        (np.ones((2, 2, 2), np.uint8), WIDE, [1] * 8),
        (np.ones((3, 2), np.float64), PLAIN, [1.0] * 6),
    ],
)
def test_values_take_the_tensor_s_shape_and_type(values: Any, spec: TensorSpec, wanted: list[float]) -> None:
    (fitted,) = quantized([values], [spec])
    assert fitted.dtype == spec.dtype.numpy
    assert fitted.shape == (len(values), *spec.shape)
    assert fitted.ravel().tolist() == wanted


@pytest.mark.parametrize(
    ("values", "specs", "words"),
    [
        ([[1]], [SCALAR, SCALAR], "has 2 input tensors, 1 were given"),
        ([[1], [1, 2]], [SCALAR, SCALAR], "the same number of vectors"),
        ([[]], [SCALAR], "at least one"),
        ([5], [SCALAR], "the first axis is the vector"),
        ([[[1, 2]]], [SCALAR], r"vectors of shape \(1, 1\), not \(2,\)"),
        ([np.ones((4, 4))], [WIDE], "takes vectors of shape"),
        ([[128]], [SCALAR], "integers from -128 to 127"),
        ([[float("nan")]], [SCALAR], "NaN or infinite"),
        ([[True]], [SCALAR], "is int8, not bool"),
        ([["x"]], [SCALAR], "is int8, not str"),
        ([[[1, 2]]], [PLAIN], "is float32, not int64"),
    ],
)
def test_what_does_not_fit_is_refused(values: list[Any], specs: list[TensorSpec], words: str) -> None:
    with pytest.raises(InputError, match=words):
        quantized(values, specs)
