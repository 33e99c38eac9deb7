"""Which worker runs which tests, and when."""

from __future__ import annotations

import pytest

from . import scheduling
from .conftest import HOST

TARGETS = ["native", "qemu-m4"]


@pytest.mark.parametrize(
    ("nodeid", "unit"),
    [
        ("hil_tests/test_a.py::test_b[qemu-m4]", "qemu-m4"),
        ("hil_tests/test_c.py::test_d[qemu-m4-x]", "qemu-m4"),
        ("hil_tests/test_a.py::test_b", "hil_tests/test_a.py"),
        ("host/tests/firmware/test_a.py::test_b[qemu-m4]", "host/tests/firmware/test_a.py"),
        ("host/tests/firmware/test_a.py::test_b[x::y]", "host/tests/firmware/test_a.py"),
    ],
)
def test_a_worker_gets_what_is_asked_of_a_device_or_stands_in_a_file(nodeid: str, unit: str) -> None:
    assert scheduling.unit(nodeid, TARGETS) == unit


def test_what_takes_long_comes_first() -> None:
    ids = ["host/tests/config/a", "host/tests/train/a", "host/tests/system/a", "hil_tests/a", "host/tests/config/b"]
    assert sorted(ids, key=scheduling.rank) == [ids[3], ids[2], ids[1], ids[0], ids[4]]
    assert all((HOST.parent / folder).is_dir() for folder in scheduling.FIRST)
