"""The two ends of a proxy."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from tinyhil.deadline import Deadline
from tinyhil.transport import Transport, open_transport

from .ends import PATIENCE_S, Device, Opens


@pytest.fixture
def device() -> Iterator[Device]:
    end = Device()
    yield end
    end.unplug()


@pytest.fixture
def host_opens() -> Iterator[Opens]:
    """Opens a port as a user's program does. It is closed also when the test fails."""
    with contextlib.ExitStack() as opened:

        def opens(port: str) -> Transport:
            transport = open_transport(port, baud=115200, deadline=Deadline.after(PATIENCE_S))
            opened.callback(transport.close)
            return transport

        yield opens
