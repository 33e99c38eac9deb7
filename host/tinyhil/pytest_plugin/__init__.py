"""The pytest plugin: hardware-in-the-loop tests as fixtures; docs/pytest.md is its manual.

``options`` has the command line's part, ``workers`` that of pytest-xdist, ``fixtures`` what tests ask for, ``dut`` and
``soft`` what they get.

Every pytest run of a user who has tinyhil installed loads this, so nothing of tinyhil is imported before a test asks
for a device.
"""

from __future__ import annotations

from tinyhil.pytest_plugin.dut import Dut
from tinyhil.pytest_plugin.fixtures import device, dut, fault_proxy, hil_run, session, soft, target
from tinyhil.pytest_plugin.options import (
    pytest_addoption,
    pytest_configure,
    pytest_generate_tests,
)
from tinyhil.pytest_plugin.outcome import pytest_runtest_call, pytest_runtest_teardown
from tinyhil.pytest_plugin.soft import Soft
from tinyhil.pytest_plugin.workers import pytest_cmdline_main, pytest_xdist_make_scheduler

__all__ = [
    "Dut",
    "Soft",
    "device",
    "dut",
    "fault_proxy",
    "hil_run",
    "pytest_addoption",
    "pytest_cmdline_main",
    "pytest_configure",
    "pytest_generate_tests",
    "pytest_runtest_call",
    "pytest_runtest_teardown",
    "pytest_xdist_make_scheduler",
    "session",
    "soft",
    "target",
]
