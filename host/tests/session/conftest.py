"""A target whose requests are small, so that a run has many of them."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tinyhil.targets.model import Measure, Target

from .pty_device import BATCH


@pytest.fixture
def measured(qemu_m4: Target) -> Target:
    """As the default target, but BATCH vectors in a request, and patience for a machine that is busy."""
    link = msgspec.structs.replace(qemu_m4.link, max_batch=BATCH, answer_within=20.0)
    return msgspec.structs.replace(qemu_m4, link=link)


def unmeasured(target: Target) -> Target:
    """As another, but its ticks mean nothing, so that it is asked for its vectors and nothing else."""
    return msgspec.structs.replace(target, measure=Measure(unit="nothing"))


@pytest.fixture
def target(measured: Target) -> Target:
    """``measured``, asked for its vectors and nothing else."""
    return unmeasured(measured)


@pytest.fixture
def hasty(target: Target) -> Target:
    """``target`` with a second of patience, for devices that will not answer."""
    return msgspec.structs.replace(target, link=msgspec.structs.replace(target.link, answer_within=1.0))


@pytest.fixture
def port(tmp_path: Path) -> Path:
    """Where the device's link is."""
    return tmp_path / "ttyBOARD"
