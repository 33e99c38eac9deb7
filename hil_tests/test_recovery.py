"""A device that restarts, between two requests or in the midst of many, goes on with exact outputs."""

from __future__ import annotations

import numpy as np
import pytest

from tinyhil.artifacts.types import Array
from tinyhil.pipeline.answers import RunningDevice
from tinyhil.pytest_plugin import Dut, Soft
from tinyhil.session import Session


@pytest.fixture
def device(device: RunningDevice) -> RunningDevice:
    """One that can be switched off and on from here."""
    if not device.can_restart:
        pytest.skip(f"{device.target.name} was not started here: its reset button is for people")
    return device


def test_between_two_requests(device: RunningDevice, session: Session, soft: Soft, few: tuple[Array, ...]) -> None:
    soft.exact(session.infer(*few), "before")
    boot = session.welcome.boot_id
    device.restart()
    soft.exact(session.infer(*few), "after")
    assert session.welcome.boot_id != boot


def test_in_the_midst_of_many(
    dut: Dut, device: RunningDevice, session: Session, soft: Soft, few: tuple[Array, ...]
) -> None:
    """The power goes when the first requests are answered and others are on their way."""
    capacity = max(1, dut.welcome.max_payload // dut.model.inputs[0].nbytes)
    turns = max(1, 4 * capacity // len(few[0]))
    boot = session.welcome.boot_id
    cuts: list[int] = []

    def cut(answered: int) -> None:
        if not cuts:
            cuts.append(answered)
            device.restart()

    answers = session.infer(*(np.concatenate([part] * turns) for part in few), on_answer=cut)
    assert 0 < cuts[0] < answers.count
    assert session.welcome.boot_id != boot
    soft.exact(answers)
