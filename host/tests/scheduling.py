"""Which worker runs which tests, with pytest-xdist: what shares fixtures stays together, and the slowest come first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tinyhil.pytest_plugin import options
from tinyhil.pytest_plugin.workers import device_of

DEVICES = "hil_tests/"
"""Where tests share a device."""

FIRST = (DEVICES, "host/tests/system/", "host/tests/train/", "host/tests/quantize/")
"""Where tests take longest, so that at the end no worker waits long for another."""


def rank(nodeid: str) -> int:
    """The place of a test's file among the others: the lower, the sooner."""
    return next((place for place, folder in enumerate(FIRST) if nodeid.startswith(folder)), len(FIRST))


def unit(nodeid: str, targets: Sequence[str]) -> str:
    """What goes to one worker as a whole: all that is asked of a device, as by the plugin, and else a file."""
    file = nodeid.partition("::")[0]
    return (device_of(nodeid, targets) or file) if nodeid.startswith(DEVICES) else file


def scheduler(config: pytest.Config, log: Any) -> Any:
    """Hands out units, in the order of the tests."""
    from xdist.scheduler import LoadScopeScheduling

    names = options.targets(config)
    config.option.loadscopereorder = False  # the number of tests of a file says nothing of its time

    class ByUnit(LoadScopeScheduling):  # type: ignore[misc]  # it is untyped
        def _split_scope(self, nodeid: str) -> str:
            return unit(nodeid, names)

    return ByUnit(config, log)
