"""A model that keeps state is run in order and exactly once per vector, whatever happens to its device."""

from __future__ import annotations

from itertools import accumulate
from pathlib import Path

import numpy as np
import pytest

from tinyhil.artifacts.types import Capture, Vectors
from tinyhil.session.journal import Answer, Memory
from tinyhil.targets.model import Target

from ..link.device_role import DeviceRole
from .captures import capture_on
from .pty_device import BATCH, COUNT, IDENTITY, INPUTS, OUTPUTS, PtyDevice, vectors


class Sum:
    """Answers the sum of all vectors since it was cleared, element by element, modulo 256."""

    def __init__(self) -> None:
        self.state = bytes(4)

    def clear(self) -> None:
        self.state = bytes(4)

    def __call__(self, vector: bytes) -> bytes:
        self.state = bytes((a + b) & 0xFF for a, b in zip(self.state, vector, strict=True))
        return self.state


def expected(sent: Vectors) -> np.ndarray[tuple[int, ...], np.dtype[np.int8]]:
    model = Sum()
    rows = accumulate((part.tobytes() for part in sent.inputs[0]), lambda _, vector: model(vector), initial=b"")
    return np.frombuffer(b"".join(rows), np.int8).reshape(sent.inputs[0].shape)


def board(port: Path, **options: object) -> PtyDevice:
    model = Sum()
    role = DeviceRole(INPUTS, OUTPUTS, model, clear=model.clear, max_payload=256, window=4)
    return PtyDevice(port, role, **options)  # type: ignore[arg-type]


def run(port: Path, target: Target, ledger: Memory | None = None) -> Capture:
    return capture_on(port, IDENTITY, vectors(), target, ledger=ledger)


def test_in_order_and_once(port: Path, target: Target) -> None:
    with board(port) as device:
        found = run(port, target)
    np.testing.assert_array_equal(found.outputs[0], expected(vectors()))
    assert device.role.inferences == COUNT


def test_a_restart_begins_again(port: Path, target: Target) -> None:
    def fall(device: PtyDevice, inferences: int) -> None:
        if device.role.boots < 2 and inferences > (device.role.boots + 1) * 4 * BATCH:
            device.role.restart()

    with board(port, before=fall) as device:
        found = run(port, target)
    assert device.role.boots == 2
    np.testing.assert_array_equal(found.outputs[0], expected(vectors()))


@pytest.mark.parametrize("kept", [4, 12])
def test_answers_of_an_earlier_run_are_worth_nothing(port: Path, target: Target, kept: int) -> None:
    stale = {start: Answer(start, BATCH, 0, bytes(4 * BATCH)) for start in range(0, kept * BATCH, BATCH)}
    with board(port) as device:
        found = run(port, target, Memory(stale))
    np.testing.assert_array_equal(found.outputs[0], expected(vectors()))
    assert device.role.inferences == COUNT
