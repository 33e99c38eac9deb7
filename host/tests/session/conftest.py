"""A target whose requests are small, so that a run has many of them."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tinyhil.targets.model import Target

from .pty_device import BATCH


@pytest.fixture
def target(qemu_m4: Target) -> Target:
    """As the default target, but BATCH vectors in a request, and half a second of patience."""
    link = msgspec.structs.replace(qemu_m4.link, max_batch=BATCH, answer_within=0.5)
    return msgspec.structs.replace(qemu_m4, link=link)


@pytest.fixture
def port(tmp_path: Path) -> Path:
    """Where the device's link is."""
    return tmp_path / "ttyBOARD"
