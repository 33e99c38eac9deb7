"""A device, and the promise that a proxy leaves nothing behind."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from .ends import Device


@pytest.fixture
def device() -> Iterator[Device]:
    end = Device()
    yield end
    end.unplug()


@pytest.fixture
def leaks_nothing() -> Iterator[None]:
    """Descriptors and threads are afterwards what they were before."""

    def open_now() -> set[str]:
        return {str(path) for path in Path("/proc/self/fd").iterdir() if path.exists()}

    files, threads = open_now(), set(threading.enumerate())
    yield
    assert set(threading.enumerate()) == threads
    assert open_now() <= files
